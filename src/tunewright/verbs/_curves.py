"""The learning curve that vetting is told of."""

from collections.abc import Iterator, Mapping

from tunewright.nouns import Curve, Recipe
from tunewright.project import Project
from tunewright.verbs._reads import READS

CURVE = "curve"


def newest(project: Project) -> Curve | None:
    """The last learning curve that was measured with the base model of tunewright.yaml."""
    for curve in reversed(project.ledger.all(Curve)):
        recipe = project.ledger.find(Recipe, curve.recipe)
        if recipe is not None and recipe.base == project.settings.tune.base:
            return curve
    return None


def _told(project: Project, _: Mapping[str, object]) -> Iterator[Curve]:
    """What the check `sufficiency` is given: vetting is done again when there is a new curve."""
    if "sufficiency" in {name.partition(".")[0] for name in project.settings.policy.vet}:
        found = newest(project)
        yield from [found] if found else []


READS[CURVE] = _told
