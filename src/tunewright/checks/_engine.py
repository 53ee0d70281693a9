"""Which of many patterns may match in which of many texts, fast; and patterns from users, safely.

Every pattern is a Python `re`. From its parse tree we derive a weaker pattern over bytes, which matches in
every text in which the real one does: look-around and anchors fall away, trailing and leading repeats shrink
to their least, character classes let every byte above 127 pass. One Hyperscan database holds all of them.
Without Hyperscan, literals that a match must hold are looked for. Either way whoever asks confirms with the
real pattern, so results are the same; `tests/contracts/test_engine.py` shows it on random patterns.
"""

import hashlib
import json
import os
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from threading import Lock
from typing import Literal, Protocol, cast

from tunewright.checks._weaken import FOLDED, anchors, weaker
from tunewright.errors import BadInput, Missing

Engine = Literal["auto", "hyperscan", "python"]
BLOCK = 1 << 20
"""Characters that are scanned in one go."""


class Prefilter:
    """Says which of many patterns may match in a text.

    Parameters:
    patterns: regular expressions of `re`, as text or compiled
    flags: flags of `re` for those given as text
    engine: `auto` takes Hyperscan when it is installed, `python` never

    The Hyperscan database is made at the first use and kept in the user's cache folder
    (`XDG_CACHE_HOME/tunewright`, or `LOCALAPPDATA` on Windows); TUNEWRIGHT_CACHE names another.

    Limits: a candidate is a possibility; confirm it with the pattern itself. A pattern that may match the
    empty text is always a candidate.
    """

    def __init__(
        self, patterns: Sequence[str | re.Pattern[str]], *, flags: int = 0, engine: Engine = "auto"
    ) -> None:
        self._patterns = [(p.pattern, p.flags) if isinstance(p, re.Pattern) else (p, flags) for p in patterns]
        self._engine = engine
        self._lock = Lock()
        self._database: _Database | None = None
        self._ready = False
        self._always = frozenset[int]()
        self._anchors: list[tuple[str, list[int]]] | None = None

    def __getstate__(self) -> tuple[list[tuple[str, int]], Engine]:
        return self._patterns, self._engine

    def __setstate__(self, state: tuple[list[tuple[str, int]], Engine]) -> None:
        self.__init__([], engine=state[1])  # type: ignore[misc]
        self._patterns = state[0]

    def candidates(self, texts: Sequence[str]) -> list[set[int]]:
        """For each text, the places in `patterns` of those that may match in it."""
        if not self._patterns or not texts:
            return [set() for _ in texts]
        with self._lock:
            fast = self._engine != "python" and self._start()
            return self._scan(texts) if fast else self._look(texts)

    # ── Hyperscan ──

    def _start(self) -> bool:
        """Makes the database, once. False when there is no Hyperscan."""
        if self._ready:
            return True
        try:
            hyperscan = cast(_Hyperscan, import_module("hyperscan"))
        except ImportError:
            if self._engine == "hyperscan":
                raise
            self._engine = "python"
            return False
        path = _place(self._patterns, getattr(hyperscan, "__version__", ""))
        kept = _load(hyperscan, path)
        if kept is None:
            kept = _make(hyperscan, self._patterns)
            if len(self._patterns) > 20:  # fewer are made in no time
                _save(hyperscan, path, *kept)
        self._database, self._always = kept
        self._ready = True
        return True

    def _scan(self, texts: Sequence[str]) -> list[set[int]]:
        found: list[set[int]] = [set(self._always) for _ in texts] if self._always else [set() for _ in texts]
        if self._database is None:
            return found
        for first, last in _blocks(texts):
            some = texts[first:last]
            joined = "\n".join(some)
            if joined.isascii():
                data = joined.encode("ascii")
                sizes: Iterable[int] = map(len, some)
            elif any(sign in joined for sign in FOLDED):
                parts = [_folded(t).encode("utf-8", "surrogatepass") for t in some]
                data = b"\n".join(parts)
                sizes = map(len, parts)
            else:
                data = joined.encode("utf-8", "surrogatepass")
                sizes = (len(t) if t.isascii() else len(t.encode("utf-8", "surrogatepass")) for t in some)
            starts = list(accumulate((size + 1 for size in sizes), initial=0))
            hits = set[tuple[int, int]]()

            def seen(
                pattern: int,
                _from: int,
                to: int,
                _flags: int,
                _context: object,
                hits: set[tuple[int, int]] = hits,
            ) -> None:
                hits.add((pattern, to))

            self._database.scan(data, match_event_handler=seen)
            for pattern, to in hits:
                found[first + min(bisect_right(starts, to - 1), len(some)) - 1].add(pattern)
        return found

    # ── without ──

    def _look(self, texts: Sequence[str]) -> list[set[int]]:
        if self._anchors is None:
            owners: dict[str, list[int]] = {}
            for n, (pattern, flags) in enumerate(self._patterns):
                needed = anchors(re.compile(pattern, flags))
                if not needed:
                    self._always |= {n}
                for anchor in needed:
                    owners.setdefault(anchor, []).append(n)
            self._anchors = sorted(owners.items())
        found = []
        for text in texts:
            low = _folded(text).lower()
            mine = set(self._always)
            for anchor, owned in self._anchors:
                if anchor in low:
                    mine.update(owned)
            found.append(mine)
        return found


