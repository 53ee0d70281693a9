"""Write docs/reference from the code, so that the reference cannot say anything else than the program.

    python docs/reference/write.py

Commands come from the verbs' signatures, plugins from their signatures and docstrings, the fields of
tunewright.yaml from its model, errors from their classes. `tests/test_docs.py` fails when a page is old.
"""

import inspect
import re
import textwrap
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import tunewright as tw
from tunewright import errors
from tunewright.checks import GIVEN as CHECKS_GIVEN
from tunewright.cli import app as cli
from tunewright.errands import errands
from tunewright.exports import GIVEN as EXPORTS_GIVEN
from tunewright.nouns import NOUNS, Noun
from tunewright.project.settings import Settings
from tunewright.shelf import Shelf
from tunewright.sources import GIVEN
from tunewright.trainers import GIVEN as TRAINERS_GIVEN
from tunewright.verbs import Verb, verbs

HERE = Path(__file__).parent
PACKAGE = Path(tw.__file__).parent
MADE = "<!-- Made by docs/reference/write.py from the code. Do not edit: `make docs` writes it anew. -->\n\n"
SHELVES = (
    "fetchers",
    "sources",
    "checks",
    "bases",
    "trainers",
    "trackers",
    "runtimes",
    "suites",
    "documents",
    "exports",
)
FILLED_IN = {
    "sources": set(GIVEN),
    "fetchers": {"into"},
    "checks": set(CHECKS_GIVEN),
    "bases": {"cache"},
    "trainers": set(TRAINERS_GIVEN),
    "exports": set(EXPORTS_GIVEN),
    "suites": {"arm", "max_tokens"},
}
"""Keyword parameters that the caller gives: not for tunewright.yaml."""
WHERE = {
    "fetchers": "Chosen by the scheme of `data[].uri`, with options in `data[].fetch`.",
    "sources": "Named in `data[].source`, with options in `data[].options`; `auto` goes by the file's name.",
    "checks": "Named in `policy.vet` and `policy.serve`, with options in `policy.options.<check>`.",
    "bases": "Named in front of the colon of `tune.base`.",
    "trainers": "Named in `tune.trainer`, with options in `tune.options`.",
    "trackers": "Named in `tune.track`.",
    "runtimes": "Named in `evaluate.runtime`, with options in `evaluate.options`.",
    "suites": "Named in `evaluate.suites`.",
    "documents": "Written by `release`.",
    "exports": "Named in `tunewright export --to`, with `--precision` where a plugin has it.",
}


def pages() -> dict[str, str]:
    """Every page: file name to text."""
    made = {
        "commands.md": _commands(),
        "tunewright-yaml.md": _yaml(),
        "errors.md": _errors(),
        "nouns.md": _nouns(),
        "python.md": _python(),
    }
    made |= {f"{shelf}.md": _shelf(shelf) for shelf in SHELVES}
    return {name: MADE + text.strip() + "\n" for name, text in sorted(made.items())}


def plugins(shelf: str) -> list[str]:
    """Our own plugins on a shelf; those of third parties have their own reference."""
    path = import_module(f"tunewright.{shelf}").__path__
    return sorted(m.name for m in iter_modules(path) if not m.name.startswith("_"))


# ── pages ───────────────────────────────────────────────────────────────────────────────────────


def _commands() -> str:
    parts = [
        "# Commands",
        "Every command has `--help`. `--project` (`-p`) names the folder of the project; without it, the "
        "nearest folder from here upwards that has a `tunewright.yaml` is used. `--json` prints exactly one "
        "JSON object on stdout, and on failure that object has a field `error`. Progress and errors go to "
        "stderr. [Exit codes](errors.md).",
        "## What one does",
    ]
    for name in (*cli.ORDER, *cli.ERRANDS):
        if name == cli.ERRANDS[0]:
            parts.append("## Beside them")
        verb = (verbs if name in verbs else errands)[name]
        parts += [f"### {name}", f"    tunewright {name}{_usage(verb)}", _told(verb.__doc__ or "")]
        fields = [
            (_flag(key, key in verb.nouns or field.is_required()), _default(field), field.description or "")
            for key, field in verb.params.model_fields.items()
        ]
        if fields:
            parts.append(_table(("Parameter", "Default", "Meaning"), fields))
    for title, names in (("All of it", cli.WHOLE), ("What there is", cli.READERS)):
        parts.append(f"## {title}")
        commands = import_module("tunewright.cli.commands")
        for name in names:
            function = getattr(commands, f"{name}_")
            parts += [f"### {name}", _told(function.__doc__ or "")]
            fields = list(_flags(function))
            if fields:
                parts.append(_table(("Parameter", "Default", "Meaning"), fields))
    return "\n\n".join(parts)


