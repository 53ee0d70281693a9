"""The elements of one JSON list, one at a time."""

import re
from collections.abc import Iterator
from io import TextIOWrapper
from json import JSONDecodeError
from pathlib import Path

from tunewright.errors import BadInput
from tunewright.sources._rows import Raw, json_lines
from tunewright.sources._text import DECODER, SHOWN, nothing, opened, parse, readable, text_stream

_MARKS = re.compile(r'["\\\[\]{},]')
_TO_QUOTE = re.compile(r'["\\]')
_STEP = 1 << 16
_BLANK = re.compile(r"[ \t\n\r]*")


def json_rows(path: Path, max_bytes: int, at: str = "") -> Iterator[Raw]:
    """Rows of a JSON list, or of JSON lines under this name."""
    first, head = _start(path)
    if first == "":
        raise nothing(path)
    if not at and first == "{" and _is_row(head):
        return json_lines(path, max_bytes)
    return elements(path, max_bytes, at)


def _start(path: Path) -> tuple[str, str]:
    """First character that is not blank, and the line it begins, as far as 64 KiB go."""
    with readable(path), opened(path) as stream, text_stream(stream) as text:
        head = ""
        while chunk := text.read(_STEP):
            head = chunk.lstrip()
            if head:
                break
        return head[:1], head.partition("\n")[0]


def _is_row(line: str) -> bool:
    """Whether a line starts an own row (longer lines than were read count as rows)."""
    try:
        parse(line)
    except ValueError:
        return len(line) >= _STEP - 1
    return True


class _Tape:
    """Text of a file, as much of it as is being looked at."""

    def __init__(self, stream: TextIOWrapper) -> None:
        self.stream = stream
        self.text, self.at, self.line = "", 0, 1
        self.ended = False

    def more(self, step: int = _STEP) -> bool:
        """Read on; what was passed is forgotten."""
        chunk = "" if self.ended else self.stream.read(step)
        self.ended = self.ended or not chunk
        if chunk:
            self.text, self.at = self.text[self.at :] + chunk, 0
        return bool(chunk)

    def blanks(self) -> str:
        """Pass over white space; gives the character behind it, or nothing at the end."""
        while True:
            found = _BLANK.match(self.text, self.at)
            end = found.end() if found else self.at
            self.line += self.text.count("\n", self.at, end)
            self.at = end
            if end < len(self.text):
                return self.text[end]
            if not self.more():
                return ""

    def upto(self, end: int) -> str:
        """Take the text before a place."""
        taken = self.text[self.at : end]
        self.line += taken.count("\n")
        self.at = end
        return taken


def elements(path: Path, max_bytes: int, key: str = "") -> Iterator[Raw]:
    """Each element of the list with the line it begins on. What exceeds `max_bytes` is dropped.

    With `key` the list is the value of that field of the file's one object. Errors: `BadInput` when there is
    no list.
    """
    with readable(path), opened(path) as stream, text_stream(stream) as text:
        tape = _Tape(text)
        if not (_find(tape, key) if key else tape.blanks() == "["):
            where = f"has no list under {key!r}" if key else "is not a list of rows"
            raise BadInput(
                f"{path} {where}",
                hint="write [{…}, {…}], or a row a line in a .jsonl file; `at` names a list in an object",
            )
        tape.at += 1
        if tape.blanks() == "]":
            tape.at += 1
        else:
            yield from _listed(tape, max_bytes)
            if tape.ended and tape.at >= len(tape.text) and not tape.text.endswith("]"):
                return
        if not key and tape.blanks():
            yield Raw(tape.line, None, tape.text[tape.at :][:SHOWN], "follows the end of the list")


def _listed(tape: _Tape, max_bytes: int) -> Iterator[Raw]:
    while tape.blanks():
        line = tape.line
        raw = _quick(tape, line, max_bytes) or _slow(tape, line, max_bytes)
        if raw.text or raw.broken or tape.blanks() == ",":
            yield raw if raw.text or raw.broken else Raw(line, None, "", "not JSON: an element is missing")
        sign = tape.blanks()
        tape.at += 1
        if sign != ",":
            return
        if tape.blanks() == "]":  # a comma before the end is forgiven
            tape.at += 1
            return


