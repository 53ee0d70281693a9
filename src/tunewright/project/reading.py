"""Reading `tunewright.yaml`.

Every mistake is told at once, with file, line, field, what was expected, and the nearest name.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from tunewright.errors import BadInput, NotFound
from tunewright.project.settings import Settings

FILE = "tunewright.yaml"
Loc = Sequence[int | str]


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
        raise BadInput(f"{name}: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(values, dict):
        raise BadInput(
            f"{name}: expected fields such as `name:` and `data:`", hint="tunewright init writes an example"
        )
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        told = [_tell(name, tree, e["loc"], e["type"], e["msg"]) for e in error.errors()]
        raise BadInput(
            "\n".join(told), hint=f"mend {name}; docs/reference/tunewright-yaml.md lists every field"
        ) from None


def _tell(name: str, tree: yaml.Node | None, loc: Loc, kind: str, message: str) -> str:
    where = f"{name}:{_line(tree, loc)}: {'.'.join(str(part) for part in loc)}"
    if kind == "extra_forbidden":
        known = list(_fields(loc))
        near = get_close_matches(str(loc[-1]), known, 1)
        return f"{where}: no such field" + (
            f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
        )
    if kind == "missing":
        return f"{where}: missing" + (f" ({why})" if (why := _description(loc)) else "")
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
