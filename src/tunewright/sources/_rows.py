"""Rows of files as they come, before anything is made of them."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tunewright.nouns import Record, Reject
from tunewright.sources._formats import Desk
from tunewright.sources._text import lines, nothing, parse


class Raw(NamedTuple):
    """One row: where it begins (from 1), what it holds, its text if it has one, and what is wrong with it."""

    line: int
    row: object
    text: str = ""
    broken: str = ""


Reader = Callable[[Path], Iterator[Raw]]


def records(path: Path, desk: Desk, rows: Iterable[Raw]) -> Iterator[Record | Reject]:
    """What becomes of the rows. Errors: `BadInput` when there is none."""
    seen = False
    for line, row, text, broken in rows:
        seen = True
        if broken:
            yield desk.refuse(line, broken, text)
        else:
            yield from desk.take(row, line, text)
    yield from desk.end()
    if not seen:
        raise nothing(path)


def json_lines(path: Path, max_bytes: int) -> Iterator[Raw]:
    """Rows of JSON lines; blank lines are passed over."""
    for line in lines(path, max_bytes):
        text = line.text
        if line.broken:
            yield Raw(line.number, None, text, line.broken)
        elif text and not text.isspace():
            try:
                row = parse(text)
            except ValueError as error:
                yield Raw(line.number, None, text, str(error))
            else:
                yield Raw(line.number, row, text)
