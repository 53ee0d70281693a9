"""One JSON list of rows in a file."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tunewright.nouns import Record, Reject
from tunewright.sources._formats import Desk
from tunewright.sources._json_list import json_rows
from tunewright.sources._mapping import Fields
from tunewright.sources._rows import records
from tunewright.sources._text import MAX_BYTES


def json(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    max_bytes: int = MAX_BYTES,
    at: str = "",
) -> Iterator[Record | Reject]:
    """A JSON list: `[{…}, {…}]`, as exports and Alpaca-style files have it.

    Elements are read one at a time with bounded memory, and have the same shapes as JSON lines. When the
    list stands in an object, as in `{"train": [{…}]}`, `at` names its field. A file that holds JSON lines
    under this name is read as such. It may be compressed.

    Limits: a quotation mark or bracket that is missing makes one reject of everything up to the place
    where the list makes sense again, or to the end of the file. A list deeper than one object is not
    reached.
    """
    desk = Desk(source=source, licence=licence, file=file, counts=counts, fields=fields, max_bytes=max_bytes)
    yield from records(path, desk, json_rows(path, max_bytes, at))
