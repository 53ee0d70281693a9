"""Models, releases, channels and receipts of erasure."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from tunewright.cli.render.look import render, summary
from tunewright.cli.render.words import clipped, counted, heading, number, pairs, plain, short, table
from tunewright.errors import NotFound
from tunewright.nouns import (
    Base,
    Channel,
    Dataset,
    Decision,
    Erasure,
    Model,
    Progress,
    Recipe,
    Release,
)
from tunewright.project import Project
from tunewright.verbs.release import FILES

ERASED = "has seen a person who asked to be forgotten: can neither be released nor served"


@render.register
def _model(model: Model, project: Project, _width: int) -> Sequence[RenderableType]:
    """What it was made from, how the loss went, and what the training took beside what was planned."""
    from tunewright.documents._training import compute, took  # imports jinja2: not for every command
    from tunewright.verbs._history import plan_of

    recipe = project.ledger.get(Recipe, model.recipe)
    base = project.ledger.get(Base, model.base)
    data = project.ledger.find(Dataset, model.dataset)
    rows: list[tuple[str, RenderableType]] = [
        ("base", f"{base.uri}  {_size(base)}{base.licence}"),
        ("learnt from", f"{counted(data.count, 'record') if data else '?'}  dataset {short(model.dataset)}"),
        ("trainer", f"{recipe.trainer}, seed {recipe.seed}  {_options(recipe)}".rstrip()),
    ]
    if told := losses(model, project):
        rows.append(("loss", told))
    if model.facts.get("tokens"):
        rows += [(r.name, r.told) for r in took(model.facts, recipe, plan_of(project, model))]
        act = {r.name: r.told for r in compute(base, model.facts)}
        rows.append(("EU AI Act", f"{act['compute of this training']}. {act['finding']}"))
    if model.made_with:
        rows.append(("made with", ", ".join(f"{k} {v}" for k, v in model.made_with.items())))
    rows += [("marked", Text(ERASED, "red")) for _ in erasures(model.digest, project)[:1]]
    return [heading(f"model {model.name}", short(model.digest)), pairs(rows)]


@summary.register
def _model_line(model: Model, project: Project) -> str:
    recipe = project.ledger.find(Recipe, model.recipe)
    said = f"{recipe.base} tuned by {recipe.trainer}" if recipe else model.name
    told = losses(model, project)
    return said + (f", loss {told}" if told else "")


def losses(model: Model, project: Project) -> str:
    """Training loss at the beginning and at the end."""
    try:
        lines = project.ledger.blobs.lines(model.history)
        steps = [p for p in map(Progress.model_validate_json, lines) if "loss" in p.values]
    except NotFound:
        return ""
    if not steps:
        return ""
    return f"{number(steps[0].values['loss'])} → {number(steps[-1].values['loss'])}"


def erasures(digest: str, project: Project) -> list[Erasure]:
    """The erasures that name this model."""
    return [e for e in project.ledger.all(Erasure) if digest in e.models]


@render.register
def _release(release: Release, project: Project, _width: int) -> Sequence[RenderableType]:
    """Which rules were met, and where the documents lie."""
    decision = project.ledger.get(Decision, release.decision)
    model = f"model {short(release.model)}"
    rows: list[tuple[str, RenderableType]] = [("decision", Text("the policy lets it out", "green"))]
    rows += [("" if at else "because", why) for at, why in enumerate(decision.met)]
    rows += [(("" if at else "documents"), str(path)) for at, path in enumerate(documents(project))]
    return [heading(f"release {release.name}", f"{short(release.digest)}  {model}"), pairs(rows)]


@summary.register
def _release_line(release: Release, _project: Project) -> str:
    return f"model {short(release.model)}, let out by decision {short(release.decision)}"


def documents(project: Project) -> list[Path]:
    """Where the readable copies lie, the report first."""
    return sorted((project.out / name for name in FILES.values()), key=lambda path: path.suffix != ".html")


@render.register
def _channel(channel: Channel, project: Project, _width: int) -> Sequence[RenderableType]:
    """Which release is in service, and how to roll back."""
    rows: list[tuple[str, RenderableType]] = [("release", short(channel.release))]
    if channel.before and channel.before != channel.release:
        rows.append(("before it", short(channel.before)))
        rows.append(("roll back", f"tunewright serve {short(channel.before)} --channel {channel.name}"))
    return [heading(f"channel {channel.name}", short(channel.digest)), pairs(rows)]


@summary.register
def _channel_line(channel: Channel, _project: Project) -> str:
    before = f", before it {short(channel.before)}" if channel.before else ""
    return f"{channel.name} serves release {short(channel.release)}{before}"


@render.register
def _erasure(erasure: Erasure, project: Project, _width: int) -> Sequence[RenderableType]:
    """What went, what is marked, and how to make a model that never saw the person."""
    rows: list[tuple[str, RenderableType]] = [
        ("removed", f"{counted(erasure.records, 'record')}, {counted(erasure.exchanges, 'exchange')}"),
        ("from", ", ".join(map(short, erasure.datasets)) or "no dataset"),
        ("deleted", counted(len(erasure.blobs), "blob")),
    ]
    said: list[RenderableType] = [heading("erasure", short(erasure.digest)), pairs(rows), ""]
    if erasure.models:
        names = {m.digest: m.name for m in project.ledger.all(Model)}
        lines = [("model", short(d), names.get(d, "")) for d in erasure.models]
        lines += [("release", short(d), "") for d in erasure.releases]
        said += [
            Text("These have seen the person and can neither be released nor served:", "red"),
            table("", "digest", "name", rows=lines),
            Text.assemble(("\nmake one that has not  ", "dim"), plain(erasure.retrain)),
        ]
    else:
        said.append("No model has seen the person.")
    return said


@summary.register
def _erasure_line(erasure: Erasure, _project: Project) -> str:
    marked = counted(len(erasure.models), "model")
    went = f"{counted(erasure.records, 'record')}, {counted(erasure.exchanges, 'exchange')}"
    return f"{went} went; {marked} marked"


def _size(base: Base) -> str:
    return f"{base.parameters / 1e6:,.0f} M parameters, " if base.parameters else ""


def _options(recipe: Recipe) -> str:
    return clipped(", ".join(f"{k} {v}" for k, v in recipe.options.items()), 200)
