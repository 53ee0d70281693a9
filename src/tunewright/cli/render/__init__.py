"""How each noun looks on a terminal."""

from collections.abc import Callable, Sequence
from typing import cast

from pydantic import JsonValue
from rich.console import RenderableType

from tunewright.cli.render import data, evidence, examined, made
from tunewright.cli.render.words import clipped, heading, pairs, short
from tunewright.nouns import Channel, Dataset, Decision, Entry, Erasure, Model, Noun, Release, Report
from tunewright.project import Project

__all__ = ["as_json", "render", "summary"]

Look = Callable[[Project, Noun, int], Sequence[RenderableType]]
LOOKS: dict[type[Noun], tuple[object, object]] = {
    Channel: (made.channel, made.channel_line),
    Dataset: (data.dataset, data.dataset_line),
    Decision: (evidence.decision, evidence.decision_line),
    Entry: (evidence.entry, evidence.entry_line),
    Erasure: (made.erasure, made.erasure_line),
    Model: (made.model, made.model_line),
    Release: (made.release, made.release_line),
    Report: (examined.report, examined.report_line),
}


def render(project: Project, noun: Noun, width: int) -> Sequence[RenderableType]:
    """A noun in full, for a terminal of this width."""
    look, _ = LOOKS.get(type(noun), (_fields, None))
    return cast(Look, look)(project, noun, width)


def summary(project: Project, noun: Noun) -> str:
    """A noun in one line."""
    _, line = LOOKS.get(type(noun), (None, _line))
    return cast(Callable[[Project, Noun], str], line)(project, noun)


def as_json(noun: Noun) -> dict[str, JsonValue]:
    """A noun for a program: its kind, its digest and its fields."""
    return {"kind": noun.kind, "digest": noun.digest, "noun": noun.model_dump(mode="json")}


def _fields(_project: Project, noun: Noun, _width: int) -> Sequence[RenderableType]:
    fields = noun.model_dump(mode="json")
    told = [(name, f"{value}") for name, value in fields.items()]
    return [heading(noun.kind, short(noun.digest)), pairs(told)]


def _line(_project: Project, noun: Noun) -> str:
    return clipped(", ".join(f"{k} {v}" for k, v in noun.model_dump(mode="json").items() if v), 70)
