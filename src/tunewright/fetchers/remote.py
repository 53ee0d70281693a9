"""Files at an address: object stores, HTTP and what else fsspec knows."""

from __future__ import annotations

import hashlib
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from tunewright.errors import BadInput, TunewrightError
from tunewright.fetchers import resolved, scheme_of, scrubbed, shown
from tunewright.shelf import missing

_PIECE = 1 << 20
_DRIVERS = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("abfs", "abfss", "az", "adl"), "adlfs"),
    **dict.fromkeys(("sftp", "ssh"), "paramiko"),
}


def remote(
    uri: str,
    into: Path,
    *,
    max_bytes: int = 20 << 30,
    sha256: str = "",
    anonymous: bool = False,
    timeout: float = 60.0,
) -> Path:
    """A file, a folder or a glob at an address: S3, Google Cloud, Azure, HTTP or another that fsspec knows.

    `sha256` says which bytes a single file must have. `max_bytes` limits the sum of all files (20 GiB).
    `anonymous` asks an object store without credentials; otherwise its own library finds them as usual
    (environment, configuration file, role of the machine). A file that breaks off, or whose size is not the
    one announced, is not kept.

    Limits: object stores need their drivers (s3fs, gcsfs, adlfs). Over HTTP only single files are fetched,
    and an interrupted download begins anew. Without `sha256` nobody knows whether the other side changed
    the file; the digest of what came is in the evidence.
    """
    whole = resolved(uri)
    if "::" in whole:
        raise BadInput(f"{shown(uri)} chains addresses", hint="give the address of the file itself")
    into.mkdir(parents=True, exist_ok=True)
    try:
        if scheme_of(whole) in ("http", "https"):
            name = _safe(PurePosixPath(unquote(urlsplit(whole).path)).name or "download")
            size = _take(into / name, max_bytes, uri, lambda: _web(whole, timeout))
            found = [into / name] if size >= 0 else []
        else:
            found = _store(uri, whole, into, max_bytes, anonymous)
    except TunewrightError:
        raise
    except ModuleNotFoundError as error:
        raise missing(error, "fetchers/remote") from error
    except Exception as error:  # drivers raise errors of their own kinds; their words may hold the address
        told = scrubbed(str(error) or type(error).__name__, uri)
        raise BadInput(
            f"{shown(uri)} could not be fetched: {told}", hint="check the address and the rights"
        ) from None
    if not found:
        raise BadInput(f"{shown(uri)} has no files", hint="check the address")
    if sha256:
        if len(found) != 1:
            raise BadInput(f"{shown(uri)} is {len(found)} files; sha256 is of one", hint="leave sha256 out")
        with found[0].open("rb") as file:
            got = hashlib.file_digest(file, "sha256").hexdigest()
        if got != sha256.lower():
            found[0].unlink()
            raise BadInput(
                f"{shown(uri)} is not the file that is expected: its sha256 is {got}",
                hint="ask who publishes it, and write the new digest only when they confirm it",
            )
    return found[0] if len(found) == 1 and found[0].parent == into else into


def _store(uri: str, whole: str, into: Path, max_bytes: int, anonymous: bool) -> list[Path]:
    import fsspec

    scheme = scheme_of(whole)
    options: dict[str, Any] = {}
    if anonymous:
        options = {"token": "anon"} if scheme in ("gs", "gcs") else {"anon": True}
    try:
        system, place = fsspec.core.url_to_fs(whole, **options)
    except ImportError:
        driver = _DRIVERS.get(scheme, "a driver of fsspec")
        raise BadInput(
            f"{scheme}: addresses need {driver}, which is not installed", hint=f"pip install {driver}"
        ) from None
    if re.search(r"[*?\[]", place):
        names = [name for name in system.glob(place) if system.isfile(name)]
        root = re.split(r"[*?\[]", place)[0].rpartition("/")[0]
    elif system.isdir(place):
        names, root = system.find(place), place.rstrip("/")
    else:
        names, root = [place], place.rpartition("/")[0]
    found, total = list[Path](), 0
    for name in sorted(names):
        info = system.info(name)
        inside = name.removeprefix(root).lstrip("/") or PurePosixPath(name).name
        target = into.joinpath(*[_safe(part) for part in inside.split("/")])
        target.parent.mkdir(parents=True, exist_ok=True)
        size = info.get("size")
        if isinstance(size, int) and total + size > max_bytes:
            raise _large(uri, max_bytes)

        @contextmanager
        def opened(name: str = name, size: object = size) -> Iterator[tuple[BinaryIO, int | None]]:
            with system.open(name, "rb") as file:
                yield file, size if isinstance(size, int) else None

        total += _take(target, max_bytes - total, uri, opened)
        found.append(target)
    return found


@contextmanager
def _web(url: str, timeout: float) -> Iterator[tuple[BinaryIO, int | None]]:
    request = urllib.request.Request(url, headers={"User-Agent": "tunewright", "Accept-Encoding": "identity"})
    parts = urlsplit(url)
    if parts.username:
        import base64

        plain = url.replace(parts.netloc, parts.netloc.rpartition("@")[2], 1)
        both = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        request = urllib.request.Request(plain, headers={"User-Agent": "tunewright"})
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(both).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            length = answer.headers.get("Content-Length")
            yield answer, int(length) if length and length.isdigit() else None
    except urllib.error.HTTPError as error:
        with error:
            raise OSError(f"the server answers {error.code} {error.reason}") from None


def _take(target: Path, limit: int, uri: str, opened: Callable[[], Any]) -> int:
    """Copy a stream to a file that has its name only when it is whole; gives its size."""
    part = target.with_name(f".{target.name}.part")
    size = 0
    try:
        with opened() as (stream, announced), part.open("wb") as out:
            if announced is not None and announced > limit:
                raise _large(uri, limit)
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > limit:
                    raise _large(uri, limit)
                out.write(piece)
        if announced is not None and size != announced:
            raise BadInput(f"{shown(uri)} broke off after {size:,} of {announced:,} bytes", hint="try again")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return size


def _large(uri: str, limit: int) -> BadInput:
    return BadInput(
        f"{shown(uri)} is larger than {limit:,} bytes",
        hint="raise fetch: {max_bytes: …}, or name a part of it",
    )


def _safe(name: str) -> str:
    """A name that stays in its folder and that every file system takes."""
    kept = re.sub(r"[^\w. -]", "_", name).lstrip(".").strip()
    return kept[-150:] or "download"
