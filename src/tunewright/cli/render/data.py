"""Datasets: what came in, what became of it, and the right to use it."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from tunewright.cli.render.look import render, summary
from tunewright.cli.render.words import counted, heading, plain, short, table
from tunewright.nouns import Dataset, Report
from tunewright.project import Project

MANY = 15
"""Fates beyond this many are added up in one line."""


@render.register
def _dataset(dataset: Dataset, project: Project, _width: int) -> Sequence[RenderableType]:
    """The fate of every record; the numbers add up to what was received."""
    return [
        heading(f"dataset {dataset.name}", f"{short(dataset.digest)}  {counted(dataset.count, 'record')}"),
        "",
        fates(dataset),
        *noticed(dataset, project),
        *recognised(dataset),
        "",
        _sources(dataset),
    ]


@summary.register
def _line(dataset: Dataset, _project: Project) -> str:
    """Such as `320 received: 300 kept, 12 dropped, 8 quarantined`."""
    ends = dict[str, int]()
    for fate, n in dataset.fates.items():
        end = fate.partition(":")[0]
        ends[end] = ends.get(end, 0) + n
    order = sorted(ends, key=lambda end: (end != "kept", end != "cleaned", end))
    return f"{dataset.received:,} received: {', '.join(f'{ends[e]:,} {e}' for e in order)}"


def fates(dataset: Dataset) -> RenderableType:
    """What became of every record, with the reasons, and the sum."""
    said = sorted(dataset.fates.items(), key=lambda f: (f[0] != "kept", f[0] != "cleaned", -f[1], f[0]))
    rows = [(*_split(fate), f"{n:,}") for fate, n in said[:MANY]]
    if rest := said[MANY:]:
        rows.append(("", f"for {len(rest)} other reasons", f"{sum(n for _, n in rest):,}"))
    made = table("became of them", "why", "records", rows=rows, right=[2])
    made.add_section()
    made.add_row("received", "", Text(f"{dataset.received:,}", "bold"))
    return made


def noticed(dataset: Dataset, project: Project) -> Sequence[RenderableType]:
    """What the checks noticed, when this dataset was vetted."""
    mine = [r for r in project.ledger.all(Report) if r.about == "data" and r.subject == dataset.digest]
    found = mine[-1].facts.get("found") if mine else None
    if not isinstance(found, dict) or not found:
        return []
    told = ", ".join(f"{name} {n}" for name, n in found.items())
    return ["", Text.assemble(("noticed  ", "dim"), plain(told))]


def recognised(dataset: Dataset) -> Sequence[RenderableType]:
    """Which row shapes were recognised, when these are freshly gathered."""
    if not dataset.formats or dataset.parent:
        return []
    told = ", ".join(f"{name} {n:,}" for name, n in dataset.formats.items())
    return ["", Text.assemble(("recognised  ", "dim"), plain(told))]


def _split(fate: str) -> tuple[str, str]:
    end, _, why = fate.partition(": ")
    return end, why


def _sources(dataset: Dataset) -> RenderableType:
    rows = [(s.name, s.licence, s.origin, s.basis) for s in dataset.sources]
    return table("source", "licence", "origin", "may be used because", rows=rows)
