"""Tables as text: CSV and TSV with a header."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tunewright.nouns import Record, Reject
from tunewright.sources._formats import Desk
from tunewright.sources._mapping import Fields, columns
from tunewright.sources._rows import records
from tunewright.sources._table import known, table_rows
from tunewright.sources._text import MAX_BYTES


def csv(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    max_bytes: int = MAX_BYTES,
    delimiter: str = "",
) -> Iterator[Record | Reject]:
    """A table with a header: CSV, or TSV when tabs divide the columns.

    Quoted fields may hold delimiters and line ends (RFC 4180); the line of a row is the one it starts
    on. Columns have the same names as the fields of JSON lines; a `messages` cell holds JSON. Without
    `delimiter`, the one of `, ; tab |` is taken that makes the header make sense. With `fields`, columns
    are named as the header writes them. It may be compressed.

    Limits: the header is required. After a quote that never closes, reading resumes on the next line,
    so one such row may show as several rejects.
    """
    desk = Desk(source=source, licence=licence, file=file, counts=counts, fields=fields, max_bytes=max_bytes)
    named = set(columns(fields)) if fields else set[str]()

    def wanted(names: list[str]) -> bool:
        return named <= set(names) if named else known(names)

    yield from records(path, desk, table_rows(path, max_bytes, delimiter, wanted, small=not named))
