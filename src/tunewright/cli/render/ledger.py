"""Entries, decisions and the lists of things."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from tunewright.cli.render.look import render, summary
from tunewright.cli.render.words import clipped, duration, heading, pairs, plain, short, table
from tunewright.nouns import Decision, Entry
from tunewright.project import Project

COLOURS = {"done": "green", "refused": "yellow", "failed": "red"}


@render.register
def _decision(decision: Decision, _project: Project, _width: int) -> Sequence[RenderableType]:
    """Rule by rule."""
    verdict = Text("passed", "green") if decision.passed else Text("refused", "red")
    rows: list[tuple[str, RenderableType]] = [("verdict", verdict), ("about", short(decision.subject))]
    rows += [("met" if not at else "", why) for at, why in enumerate(decision.met)]
    rows += [("broken" if not at else "", Text(plain(why), "red")) for at, why in enumerate(decision.broken)]
    return [heading("decision", short(decision.digest)), pairs(rows)]


@summary.register
def _decision_line(decision: Decision, _project: Project) -> str:
    said = "passed" if decision.passed else "refused"
    return f"{said}: {len(decision.met)} rules met, {len(decision.broken)} broken"


@render.register
def _entry(entry: Entry, project: Project, _width: int) -> Sequence[RenderableType]:
    """Who did what, to what, and what came of it."""
    params = [f"{name} {_brief(value)}" for name, value in entry.params.items()]
    rows: list[tuple[str, RenderableType]] = [
        ("verb", entry.verb),
        ("by", entry.actor),
        ("when", when(entry.started)),
        ("took", duration(entry.seconds)),
        ("outcome", Text(entry.outcome, COLOURS[entry.outcome])),
        ("note", entry.note),
        ("asked", ", ".join(params)),
        ("read", "\n".join(_named(d, project) for d in entry.inputs)),
        ("made", "\n".join(_named(d, project) for d in entry.outputs)),
        ("software", entry.software),
    ]
    return [heading(f"entry {entry.seq}", short(entry.digest)), pairs(r for r in rows if r[1])]


@summary.register
def _entry_line(entry: Entry, _project: Project) -> str:
    return clipped(f"{entry.verb}: {entry.outcome}{': ' if entry.note else ''}{entry.note}", 70)


def story(entries: Iterable[Entry], project: Project) -> RenderableType:
    """The entries that led to a thing."""
    rows = [
        (
            str(e.seq),
            when(e.started),
            Text(e.verb if e.outcome == "done" else f"{e.verb} {e.outcome}", COLOURS[e.outcome]),
            "\n".join(_named(d, project) for d in e.outputs) or clipped(e.note, 60),
            e.actor,
            duration(e.seconds),
        )
        for e in entries
    ]
    return table("entry", "when", "verb", "made", "by", "took", rows=rows, right=[0, 5], whole=[1, 2])


def when(moment: datetime) -> str:
    """Local time, to the minute."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _named(digest: str, project: Project) -> str:
    thing = project.ledger.thing(digest)
    return f"{thing.kind if thing else 'unknown'} {short(digest)}"


def _brief(value: object) -> str:
    return short(value) if isinstance(value, str) and len(value) == 64 else str(value)
