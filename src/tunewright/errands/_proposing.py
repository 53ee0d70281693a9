"""What Optuna proposes, from the trials in the ledger alone: there is no other database.

For each trial a study is made in memory and the finished trials are put into it; the sampler's seed is made
of the recipe's seed and the trial's number. So a search that was stopped proposes what it would have
proposed.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from pydantic import JsonValue

from tunewright.errands import _space
from tunewright.nouns import Space, Trial
from tunewright.shelf import missing

RANDOM = 4
"""Trials before the sampler and the pruner begin to learn from them."""
PATIENT = 2
"""From which measurement on a trial may be stopped."""
TRIES = 20
"""Proposals that are asked for until one has not been tried yet."""


def ready() -> None:
    """Errors: `Missing` when Optuna is not installed."""
    try:
        library: Any = import_module("optuna")
    except ModuleNotFoundError as error:
        raise missing(error, "errands/search") from error
    library.logging.disable_default_handler()
    library.logging.set_verbosity(library.logging.ERROR)


def proposed(of: Space, before: Sequence[Trial], seed: int, number: int) -> dict[str, JsonValue] | None:
    """Settings that were not tried yet; None when none are proposed any more."""
    known = [one.options for one in before]
    for again in range(TRIES):
        study = _study(of, before, (seed * 1_000_003 + number * TRIES + again) % 2**31)
        options = _space.settings(of, study.ask(_space.distributions(of)).params)
        if options not in known:
            return options
    return None


def judge(
    of: Space, before: Sequence[Trial], seed: int, options: Mapping[str, JsonValue]
) -> Callable[[float, int], bool]:
    """Says after each measurement, given the loss and its number from 1, whether to stop this trial."""
    study = _study(of, before, seed)
    params = _space.proposal(of, options)
    study.enqueue_trial(params)
    trial: Any = study.ask(_space.distributions(of))

    def stop(loss: float, number: int) -> bool:
        trial.report(loss, number)
        return bool(trial.should_prune())

    return stop


def _study(of: Space, before: Sequence[Trial], seed: int) -> Any:
    library: Any = import_module("optuna")
    study = library.create_study(
        direction="minimize",
        sampler=library.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM),
        pruner=library.pruners.MedianPruner(n_startup_trials=RANDOM, n_warmup_steps=PATIENT),
    )
    states = {
        "complete": library.trial.TrialState.COMPLETE,
        "pruned": library.trial.TrialState.PRUNED,
        "failed": library.trial.TrialState.FAIL,
    }
    for one in before:
        params = _space.proposal(of, one.options)
        if params is None:
            continue  # the recipe's own settings may lie outside of the space
        study.add_trial(
            library.trial.create_trial(
                state=states[one.state],
                params=params,
                distributions=_space.distributions(of),
                value=None if one.state == "failed" else one.loss,
                intermediate_values=dict(enumerate(one.steps, 1)),
            )
        )
    return study
