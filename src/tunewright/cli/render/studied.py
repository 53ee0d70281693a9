"""Learning curves and searches."""

from collections.abc import Sequence
from math import log

import yaml
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from tunewright.cli.render.look import render, summary
from tunewright.cli.render.words import (
    clipped,
    counted,
    heading,
    interval,
    number,
    pairs,
    plain,
    short,
    table,
)
from tunewright.nouns import Curve, Measure, Needed, Search, Trial
from tunewright.project import Project

COLOURS = {
    "gain": "green",
    "little": "yellow",
    "cannot tell": "yellow",
    "enough": "green",
    "more": "yellow",
    "not by more of this data": "red",
    "complete": "",
    "pruned": "dim",
    "failed": "red",
}
ROWS = 9
WIDEST = 72
LEAST = 30
"""Columns below which a curve is not drawn."""


@render.register
def _curve(curve: Curve, project: Project, width: int) -> Sequence[RenderableType]:
    """A line for each size, the curve with what it promises, and what follows from it."""
    law = curve.law
    rows = [
        (
            f"{point.records:,}",
            f"{point.tokens:,}" if point.tokens else "–",
            number(sum(point.losses) / len(point.losses)),
            interval(min(point.losses), max(point.losses)) if len(point.losses) > 1 else "–",
            number(law.a + law.b * point.records**-law.c),
            *(number(measure.value) for measure in point.measures),
        )
        for point in curve.points
    ]
    asked = [measure.name for measure in curve.points[-1].measures]
    columns = ("records", "tokens", "loss", "of its subsets", "law", *asked)
    said: list[RenderableType] = [
        heading("learning curve", f"{short(curve.digest)}  measured {curve.day}"),
        Text(
            f"held-out loss in nats per {curve.per}, on {counted(curve.held, 'conversation')} never learnt",
            "dim",
        ),
        "",
        table(*columns, rows=rows, right=range(len(columns))),
    ]
    if width >= LEAST:
        said += ["", Drawn(curve)]
    said += [
        Text(f"loss = {number(law.a)} + {number(law.b)} · records^-{number(law.c)}", "dim"),
        "",
        Text(_capital(curve.sentence) + ".", COLOURS[curve.told]),
    ]
    if curve.needed:
        said += ["", heading("enough for the gate?")]
        said.append(
            table(
                "rule",
                "with all records",
                "",
                rows=[
                    (one.rule, _value(one.now), Text(_enough(one), COLOURS[one.told])) for one in curve.needed
                ],
            )
        )
        looks = f"{counted(curve.looks, 'model')} answered the evaluation cases: so many attempts"
        said.append(Text(looks, "dim"))
    return said


@summary.register
def _curve_line(curve: Curve, _project: Project) -> str:
    return clipped(f"{curve.records:,} records: {curve.sentence}", 120)


