"""Files that are compressed: the same bytes, unpacked as they are read."""

import bz2
import gzip
import io
import lzma
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

from tunewright.errors import BadInput, Missing

ENDINGS = (".gz", ".bz2", ".xz", ".lzma", ".zst")
"""Ends of names that are taken off before the rest of the name says what is inside."""
DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)
"""What reading a damaged compressed file raises."""
_MEMORY = 256 << 20  # an xz file may ask for 4 GiB of dictionary


def compression(head: bytes) -> str:
    """Which compression a file begins with, or nothing."""
    if head[:3] == b"\x1f\x8b\x08":
        return "gzip"
    if head[:3] == b"BZh" and head[4:10] == b"1AY&SY":
        return "bz2"
    if head[:6] == b"\xfd7zXZ\0":
        return "xz"
    if head[:4] == b"\x28\xb5\x2f\xfd":
        return "zstd"
    return ""


def unpacked(path: Path, how: str) -> io.BufferedReader:
    """The content of a compressed file, unpacked while it is read, in bounded memory.

    Errors: `Missing` when Zstandard needs pyarrow and it is not there.
    """
    raw: io.RawIOBase
    if how == "gzip":
        raw = cast(io.RawIOBase, gzip.GzipFile(path))
    elif how == "bz2":
        raw = cast(io.RawIOBase, bz2.BZ2File(path))
    elif how == "xz":
        raw = _Xz(path.open("rb"))
    else:
        raw = _zstd(path)
    return io.BufferedReader(raw, 1 << 16)


def _zstd(path: Path) -> io.RawIOBase:
    try:
        import pyarrow as pa
    except ModuleNotFoundError:
        raise Missing(
            f"{path.name} is compressed with Zstandard, which needs pyarrow",
            hint="pip install 'tunewright[data]'",
        ) from None
    return _Arrow(pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))


class _Arrow(io.RawIOBase):
    """Arrow's stream with Python's errors."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def close(self) -> None:
        self.inner.close()
        super().close()

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        try:
            data: bytes = self.inner.read(len(into))
        except OSError as error:
            raise EOFError(str(error)) from None
        into[: len(data)] = data
        return len(data)


class _Xz(io.RawIOBase):
    """xz with a limit of memory, which `lzma.open` does not have."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.machine = lzma.LZMADecompressor(memlimit=_MEMORY)

    def close(self) -> None:
        self.stream.close()
        super().close()

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while True:
            if self.machine.eof:
                rest = self.machine.unused_data.lstrip(b"\0") or self.stream.read(1 << 16).lstrip(b"\0")
                if not rest:
                    return 0
                self.machine = lzma.LZMADecompressor(memlimit=_MEMORY)
            elif self.machine.needs_input:
                rest = self.stream.read(1 << 16)
                if not rest:
                    raise EOFError("ends in the middle")
            else:
                rest = b""
            if data := self.machine.decompress(rest, len(into)):
                into[: len(data)] = data
                return len(data)


def bad(path: Path) -> BadInput:
    """The error for compressed bytes that do not make sense."""
    return BadInput(
        f"{path} is damaged: its compressed content breaks off or makes no sense", hint="copy it again"
    )
