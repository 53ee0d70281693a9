"""Runtimes let a model speak.   (base, weights, **options) -> Speaker

`base` is a folder that `bases` found; `weights` what a trainer made, or None for the base itself.
"""

from collections.abc import Callable

from tunewright.shelf import Shelf
from tunewright.speaker import Loss, Reply, Speaker

__all__ = ["Loss", "Reply", "Speaker", "runtimes"]

runtimes: Shelf[Callable[..., Speaker]] = Shelf(__name__)
