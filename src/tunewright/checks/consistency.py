"""Records that are written in another way than the rest."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from tunewright.checks import Whole
from tunewright.checks._topics import answered, several
from tunewright.nouns import Finding, Severity

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
    records: Whole, *, share: float = 0.8, least: int = 30, most_findings: int = 1000
) -> Iterator[Finding]:
    """Labels in several spellings, and answers in another format than the rest.

    `label_spelling`: a label that differs from a more frequent one only in case, white space, punctuation
    or a plural ending; named is the more frequent one. `format`: of at least `least` answers of a
    source at least the share `share` are JSON objects (or lists) and this one is not, or is one without
    keys that at least that share has. `date_format` and `number_format`: at least the share `share` of
    the answers with a date (a number with a separator) writes it in one way and this one in another; dates
    that could be read both ways are not counted. At most `most_findings` of each kind are named.

    Limits: two labels that are different on purpose and differ only in such ways (`order` and `orders`) are
    taken for one; what is right is decided by majority; formats other than JSON, and units and currencies,
    are not looked at.
    """
    records = several(records)
    labels = Counter[str]()
    shapes = dict[str, Counter[str]]()
    keys = dict[str, Counter[str]]()
    dates, numbers = Counter[str](), Counter[str]()
    for record in records:
        if record.label:
            labels[record.label] += 1
        elif answer := answered(record):
            form, named = _form(answer)
            shapes.setdefault(record.origin.source, Counter())[form] += 1
            keys.setdefault(record.origin.source, Counter()).update(named)
            if runs := _RUN.findall(answer):
                dates.update(_ways(runs, "date"))
                numbers.update(_ways(runs, "number"))
    better = _spellings(labels)
    date, number = _usual(dates, share, least), _usual(numbers, share, least)
    forms = {source: _usual(seen, share, least) for source, seen in shapes.items()}
    usual = {source: way for source, way in forms.items() if way != "text"}
    told = Counter[str]()
    if not (better or date or number or any(usual.values())):
        return
    for record in records:
        answer = answered(record)
        for what, severity, note, evidence in (
            _of_label(record.label, better, labels)
            if record.label
            else _of_answer(
                answer,
                usual.get(record.origin.source, ""),
                keys,
                shapes,
                record.origin.source,
                share,
                date,
                number,
            )
        ):
            told[what] += 1
            if told[what] <= most_findings:
                yield Finding(
                    check="consistency",
                    what=what,
                    record=record.id,
                    message=max(len(record.messages) - 1, 0),
                    severity=severity,
                    note=note,
                    evidence=evidence,
                    confidence=0.7 if what == "label_spelling" else 0.8,
                )


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
    answer: str,
    usual: str,
    keys: dict[str, Counter[str]],
    shapes: dict[str, Counter[str]],
    source: str,
    share: float,
    date: str,
    number: str,
) -> Iterator[Fault]:
    if not answer:
        return
    if usual:
        form, named = _form(answer)
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
    runs = _RUN.findall(answer) if date or number else []
    for what, way in (("date", date), ("number", number)):
        if way and runs and (other := _ways(runs, what) - {way}):
            note = f"a {what} is written {' and '.join(sorted(other))}, where the data mostly writes {way}"
            yield f"{what}_format", "low", note, f"usual: {way}"


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
