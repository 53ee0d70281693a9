"""Which settings a search may try."""

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pydantic import JsonValue

from tunewright.errors import BadInput
from tunewright.nouns import Space
from tunewright.project import Project
from tunewright.trainers import GIVEN, trainers

USUAL: dict[str, JsonValue] = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "rank": [4, 8, 16, 32],
    "epochs": {"low": 1, "high": 5},
}
"""What is varied when nothing is said, as far as the trainer has these options."""


def space(project: Project) -> Space:
    """What `tune.search` says, or the usual options that the trainer has.

    Errors: `BadInput` for options or values that the trainer does not take, or when there is nothing to vary.
    """
    trainer, said = project.settings.tune.trainer, project.settings.tune.search
    known = [name for name in trainers.options(trainer) if name not in GIVEN]
    options = said or {name: choice for name, choice in USUAL.items() if name in known}
    if not options:
        raise BadInput(
            f"nothing to search: the trainer {trainer} has none of the options {', '.join(USUAL)}",
            hint="name options of the trainer under tune.search",
        )
    for name, choice in options.items():
        for value in choice if isinstance(choice, list) else _ends(choice):
            trainers.check(trainer, {name: value}, given=GIVEN)
    return Space(options=options)


def distributions(of: Space) -> dict[str, object]:
    """The space in Optuna's terms. Listed values are compared as JSON; whole ends make whole numbers."""
    library: Any = import_module("optuna.distributions")
    made = dict[str, object]()
    for name, choice in of.options.items():
        if isinstance(choice, list):
            made[name] = library.CategoricalDistribution([json.dumps(value) for value in choice])
        elif isinstance(choice, dict):
            low, high = _ends(choice)
            kind = library.IntDistribution if _whole(low, high) else library.FloatDistribution
            made[name] = kind(low, high, log=bool(choice.get("log", False)))
    return made


def settings(of: Space, proposed: Mapping[str, object]) -> dict[str, JsonValue]:
    """What was proposed, as options of the trainer; numbers of three digits, which is all that matters."""
    found = dict[str, JsonValue]()
    for name, value in proposed.items():
        choice = of.options[name]
        if isinstance(choice, list):
            found[name] = json.loads(str(value))
        elif isinstance(value, float) and isinstance(choice, dict):
            low, high = _ends(choice)
            found[name] = min(max(float(f"{value:.3g}"), low), high)
        elif isinstance(value, int):
            found[name] = value
    return found


def proposal(of: Space, options: Mapping[str, JsonValue]) -> dict[str, object] | None:
    """The reverse of `settings`; None when the options lie outside of the space."""
    found = dict[str, object]()
    for name, choice in of.options.items():
        value = options.get(name)
        if isinstance(choice, list):
            if value not in choice:
                return None
            found[name] = json.dumps(choice[choice.index(value)])
        elif isinstance(choice, dict):
            low, high = _ends(choice)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                return None
            whole = _whole(low, high)
            if whole and value != int(value):
                return None
            found[name] = int(value) if whole else float(value)
    return found


def own(of: Space, project: Project) -> dict[str, JsonValue]:
    """The recipe's own values of what is varied: said in the recipe, or the trainer's defaults."""
    recipe = project.recipe()
    defaults = trainers.options(recipe.trainer)
    return {name: recipe.options.get(name, defaults[name].default) for name in of.options}


def _ends(choice: JsonValue) -> tuple[float, float]:
    """`low` and `high`; whole numbers stay whole."""
    assert isinstance(choice, dict), choice
    low, high = choice["low"], choice["high"]
    assert isinstance(low, int | float), low
    assert isinstance(high, int | float), high
    return low, high


def _whole(low: float, high: float) -> bool:
    return isinstance(low, int) and isinstance(high, int)