def _folded(text: str) -> str:
    if not text.isascii():
        for sign, plain in FOLDED.items():
            text = text.replace(sign, plain)
    return text


def _blocks(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    first = size = 0
    for n, text in enumerate(texts):
        size += len(text) + 1
        if size >= BLOCK:
            yield first, n + 1
            first, size = n + 1, 0
    if first < len(texts):
        yield first, len(texts)


class _Seen(Protocol):
    def __call__(
        self, pattern: int, _from: int, to: int, _flags: int, _context: object, /
    ) -> bool | None: ...


class _Database(Protocol):
    scratch: object

    def compile(self, *, expressions: list[bytes], ids: list[int], elements: int, flags: int) -> None: ...
    def scan(self, data: bytes, *, match_event_handler: _Seen) -> None: ...


class _Hyperscan(Protocol):
    HS_FLAG_DOTALL: int
    HS_MODE_BLOCK: int
    error: type[Exception]

    def Database(self) -> _Database: ...  # noqa: N802  its own name
    def dumpb(self, database: _Database) -> bytes: ...
    def loadb(self, data: bytes, mode: int) -> _Database: ...
    def Scratch(self, database: _Database) -> object: ...  # noqa: N802  its own name


def _make(
    hyperscan: _Hyperscan, patterns: Sequence[tuple[str, int]]
) -> tuple[_Database | None, frozenset[int]]:
    """The database, and the patterns that cannot be in it."""
    weak = [(n, weaker(re.compile(p, flags))) for n, (p, flags) in enumerate(patterns)]
    kept = [(n, w) for n, w in weak if w]
    try:
        database = _compile(hyperscan, kept)
    except hyperscan.error:  # Hyperscan finds one too large
        kept = [one for one in kept if _compiles(hyperscan, one)]
        database = _compile(hyperscan, kept)
    return database, frozenset(range(len(patterns))) - {n for n, _ in kept}


def _compile(hyperscan: _Hyperscan, kept: Sequence[tuple[int, str]]) -> _Database | None:
    if not kept:
        return None
    database = hyperscan.Database()
    database.compile(
        expressions=[w.encode("ascii") for _, w in kept],
        ids=[n for n, _ in kept],
        elements=len(kept),
        flags=hyperscan.HS_FLAG_DOTALL,
    )
    return database


def _compiles(hyperscan: _Hyperscan, one: tuple[int, str]) -> bool:
    try:
        return _compile(hyperscan, [one]) is not None
    except hyperscan.error:
        return False


# ── the database that is kept for the next start ──


def _place(patterns: Sequence[tuple[str, int]], version: str) -> Path:
    """Its name tells everything that it was made from."""
    machine = os.uname().machine if hasattr(os, "uname") else ""
    made_by = Path(import_module("tunewright.checks._weaken").__file__ or "").read_bytes()
    about = repr((version, sys.platform, machine, sys.version_info[:2], list(patterns))).encode() + made_by
    return cache_folder() / f"patterns-{hashlib.sha256(about).hexdigest()[:32]}.hs"


def _load(hyperscan: _Hyperscan, path: Path) -> tuple[_Database | None, frozenset[int]] | None:
    with suppress(OSError, ValueError, hyperscan.error):
        whole = path.read_bytes() if _ours(path) else b""
        if whole and hashlib.sha256(whole[32:]).digest() == whole[:32]:
            head, _, body = whole[32:].partition(b"\n")
            database = hyperscan.loadb(body, hyperscan.HS_MODE_BLOCK)
            database.scratch = hyperscan.Scratch(database)
            return database, frozenset(json.loads(head))
    return None


def _save(hyperscan: _Hyperscan, path: Path, database: _Database | None, always: frozenset[int]) -> None:
    if database is None:
        return
    with suppress(OSError, hyperscan.error):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        whole = json.dumps(sorted(always)).encode() + b"\n" + hyperscan.dumpb(database)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(hashlib.sha256(whole).digest() + whole)
        part.chmod(0o600)
        part.replace(path)


def _ours(path: Path) -> bool:
    """A database is machine code in all but name: one that others could have written is not read."""
    if not path.is_file():
        return False
    if not hasattr(os, "getuid"):
        return True
    about = path.stat()
    return about.st_uid == os.getuid() and not about.st_mode & 0o022


def cache_folder() -> Path:
    """Where what can be made again is kept for this user."""
    if told := os.environ.get("TUNEWRIGHT_CACHE"):
        return Path(told)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "tunewright"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunewright"


# ── patterns from users ─────────────────────────────────────────────────────────────────────────


class Safe(Protocol):
    """A pattern whose search takes time linear in the text, whatever the pattern."""

    def spans(self, text: str) -> Iterable[tuple[int, int]]:
        """Where it matches, as code points: the first group where there is one, else the whole match."""


class _Linear:
    def __init__(self, pattern: str, ignore_case: bool) -> None:
        try:
            re2 = import_module("re2")
        except ImportError:
            raise Missing(
                "patterns of your own need google-re2, which is not installed",
                hint="pip install 'tunewright[data]'",
            ) from None
        options = re2.Options()
        options.log_errors = False
        options.max_mem = 8 << 20
        options.case_sensitive = not ignore_case
        try:
            self._regex = re2.compile(pattern, options)
        except re2.error as error:
            raise BadInput(*_why(pattern, str(error))) from None
        self._group = 1 if self._regex.groups else 0

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
            text = re.sub(r"[\ud800-\udfff]", "\ufffd", text)  # half a character is no UTF-8; same length
        for match in self._regex.finditer(text):
            start, end = match.span(self._group)
            if 0 <= start < end:
                yield start, end


def _why(pattern: str, told: str) -> tuple[str]:
    if re.search(r"\(\?<?[=!]", pattern):
        what = "look-around such as (?=…) or (?<!…)"
        remedy = "match what stands around as well and put what you want into (brackets)"
    elif re.search(r"\\[1-9]|\(\?P=", pattern):
        what, remedy = "back-references such as \\1", "write the repeated part out"
    elif re.search(r"\(\?>|[*+?}]\+", pattern):
        what, remedy = "atomic groups and possessive repeats", "leave the extra sign out: nothing backtracks"
    else:
        told = told.removeprefix("b'").removesuffix("'")
        return (f"the pattern cannot be read: {told}; it is an expression as RE2 reads them",)
    return (f"the pattern uses {what}, which no linear-time engine can do; {remedy}",)


def safe(pattern: str, *, ignore_case: bool = False) -> Safe:
    """A user's pattern, made so that it cannot run away: RE2 searches in time linear in the text.

    Errors: `BadInput` says what cannot be done and what to write instead; `Missing` when google-re2 is not
    installed, because Python's own engine can be brought to a stand by one line.

    Limits: no back-references, no look-around, no possessive repeats; `\\d`, `\\w`, `\\b` mean ASCII.
    """
    if len(pattern) > 5000:
        raise BadInput("the pattern is longer than 5,000 characters", hint="split it into several")
    return _Linear(pattern, ignore_case)
