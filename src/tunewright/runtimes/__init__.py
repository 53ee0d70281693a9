"""Runtimes let a model speak.   (base, weights, **options) -> Speaker

`base` is a folder that `bases` found; `weights` what a trainer made, or None for the base itself.
"""

import os
from collections.abc import Callable

from tunewright.shelf import Shelf
from tunewright.speaker import Loss, Reply, Speaker

__all__ = ["Loss", "Reply", "Speaker", "runtimes"]

# Threads that wait for each other must not spin: on a processor that others use too, a model then runs at a
# fifth of its speed (measured with four busy processes on two cores). Read by OpenMP when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

runtimes: Shelf[Callable[..., Speaker]] = Shelf(__name__)