def _shelf(shelf: str) -> str:
    module = import_module(f"tunewright.{shelf}")
    title, _, rest = inspect.cleandoc(module.__doc__ or "").partition("\n\n")
    sentence, _, signature = title.partition(".")
    parts = [f"# {shelf.capitalize()}", f"{sentence}.", WHERE[shelf]]
    parts += [f"A plugin is a function `{signature.strip()}`."] if signature.strip() else []
    parts += [_paragraphs(rest)] if rest else []
    for name in plugins(shelf):
        parts.append(f"## {name}")
        found = Shelf[Verb[..., Noun]](f"tunewright.{shelf}")
        parts.append(_told(inspect.getdoc(found[name]) or ""))
        options = [
            (f"`{key}`", _type(p.annotation), _value(p.default))
            for key, p in found.options(name).items()
            if key not in FILLED_IN.get(shelf, set())
        ]
        if options:
            parts.append(_table(("Option", "Type", "Default"), options))
    return "\n\n".join(parts)


def _yaml() -> str:
    parts = [
        "# tunewright.yaml",
        "One file per project. A field that is not listed here is a mistake, and mistakes are told with "
        "file, line and field. `tunewright schema` prints the JSON Schema of this file, for editors.",
    ]
    for where, model in _sections(Settings, ""):
        about = inspect.cleandoc(model.__doc__ or "")
        parts.append(f"## {where or 'At the top'}")
        parts.append(about)
        rows = []
        for name, field in model.model_fields.items():
            rows.append(
                (f"`{name}`", _type(field.annotation), _default(field, "required"), field.description or "")
            )
        parts.append(_table(("Field", "Type", "Default", "Meaning"), rows))
    return "\n\n".join(parts)


def _errors() -> str:
    kinds: list[type[errors.TunewrightError]] = [errors.TunewrightError, *_below(errors.TunewrightError)]
    rows = [(f"`{k.__name__}`", _first(k.__doc__ or ""), f"{k.exit}", f"{k.status}") for k in kinds]
    return "\n\n".join(
        [
            "# Errors and exit codes",
            "Each error carries a hint: what to type or change next. The message names files, lines and "
            "fields, never users' words. The HTTP status is that of the routes under `/api`; the "
            "OpenAI-compatible API spells the same errors as OpenAI does.",
            _table(("Error", "Meaning", "Exit code", "HTTP status"), rows),
            "A command also ends with 0 when it did what it should, with 130 when you stopped it, and with 1 "
            "for something unexpected, which is a fault of ours: set `TUNEWRIGHT_TRACEBACK=1`, run it again, "
            "and report what you see.",
        ]
    )


def _nouns() -> str:
    rows = [(f"`{kind}`", _first(noun.__doc__ or "")) for kind, noun in NOUNS.items()]
    return "\n\n".join(
        [
            "# Nouns",
            "What exists. Each is a frozen value whose name is the SHA-256 of its canonical JSON (RFC 8785). "
            "`tunewright show` prints one; the fields are in `src/tunewright/nouns/`.",
            _table(("Noun", "Is"), rows),
        ]
    )


