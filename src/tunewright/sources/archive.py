"""Zip archives."""

import shutil
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tunewright.errors import BadInput
from tunewright.nouns import Origin, Record, Reject
from tunewright.sources import pick, sources
from tunewright.sources._mapping import Fields
from tunewright.sources._text import MAX_BYTES, nothing, readable

_FILES = 100_000


def archive(
    path: Path,
    *,
    source: str,
    licence: str,
    file: str,
    counts: Counter[str] | None = None,
    fields: Fields | None = None,
    max_bytes: int = MAX_BYTES,
    max_total: int = 20 << 30,
) -> Iterator[Record | Reject]:
    """A zip archive with one file or many, each read by the source that its name picks.

    The origin of a record is `archive.zip/inner/file.jsonl` and its line there. An archive that as a whole is
    an export of ChatGPT or Slack, or a Croissant delivery, is read as that. What no source reads is rejected
    by name, encrypted files too; hidden files are left out.

    Limits: unpacked into the temporary folder, at most `max_total` bytes (20 GiB). Archives within archives
    are not opened. Names that lead out of the archive are refused.
    """
    with readable(path), tempfile.TemporaryDirectory(prefix="tunewright-") as folder:
        place = Path(folder)
        about = {"source": source, "licence": licence, "counts": counts}
        seen = False
        for refused in _unpacked(path, place, max_total):
            seen = True
            yield _reject(source, f"{file}/{refused[0]}", refused[1])
        root = place
        while len(inside := list(root.iterdir())) == 1 and inside[0].is_dir():
            root = inside[0]  # one folder that holds everything
        try:
            whole = pick(root)
        except BadInput:
            found = sorted(one for one in place.rglob("*") if one.is_file())
        else:
            yield from _read(whole, root, path, file, {**about, "file": file}, fields, max_bytes)
            return
        for one in found:
            seen = True
            name = f"{file}/{one.relative_to(place).as_posix()}"
            try:
                plugin = pick(one)
                if plugin == "archive":
                    raise BadInput(f"{one} is an archive within an archive")
            except BadInput as error:
                yield _reject(source, name, str(error).replace(str(one), "this file"))
                continue
            try:
                yield from _read(plugin, one, path, name, {**about, "file": name}, fields, max_bytes)
            except BadInput as error:
                yield _reject(source, name, str(error).replace(str(one), "this file"))
    if not seen:
        raise nothing(path)


def _read(
    plugin: str,
    one: Path,
    path: Path,
    name: str,
    about: dict[str, object],
    fields: Fields | None,
    max_bytes: int,
) -> Iterator[Record | Reject]:
    options: dict[str, object] = {"fields": fields}
    if "max_bytes" in sources.options(plugin):
        options["max_bytes"] = max_bytes
    try:
        yield from sources[plugin](one, **about, **options)
    except BadInput as error:  # the temporary folder is nobody's business
        raise BadInput(str(error).replace(str(one), f"{path} ({name})"), hint=error.hint) from None


def _unpacked(path: Path, place: Path, max_total: int) -> Iterator[tuple[str, str]]:
    """Unpack what can be; gives name and reason of what cannot."""
    left = max_total
    try:
        with zipfile.ZipFile(path) as packed:
            members = packed.infolist()
            if len(members) > _FILES:
                raise BadInput(f"{path} holds {len(members):,} files", hint="pack fewer, or unpack it")
            for member in members:
                name = PurePosixPath(member.filename.replace("\\", "/"))
                hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.parts)
                if member.is_dir() or (hidden and ".." not in name.parts):
                    continue
                if name.is_absolute() or ".." in name.parts or ":" in str(name) or "\0" in str(name):
                    yield "…", "its name leads out of the archive"
                    continue
                if member.flag_bits & 1:
                    yield str(name), "is encrypted"
                    continue
                target = place.joinpath(*name.parts)
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with packed.open(member) as inner, target.open("wb") as out:
                        while piece := inner.read(1 << 20):
                            left -= len(piece)
                            if left < 0:
                                raise BadInput(
                                    f"{path} is larger than {max_total:,} bytes when unpacked",
                                    hint="raise the option max_total if that is meant",
                                )
                            out.write(piece)
                except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
                    if isinstance(error, OSError) and error.errno == 28:
                        raise
                    target.unlink(missing_ok=True)
                    yield str(name), "is damaged, or packed in a way that is not known"
    except (zipfile.BadZipFile, ValueError) as error:
        shutil.rmtree(place, ignore_errors=True)
        raise BadInput(f"{path} is not a zip archive, or is damaged", hint="pack it again") from error


def _reject(source: str, file: str, reason: str) -> Reject:
    """A file that is not read; line 0 stands for the whole of it."""
    return Reject(origin=Origin(source=source, file=file, line=0), reason=reason)
