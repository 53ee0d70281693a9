"""Runtimes let a model speak.   (base, weights, **options) -> Speaker

`base` is a folder that `bases` found; `weights` what a trainer made, or None for the base itself.
"""

import os
from collections.abc import Callable

from tunewright.shelf import Shelf
from tunewright.speaker import Loss, Reply, Speaker

__all__ = ["Loss", "Reply", "Speaker", "runtimes"]

# Threads that wait for each other may spin a little: long spins cost four fifths of the speed on a processor
# that others use too, none at all cost a third on a quiet one. Read by OpenMP when torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

runtimes: Shelf[Callable[..., Speaker]] = Shelf(__name__)