def _python() -> str:
    parts = ["# Python", _code(inspect.cleandoc(tw.__doc__ or "")), "## What is there"]
    rows = []
    for name in tw.__all__:
        thing = getattr(tw, name)
        function = thing.function if isinstance(thing, Verb) else thing
        rows.append((f"`tw.{name}{_call(function)}`", _first(inspect.getdoc(function) or "")))
    parts.append(_table(("Name", "Does"), rows))
    return "\n\n".join(parts)


# ── pieces ──────────────────────────────────────────────────────────────────────────────────────


def _usage(verb: Verb[..., Noun]) -> str:
    words = ""
    for key, field in verb.params.model_fields.items():
        if key in verb.nouns:
            words += f" [{key.upper()}]"
        elif field.is_required():
            words += f" {key.upper()}"
        else:
            words += f" [--{key} …]"
    return words


def _flags(function: object) -> Iterator[tuple[str, str, str]]:
    for name, parameter in inspect.signature(function).parameters.items():  # type: ignore[arg-type]
        if name in ("project", "json"):
            continue
        said = [getattr(extra, "help", None) for extra in getattr(parameter.annotation, "__metadata__", ())]
        shown = _flag(name, parameter.kind is not inspect.Parameter.KEYWORD_ONLY)
        meaning = next((text for text in said if text), "")
        required = parameter.default is inspect.Parameter.empty
        yield shown, "" if required else _value(parameter.default), meaning


def _flag(name: str, positional: bool) -> str:
    return f"`{name.upper()}`" if positional else f"`--{name.replace('_', '-')}`"


def _sections(model: type[BaseModel], where: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield where, model
    for name, field in model.model_fields.items():
        for inner, many in _models(field.annotation):
            yield from _sections(inner, f"{where}.{name}".lstrip(".") + ("[]" if many else ""))


def _models(annotation: object) -> Iterator[tuple[type[BaseModel], bool]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, False
    for inner in get_args(annotation):
        for model, _ in _models(inner):
            yield model, get_origin(annotation) is tuple


def _below(kind: type[errors.TunewrightError]) -> Iterator[type[errors.TunewrightError]]:
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _below(child)


def _default(field: FieldInfo, otherwise: str = "") -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return otherwise
    return "see below" if isinstance(value, BaseModel) else _value(value)


def _value(value: object) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        value = [item.model_dump(exclude_none=True) for item in value]
    if isinstance(value, tuple):
        value = list(value)
    if value in ("", (), [], {}, None):
        return "empty" if value is not None else ""
    return f"`{value}`"


def _type(annotation: object) -> str:
    if annotation is inspect.Parameter.empty:
        return ""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", text).replace("'", '"')
    return f"`{text}`"


def _call(thing: object) -> str:
    if inspect.isclass(thing):
        return ""
    shown = []
    for name, parameter in inspect.signature(thing).parameters.items():  # type: ignore[arg-type]
        if name == "step":
            continue
        required = parameter.default is inspect.Parameter.empty
        default = "" if required else f"={parameter.default!r}"
        shown += ["*"] if parameter.kind is inspect.Parameter.KEYWORD_ONLY and "*" not in shown else []
        shown.append(f"{name}{default}")
    return f"({', '.join(shown)})"


def _told(docstring: str) -> str:
    """A docstring's paragraphs, without its lines about parameters; what it cannot do stands out."""
    return re.sub(r"^(Limits|Errors):", r"**\1:**", _paragraphs(docstring), flags=re.MULTILINE)


def _paragraphs(docstring: str) -> str:
    told = re.split(r"\n\s*\n", inspect.cleandoc(docstring))
    return "\n\n".join(" ".join(p.split()) for p in told if not p.startswith("Parameters:"))


def _first(docstring: str) -> str:
    return " ".join(inspect.cleandoc(docstring).partition("\n\n")[0].split())


def _code(docstring: str) -> str:
    """A docstring whose indented lines are a Python example."""
    example = re.compile(r"^    .*(?:\n+    .*)*", re.MULTILINE)
    return example.sub(lambda found: f"```python\n{textwrap.dedent(found[0])}\n```", docstring)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def main() -> None:
    """Write every page, and remove those that are no longer made."""
    made = pages()
    for old in HERE.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
