"""What is put to `judge`, and what it answers."""

from collections.abc import Iterable
from typing import NamedTuple

from tunewright.packs import Use
from tunewright.rights._meaning import Answer, Reason, Role, Row


class Data(NamedTuple):
    """Records that came under one licence from one source."""

    licence: str
    """As it was declared."""
    records: int = 1
    source: str = ""
    generator: str = ""
    """The models that wrote them, when they are synthetic or mixed."""
    found: str = ""
    """A licence that was found in the files, where it is another one."""
    upstream: tuple[str, ...] = ()
    """What they were made from: names of datasets, or licences."""


class Teacher(NamedTuple):
    """A model whose outputs are learnt from, and two facts about its terms, where they were stated."""

    name: str
    accepted: bool | None = None
    """Whether the team itself accepted the provider's terms."""
    competing: bool | None = None
    """Whether the tuned model competes with the provider's."""
    records: int = 0
    source: str = ""


class Permission(NamedTuple):
    """The answer for one use, and the reasons that make it no better."""

    use: Use
    answer: Answer
    because: tuple[Reason, ...]


class Branch(NamedTuple):
    """A licence with the records that it covers and the sources they came from."""

    licence: str
    """The expression as it was read, or as it was given when it could not be."""
    role: Role
    records: int
    sources: tuple[tuple[str, int], ...]
    """Name and number of records, the largest first."""
    row: Row
    reasons: tuple[Reason, ...]


class Rights(NamedTuple):
    """What a tuned model may be used for, what it must carry, and what stands in the way."""

    verdict: Answer
    """The worst answer over the uses that are meant."""
    permissions: tuple[Permission, ...]
    """For own use, commercial use, serving and publishing."""
    carries: tuple[Reason, ...]
    """Duties that go with the model."""
    reasons: tuple[Reason, ...]
    """Everything that counted."""
    credits: tuple[tuple[str, str], ...]
    """Source and licence to name."""
    texts: tuple[str, ...]
    """Licences whose text goes with the model."""
    prefix: str
    """What its name must begin with; empty when nothing asks for it."""
    blocks: tuple[Reason, ...]
    tree: tuple[Branch, ...]
    freest: str
    """The freest licence that the tuned model could carry; empty when none fits."""
    freest_why: str
    questions: tuple[str, ...]
    """What a person has to say before the answer can be better."""
    looked_at: str
    """Date of the packs."""

    def on(self, use: Use) -> Answer:
        """The answer for one use."""
        return next(p.answer for p in self.permissions if p.use == use)

    def duties(self, uses: Iterable[Use]) -> tuple[Reason, ...]:
        """What it carries that counts for some of these uses, and forbids none of them."""
        meant = tuple(uses)
        answers = [(reason, {reason.on(use) for use in meant}) for reason in self.carries]
        return tuple(r for r, given in answers if "blocked" not in given and given != {"allowed"})
