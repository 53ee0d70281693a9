"""Two looks at a noun: in full, and in one line. Each noun's own look is registered beside this file."""

from collections.abc import Sequence
from functools import singledispatch

from pydantic import JsonValue
from rich.console import RenderableType

from tunewright.cli.render.words import clipped, heading, pairs, short
from tunewright.nouns import Noun
from tunewright.project import Project


@singledispatch
def render(noun: Noun, _project: Project, _width: int) -> Sequence[RenderableType]:
    """A noun in full, for a terminal of this width."""
    told = [(name, str(value)) for name, value in noun.model_dump(mode="json").items()]
    return [heading(noun.kind, short(noun.digest)), pairs(told)]


@singledispatch
def summary(noun: Noun, _project: Project) -> str:
    """A noun in one line."""
    return clipped(", ".join(f"{k} {v}" for k, v in noun.model_dump(mode="json").items() if v), 70)


def as_json(noun: Noun) -> dict[str, JsonValue]:
    """A noun for a program: its kind, its digest and its fields."""
    return {"kind": noun.kind, "digest": noun.digest, "noun": noun.model_dump(mode="json")}
