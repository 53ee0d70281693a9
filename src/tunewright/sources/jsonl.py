"""JSON lines: one object a line."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tunewright.nouns import Record, Reject
from tunewright.sources._formats import reject, to_record
from tunewright.sources._text import MAX_BYTES, lines, nothing, parse


def jsonl(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Iterator[Record | Reject]:
    """JSON lines: one conversation, question with answer, or labelled text a line.

    Reads OpenAI chat `messages`, ShareGPT `conversations`, Alpaca `instruction/input/output`,
    `prompt/completion`, `question/answer` and `text/label`, mixed as they come, and beside them `id`,
    `licence` and whom the row concerns (`customer`, `subject`, `user`, `person`, `email`). Blank lines
    are skipped. A line longer than `max_bytes` is rejected without being read whole.

    Limits: text only: pictures, audio and tool calls are rejected. When a field occurs twice in one
    object, the last one counts.
    """
    seen = False
    for line in lines(path, max_bytes):
        if line.blank:
            continue
        seen = True
        try:
            if line.broken:
                raise ValueError(line.broken)
            row = parse(line.text)
        except ValueError as error:
            yield reject(source, file, line.number, str(error), line.text)
            continue
        yield to_record(
            row,
            source=source,
            licence=licence,
            file=file,
            line=line.number,
            raw=line.text,
            max_bytes=max_bytes,
            counts=counts,
        )
    if not seen:
        raise nothing(path)
