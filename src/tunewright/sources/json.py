"""One JSON list of rows in a file."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.nouns import Record, Reject
from tunewright.sources._formats import reject, to_record
from tunewright.sources._text import MAX_BYTES, SHOWN, nothing, opened, parse, readable, text_stream
from tunewright.sources.jsonl import jsonl

_MARKS = re.compile(r'["\\\[\]{},]')
_CHUNK = 1 << 16


def json(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Iterator[Record | Reject]:
    """A JSON list: `[{…}, {…}]`, as exports and Alpaca-style files have it.

    Elements are read one at a time with bounded memory, and have the same shapes as JSON lines. A file
    that holds JSON lines under this name is read as such.

    Limits: a quotation mark or bracket that is missing makes one reject of everything up to the place
    where the list makes sense again, or to the end of the file.
    """
    first, head = _start(path)
    if first == "":
        raise nothing(path)
    if first == "{" and _is_row(head):
        yield from jsonl(path, source=source, licence=licence, file=file, counts=counts, max_bytes=max_bytes)
        return
    if first != "[":
        raise BadInput(
            f"{path} is not a list of rows", hint="write [{…}, {…}], or one row a line in a .jsonl file"
        )
    seen = False
    for number, text, broken in _elements(path, max_bytes):
        seen = True
        try:
            if broken:
                raise ValueError(broken)
            if "�" in text:
                raise ValueError("not UTF-8, or damaged before: it holds replacement characters")
            row = parse(text)
        except ValueError as error:
            yield reject(source, file, number, str(error), text)
            continue
        yield to_record(
            row,
            source=source,
            licence=licence,
            file=file,
            line=number,
            raw=text,
            max_bytes=max_bytes,
            counts=counts,
        )
    if not seen:
        raise nothing(path)


def _start(path: Path) -> tuple[str, str]:
    """First character that is not blank, and the line it begins, as far as 64 KiB go."""
    with readable(path), opened(path) as stream, text_stream(stream) as text:
        head = ""
        while chunk := text.read(_CHUNK):
            head = chunk.lstrip()
            if head:
                break
        return head[:1], head.partition("\n")[0]


def _is_row(line: str) -> bool:
    """Whether a line starts an own row (longer lines than were read count as rows)."""
    try:
        parse(line)
    except ValueError:
        return len(line) >= _CHUNK - 1
    return True


def _elements(path: Path, max_bytes: int) -> Iterator[tuple[int, str, str]]:
    """Line, text and trouble of each element of the list. What exceeds `max_bytes` is dropped."""
    parts: list[str] = []
    size = depth = 0
    line = start = 1
    quoted = escaped = False

    def element() -> tuple[int, str, str]:
        text = "".join(parts).strip()
        broken = f"longer than {max_bytes:,} bytes" if size > max_bytes else ""
        return start, text[: 4 * SHOWN] if broken else text, broken

    with readable(path), opened(path) as stream, text_stream(stream) as reader:
        while chunk := reader.read(_CHUNK):
            at = 0
            for mark in [*_MARKS.finditer(chunk), None]:
                end = mark.start() if mark else len(chunk)
                piece = chunk[at:end]
                at = end
                if piece:
                    escaped = False
                    if size == 0 and depth == 1:
                        blank = len(piece) - len(piece.lstrip())
                        line += piece.count("\n", 0, blank)
                        piece, start = piece[blank:], line
                    line += piece.count("\n")
                    if depth and piece:
                        size += len(piece)
                        if size <= max_bytes:
                            parts.append(piece)
                if mark is None:
                    break
                sign = mark.group()
                at = mark.end()
                outer = depth == 1 and not quoted
                if outer and sign in ",]":
                    if size or sign == ",":
                        yield element()
                    parts, size, start = [], 0, line
                    if sign == "]":
                        depth = 0
                        break
                    continue
                if depth == 0:
                    depth = 1  # the list's own bracket
                    continue
                if not size:
                    start = line
                size += 1
                if size <= max_bytes:
                    parts.append(sign)
                if sign == "\\":
                    escaped = quoted and not escaped
                elif escaped:
                    escaped = False
                elif sign == '"':
                    quoted = not quoted
                elif not quoted and sign in "[{":
                    depth += 1
                elif not quoted and sign in "]}":
                    depth = max(depth - 1, 1)
            if depth == 0:
                if rest := (chunk[at:] + reader.read(_CHUNK)).strip():
                    yield line, rest[:SHOWN], "follows the end of the list"
                return
        if "".join(parts).strip() or size > max_bytes:
            number, text, broken = element()
            yield number, text, broken or "the file ends in the middle of a row"
