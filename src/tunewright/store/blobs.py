"""Files and folders named by their content."""

import hashlib
import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from tunewright.errors import BadInput, Exhausted, NotFound, full


class Lines:
    """A text blob in the making."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hasher = hashlib.sha256()
        self.count = 0
        self.digest = ""

    def add(self, line: str) -> None:
        """Append one line; it must hold no line break."""
        data = line.encode() + b"\n"
        self.hasher.update(data)
        self.file.write(data)
        self.count += 1


class Blobs:
    """A folder of files and folders, each named by its SHA-256.

    A blob appears under its name by one rename after its bytes reached the disk, so a crash leaves
    either the whole blob or none of it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: str) -> Path:
        """Where this blob lies. Errors: `NotFound` when it was erased or lost."""
        path = self._place(digest)
        if not path.exists():
            raise NotFound(
                f"blob {digest[:12]} is gone", hint="tunewright verify tells whether it was erased"
            )
        return path

    def __contains__(self, digest: str) -> bool:
        return self._place(digest).exists()

    def keep(self, source: Path | str | bytes) -> str:
        """Keep a file or folder (`Path`) or a text, once however often; returns its digest."""
        if isinstance(source, Path):
            digest = hash_path(source)
            if digest not in self:
                with self._arriving(digest) as place:
                    shutil.copytree(source, place) if source.is_dir() else shutil.copyfile(source, place)
            return digest
        data = source.encode() if isinstance(source, str) else source
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self:
            with self._arriving(digest) as place:
                place.write_bytes(data)
        return digest

    def keep_lines(self, lines: Iterable[str]) -> str:
        """Keep a text file made line by line, in bounded memory; returns its digest."""
        with self.writing() as text:
            for line in lines:
                text.add(line)
        return text.digest

    @contextmanager
    def writing(self) -> Iterator["Lines"]:
        """A text blob made line by line; its `digest` is known when the block ends."""
        with self._arriving("") as place:
            with place.open("wb") as file:
                text = Lines(file)
                yield text
            text.digest = text.hasher.hexdigest()
            if text.digest not in self:
                self._settle(place, text.digest)

    def lines(self, digest: str) -> Iterator[str]:
        """The lines of a text blob."""
        with self.path(digest).open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield line.rstrip("\n")

    def erase(self, digest: str) -> None:
        """Delete a blob. Only `forget` does, and leaves an `Erasure` that says so."""
        path = self._place(digest)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def sweep(self, known: Collection[str], words: str) -> None:
        """Delete what is not `known` and holds these words: a process that was killed left it behind."""
        for path in self.root.glob("*/*"):
            if path.name not in known and path.is_file():
                with path.open("rb") as file:
                    found = any(words.encode() in line for line in file)
                if found:
                    path.unlink(missing_ok=True)

    def intact(self, digest: str) -> bool:
        """Whether the bytes still hash to the name."""
        return hash_path(self.path(digest)) == digest

    def _place(self, digest: str) -> Path:
        return self.root / digest[:2] / digest

    @contextmanager
    def _arriving(self, digest: str) -> Iterator[Path]:
        """A temporary place that becomes the blob `digest` (or nothing, if the block settles it itself)."""
        place = self.root / "arriving" / uuid4().hex
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            yield place
            if digest:
                self._settle(place, digest)
        except OSError as error:
            told = f"a blob could not be written: {error.strerror}"
            if full(error):
                raise Exhausted(told, hint="free some disk space") from error
            raise BadInput(told, hint=f"check the permissions of {self.root}") from error
        finally:
            if place.is_dir():
                shutil.rmtree(place, ignore_errors=True)
            else:
                with suppress(OSError):
                    place.unlink(missing_ok=True)

    def _settle(self, place: Path, digest: str) -> None:
        for path in [place, *place.rglob("*")]:
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        target = self._place(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            place.replace(target)
        except OSError:
            if not target.exists():  # another process kept the same folder first: equal names, equal bytes
                raise


def hash_path(path: Path) -> str:
    """A file by its bytes; a folder by the sorted names and hashes of its files."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    files = sorted(p for p in path.rglob("*") if p.is_file())
    listing = "".join(f"{hash_path(p)}  {p.relative_to(path).as_posix()}\n" for p in files)
    return hashlib.sha256(listing.encode()).hexdigest()
