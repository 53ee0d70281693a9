"""JSON lines: one object a line."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tunewright.nouns import Record, Reject
from tunewright.sources._formats import Desk
from tunewright.sources._mapping import Fields
from tunewright.sources._rows import json_lines, records
from tunewright.sources._text import MAX_BYTES


def jsonl(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    max_bytes: int = MAX_BYTES,
) -> Iterator[Record | Reject]:
    """JSON lines: one conversation, question with answer, labelled or plain text a line.

    Reads every row shape that the guide "Bring your data" lists, mixed as they come, and beside it `id`,
    `licence`, whom the row concerns (`customer`, `subject`, `user`, `person`, `email`) and what it says of
    its provenance. Blank lines are skipped. A line longer than `max_bytes` is rejected without being read
    whole. The file may be compressed (.gz, .bz2, .xz, .zst).

    Limits: text only: pictures, audio and tool calls are rejected. When a field occurs twice in one
    object, the last one counts.
    """
    desk = Desk(source=source, licence=licence, file=file, counts=counts, fields=fields, max_bytes=max_bytes)
    yield from records(path, desk, json_lines(path, max_bytes))
