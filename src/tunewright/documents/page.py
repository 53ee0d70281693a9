from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from markupsafe import Markup

from tunewright.documents import Evidence
from tunewright.documents import _plots as plots
from tunewright.documents._answers import answers, by_case
from tunewright.documents._data import flow, found, licence_note, licences_told, unfound
from tunewright.documents._facts import (
    ARM,
    ARMS,
    Line,
    Unit,
    cite,
    compared,
    gap_unit,
    headline,
    least,
    limits,
    lines,
    number,
    p_value,
    sentence,
    short,
    told,
    unmeasured,
    verdict,
)
from tunewright.documents._templates import fill
from tunewright.documents._training import Figure, compute, course, took
from tunewright.nouns import Arm, Change

OPEN = 4
"""How many improved answers are shown at once."""
LOOK: dict[Change, str] = {"IMPROVED": "better", "REGRESSED": "worse", "NO CHANGE": "same"}
SIGN: dict[Change, str] = {"IMPROVED": "▲", "REGRESSED": "▼", "NO CHANGE": "="}
MAX_TOPICS = 60


def page(evidence: Evidence) -> str:
    """The report as one HTML file: the verdict, plots, answers side by side, data, decision and trail.

    The file asks for nothing: no script, no font, no picture from elsewhere. It reads in light and dark,
    on a telephone, on a laptop and on paper.

    Limits: shows a selection of answers, those that changed most; the scores of every case are in the
    report's details.
    """
    lined = lines(evidence.report)
    first = headline(evidence.report)
    return fill(
        "page.html.j2",
        e=evidence,
        arms=ARMS,
        arm=ARM,
        look=LOOK,
        sign=SIGN,
        verdict=verdict(evidence),
        first=first,
        lines=lined,
        hero=_panel(first) if first else None,
        forests=list(_forests(lined)),
        panels=[_panel(line) for line in lined if line != first],
        topics=_topics(evidence, first) if first else None,
        key=plots.key([(arm, ARM[arm]) for arm in ARMS if first and arm in first.arms]),
        answers=answers(evidence, first) if first else None,
        shown_at_once=OPEN,
        training=course(evidence.training, evidence.recipe.trainer),
        took=took(evidence.model.facts, evidence.recipe, evidence.estimate),
        compute=compute(evidence.base, evidence.model.facts),
        data=_data(evidence),
        lengths=_lengths(evidence),
        licences_told=licences_told(evidence),
        licence_note=licence_note(evidence),
        limits=limits(evidence),
        unmeasured=unmeasured(evidence),
        told=told,
        number=number,
        compared=compared,
        least=least,
        gap_unit=gap_unit,
        p_value=p_value,
        short=short,
        cite=lambda digest: cite(evidence, digest),
    )


def _spans(line: Line) -> list[plots.Span]:
    unit = line.about.unit
    return [
        plots.Span(ARM[a], m.value, m.low, m.high, a, _interval(m.value, m.low, m.high, unit))
        for a, m in line.arms.items()
        if m.n
    ]


def _interval(value: float, low: float, high: float, unit: Unit) -> str:
    digits = 0 if unit == "share" else 1
    return f"{number(value, unit, digits)} ({number(low, unit, digits)} to {number(high, unit, digits)})"


def _axis(unit: Unit) -> str:
    return {"share": "share of cases, %", "score": "score, from 0 to 1"}.get(unit, unit or "value")


def _tick(unit: Unit, value: float) -> str:
    return f"{100 * value:.0f}%" if unit == "share" else f"{value:g}"


def _bounds(unit: Unit) -> tuple[float, float]:
    return (0.0, 1.0) if unit in ("share", "score") else (0.0, 0.0)


def _panel(line: Line) -> Figure | None:
    spans, unit = _spans(line), line.about.unit
    if not spans:
        return None
    says = f"{line.about.label}, with 95% intervals: " + "; ".join(f"{s.label} {s.told}" for s in spans)
    n = next(m.n for m in line.arms.values() if m.n)
    plot = plots.intervals(
        spans, says=says, axis=_axis(unit), tick=lambda v: _tick(unit, v), bounds=_bounds(unit)
    )
    return Figure(sentence(line.about.label), plot, f"n={n}" + ("; lower is better" if line.lower else ""))


