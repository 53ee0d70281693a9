"""Trainers make weights.   (base, records, out, *, system, seed, **options) -> Iterator[Progress]

`base` is a folder that `bases` found, `records` a list of conversations, `out` a folder that outlives the
process: a trainer writes its checkpoints there and goes on from the last one when called again with the
same arguments. When the iterator ends, `out/weights/` holds the result and nothing else. The same
arguments on the same machine give the same bytes, interrupted or not.
"""

import os
from collections.abc import Callable, Iterator

from tunewright.nouns import Progress
from tunewright.shelf import Shelf

# Threads that wait for each other may spin a little: long spins cost four fifths of the speed on a processor
# that others use too, none at all cost a third on a quiet one. Read by OpenMP when torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

trainers: Shelf[Callable[..., Iterator[Progress]]] = Shelf(__name__)
