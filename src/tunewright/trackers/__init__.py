"""Trackers show a training to other programs.   (place, run) -> Tracker

`place` is a folder of the tracker's own below the project's `out`, `run` says what is being trained. What
comes back is told every step as it happens and closed once. Trackers get numbers, names and digests, never
words of a record or a system prompt. They decide nothing: they are no part of the recipe, and a training
whose tracker fails goes on without it and says so once.

A training that was stopped is told to the same run again from where it goes on: `run.key` is the same.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from pydantic import JsonValue

from tunewright.nouns import Progress
from tunewright.shelf import Shelf


class Run(NamedTuple):
    """What is being trained."""

    name: str
    """Of the project and the work, fit for a folder."""
    project: str
    key: str
    """Of the work: the same when a stopped training goes on."""
    params: dict[str, JsonValue]
    """Base, trainer, seed, options."""
    tags: dict[str, str]
    """Digests of what goes in."""


class Tracker(Protocol):
    """Hears a training."""

    def tell(self, progress: Progress) -> None:
        """A step, with its numbers; or a note."""
        ...

    def close(self, facts: Mapping[str, JsonValue]) -> None:
        """The end. `facts` are the model's, with its digest as `model`; empty when training was stopped."""
        ...


trackers: Shelf[Callable[[Path, Run], Tracker]] = Shelf(__name__)


def numbers(progress: Progress) -> dict[str, float]:
    """The values of a training step; empty for what only prepares one."""
    return dict(progress.values) if progress.label == "tune" else {}
