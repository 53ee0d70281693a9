"""Which project a command is about, and the two flags that every command has."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import Group, Parameter

from tunewright.cli.answer import Answer, shown
from tunewright.project import FILE, Project, open

EVERYWHERE = Group("Everywhere", sort_key=9)
IN = Parameter(
    name=("--project", "-p"),
    help="Folder of the project. Without it: this folder, or the nearest above that has a tunewright.yaml.",
    group=EVERYWHERE,
    show_default=False,
)
JSON = Parameter(
    name="--json",
    help="Print one JSON object, and nothing else, on stdout.",
    negative="",
    group=EVERYWHERE,
    show_default=False,
)
In = Annotated[Path | None, IN]
Json = Annotated[bool, JSON]


@contextmanager
def working(folder: Path | None, answer: Answer) -> Iterator[Project]:
    """The project, opened for one command."""
    project = open(found(folder), tell=answer.tell)
    try:
        yield project
    finally:
        project.close()


def found(folder: Path | None) -> Path:
    """The folder that was named; else the nearest one, from here upwards, that holds a project."""
    if folder is not None:
        return folder.parent if folder.name == FILE else folder
    here = Path.cwd()
    return next((place for place in (here, *here.parents) if (place / FILE).is_file()), here)


def type_next(words: str, project: Project, *, tail: str = "") -> str:
    """A command for this project, as one would type it from here."""
    here = found(None).resolve() == project.folder
    named = "" if here else f" -p {quote(shown(project.folder))}"
    return f"tunewright {words}{named}{f' {tail}' if tail else ''}"
