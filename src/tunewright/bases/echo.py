"""A base model for trying things out."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tunewright.bases import Found, _folder
from tunewright.nouns import Base

MARK = "echo.json"


def echo(address: str, *, cache: Path) -> Found:
    """A stand-in for a model, without weights.

    `echo:any-name` takes no time and no memory. Together with the echo trainer and the echo runtime it lets
    the whole story run in milliseconds, in tests and when a project is being set up.

    Limits: it is not a language model. Nothing that is measured with it says anything about a real one.
    """

    def fill(work: Path) -> None:
        (work / MARK).write_text("{}\n", "utf-8")

    folder = _folder.settle(cache / "echo", fill)
    sha = hashlib.sha256((folder / MARK).read_bytes()).hexdigest()
    return Found(
        folder, Base(uri=f"echo:{address}", licence="CC0-1.0", revision="1", sha256=sha, parameters=0)
    )
