from collections import Counter, defaultdict
from typing import NamedTuple

from markupsafe import Markup

from tunewright.documents import Evidence
from tunewright.documents import _plots as plots
from tunewright.documents._data import flow, found, licence_note, licences, unfound
from tunewright.documents._facts import (
    ARM,
    ARMS,
    Line,
    Unit,
    cite,
    compared,
    entry_of,
    gap,
    gap_unit,
    headline,
    limits,
    lines,
    number,
    p_value,
    short,
    told,
    unmeasured,
    verdict,
)
from tunewright.documents._templates import fill
from tunewright.nouns import Arm, Case, Change

IMPROVED, WORST, OPEN = 12, 6, 4
"""How many changed answers are shown, and how many of them at once."""
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
        hero=_hero(first) if first else None,
        forests=list(_forests(lined)),
        panels=[_panel(line) for line in lined if line != first],
        topics=_topics(evidence, first) if first else None,
        answers=_answers(evidence, first) if first else None,
        shown_at_once=OPEN,
        training=_training(evidence),
        data=_data(evidence),
        lengths=_lengths(evidence),
        licences=licences(evidence),
        licence_note=licence_note(evidence),
        limits=limits(evidence),
        unmeasured=unmeasured(evidence),
        told=told,
        number=number,
        compared=compared,
        gap=gap,
        gap_unit=gap_unit,
        p_value=p_value,
        short=short,
        entry=lambda digest: entry_of(evidence, digest),
        cite=lambda digest: cite(evidence, digest),
    )


class Figure(NamedTuple):
    """A plot with its title, what to look at, and its key."""

    title: str
    plot: Markup
    note: str = ""
    key: Markup = Markup("")


def _key(arms: list[Arm]) -> Markup:
    return plots.key([(arm, ARM[arm]) for arm in arms])


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
    return Figure(line.about.label, plot, f"n={n}" + ("; lower is better" if line.lower else ""))


def _hero(line: Line) -> Figure | None:
    return _panel(line)


def _forests(lined: list[Line]) -> list[Figure]:
    """Differences, measures of one unit on one axis."""
    groups: dict[tuple[Unit, bool], list[plots.Span]] = defaultdict(list)
    for line in lined:
        for c in line.against.values():
            d, unit = c.difference, line.about.unit
            name = line.about.label if line.about.label == line.name else line.name.rpartition(".")[2]
            said = f"{gap(d.value, unit)} ({gap(d.low, unit)} to {gap(d.high, unit)})"
            label = f"{name.replace('_', ' ')}: against {ARM[c.before]}"
            groups[unit, line.lower].append(
                plots.Span(label, d.value, d.low, d.high, LOOK[c.verdict], f"{SIGN[c.verdict]} {said}")
            )
    figures = []
    for (unit, lower), spans in groups.items():
        says = "Differences, tuned minus the other, with 95% intervals: "
        says += "; ".join(f"{s.label} {s.told}" for s in spans)
        sides = ("better", "worse") if lower else ("worse", "better")
        scale = 100 if unit == "share" else 1
        plot = plots.intervals(
            spans,
            says=says,
            axis=f"tuned minus the other, {gap_unit(unit) or 'difference'}",
            tick=lambda v, s=scale: f"{v * s:+g}".replace("-", "−") if v else "0",  # type: ignore[misc]
            bounds=(-0.1, 0.1) if unit in ("share", "score") else (-0.01, 0.01),
            zero=sides,
        )
        figures.append(Figure(gap_unit(unit).capitalize() or "Difference", plot))
    return figures


# ── cases ───────────────────────────────────────────────────────────────────────────────────────


def _by_case(evidence: Evidence, name: str) -> dict[str, dict[Arm, float]]:
    suite, _, measure = name.partition(".")
    values: dict[str, dict[Arm, float]] = defaultdict(dict)
    for score in evidence.scores:
        if score.suite == suite and measure in score.values:
            values[score.case][score.arm] = score.values[measure]
    return values


def _topics(evidence: Evidence, line: Line) -> list[Figure]:
    """The headline measure by topic, those that the tuned model knows least first."""
    topic = {case.id: case.topic for case in evidence.cases if case.topic}
    groups: dict[str, dict[Arm, list[float]]] = defaultdict(lambda: defaultdict(list))
    for case, values in _by_case(evidence, line.name).items():
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
        Figure(
            "",
            plots.dots(
                part,
                says=f"{line.about.label} by topic: "
                + "; ".join(
                    f"{r.label} "
                    + ", ".join(
                        f"{ARM[a]} {_tick(unit, round(r.values[a], 2))}" for a in ARMS if a in r.values
                    )
                    for r in part
                ),
                axis=_axis(unit),
                tick=lambda v: _tick(unit, v),
                bounds=_bounds(unit),
            ),
        )
        for part in ((rows,) if len(rows) <= 10 else (rows[:half], rows[half:]))
    ]


