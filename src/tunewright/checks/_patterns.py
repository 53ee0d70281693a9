"""Patterns that are looked for only in texts holding one of their anchors, so that clean text costs little.

Every pattern must run in time linear in the text: bounded repeats, and a look-behind where a repeat
could start at many places. `tests/contracts/test_checks.py` tries them on hostile text.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tunewright.nouns import Finding, Record, Severity


class Pattern(NamedTuple):
    """What to look for. `anchors` are lower-case; one must occur in the lower-cased text."""

    what: str
    severity: Severity
    note: str
    anchors: tuple[str, ...]
    regex: re.Pattern[str]
    accept: Callable[[str], bool] = bool
    """Says whether the captured text (group 1 if there is one) counts."""


class Span(NamedTuple):
    """Something seen in one text."""

    start: int
    end: int
    what: str
    severity: Severity
    note: str


def find(patterns: Iterable[Pattern], text: str) -> Iterator[Span]:
    """Every place where a pattern holds, in the order of the patterns."""
    low = text.lower()
    for pattern in patterns:
        if pattern.anchors and not any(anchor in low for anchor in pattern.anchors):
            continue
        group = 1 if pattern.regex.groups else 0
        for match in pattern.regex.finditer(text):
            if pattern.accept(match.group(group)):
                yield Span(*match.span(group), pattern.what, pattern.severity, pattern.note)


def apart(spans: Iterable[Span]) -> list[Span]:
    """Spans that do not overlap, in order of place: whichever came first keeps the place."""
    kept: list[Span] = []
    for span in spans:
        at = bisect_left(kept, span)
        free = (not at or kept[at - 1].end <= span.start) and (at == len(kept) or span.end <= kept[at].start)
        if free and span.start < span.end:
            kept.insert(at, span)
    return kept


def report(check: str, record: Record, message: int, spans: Iterable[Span]) -> Iterator[Finding]:
    """Findings for spans of one message."""
    for span in spans:
        yield Finding(
            check=check,
            what=span.what,
            record=record.id,
            message=message,
            start=span.start,
            end=span.end,
            severity=span.severity,
            note=span.note,
        )
