"""What verbs read besides their arguments: part of the key that says whether work was done before."""

from collections.abc import Callable, Iterable

from tunewright.bases import find
from tunewright.nouns import Erasure, Noun
from tunewright.project import Project

READS: dict[str, Callable[[Project], Iterable[Noun]]] = {
    "sources": lambda project: project.sources(),
    "policy": lambda project: [project.policy()],
    "recipe": lambda project: [project.recipe()],
    "plan": lambda project: [project.plan()],
    "cases": lambda project: [project.cases()],
    "base": lambda project: [find(project.settings.tune.base, cache=project.state / "bases").base],
    "erasures": lambda project: project.ledger.all(Erasure),
}
