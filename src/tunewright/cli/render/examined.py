"""Reports: what a model showed against the others, what data held, what traffic was like."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, get_args

from pydantic import JsonValue
from rich.console import RenderableType
from rich.text import Text

from tunewright.cli.render.look import render, summary
from tunewright.cli.render.words import (
    clipped,
    counted,
    heading,
    interval,
    number,
    pairs,
    probability,
    short,
    table,
)
from tunewright.errors import TunewrightError
from tunewright.nouns import Arm, Change, Comparison, Measure, Report, Score
from tunewright.project import Project

ARMS: tuple[Arm, ...] = get_args(Arm)
AGAINST: dict[Arm, str] = {"base": "the base model", "prompted": "the best prompt"}
COLOURS: dict[Change, str] = {"IMPROVED": "green", "REGRESSED": "red", "NO CHANGE": "dim"}
WIDE = 100
"""Columns from which an interval stands beside its number instead of below it."""
SHOWN = 4
"""Changed answers that are shown."""


@render.register
def _report(report: Report, project: Project, width: int) -> Sequence[RenderableType]:
    """Everything that was measured."""
    about = f"{short(report.digest)}  about {report.about} {short(report.subject)}"
    head = heading("evaluation" if report.about == "model" else f"report about {report.about}", about)
    if report.about != "model":
        return [head, "", _measures(report.measures), *_facts(report)]
    return [
        head,
        Text("mean and 95% interval; n is the number of cases", "dim"),
        "",
        arms(report, width),
        *compared(report, width),
        *changed(report, project, width),
        *_facts(report),
    ]


@summary.register
def _line(report: Report, _project: Project) -> str:
    if report.about == "model":
        return " · ".join(_brief(arm, of) for arm, of in _by_arm(report.comparisons).items())
    told = (f"{m.name.partition('.')[2]} {number(m.value)}" for m in report.measures)
    return clipped(", ".join(told), 70)


def arms(report: Report, width: int) -> RenderableType:
    """Every measure of base, prompted base and tuned model, with its 95% interval."""
    values = defaultdict[str, dict[str, Measure]](dict)
    for measure in report.measures:
        name, _, arm = measure.name.rpartition(".")
        if arm in ARMS:
            values[name][arm] = measure
    rows: list[tuple[RenderableType, ...]] = [
        (name, *(_number(of.get(arm), width) for arm in ARMS), _counts(of.values()))
        for name, of in values.items()
    ]
    return table("measure", *ARMS, "n", rows=rows, right=[4], whole=[0])


def compared(report: Report, width: int) -> Sequence[RenderableType]:
    """Tuned against each of the others: the paired difference, its test, and what it amounts to."""
    said = list[RenderableType]()
    for arm, of in _by_arm(report.comparisons).items():
        ordered = sorted(of, key=lambda c: list(COLOURS).index(c.verdict))
        rows = [_comparison(c, width) for c in ordered]
        columns = ("measure", "difference", "p", "visible from", "verdict")
        said += [
            "",
            heading(f"tuned against {AGAINST.get(arm, arm)}"),
            table(*columns, rows=rows, right=[2, 3], whole=[0]),
        ]
        said.append(Text(_tally(arm, of), "bold"))
        if arm == "prompted" and not any(c.verdict == "IMPROVED" for c in of):
            said.append(Text("A prompt does as well: nothing here shows that tuning was needed.", "yellow"))
    if said:
        tests = ", ".join(sorted({c.test for c in report.comparisons}))
        seen = "“Visible from”: the smallest difference that this many cases would show with 80% power."
        said.append(Text(f"Paired on the same cases; p by {tests}, adjusted (Holm). {seen}", "dim"))
    return said


class Moved(NamedTuple):
    """A case whose answer changed."""

    case: str
    by: float
    before: str
    after: str


def changes(scores: Iterable[Score]) -> list[Moved]:
    """The cases whose score moved most between base and tuned model, the largest first."""
    answers = defaultdict[tuple[str, str], dict[Arm, Score]](dict)
    for score in scores:
        if score.answer and score.values:
            answers[score.suite, score.case][score.arm] = score
    moved = [
        Moved(
            case, _mean(of["tuned"].values) - _mean(of["base"].values), of["base"].answer, of["tuned"].answer
        )
        for (_, case), of in answers.items()
        if "base" in of and "tuned" in of
    ]
    fresh = [change for change in moved if change.before.strip() != change.after.strip()]
    return sorted(fresh, key=lambda change: (-abs(change.by), change.case))


def changed(report: Report, project: Project, width: int) -> Sequence[RenderableType]:
    """The answers that changed most, side by side; the worst of them is always among those shown."""
    try:
        every = changes(project.scores(report.details))
        cases = {case.id: case for case in project.each_case()}
    except TunewrightError:  # erased, or the cases were changed since
        return []
    if not every:
        return []
    worst = min(every, key=lambda change: change.by)
    some = every[:SHOWN]
    if worst.by < 0 and worst not in some:
        some[-1] = worst
    long = 90 if width < WIDE else 240
    said: list[RenderableType] = ["", heading("answers that changed most")]
    for change in some:
        case = cases.get(change.case)
        asked = case.messages[-1].content if case else change.case
        said += [
            Text.assemble(
                (f"{change.by:+.2f} ", "green" if change.by > 0 else "red"), (clipped(asked, long), "bold")
            ),
            pairs(
                [("  base", clipped(change.before, long * 2)), ("  tuned", clipped(change.after, long * 2))]
            ),
        ]
    return said


def _by_arm(comparisons: Iterable[Comparison]) -> dict[Arm, list[Comparison]]:
    of = defaultdict[Arm, list[Comparison]](list)
    for comparison in comparisons:
        of[comparison.before].append(comparison)
    return of


def _tally(arm: Arm, comparisons: Sequence[Comparison]) -> str:
    n = {verdict: sum(c.verdict == verdict for c in comparisons) for verdict in COLOURS}
    told = f"{n['IMPROVED']} improved, {n['REGRESSED']} regressed, {n['NO CHANGE']} no change"
    return f"against {AGAINST.get(arm, arm)}: {told}"


def _brief(arm: Arm, comparisons: Sequence[Comparison]) -> str:
    n = {verdict: sum(c.verdict == verdict for c in comparisons) for verdict in COLOURS}
    told = ", ".join(f"{count} {verdict.lower()}" for verdict, count in n.items() if count)
    return f"against {arm}: {told}"


def _comparison(c: Comparison, width: int) -> tuple[RenderableType, ...]:
    between = "  " if width >= WIDE else "\n"
    name = Text.assemble(c.measure, (f"{between}lower is better" if c.better == "lower" else "", "dim"))
    visible = Text(number(c.smallest_visible))
    verdict = Text(c.verdict, COLOURS[c.verdict])
    return name, _number(c.difference, width, sign="+"), probability(c.p), visible, verdict


def _number(measure: Measure | None, width: int, sign: str = "") -> Text:
    if measure is None:
        return Text("–", "dim")
    value = f"+{number(measure.value)}" if sign and measure.value > 0 else number(measure.value)
    between = "  " if width >= WIDE else "\n"
    return Text.assemble(value, (f"{between}{interval(measure.low, measure.high)}", "dim"))


def _counts(measures: Iterable[Measure]) -> str:
    return "/".join(str(n) for n in sorted({m.n for m in measures}))


def _measures(measures: Iterable[Measure]) -> RenderableType:
    rows = [
        (
            m.name,
            number(m.value) if m.n else "–",
            Text(interval(m.low, m.high) if m.n else "–", "dim"),
            f"{m.n:,}",
            Text(m.method, "dim"),
        )
        for m in measures
    ]
    return table("measure", "value", "95% interval", "n", "how", rows=rows, right=[1, 3])


def _facts(report: Report) -> Sequence[RenderableType]:
    if report.about != "model":
        told = [(name.replace("_", " "), _fact(value)) for name, value in report.facts.items() if value]
        return ["", pairs(told)] if told else []
    facts = report.facts
    tried, shots = facts.get("prompt_tried", 0), facts.get("prompt_shots", 0)
    again = facts.get("evaluated_before", 0)
    best = f"the best of {tried} prompts, tried on training records; it shows {shots or 'no'} examples"
    if system := facts.get("prompt_system"):
        best += f" after “{clipped(str(system), 80)}”"
    rows: list[tuple[str, RenderableType]] = [("prompted", best)]
    if isinstance(again, int) and again:
        rows.append(("attempts", f"{counted(again, 'evaluation')} came before this one in this project"))
    if isinstance(unseen := facts.get("labels_unseen"), dict) and unseen:
        missed = clipped(", ".join(f"{label} {n}" for label, n in unseen.items()), 160)
        rows.append(("never learnt", f"labels of cases that no learnt record has: {missed}"))
    return ["", pairs(rows)]


def _fact(value: JsonValue) -> str:
    return ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)


def _mean(values: Mapping[str, float]) -> float:
    return sum(values.values()) / len(values)
