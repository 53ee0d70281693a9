"""What a command says: words for a person, or one JSON object for a program. And how it fails."""

import errno
import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import NoReturn

from pydantic import JsonValue, ValidationError
from rich.console import Console, RenderableType
from rich.text import Text

from tunewright.cli.progress import Bars, Lines
from tunewright.cli.render.words import plain
from tunewright.errors import BadInput, Exhausted, TunewrightError
from tunewright.nouns import Progress

TRACEBACK = "TUNEWRIGHT_TRACEBACK"


class Answer:
    """Collects what a command has to say."""

    def __init__(self, as_json: bool) -> None:
        self.json = as_json
        self.fields: dict[str, JsonValue] = {}
        self._ended = False
        self.out = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
        self.err = Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
        self._bars: Bars | Lines = Bars(self.err) if self.err.is_terminal else Lines(self.err)

    @property
    def width(self) -> int:
        """Columns there are."""
        return self.out.width

    def say(self, *what: RenderableType) -> None:
        """Print something for a person to read."""
        self._bars.stop()
        if not self.json:
            for one in what:
                self.out.print(one)

    def write(self, text: str) -> None:
        """Print text as it is, never broken into lines, for a program to read."""
        if not self.json:
            self.out.file.write(f"{text}\n")

    def starting(self, what: str) -> None:
        """Show that something has begun, of which it is not known how long it takes."""
        self._bars.tell(Progress(label=what, done=0))

    def tell(self, progress: Progress) -> None:
        """Show how far a long step is, on stderr."""
        self._bars.tell(progress)

    def end(self) -> None:
        """Print the one JSON object, if that is what was asked for and it has not been printed."""
        self._bars.stop()
        ended, self._ended = self._ended, True
        if self.json and not ended:
            self.out.file.write(json.dumps(self.fields, ensure_ascii=False) + "\n")
        self.out.file.flush()

    def fail(self, error: BaseException) -> int:
        """Tell what went wrong; returns the exit code."""
        self._bars.stop()
        if os.environ.get(TRACEBACK):
            traceback.print_exception(error, file=self.err.file)
        title, detail, hint, code = explain(error)
        if self.json and not self._ended:
            self.fields["error"] = {"title": title, "detail": detail, "hint": hint, "exit": code}
            self.end()
            return code
        if isinstance(error, KeyboardInterrupt):
            self.err.print(f"{detail}; {hint}", soft_wrap=True)
            return code
        said = Text.assemble(("error: ", "bold red"), plain(detail))
        if hint:
            said.append_text(Text.assemble(("\n  try: ", "bold"), plain(hint)))
        self.err.print(said, soft_wrap=True)
        return code


def explain(error: BaseException) -> tuple[str, str, str, int]:
    """An error's title, what happened, what to type next, and the exit code."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        what = "memory" if isinstance(error, MemoryError) else "disk"
        error = Exhausted(f"the {what} is full", hint="free some, then run the same command again")
    if isinstance(error, ValidationError):
        faults = "\n".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        error = BadInput(faults, hint="the same command with --help")
    if isinstance(error, TunewrightError):
        return type(error).__name__, str(error), error.hint, error.exit
    if isinstance(error, KeyboardInterrupt):
        known = ("stopped", "the same command goes on from where this one was")
        detail, hint = map(str, error.args if len(error.args) == len(known) else known)
        return "Stopped", detail, hint, 130
    hint = f"set {TRACEBACK}=1 and run the same command to see where; then please report it"
    said = (str(error).strip().splitlines() or ["no message"])[0]
    return "Unexpected", f"something unexpected happened: {type(error).__name__}: {said}", hint, 1


@contextmanager
def answering(as_json: bool) -> Iterator[Answer]:
    """Answer a command. What libraries print goes to stderr, so that stdout holds the answer only."""
    answer = Answer(as_json)
    try:
        with redirect_stdout(sys.stderr):
            yield answer
        answer.end()
    except (BrokenPipeError, SystemExit):
        raise
    except BaseException as error:
        _leave(answer.fail(error))


def _leave(code: int) -> NoReturn:
    raise SystemExit(code)


def shown(path: Path) -> str:
    """A path as one would type it from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.count("..") > 2 else relative
