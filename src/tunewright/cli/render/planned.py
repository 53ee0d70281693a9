"""What a training would take."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from tunewright.cli.render.look import render, summary
from tunewright.cli.render.words import duration, heading, pairs, short
from tunewright.nouns import Base, Estimate, Recipe
from tunewright.project import Project
from tunewright.rights import modification

COLOURS = {"fits": "green", "tight": "yellow", "will not fit": "red"}


@render.register
def _estimate(estimate: Estimate, project: Project, _width: int) -> Sequence[RenderableType]:
    """Memory, time, energy, money, and what a forget would take."""
    basis = estimate.basis
    room = f"{_gb(estimate.memory)} of {_gb(estimate.available)} that there are"
    pace = f"at {basis['tokens_per_second']} a second"
    rows: list[tuple[str, RenderableType]] = [
        ("memory", Text.assemble((estimate.verdict, COLOURS[estimate.verdict]), f"  {room}")),
        *(("" if at else "would fit with", remedy) for at, remedy in enumerate(estimate.remedies)),
        ("time", f"{duration(estimate.seconds)}  {_between(estimate)}"),
        ("energy", f"{estimate.kwh * 1000:,.1f} Wh, {estimate.grams:,.1f} g CO2  {basis.get('power', '')}"),
        ("money", _money(estimate)),
        ("disk", _gb(estimate.disk)),
        ("work", f"{estimate.steps:,} steps, {estimate.tokens:,.0f} tokens {pace}"),
    ]
    if len(estimate.forget) > 1:
        told = ", ".join(f"{duration(s)} from stage {n}" for n, s in estimate.forget.items())
        rows.append(("a forget", f"{told}, for a person whose records were first learnt in it"))
    elif estimate.forget:
        rows.append(("a forget", f"{duration(next(iter(estimate.forget.values())))}: all of it again"))
    recipe = project.ledger.find(Recipe, estimate.recipe)
    base = next((b for b in project.ledger.all(Base) if recipe and b.uri == recipe.base), None)
    name = f"{recipe.base if recipe else ''} {base.revision if base else ''}"
    found = modification(name, base.parameters if base else 0, estimate.flop)
    rows.append(("EU AI Act", f"{estimate.flop:.2g} FLOP, {found.says}"))
    return [heading("plan", short(estimate.digest)), pairs(rows)]


@summary.register
def _estimate_line(estimate: Estimate, _project: Project) -> str:
    return f"{estimate.verdict}: {_gb(estimate.memory)}, {duration(estimate.seconds)}, {_money(estimate)}"


def _between(estimate: Estimate) -> str:
    return f"({duration(estimate.seconds_low)} to {duration(estimate.seconds_high)})"


def _money(estimate: Estimate) -> str:
    price = estimate.basis.get("price_per_hour")
    if not price:
        return "not told: set tune.machine.price"
    return f"{estimate.price:,.2f} {estimate.currency} at {price} an hour"


def _gb(size: float) -> str:
    return f"{size / 1e9:,.1f} GB"