def _quick(tape: _Tape, line: int, max_bytes: int) -> Raw | None:
    """An element that is whole; None if it has to be looked at mark by mark."""
    step = _STEP
    while True:
        try:
            value, end = DECODER.raw_decode(tape.text, tape.at)
        except JSONDecodeError as error:
            cut = error.msg.startswith("Unterminated") or error.pos > len(tape.text) - 16
            if not cut or len(tape.text) - tape.at > max_bytes or not tape.more(step):
                return None
            step *= 2
            continue
        except (ValueError, RecursionError):
            return None
        behind = _BLANK.match(tape.text, end)
        next_at = behind.end() if behind else end
        if next_at >= len(tape.text):  # a number may go on
            if len(tape.text) - tape.at > max_bytes + _STEP or not tape.more():
                return None
            continue
        if tape.text[next_at] not in ",]" or end - tape.at > max_bytes:
            return None
        text = tape.upto(end)
        if "�" in text:
            return Raw(line, None, text, _DAMAGED)
        return Raw(line, value, text)


_DAMAGED = "not UTF-8, or damaged before: it holds replacement characters"


def _slow(tape: _Tape, line: int, max_bytes: int) -> Raw:
    """An element that is broken, too long or the last of a file that breaks off."""
    parts, size, depth = list[str](), 0, 0
    quoted = False

    def keep(text: str) -> None:
        nonlocal size
        size += len(text)
        if size <= max_bytes:
            parts.append(text)

    def made(broken: str = "") -> Raw:
        text = "".join(parts).strip()
        if size > max_bytes:
            return Raw(line, None, text[: 4 * SHOWN], f"longer than {max_bytes:,} bytes")
        if broken:
            return Raw(line, None, text, broken)
        try:
            if "�" in text:
                raise ValueError(_DAMAGED)
            return Raw(line, parse(text) if text else None, text)
        except ValueError as error:
            return Raw(line, None, text, str(error))

    while True:
        mark = (_TO_QUOTE if quoted else _MARKS).search(tape.text, tape.at)
        if mark is None:
            keep(tape.upto(len(tape.text)))
            if not tape.more():
                return made("the file ends in the middle of a row")
            continue
        sign = mark.group()
        if not quoted and depth == 0 and sign in ",]":
            keep(tape.upto(mark.start()))
            return made()
        keep(tape.upto(mark.end()))
        if sign == "\\":
            if tape.at >= len(tape.text) and not tape.more():
                continue
            if quoted:
                keep(tape.upto(tape.at + 1))
        elif sign == '"':
            quoted = not quoted
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth = max(depth - 1, 0)


def _find(tape: _Tape, key: str) -> bool:
    """Go to the bracket of the list that is the value of `key` in the file's one object."""
    if tape.blanks() != "{":
        return False
    tape.at += 1
    depth, quoted, start = 1, False, 0
    word = ""
    while True:
        mark = (_TO_QUOTE if quoted else _MARKS).search(tape.text, tape.at)
        if mark is None:
            word = word + tape.text[max(start, tape.at) :][:SHOWN] if quoted else word
            tape.upto(len(tape.text))
            start = 0
            if not tape.more():
                return False
            continue
        sign = mark.group()
        if quoted and sign == '"':
            word = (word + tape.text[start : mark.start()])[:SHOWN]
        tape.upto(mark.end())
        if sign == "\\":
            if tape.at >= len(tape.text):
                tape.more()
            tape.upto(tape.at + 1)
        elif sign == '"':
            quoted = not quoted
            if quoted:
                word, start = "", tape.at
            elif depth == 1 and word == key and tape.blanks() == ":":
                tape.at += 1
                if tape.blanks() == "[":
                    return True
        elif sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
            if depth == 0:
                return False