def _forests(lined: list[Line]) -> Iterator[Figure]:
    """Differences: measures of one unit share an axis."""
    groups: dict[tuple[Unit, bool], list[Line]] = defaultdict(list)
    for line in lined:
        if line.against:
            groups[line.about.unit, line.lower].append(line)
    for (unit, lower), group in groups.items():
        spans = [
            plots.Span(
                ("" if len(group) == 1 else f"{line.name.rpartition('.')[2].replace('_', ' ')} ")
                + f"against {ARM[before]}",
                c.difference.value,
                c.difference.low,
                c.difference.high,
                LOOK[c.verdict],
                f"{SIGN[c.verdict]} {compared(c, unit)}",
            )
            for line in group
            for before, c in line.against.items()
        ]
        label = ", ".join(line.about.label for line in group)
        each = "; ".join(f"{s.label} {s.told}" for s in spans)
        scale = 100 if unit == "share" else 1
        plot = plots.intervals(
            spans,
            says=f"Tuned minus the others in {label}, with 95% intervals: {each}",
            axis=f"tuned minus the other, {gap_unit(unit) or 'difference'}",
            tick=partial(_signed, scale),
            bounds=(-0.1, 0.1) if unit in ("share", "score") else (-0.01, 0.01),
            zero=("better", "worse") if lower else ("worse", "better"),
        )
        yield Figure(f"Tuned against the others: {label}", plot)


def _signed(scale: float, value: float) -> str:
    return f"{value * scale:+g}".replace("-", "−") if value else "0"


# ── cases ───────────────────────────────────────────────────────────────────────────────────────


def _topics(evidence: Evidence, line: Line) -> list[Figure]:
    """The headline measure by topic, those that the tuned model knows least first."""
    topic = {case.id: case.topic for case in evidence.cases if case.topic}
    groups: dict[str, dict[Arm, list[float]]] = defaultdict(lambda: defaultdict(list))
    for case, values in by_case(evidence, line.name).items():
        for arm, value in values.items():
            if case in topic:
                groups[topic[case]][arm].append(value)
    rows = [
        plots.Row(
            f"{name} ({max(len(v) for v in arms.values())})",
            {a: sum(arms[a]) / len(arms[a]) for a in ARMS if a in arms},
        )
        for name, arms in groups.items()
    ]
    rows.sort(key=lambda r: (r.values.get("tuned", 0), r.values.get("prompted", 0), r.label))
    if len(rows) < 2:
        return []
    rows = rows[:MAX_TOPICS]
    unit, half = line.about.unit, (len(rows) + 1) // 2
    return [
        Figure("", _dots(part, line.about.label, unit))
        for part in ((rows,) if len(rows) <= 10 else (rows[:half], rows[half:]))
    ]


def _dots(rows: list[plots.Row], label: str, unit: Unit) -> Markup:
    each = [
        f"{row.label} "
        + ", ".join(f"{ARM[a]} {number(row.values[a], unit, 0)}" for a in ARMS if a in row.values)
        for row in rows
    ]
    return plots.dots(
        rows,
        says=f"{label} by topic: " + "; ".join(each),
        axis=_axis(unit),
        tick=lambda v: _tick(unit, v),
        bounds=_bounds(unit),
    )


# ── training and data ───────────────────────────────────────────────────────────────────────────


class Data(NamedTuple):
    """What became of the records, and what was found in them."""

    flow: object
    cascade: Figure
    found: object
    findings: Figure | None
    unfound: list[str]
    kept: dict[str, int]


def _data(evidence: Evidence) -> Data:
    whole, rows = flow(evidence), found(evidence)
    parts = [plots.Bar(p.label, p.n, p.fate) for p in whole.parts]
    says = f"{whole.received} records received: " + ", ".join(f"{p.n} {p.label}" for p in parts)
    kinds = Counter[str]()
    for row in rows:
        kinds[f"{row.check}: {row.what}"] += row.findings
    bars = [plots.Bar(name, count) for name, count in kinds.most_common(16)]
    listing = "Findings by kind: " + ", ".join(f"{b.label} {b.n}" for b in bars)
    return Data(
        whole,
        Figure(
            "From what came in to what went into training", plots.cascade(parts, says=says, whole="received")
        ),
        rows,
        Figure("Findings by kind", plots.bars(bars, says=listing)) if bars else None,
        unfound(evidence, rows),
        Counter(record.source for record in evidence.kept),
    )


def _lengths(evidence: Evidence) -> Figure | None:
    if not evidence.kept:
        return None
    sizes = sorted(record.characters for record in evidence.kept)
    says = (
        f"Length of {len(sizes)} records: shortest {sizes[0]:,}, median {sizes[len(sizes) // 2]:,}, "
        f"longest {sizes[-1]:,} characters"
    )
    plot = plots.histogram(sizes, says=says, across="characters in a record, all turns", up="records")
    return Figure("Length of the records that went into training", plot, f"{says}.")
