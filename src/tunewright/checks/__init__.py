"""Checks notice things.   (records, **options) -> Iterator[Finding]

The same check reads a dataset before training, a message in flight, and yesterday's traffic. It only
notices; a policy says what noticing means.
"""

from collections.abc import Callable, Iterator

from tunewright.nouns import Finding
from tunewright.shelf import Shelf

checks: Shelf[Callable[..., Iterator[Finding]]] = Shelf(__name__)
