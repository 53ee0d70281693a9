"""Reading text files that may be broken: bounded lines, encodings, and JSON that cannot hurt."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Never, cast

from pydantic import JsonValue
from pydantic_core import from_json

from tunewright.errors import BadInput
from tunewright.sources._compressed import DAMAGE, bad, compression, unpacked

MAX_BYTES = 1 << 20
SHOWN = 2_000
"""Characters of a broken row that a reject keeps."""
_STEP = 1 << 16


class Line:
    """One physical line: its number (from 1), its text without the end of line, and what is wrong with it."""

    __slots__ = ("broken", "end", "number", "text")

    def __init__(self, number: int, text: str, broken: str = "", end: str = "\n") -> None:
        self.number, self.text, self.broken, self.end = number, text, broken, end

    @property
    def blank(self) -> bool:
        return not self.broken and not self.text.strip()


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what the operating system says about a file into `BadInput` with a remedy."""
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder, not a file", hint="give the file inside it")
        if path.exists() and not path.is_file():
            raise BadInput(f"{path} is not an ordinary file", hint="copy it to a file first")
        yield
    except FileNotFoundError as error:
        raise BadInput(
            f"{path} does not exist", hint="check the path; was it moved while being read?"
        ) from error
    except DAMAGE as error:
        raise bad(path) from error
    except PermissionError as error:
        raise BadInput(f"{path} may not be read", hint=f"chmod u+r {path}, or run as its owner") from error
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}", hint="check the disk") from error


def nothing(path: Path) -> BadInput:
    """The error for a file without a single row."""
    return BadInput(f"{path}: nothing in it", hint="add rows, or take the source out of tunewright.yaml")


def opened(path: Path) -> BufferedReader:
    """The file, unpacked if it is compressed and checked for being text. Call inside `readable`."""
    with path.open("rb") as file:
        how = compression(file.read(16))
    stream = unpacked(path, how) if how else path.open("rb")
    try:
        head = stream.peek(1024)[:1024]
        if head[:4] in (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff") or (
            head[:2] not in (b"\xff\xfe", b"\xfe\xff") and head.count(0) * 4 > len(head) > 8
        ):
            hint = "convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW"
            raise BadInput(f"{path} is not UTF-8 text", hint=hint)
    except BaseException:
        stream.close()
        raise
    return stream


def text_stream(stream: BufferedReader) -> TextIOWrapper:
    """The same stream as characters: UTF-16 if a byte order mark says so, else UTF-8."""
    return TextIOWrapper(stream, "utf-16" if wide(stream) else "utf-8-sig", errors="replace", newline="\n")


def wide(stream: BufferedReader) -> bool:
    """Whether a byte order mark of UTF-16 begins the stream; nothing is consumed."""
    return stream.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff")


def lines(path: Path, max_bytes: int) -> Iterator[Line]:
    """Every line, blank ones too. At most `max_bytes` of one line are ever in memory."""
    with readable(path), opened(path) as stream:
        sixteen = wide(stream)
        take: Callable[[int], bytes] = stream.readline
        if sixteen:
            text = text_stream(stream)

            def take(size: int) -> bytes:
                return text.readline(size).encode("utf-8", "replace")

        number = 0
        while raw := take(max_bytes + 2):
            number += 1
            if number == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            yield _line(number, raw, take, max_bytes, sixteen)


def _line(number: int, raw: bytes, take: Callable[[int], bytes], max_bytes: int, wide: bool) -> Line:
    ended = raw.endswith(b"\n")
    if not ended:
        while len(raw) > max_bytes and (more := take(_STEP)):
            if more.endswith(b"\n"):
                break
    body = raw[:-1].removesuffix(b"\r") if ended else raw
    if len(body) > max_bytes:
        return Line(number, body[: 4 * SHOWN].decode("utf-8", "replace"), f"longer than {max_bytes:,} bytes")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = body[: 4 * SHOWN].decode("utf-8", "replace")
        return Line(number, shown, f"not UTF-8: byte {error.start + 1} of the line has no meaning")
    if wide and "�" in text:
        return Line(number, text, "damaged UTF-16")
    if "\0" in text:
        return Line(number, text, "has a NUL character in it")
    return Line(number, text, end="\r\n" if raw.endswith(b"\r\n") else "\n")


def _constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


DECODER = JSONDecoder(parse_constant=_constant)
"""Strict: NaN and Infinity are no JSON. Errors: `ValueError`."""


def parse(text: str) -> JsonValue:
    """JSON, strictly. Errors: `ValueError` that says plainly what is wrong, without quoting the text."""
    try:  # three times as fast; whatever it does not take, the standard library judges
        return cast(JsonValue, from_json(text, allow_inf_nan=False, cache_strings="keys"))
    except ValueError:
        pass
    try:
        value: JsonValue = DECODER.decode(text)
    except JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg.lower()} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except ValueError as error:
        if "digits" in str(error):
            raise ValueError("has a number with too many digits") from None
        raise
    return value
