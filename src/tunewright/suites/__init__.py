"""Suites examine a model.   (speaker, cases, *, arm, **options) -> Iterator[Score]

Every arm (base, prompted base, tuned) answers the same frozen cases; a suite scores each case by itself,
so that the comparison can be paired.
"""

from collections.abc import Callable, Iterator

from tunewright.nouns import Score
from tunewright.shelf import Shelf

suites: Shelf[Callable[..., Iterator[Score]]] = Shelf(__name__)