class Side(NamedTuple):
    """One case: what was asked, what each arm said, and how it was scored."""

    case: Case
    said: dict[Arm, str]
    scored: dict[Arm, str]
    word: str


class Answers(NamedTuple):
    """The answers that changed most."""

    improved: list[Side]
    worst: list[Side]
    counts: dict[str, int]


def _answers(evidence: Evidence, line: Line) -> Answers:
    suite, sign = line.name.partition(".")[0], -1 if line.lower else 1
    values = _by_case(evidence, line.name)
    cases = {case.id: case for case in evidence.cases}
    said: dict[str, dict[Arm, str]] = defaultdict(dict)
    overlap: dict[str, dict[Arm, float]] = defaultdict(dict)
    for score in evidence.scores:
        if score.suite == suite:
            said[score.case][score.arm] = score.answer
            overlap[score.case][score.arm] = score.values.get("token_f1", 0.0)
    change: dict[str, tuple[float, float, float]] = {}
    for name, arms in values.items():
        if "tuned" in arms and "base" in arms and name in cases:
            over = sign * (arms["tuned"] - arms["base"])
            prompt = sign * (arms["tuned"] - arms.get("prompted", arms["base"]))
            change[name] = (over, prompt, overlap[name]["tuned"] - overlap[name].get("base", 0.0))

    def side(name: str, word: str) -> Side:
        scored = {a: _scored(v, line.about.unit) for a, v in values[name].items()}
        return Side(cases[name], said[name], scored, word)

    best = sorted((n for n, c in change.items() if c[0] > 0), key=lambda n: change[n], reverse=True)
    lost = sorted((n for n, c in change.items() if c[0] < 0), key=lambda n: change[n])
    kept = {n for n, c in change.items() if c[0] == 0 and line.about.unit == "share"}
    wrong = sorted((n for n in kept if not values[n]["tuned"]), key=lambda n: overlap[n]["tuned"])
    worst = [side(n, "regressed") for n in lost] + [side(n, "still wrong") for n in wrong]
    counts = {"improved": len(best), "regressed": len(lost), "still wrong": len(wrong)}
    counts["right before and after"] = len(kept) - len(wrong)
    if line.about.unit != "share":
        counts = {"improved": len(best), "regressed": len(lost)}
    return Answers([side(n, "improved") for n in best[:IMPROVED]], worst[:WORST], counts)


def _scored(value: float, unit: Unit) -> str:
    return ("right" if value else "wrong") if unit == "share" else number(value, unit)


# ── training and data ───────────────────────────────────────────────────────────────────────────


def _training(evidence: Evidence) -> Figure | None:
    curves = []
    for name, label, look in (
        ("loss", "loss on the batch", "loss"),
        ("held_out_loss", "held-out loss", "held"),
    ):
        points = tuple((p.done, p.values[name]) for p in evidence.training if name in p.values)
        if len(points) > 1:
            curves.append(plots.Series(label, look, points))
    if not curves:
        return None
    says = "Training: " + "; ".join(
        f"{c.label} from {c.points[0][1]:.3f} at step {c.points[0][0]:g} to {c.points[-1][1]:.3f} at step {c.points[-1][0]:g}"
        for c in curves
    )
    plot = plots.curves(
        curves, says=says, across="training step", up="nats per token", tick=lambda v: f"{v:g}"
    )
    return Figure("Training", plot, f"{says}.")


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
    parts = [plots.Bar(p.label, p.count, p.fate) for p in whole.parts]
    says = f"{whole.received} records received: " + ", ".join(f"{p.count} {p.label}" for p in parts)
    kinds = Counter[str]()
    for row in rows:
        kinds[f"{row.check}: {row.what}"] += row.findings
    bars = [plots.Bar(name, count) for name, count in kinds.most_common(16)]
    listing = "Findings by kind: " + ", ".join(f"{b.label} {b.count}" for b in bars)
    return Data(
        whole,
        Figure(
            "From what came in to what was learnt from", plots.cascade(parts, says=says, whole="received")
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
    return Figure("Length of the records learnt from", plot, f"{says}.")
