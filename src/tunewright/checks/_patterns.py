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
    evidence: str = ""
    confidence: float = 1.0


def whole(match: re.Match[str]) -> tuple[int, int] | None:
    """The first group where there is one, else all of it."""
    span = match.span(1) if match.re.groups else match.span()
    return span if span[0] < span[1] else None


def starting(words: str, left: str = r"\w-") -> str:
    """Alternatives in any case, at the beginning of a word, in a form that `re` searches quickly.

    `words` are divided by `|` outside brackets, and each begins with a letter or a figure; `left` are the
    characters that may not stand before it. First comes a set of characters, which the engine can look for;
    then one group for each of them.
    """
    tails: dict[str, list[str]] = {}
    for word in _alternatives(words):
        tails.setdefault(word[0].lower(), []).append(word[1:])
    both = {first: "".join(sorted({first, first.upper()})) for first in tails}
    groups = "|".join(
        rf"(?<=[{both[first]}])(?i:{'|'.join(sorted(rest, key=len, reverse=True))})"
        for first, rest in tails.items()
    )
    return rf"[{''.join(both.values())}](?<![{left}].)(?:{groups})"


def _alternatives(words: str) -> list[str]:
    out, depth, start, at = list[str](), 0, 0, 0
    while at < len(words):
        sign = words[at]
        if sign == "\\":
            at += 1
        elif sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif sign == "|" and not depth:
            out.append(words[start:at])
            start = at + 1
        at += 1
    return [*out, words[start:]]


class Rule(NamedTuple):
    """What to look for, and what part of a match is meant, if it is meant at all."""

    what: str
    severity: Severity
    note: str
    regex: re.Pattern[str]
    accept: Callable[[re.Match[str]], tuple[int, int] | None] = whole
    evidence: str = ""
    confidence: float = 0.9
    gate: re.Pattern[str] | None = None
    """Holds wherever `regex` does, and says more plainly what must be there; for the prefilter."""

    def spans(self, text: str) -> Iterator[Span]:
        """Every place where it holds."""
        for match in self.regex.finditer(text):
            if place := self.accept(match):
                yield Span(*place, self.what, self.severity, self.note, self.evidence, self.confidence)


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
            evidence=span.evidence,
            confidence=span.confidence,
        )
