"""Arrow files."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow  # noqa: F401  the shelf says how to install it

from tunewright.nouns import Record, Reject
from tunewright.sources._arrow import ipc_rows
from tunewright.sources._formats import Desk
from tunewright.sources._mapping import Fields
from tunewright.sources._rows import records
from tunewright.sources._text import MAX_BYTES


def arrow(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    max_bytes: int = MAX_BYTES,
) -> Iterator[Record | Reject]:
    """An Arrow file: IPC file or stream, or Feather 2.

    Columns have the same names as the fields of JSON lines; `line` is the number of the row. The file is
    mapped, not read whole; one record batch is in memory at a time, and compressed ones are unpacked.

    Limits: Feather 1 is not read. Numbers of classes stay numbers: the folder that Hugging Face datasets
    writes knows their names, a single file of it does not.
    """
    desk = Desk(source=source, licence=licence, file=file, counts=counts, fields=fields, max_bytes=max_bytes)
    yield from records(path, desk, ipc_rows(path))
