"""Records, where they came from, and what checks saw in them."""

from datetime import datetime
from typing import Literal

from tunewright.nouns.noun import Authorship, Blob, Digest, Noun, Remedy, Role, Severity


class Message(Noun):
    """One turn of a conversation."""

    role: Role
    content: str


class Origin(Noun):
    """Where a record came from: the source's name, the file below the project, the line (from 1)."""

    source: str
    file: str
    line: int


class Record(Noun):
    """One conversation, or one labelled text (then `label` is set and is also the last answer).

    A message of the role `rejected` may stand at the end: an answer that people did not want. After the
    assistant's answer the two are a preference; without one it is a disliked answer.
    """

    id: str
    messages: tuple[Message, ...]
    label: str = ""
    licence: str = ""
    origin: Origin
    subjects: tuple[str, ...] = ()
    """Whom it concerns: as written in the source until `gather` replaces them by keyed commitments."""
    facts: dict[str, str] = {}
    """What the row itself says of its provenance, by the names of `RECORD_FACTS`, where it says anything."""
    shape: str = ""
    """The row shape it was recognised as, such as "OpenAI chat messages"."""

    @property
    def text(self) -> str:
        """Every turn's words, in order, those of a rejected answer too."""
        return "\n".join(m.content for m in self.messages)

    @property
    def rejected(self) -> str:
        """The answer that people did not want, if there is one."""
        last = self.messages[-1] if self.messages else None
        return last.content if last is not None and last.role == "rejected" else ""

    @property
    def turns(self) -> tuple[Message, ...]:
        """The conversation without a rejected answer."""
        ends = bool(self.messages) and self.messages[-1].role == "rejected"
        return self.messages[:-1] if ends else self.messages

    @property
    def disliked(self) -> bool:
        """Whether it ends with an answer that people did not want and has none that they preferred."""
        roles = [m.role for m in self.messages[-2:]]
        return roles[-1:] == ["rejected"] and roles[0] != "assistant"


class Reject(Noun):
    """A row that could not become a record, or a record that may not go on, and why."""

    origin: Origin
    reason: str
    record: str = ""
    """Its id, when it had been a record already."""
    raw: str = ""
    """The first 2,000 characters as they came; only in the quarantine blob, which can be erased."""
    subjects: tuple[str, ...] = ()


RECORD_FACTS = ("collected", "generator", "consent", "retain_until", "language", "upstream")
"""What a row may say of itself; they have the meaning of the fields of `Source`."""


class Source(Noun):
    """A place records come from, the right to use them, and the bytes it had when it was read."""

    name: str
    uri: str
    licence: str
    """SPDX expression, or NOASSERTION when it is not known."""
    origin: str
    """Who made the records, and where they were got."""
    basis: str
    """Why they may be used; for personal data, the legal basis."""
    collected: str = ""
    """When, such as `2026-03` or `2025-01/2026-03`."""
    publisher: str = ""
    link: str = ""
    """URL of the publication, or the reference of the contract."""
    collected_by: str = ""
    method: str = ""
    """How: export of the help desk, survey, crawl, written by hand."""
    purpose: str = ""
    """What the records were collected for."""
    consent: str = ""
    """Where the consent is filed, when consent is the basis."""
    retain_until: str = ""
    """Last day on which they may be used, as YYYY-MM-DD; `none` when no end is set on purpose."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes."""
    author: Authorship = ""
    generator: str = ""
    """The model that wrote them, when they are synthetic or mixed."""
    upstream: tuple[str, ...] = ()
    """What they were made from: datasets, or licences."""
    sha256: Digest

    @property
    def missing(self) -> tuple[str, ...]:
        """Facts of provenance that nobody stated. They are named, never guessed."""
        asked = [
            "collected",
            "publisher",
            "link",
            "collected_by",
            "method",
            "purpose",
            "retain_until",
            "languages",
            "author",
        ]
        asked += ["consent"] if "consent" in self.basis.lower() else []
        asked += ["generator"] if self.author in ("synthetic", "mixed") else []
        unknown = ["licence"] if self.licence in ("", "NOASSERTION", "NONE") else []
        return tuple(unknown + [name for name in asked if not getattr(self, name)])


class Dataset(Noun):
    """A fixed set of records, its lineage, and the fate of everything that came in."""

    name: str
    records: Blob
    """JSONL of `Record`."""
    count: int
    quarantine: Blob
    """JSONL of `Reject`."""
    received: int
    fates: dict[str, int]
    """How many records met which end (`kept`, `cleaned`, `dropped: …`, …); sums to `received`."""
    sources: tuple[Source, ...]
    formats: dict[str, int] = {}
    """Row shapes that were recognised, such as "OpenAI chat messages", and how many rows had each."""
    parent: Digest | None = None


class Finding(Noun):
    """Something a check noticed: where, how bad, why. What it means is for a policy to say."""

    check: str
    what: str
    """The kind of thing within the check, such as `email`."""
    record: str
    message: int = 0
    start: int = 0
    end: int = 0
    """Span in that message's characters; `start == end` means the whole record."""
    severity: Severity
    note: str
    """The reason, in words; never the text that was found."""
    evidence: str = ""
    """What it rests on: rule, check digit, similarity, the other record. Never the text itself."""
    confidence: float = 1.0
    """0 to 1, as far as the check can tell."""


class Trait(Noun):
    """A property of one record that counts towards a mixture, such as its language. Not a defect."""

    check: str
    name: str
    record: str
    value: str


class Tally(Noun):
    """How many records fell into each class of what a check counted."""

    check: str
    name: str
    counts: dict[str, int]
    note: str = ""


class Day(Noun):
    """A day that decided something, such as whether a retention date had passed."""

    date: str
    """YYYY-MM-DD, in UTC."""


class Edit(Noun):
    """A change that vetting made to a record, would make, or asks about. It holds words: it can be erased."""

    change: Digest
    """Keyed digest of the message, the place in it and the kind of the finding: reviews refer to it."""
    record: str
    origin: Origin
    message: int
    check: str
    what: str
    note: str
    remedy: Remedy
    before: str
    """What stood there."""
    after: str
    """What stands there now, or would."""
    left: str
    """Up to 80 characters in front of it, as they stood."""
    right: str
    """Up to 80 characters behind it."""
    state: Literal["made", "waiting", "accepted", "rejected"]


class Review(Noun):
    """What a person said of one change that vetting made or asked about."""

    change: Digest
    accept: bool
    by: str
    at: datetime


class Mark(Noun):
    """A person marked all personal data in one record: the truth that the check is measured against."""

    record: Digest
    """SHA-256 of the record's turns."""
    spans: tuple[tuple[int, int, int, str], ...]
    """Message, start, end and kind of each."""
    by: str
    at: datetime
