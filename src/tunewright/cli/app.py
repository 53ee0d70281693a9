"""The list of commands. Nothing of ours is imported to show it: help is read from the source text."""

import ast
import inspect
import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cyclopts import App, CycloptsError, Group

from tunewright.errors import BadInput

HERE = Path(__file__).parent
PRODUCT = """Adapt open language models to your own work, and be able to show how.

Gather, vet, tune, evaluate, release, serve, watch, learn — and forget. Each leaves evidence."""
ORDER = ("gather", "vet", "tune", "evaluate", "release", "serve", "watch", "learn", "forget")
"""As in the product's sentence."""
ERRANDS = ("plan", "curve", "search", "export")
WHOLE = ("run", "init")
DECIDING = ("review", "reveal")
READERS = ("list", "show", "trace", "verify", "schema")


def doc(file: Path, function: str) -> str:
    """A function's docstring, without importing it. The lines about parameters stand with the parameters."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    found = next(n for n in body if isinstance(n, ast.FunctionDef) and n.name == function)
    return help_text(ast.get_docstring(found) or "")


def help_text(docstring: str) -> str:
    """A docstring as help: without its lines about parameters, each paragraph in one line."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(docstring))
    told = (p for p in paragraphs if not p.startswith("Parameters:"))
    return "\n\n".join(" ".join(p.split()) for p in told)


def build() -> App:
    """The command line. Each command is imported when it is used."""
    verbs = Group("What one does", sort_key=1)
    beside = Group("Beside them", sort_key=2)
    whole = Group("All of it", sort_key=3)
    deciding = Group("What people decide", sort_key=4)
    readers = Group("What there is (these leave no evidence)", sort_key=5)
    rest = Group("About this program", sort_key=6)
    app = App(
        name="tunewright",
        help=PRODUCT,
        help_format="plaintext",
        version=_version,
        group_commands=rest,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
    )
    for group, shelf, order in ((verbs, "verbs", ORDER), (beside, "errands", ERRANDS)):
        for at, name in enumerate(_there(shelf, order)):
            file = HERE.parent / shelf / f"{name}.py"
            app.command(
                f"tunewright.cli.from_verbs:{name}",
                name=name,
                help=doc(file, name) if file.exists() else None,
                group=group,
                sort_key=at,
            )
    for group, module, names in (
        (whole, "commands", WHOLE),
        (deciding, "reviewing", DECIDING),
        (readers, "commands", READERS),
    ):
        for at, name in enumerate(names):
            text = doc(HERE / f"{module}.py", f"{name}_")
            app.command(f"tunewright.cli.{module}:{name}_", name=name, help=text, group=group, sort_key=at)
    app.register_install_completion_command(group=rest, help="Complete commands and options in your shell.")
    return app


def told_wrong(error: CycloptsError) -> BadInput:
    """What the library says of a mistyped command line, in the form of our own errors."""
    at = " ".join(["tunewright", *(error.command_chain or ())])
    return BadInput(str(error), hint=f"{at} --help")


def _there(shelf: str, order: Sequence[str]) -> list[str]:
    """Every verb in the folder: those of the product's sentence in its order, then the rest."""
    there = {p.stem for p in (HERE.parent / shelf).glob("[!_]*.py")}
    return [*(name for name in order if name in there), *sorted(there - set(order))]


def _version() -> str:
    try:
        return version("tunewright")
    except PackageNotFoundError:
        return "source"


app = build()
