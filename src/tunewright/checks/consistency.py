"""Records that are written in another way than the rest."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, cast

import numpy as np

from tunewright.checks import Whole
from tunewright.checks._memory import Memory, Reading
from tunewright.checks._topics import answered
from tunewright.nouns import Finding, Record, Severity

Form = Literal["JSON object", "JSON list", "text"]

_RUN = re.compile(r"[0-9]+(?:[.,/-][0-9]+)+")
_DATES = {
    "year-month-day": re.compile(r"(?:19|20)\d\d-\d\d-\d\d"),
    "day.month.year": re.compile(r"\d{1,2}\.\d{1,2}\.(?:19|20)\d\d"),
    "month/day/year": re.compile(r"(?:0?\d|1[0-2])/(?:1[3-9]|2\d|3[01])/(?:(?:19|20)\d\d|\d\d)"),
    "day/month/year": re.compile(r"(?:1[3-9]|2\d|3[01])/(?:0?\d|1[0-2])/(?:(?:19|20)\d\d|\d\d)"),
}
_NUMBERS = {
    "1,234.5": re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d{1,9})?|\d{1,9}\.\d{2}"),
    "1.234,5": re.compile(r"\d{1,3}(?:\.\d{3})+,\d{1,9}|\d{1,9},\d{2}"),
}
_ENDING = re.compile(r"[^\w]+")


def consistency(
    records: Whole,
    *,
    share: float = 0.8,
    least: int = 30,
    most_findings: int = 1000,
    cache: Path | None = None,
) -> Iterator[Finding]:
    """Labels in several spellings, and answers in another format than the rest.

    `label_spelling`: a label that differs from a more frequent one only in case, white space, punctuation
    or a plural ending; named is the more frequent one. `format`: of at least `least` answers of a
    source at least the share `share` are JSON objects (or lists) and this one is not, or is one without
    keys that at least that share has. `date_format` and `number_format`: at least the share `share` of
    the answers with a date (a number with a separator) writes it in one way and this one in another; dates
    that could be read both ways are not counted. At most `most_findings` of each kind are named.

    In the folder `cache` stays how each record is written: its label, or the format, keys and ways of writing
    of its answer, beside a digest of the record.

    Limits: two labels that are different on purpose and differ only in such ways (`order` and `orders`) are
    taken for one; what is right is decided by majority; formats other than JSON, and units and currencies,
    are not looked at.
    """
    reading = Reading(records)
    texts, which = Memory(cache, "consistency").texts("ways", reading, _written)
    ways = [_Ways.read(text) for text in texts]
    labels = Counter[str]()
    shapes = dict[str, Counter[str]]()
    keys = dict[str, Counter[str]]()
    dates, numbers = Counter[str](), Counter[str]()
    both = reading.source * max(len(ways), 1) + which
    kinds, numbered, counts = np.unique(both, return_inverse=True, return_counts=True)
    pairs = [(reading.sources[kind // len(ways)], ways[kind % len(ways)]) for kind in kinds.tolist()]
    for (source, way), count in zip(pairs, counts.tolist(), strict=True):
        if way.label:
            labels[way.label] += count
        elif way.form:
            shapes.setdefault(source, Counter())[way.form] += count
            keys.setdefault(source, Counter()).update(dict.fromkeys(way.keys, count))
            dates.update(dict.fromkeys(way.dates, count))
            numbers.update(dict.fromkeys(way.numbers, count))
    better = _spellings(labels)
    date, number = _usual(dates, share, least), _usual(numbers, share, least)
    forms = {source: _usual(seen, share, least) for source, seen in shapes.items()}
    usual = {source: way for source, way in forms.items() if way != "text"}
    if not (better or date or number or any(usual.values())):
        return
    faults = [
        list(
            _of_label(way.label, better, labels)
            if way.label
            else _of_answer(way, usual.get(source, ""), keys, shapes, source, share, date, number)
        )
        for source, way in pairs
    ]
    at_fault = np.array([bool(found) for found in faults], dtype=bool)[numbered]
    places, told = np.flatnonzero(at_fault), Counter[str]()
    for place, record in zip(places.tolist(), reading.at(places), strict=True):
        for what, severity, note, evidence in faults[int(numbered[place])]:
            told[what] += 1
            if told[what] <= most_findings:
                yield Finding(
                    check="consistency",
                    what=what,
                    record=record.id,
                    message=max(len(record.turns) - 1, 0),
                    severity=severity,
                    note=note,
                    evidence=evidence,
                    confidence=0.7 if what == "label_spelling" else 0.8,
                )


class _Ways(NamedTuple):
    """How a record is written: its label, or how its answer is."""

    label: str
    form: Form | Literal[""]
    keys: tuple[str, ...]
    dates: tuple[str, ...]
    numbers: tuple[str, ...]

    @classmethod
    def read(cls, text: str) -> "_Ways":
        label, form, keys, dates, numbers = json.loads(text)
        return cls(label, cast("Form", form), tuple(keys), tuple(dates), tuple(numbers))


def _written(record: Record) -> str:
    """How a record is written, as JSON."""
    answer = "" if record.label else answered(record)
    form, keys = _form(answer) if answer else ("", set[str]())
    runs = _RUN.findall(answer)
    ways = (sorted(_ways(runs, what)) if runs else [] for what in ("date", "number"))
    return json.dumps([record.label, form, sorted(keys), *ways], separators=(",", ":"))


Fault = tuple[str, Severity, str, str]


def _spellings(labels: Counter[str]) -> dict[str, str]:
    """The more frequent spelling of labels that are spelt in several ways."""
    groups = dict[str, list[str]]()
    for label in labels:
        groups.setdefault(_bare(label), []).append(label)
    better = dict[str, str]()
    for spelt in groups.values():
        best = max(spelt, key=lambda label: (labels[label], label))
        better.update({label: best for label in spelt if label != best})
    return better


def _bare(label: str) -> str:
    words = _ENDING.sub(" ", label.replace("_", " ")).casefold().split()
    last = words[-1] if words else ""
    if len(last) > 3 and last.endswith("s") and not last.endswith(("ss", "us", "is")):
        words[-1] = last[:-3] + "y" if last.endswith("ies") else last[:-1]
    return " ".join(words) or label


def _of_label(label: str, better: dict[str, str], labels: Counter[str]) -> Iterator[Fault]:
    if label in better:
        best = better[label]
        yield (
            "label_spelling",
            "medium",
            "the label is spelt in several ways",
            f"more frequent: {best!r} ({labels[best]:,} against {labels[label]:,})",
        )


def _of_answer(
    way: _Ways,
    usual: str,
    keys: dict[str, Counter[str]],
    shapes: dict[str, Counter[str]],
    source: str,
    share: float,
    date: str,
    number: str,
) -> Iterator[Fault]:
    if not way.form:
        return
    if usual:
        form, named = way.form, set(way.keys)
        total = shapes[source].total()
        if form != usual:
            part = next(n for f, n in shapes[source].items() if f == usual) / total
            yield (
                "format",
                "medium",
                f"the answer is no {usual}, as most of its source are",
                f"{part:.0%} of {total:,}",
            )
        elif usual == "JSON object":
            objects = shapes[source]["JSON object"]
            needed = {key for key, n in keys[source].items() if n >= max(share, 0.9) * objects}
            if lacking := needed - named:
                note = f"the JSON object lacks {len(lacking)} of the {len(needed)} keys that most have"
                yield "format", "low", note, f"keys: {', '.join(sorted(lacking)[:5])}"
    for what, ours, theirs in (("date", date, way.dates), ("number", number, way.numbers)):
        if ours and theirs and (other := {*theirs} - {ours}):
            note = f"a {what} is written {' and '.join(sorted(other))}, where the data mostly writes {ours}"
            yield f"{what}_format", "low", note, f"usual: {ours}"


def _form(answer: str) -> tuple[Form, set[str]]:
    text = answer.strip()
    if text.startswith(("{", "[")):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return "text", set()
        return ("JSON object", set(value)) if isinstance(value, dict) else ("JSON list", set())
    return "text", set()


def _ways(runs: Collection[str], what: str) -> set[str]:
    """How the dates or numbers among some runs of digits and separators are written."""
    patterns = _DATES if what == "date" else _NUMBERS
    return {way for way, pattern in patterns.items() if any(map(pattern.fullmatch, runs))}


def _usual(seen: Mapping[str, int], share: float, least: int) -> str:
    total = sum(seen.values())
    if total < least:
        return ""
    way, count = max(seen.items(), key=lambda pair: pair[1])
    return way if share * total <= count < total else ""
