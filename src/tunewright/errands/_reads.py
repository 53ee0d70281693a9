"""What errands read besides what verbs read: it joins their table."""

from collections.abc import Iterator, Mapping

from tunewright.errands._space import space
from tunewright.nouns import Noun
from tunewright.project import Project
from tunewright.verbs._reads import READS

GATE = "gate"
SPACE = "space"


def _gate(project: Project, said: Mapping[str, object]) -> Iterator[Noun]:
    """What the evaluation cases are asked for, when they are asked."""
    if said.get("cases"):
        yield from (project.plan(), project.cases(), project.policy())


def _space(project: Project, _: Mapping[str, object]) -> Iterator[Noun]:
    """What a search may vary, and the runtime that measures what it found."""
    yield from (space(project), project.plan())


READS |= {GATE: _gate, SPACE: _space}
