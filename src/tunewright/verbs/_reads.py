"""What verbs read besides their arguments: part of the key that says whether work was done before."""

from collections.abc import Callable, Iterable

from tunewright.bases import find
from tunewright.nouns import Erasure, Noun, Policy
from tunewright.project import Project


def _vetting(policy: Policy) -> Policy:
    """The part of a policy that vetting reads, so that other rules can change without vetting again."""
    checks = {name.partition(".")[0] for name in policy.vet}
    options = {name: options for name, options in policy.options.items() if name in checks}
    return policy.model_copy(update={"release": (), "serve": {}, "options": options})


READS: dict[str, Callable[[Project], Iterable[Noun]]] = {
    "sources": lambda project: project.sources(),
    "policy": lambda project: [project.policy()],
    "policy.vet": lambda project: [_vetting(project.policy())],
    "recipe": lambda project: [project.recipe()],
    "plan": lambda project: [project.plan()],
    "about": lambda project: [project.about()],
    "cases": lambda project: [project.cases()],
    "base": lambda project: [
        find(project.settings.tune.base, home=project.folder, cache=project.state / "bases").base
    ],
    "erasures": lambda project: project.ledger.all(Erasure),
}
