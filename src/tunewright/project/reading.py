"""Reading `tunewright.yaml`.

Every mistake is told at once, with file, line, field, what was expected, and the nearest name.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from math import isfinite
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from tunewright.errors import BadInput, NotFound
from tunewright.project.settings import Settings

FILE = "tunewright.yaml"
Loc = Sequence[int | str]

EXPECTED = {
    "string_type": "expected text; put it in quotes",
    "string_pattern_mismatch": "expected another form",
    "tuple_type": "expected a list; begin each item with `- `",
    "model_type": "expected fields below it",
    "dict_type": "expected fields below it",
}
"""What to say, where the validator speaks of Python."""


def read(folder: Path) -> Settings:
    """The settings in this folder.

    Errors: `NotFound` when there is no file; `BadInput` that names every mistake at once.
    """
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"there is no {FILE} in {folder}", hint=f"tunewright init {folder}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read ({error})", hint="save it as UTF-8 text") from None
    return parse(text, str(path))


def parse(text: str, name: str = FILE) -> Settings:
    """Settings from YAML text. `name` stands in messages."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(
            f"{name}:{line}: not YAML: {error.problem or error.context}", hint="check indentation"
        ) from None
    except (yaml.YAMLError, RecursionError) as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise BadInput(
            f"{name}:{line}: not YAML: {str(error).splitlines()[0]}", hint="save it as plain UTF-8 text"
        ) from None
    if not isinstance(values, dict):
        raise BadInput(
            f"{name}:1: expected fields such as `name:` and `data:`", hint="tunewright init writes an example"
        )
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        wrong = error.errors()
        places = [e["loc"] for e in wrong]
        told = [
            _tell(name, tree, e["loc"], e["type"], e["msg"])
            for e in wrong
            if e["type"] != "too_short" or not _within(places, e["loc"])
        ]
    else:
        told = [f"{_where(name, tree, loc)}: {why}" for loc, why in _unwritable(values)]
    told += [f"{name}:{line}: {key}: stands here a second time" for key, line in _twice(tree)]
    if told:
        raise BadInput(
            "\n".join(told), hint=f"mend {name}; docs/reference/tunewright-yaml.md lists every field"
        )
    return settings


def _within(places: Sequence[Loc], loc: Loc) -> bool:
    """Whether a mistake deeper down is told already."""
    return any(len(place) > len(loc) and place[: len(loc)] == loc for place in places)


def _twice(root: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Keys that are given twice in one mapping: YAML would silently take the last."""
    todo, seen = [root], set[int]()
    while todo:
        node = todo.pop()
        if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
            continue  # an alias may lead back to where it stands
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo += node.value
            continue
        keys = set[str]()
        for key, value in node.value:
            if key.value in keys:
                yield key.value, key.start_mark.line + 1
            keys.add(key.value)
            todo.append(value)


def _unwritable(value: object, loc: tuple[int | str, ...] = ()) -> Iterator[tuple[Loc, str]]:
    """Values that evidence cannot hold, because canonical JSON (RFC 8785) has no form for them."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _unwritable(inner, (*loc, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unwritable(inner, (*loc, index))
    elif isinstance(value, int) and abs(value) >= 2**53:
        yield loc, "whole numbers must lie within ±9007199254740991"
    elif isinstance(value, float) and not isfinite(value):
        yield loc, "expected a finite number"
    elif isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
        yield loc, "half of a character (a lone surrogate) cannot be stored"


def _where(name: str, tree: yaml.Node | None, loc: Loc) -> str:
    return f"{name}:{_line(tree, loc)}: {'.'.join(str(part) for part in loc)}"


def _tell(name: str, tree: yaml.Node | None, loc: Loc, kind: str, message: str) -> str:
    where = _where(name, tree, loc)
    if kind == "extra_forbidden":
        known = list(_fields(loc))
        near = get_close_matches(str(loc[-1]), known, 1)
        return f"{where}: no such field" + (
            f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
        )
    if kind == "missing":
        return f"{where}: missing" + (f" ({why})" if (why := _description(loc)) else "")
    if kind in EXPECTED:
        return f"{where}: {EXPECTED[kind]}" + (f" ({why})" if (why := _description(loc)) else "")
    return f"{where}: {message.removeprefix('Value error, ')}"


def _line(node: yaml.Node | None, loc: Loc) -> int:
    """Line (from 1) of the deepest part of `loc` that is in the file."""
    line = node.start_mark.line + 1 if node else 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pairs = {key.value: (key, value) for key, value in node.value}
            if part not in pairs:
                break
            key, node = pairs[part]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _model(loc: Loc) -> type[BaseModel] | None:
    """The section that holds the field at `loc`."""
    model: type[BaseModel] = Settings
    for part in loc[:-1]:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = list(_sections(field.annotation)) if field else []
        if not inner:
            return None
        model = inner[0]
    return model


def _sections(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _sections(inner)


def _fields(loc: Loc) -> Iterator[str]:
    model = _model(loc)
    yield from model.model_fields if model else ()


def _description(loc: Loc) -> str:
    model = _model(loc)
    field = model.model_fields.get(str(loc[-1])) if model else None
    return (field.description or "") if field else ""
