"""Parquet files."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow  # noqa: F401  the shelf says how to install it

from tunewright.nouns import Record, Reject
from tunewright.sources._arrow import parquet_rows
from tunewright.sources._formats import Desk
from tunewright.sources._mapping import Fields
from tunewright.sources._rows import records
from tunewright.sources._text import MAX_BYTES


def parquet(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    max_bytes: int = MAX_BYTES,
    batch: int = 256,
) -> Iterator[Record | Reject]:
    """A Parquet file, as the Hugging Face Hub offers every dataset.

    Columns have the same names as the fields of JSON lines; `line` is the number of the row. Rows are
    read `batch` at a time.

    Limits: a page that is damaged ends the reading with an error, because rows cannot be told apart
    behind it.
    """
    desk = Desk(source=source, licence=licence, file=file, counts=counts, fields=fields, max_bytes=max_bytes)
    yield from records(path, desk, parquet_rows(path, batch))
