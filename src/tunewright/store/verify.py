"""Does the evidence still add up? Recompute every digest; name whatever does not hold."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from tunewright.errors import Tampered
from tunewright.nouns import NOUNS, Entry, Erasure
from tunewright.store import merkle
from tunewright.store.ledger import Ledger, N, parse
from tunewright.store.tables import ledger, names, things


class Verification(NamedTuple):
    """What was looked at, and what is wrong with it (nothing, one hopes)."""

    entries: int
    things: int
    blobs: int
    root: str
    problems: list[str]


class _Line(NamedTuple):
    seq: int
    key: str
    body: str
    root: str
    peaks: str


class _Thing(NamedTuple):
    digest: str
    kind: str
    body: str


def verify(store: Ledger) -> Verification:
    """Recompute the Merkle tree, every thing, every blob and every name.

    Limits: entries cut off the end, or a ledger rewritten whole, are seen only by whoever kept an
    earlier count and root elsewhere.
    """
    try:
        with _as_it_lies(store.engine) as db:
            lines = [_Line(r.seq, *map(_text, r[1:])) for r in db.execute(LINES)]
            rows = [_Thing(*map(_text, r)) for r in db.execute(THINGS)]
            held = {f"{_text(r.kind)}/{_text(r.name)}": _text(r.digest) for r in db.execute(select(names))}
    except (Tampered, DBAPIError) as error:
        return Verification(0, 0, 0, merkle.EMPTY, [f"the database cannot be read: {error}"])
    entries, size, root, problems = _entries(lines)
    made = {digest: entry.seq for entry in entries for digest in entry.outputs}
    pointed = {name: digest for entry in entries for name, digest in entry.names.items()}
    here = {row.digest for row in rows}
    problems += _things(rows, made)
    problems += [f"thing {d[:12]} of ledger entry {seq} is gone" for d, seq in made.items() if d not in here]
    problems += [f"name {n} points where no entry pointed it" for n, d in held.items() if pointed.get(n) != d]
    problems += [f"name {n} is gone" for n in pointed if n not in held]
    blobs = {blob: f"{r.kind} {r.digest[:12]}" for r in rows for blob in _blobs(r)}
    problems += _contents(store, blobs, _erased(r for r in rows if r.digest in made))
    return Verification(size, len(rows), len(blobs), root, problems)


LINES = select(ledger.c.seq, ledger.c.key, ledger.c.body, ledger.c.root, ledger.c.peaks).order_by(
    ledger.c.seq
)
THINGS = select(things.c.digest, things.c.kind, things.c.body).order_by(things.c.digest)


def _entries(lines: Sequence[_Line]) -> tuple[list[Entry], int, str, list[str]]:
    """The entries that can be read, how many there should be, their root, and what is wrong."""
    entries, problems = list[Entry](), list[str]()
    peaks: merkle.Peaks = ()
    size, root = 0, merkle.EMPTY
    for line in lines:
        missing = range(size + 1, line.seq)
        if missing:
            problems.append(f"ledger {_those(missing)} before entry {line.seq}")
        grown = merkle.append(peaks, size, merkle.leaf(_bytes(line.body)))
        kept, entry = _peaks(line), _parse(Entry, line.body)
        follows = not missing and merkle.root(grown) == line.root and grown == kept
        named = entry is not None and (entry.seq, entry.key) == (line.seq, line.key) and line.seq > size
        if not named or not (follows or missing):
            problems.append(f"ledger entry {line.seq} does not follow from the entries before it")
        if entry is not None:
            entries.append(entry)
        if merkle.root(grown) != line.root and kept is not None:
            grown = kept  # go on from what was written, so that only the faulty entry is named
        peaks, size, root = grown, max(size, line.seq), line.root
    return entries, size, root, problems


def _those(missing: range) -> str:
    first, last = missing[0], missing[-1]
    return f"entry {first} is gone" if first == last else f"entries {first} to {last} are gone"


def _things(rows: Sequence[_Thing], made: dict[str, int]) -> Iterator[str]:
    for row in rows:
        seq = made.get(row.digest)
        told = f"{row.kind} {row.digest[:12]}" + (f" (ledger entry {seq})" if seq else "")
        if hashlib.sha256(_bytes(row.body)).hexdigest() != row.digest or _kind(row.body) != row.kind:
            yield f"{told} was changed"
        elif seq is None:
            yield f"{told} was saved by no entry"


def _contents(store: Ledger, blobs: dict[str, str], erased: dict[str, str]) -> Iterator[str]:
    for blob, owner in blobs.items():
        told = f"blob {blob[:12]} of {owner}"
        try:
            if blob not in store.blobs:
                if blob not in erased:
                    yield f"{told} is gone"
            elif blob in erased:
                yield f"{told} should have been erased ({erased[blob][:12]}): forget that person again"
            elif not store.blobs.intact(blob):
                yield f"{told} is not what it was"
        except OSError as error:
            yield f"{told} cannot be read: {error.strerror}"


def _erased(rows: Iterator[_Thing]) -> dict[str, str]:
    """Blob to the erasure that deleted it."""
    receipts = ((r.digest, _parse(Erasure, r.body)) for r in rows if r.kind == Erasure.kind)
    return {blob: digest for digest, receipt in receipts if receipt for blob in receipt.blobs}


def _blobs(row: _Thing) -> list[str]:
    noun = _parse(NOUNS[row.kind], row.body) if row.kind in NOUNS else None
    return list(noun.points_at()) if noun else []


def _peaks(line: _Line) -> merkle.Peaks | None:
    """The peaks beside an entry, if they can be peaks of a tree of that size."""
    try:
        found = json.loads(line.peaks)
    except (ValueError, RecursionError):
        return None
    fine = isinstance(found, list) and len(found) == max(line.seq, 0).bit_count()
    return tuple(found) if fine and all(re.fullmatch("[0-9a-f]{64}", str(p)) for p in found) else None


def _kind(body: str) -> str:
    try:
        return str(json.loads(body)["kind"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""


def _parse(kind: type[N], body: str) -> N | None:
    try:
        return parse(kind, body)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


# ── reading what may be damaged ─────────────────────────────────────────────────────────────────


@contextmanager
def _as_it_lies(engine: Engine) -> Iterator[Connection]:
    """A connection that gives even broken text, byte for byte."""
    with engine.connect() as db:
        if engine.dialect.name != "sqlite":  # PostgreSQL lets no broken text in
            yield db
            return
        driver = db.connection.driver_connection
        assert driver is not None
        driver.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        try:
            yield db
        finally:
            driver.text_factory = str


def _text(value: object) -> str:
    """SQLite takes anything in any column; what is not text equals nothing that was ever written."""
    return value if isinstance(value, str) else f"not text: {value!r}"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
