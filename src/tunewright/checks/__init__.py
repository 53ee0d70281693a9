"""Checks notice things.   (records, **options) -> Iterator[Seen]

The same check reads a dataset before training, a message in flight, and yesterday's traffic. It only
notices; a policy says what noticing means. The first parameter's type says what a check has to see:

    records: Each    every record by itself: the work is shared between processors, kept for the next vet,
                     and asked of one message in flight. Yields `Finding` and `Trait`.
    records: Whole   all of them, as often as it likes: it is sized and can be read again, but need not fit
                     into memory. Yields `Finding`, `Tally` and `Measure` as well.

An each-check must not look at `Record.id` or `Record.origin` except to name the record in what it yields:
what was seen is kept by the record's words, label, licence and facts.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import get_type_hints

from tunewright.nouns import Finding, Measure, Record, Tally, Trait
from tunewright.shelf import Shelf

Each = Iterable[Record]
Whole = Collection[Record]
Seen = Finding | Trait | Tally | Measure

GIVEN = ("cases", "sources", "today", "base", "curve", "cache")
"""Keyword parameters that the caller fills in where a check has them: the evaluation cases (a tuple of
`Case`), the dataset's sources (a tuple of `Source`), the day (a `date`), the base model's licence (`""`
when it is not known yet), the newest learning curve of a tuned model (a `Curve`, or None), and a folder (a
`Path`, or None) in which a whole-check may keep what makes its next run cheaper."""

checks: Shelf[Callable[..., Iterator[Seen]]] = Shelf(__name__)


def by_record(name: str) -> bool:
    """Whether a check looks at each record by itself."""
    hints = get_type_hints(checks[name])
    return bool(next(iter(hints.values())) == Each)
