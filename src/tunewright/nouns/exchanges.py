"""What people said in service. Never in the ledger; it can be erased."""

from datetime import datetime
from typing import Literal

from tunewright.nouns.data import Message
from tunewright.nouns.evidence import Verdict
from tunewright.nouns.noun import Digest, Noun


class Exchange(Noun):
    """A conversation in service, its answer, and what the checks saw."""

    id: str
    release: Digest
    channel: str
    at: datetime
    messages: tuple[Message, ...]
    verdict: Verdict
    seconds: float
    tokens: int
    person: str = ""
    """Keyed commitment to whoever asked, when the client said who."""
    consent: bool = False
    """Whether this may be learnt from."""


class Feedback(Noun):
    """A person's word on an exchange."""

    exchange: str
    at: datetime
    thumb: Literal["up", "down"]
    correction: str = ""
    consent: bool = False
