"""Adapt open language models to your own work, and be able to show how.

    import tunewright as tw

    project = tw.open("examples/support-bot")
    data = tw.vet(project, tw.gather(project))
    model = tw.tune(project, data)
    report = tw.evaluate(project, model)
    release = tw.release(project, report)

Gather, vet, tune, evaluate, release, serve, watch, learn, and forget. Each leaves evidence.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunewright.project import Project, open, verify
    from tunewright.story import run
    from tunewright.verbs.evaluate import evaluate
    from tunewright.verbs.forget import forget
    from tunewright.verbs.gather import gather
    from tunewright.verbs.learn import learn
    from tunewright.verbs.release import release
    from tunewright.verbs.serve import serve
    from tunewright.verbs.tune import tune
    from tunewright.verbs.vet import vet
    from tunewright.verbs.watch import watch

__all__ = [
    "Project",
    "evaluate",
    "forget",
    "gather",
    "learn",
    "open",
    "release",
    "run",
    "serve",
    "tune",
    "verify",
    "vet",
    "watch",
]

_AT = {"Project": "project", "open": "project", "verify": "project", "run": "story"}


def __getattr__(name: str) -> object:
    """Each name is imported when it is first asked for, so that `tunewright --help` answers at once."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_AT.get(name, f'verbs.{name}')}"), name)


def __dir__() -> list[str]:
    return __all__