class Drawn:
    """A learning curve: what was measured, the law through it, and the interval at twice the data."""

    def __init__(self, curve: Curve) -> None:
        self.curve = curve

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        curve, law = self.curve, self.curve.law
        dot, line, open_, bar = "o.x|" if options.ascii_only else "●·○│"
        gain = next((m for m in curve.measures if m.name == "curve.gain_of_double"), None)
        losses = [loss for point in curve.points for loss in point.losses]
        last = law.a + law.b * curve.records**-law.c
        ends = [max(0.0, last - gain.high), max(0.0, last - gain.low)] if gain else []
        top, bottom = max(losses), min(*losses, *ends, last)
        spread = (top - bottom) or 1.0
        margin = max(len(number(top)), len(number(bottom))) + 1
        columns = min(options.max_width, WIDEST) - margin - 2
        first, most = log(curve.points[0].records), log(2 * curve.records)
        cells = [[(" ", "")] * columns for _ in range(ROWS)]

        def column(records: float) -> int:
            return round((log(records) - first) / (most - first) * (columns - 1))

        def row(loss: float) -> int:
            return min(ROWS - 1, max(0, round((top - loss) / spread * (ROWS - 1))))

        for at in range(columns):
            records = 2.718281828459045 ** (first + (most - first) * at / (columns - 1))
            cells[row(law.a + law.b * records**-law.c)][at] = (line, "dim")
        if gain:
            for at in range(row(ends[1]), row(ends[0]) + 1):
                cells[at][columns - 1] = (bar, "yellow")
            cells[row(last - gain.value)][columns - 1] = (open_, "yellow")
        for point in curve.points:
            for loss in point.losses:
                cells[row(loss)][column(point.records)] = (dot, "cyan")
        edge = "|" if options.ascii_only else "┤"
        for at, one in enumerate(cells):
            label = number(top) if not at else number(bottom) if at == ROWS - 1 else ""
            text = Text(f"{label:>{margin}} {edge}", "dim")
            for sign, style in one:
                text.append(sign, style)
            yield text
        below = [" "] * columns
        for records in (curve.points[0].records, curve.records, 2 * curve.records):
            words = f"{records:,}"
            start = min(max(0, column(records) - len(words) // 2), columns - len(words))
            if all(sign == " " for sign in below[max(0, start - 1) : start + len(words)]):
                below[start : start + len(words)] = words
        yield Text(" " * (margin + 2) + "".join(below).rstrip(), "dim")


@render.register
def _search(search: Search, project: Project, width: int) -> Sequence[RenderableType]:
    """Every trial, the best of them as YAML, and how far to believe it."""
    trials = [one for digest in search.trials if (one := project.ledger.find(Trial, digest)) is not None]
    names = list(search.space)
    rows: list[tuple[RenderableType, ...]] = [
        (
            str(one.number),
            *(_setting(one.options.get(name)) for name in names),
            f"{one.loss:.4f}" if one.loss is not None else "–",
            Text(
                "the recipe's own" if not one.number else "" if one.state == "complete" else one.state,
                COLOURS[one.state] or "dim",
            )
            if one.number != search.best
            else Text("best", "green"),
        )
        for one in trials
    ]
    tried = ", ".join(f"{n} {state}" for state, n in search.tried.items())
    said: list[RenderableType] = [
        heading("search", f"{short(search.digest)}  {counted(len(search.trials), 'trial')}: {tried}"),
        Text(
            f"held-out loss in nats per {search.per}, on {counted(search.held, 'conversation')} never learnt",
            "dim",
        ),
        "",
        table("trial", *names, "loss", "", rows=rows, right=[0, *range(1, len(names) + 2)]),
        "",
        Text(_capital(search.sentence) + ".", "bold"),
    ]
    of = {measure.name: measure for measure in search.measures}
    if search.best and "search.change" in of:
        told = [
            ("the recipe's own", _value(of["search.own_loss"])),
            (f"trial {search.best}", _value(of["search.best_loss"])),
            ("change", _value(of["search.change"])),
        ]
        what = f"on {counted(search.unseen, 'conversation')} that neither taught nor chose"
        said += ["", heading("nats per token", what), pairs(told)]
    if search.best:
        optimism = (
            f"The loss in the table is that of the best of {len(search.trials)}, chosen by it: it looks "
            "better than it is. Believe the change on conversations that did not choose, then evaluate."
        )
        made = yaml.safe_dump({"tune": {"options": search.options}}, sort_keys=False)
        said += [
            Text(optimism, "yellow"),
            "",
            heading("for tunewright.yaml"),
            Text(plain(made).rstrip(), "cyan"),
        ]
    return said


@summary.register
def _search_line(search: Search, _project: Project) -> str:
    return clipped(search.sentence, 120)


@render.register
def _trial(trial: Trial, _project: Project, _width: int) -> Sequence[RenderableType]:
    """Its settings, and how the held-out loss went."""
    rows: list[tuple[str, RenderableType]] = [
        ("settings", ", ".join(f"{name} {_setting(value)}" for name, value in trial.options.items())),
        ("held-out loss", " → ".join(f"{loss:.4f}" for loss in trial.steps) or "–"),
        ("ended", trial.state + (f": {trial.note}" if trial.note else "")),
    ]
    return [
        heading(f"trial {trial.number}", f"{short(trial.digest)}  of search {short(trial.study)}"),
        pairs(rows),
    ]


@summary.register
def _trial_line(trial: Trial, _project: Project) -> str:
    options = ", ".join(f"{name} {_setting(value)}" for name, value in trial.options.items())
    loss = f", loss {trial.loss:.4f}" if trial.loss is not None else ""
    return clipped(f"trial {trial.number}: {options}{loss}, {trial.state}", 120)


def _enough(needed: Needed) -> str:
    if needed.told != "more" or needed.records is None:
        return needed.told
    low, high = (f"{max(1, round(end)):,}" for end in (needed.records.low, needed.records.high))
    between = f"{low} or more, no upper end" if needed.open else f"{low} to {high}"
    return f"about {round(needed.records.value):,} records would be ({between})"


def _value(measure: Measure) -> Text:
    value = f"{'+' if 'change' in measure.name and measure.value > 0 else ''}{number(measure.value)}"
    return Text.assemble(value, (f"  {interval(measure.low, measure.high)}", "dim"))


def _setting(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else clipped(str(value), 40)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
