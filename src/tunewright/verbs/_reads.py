"""What verbs read besides their arguments: part of the key that says whether work was done before."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from tunewright.bases import find
from tunewright.nouns import Day, Erasure, Noun, Policy
from tunewright.project import Project
from tunewright.verbs._places import places


def _vetting(policy: Policy) -> Policy:
    """The part of a policy that vetting reads, so that other rules can change without vetting again."""
    checks = {name.partition(".")[0] for name in policy.vet}
    options = {name: options for name, options in policy.options.items() if name in checks}
    return policy.model_copy(update={"release": (), "serve": {}, "options": options})


def _day(project: Project, _: Mapping[str, object]) -> Iterator[Day]:
    """Today, when something about the data ends on a day; else work would be done again every morning."""
    ends = any(said.retain_until not in ("", "none") for said in project.settings.data)
    if ends or "retention" in {name.partition(".")[0] for name in project.settings.policy.vet}:
        yield Day(date=datetime.now(UTC).date().isoformat())


READS: dict[str, Callable[[Project, Mapping[str, object]], Iterable[Noun]]] = {
    "sources": lambda project, said: (place.source for place in places(project, bool(said.get("refresh")))),
    "today": _day,
    "reviews": lambda project, _: project.reviews(),
    "marks": lambda project, _: project.marks(),
    "policy": lambda project, _: [project.policy()],
    "policy.vet": lambda project, _: [_vetting(project.policy())],
    "recipe": lambda project, _: [project.recipe()],
    "hardening": lambda project, _: [project.cases()] if project.settings.tune.harden else [],
    "plan": lambda project, _: [project.plan()],
    "about": lambda project, _: [project.about()],
    "cases": lambda project, _: [project.cases()],
    "base": lambda project, _: [
        find(project.settings.tune.base, home=project.folder, cache=project.state / "bases").base
    ],
    "erasures": lambda project, _: project.ledger.all(Erasure),
}
