"""Does the evidence still add up? Recompute every digest; name whatever does not hold."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select

from tunewright.nouns import NOUNS, Entry, Erasure
from tunewright.store import merkle
from tunewright.store.ledger import Ledger, parse
from tunewright.store.tables import ledger, names, things


class Verification(NamedTuple):
    """What was looked at, and what is wrong with it (nothing, one hopes)."""

    entries: int
    things: int
    blobs: int
    root: str
    problems: list[str]


def verify(store: Ledger) -> Verification:
    """Recompute the Merkle tree, every thing, every blob and every name.

    Limits: entries cut off the end, or a ledger rewritten whole, are seen only by whoever kept an
    earlier count and root elsewhere.
    """
    problems = list[str]()
    outputs, pointed, root = dict[str, int](), dict[str, str](), merkle.EMPTY
    peaks: merkle.Peaks = ()
    size = 0
    with store.engine.connect() as db:
        for row in db.execute(select(ledger).order_by(ledger.c.seq)):
            peaks = merkle.append(peaks, size, merkle.leaf(row.body.encode()))
            size, root = size + 1, merkle.root(peaks)
            fine = row.seq == size and row.root == root and json.loads(row.peaks) == list(peaks)
            try:
                entry = parse(Entry, row.body)
                fine = fine and entry.seq == row.seq and entry.key == row.key
                outputs |= dict.fromkeys(entry.outputs, entry.seq)
                pointed |= entry.names
            except ValueError:
                fine = False
            if not fine:
                problems.append(f"ledger entry {row.seq} does not follow from the entries before it")
                peaks, root = tuple(json.loads(row.peaks)), row.root
                size = row.seq
        rows = [_Row(r.digest, r.kind, r.body) for r in db.execute(select(things).order_by(things.c.digest))]
        held = {f"{row.kind}/{row.name}": row.digest for row in db.execute(select(names))}
    problems += _things(rows, outputs)
    problems += [
        f"thing {d[:12]} of ledger entry {n} is gone"
        for d, n in outputs.items()
        if d not in {r.digest for r in rows}
    ]
    problems += [f"name {n} points where no entry pointed it" for n, d in held.items() if pointed.get(n) != d]
    problems += [f"name {n} is gone" for n in pointed if n not in held]
    blobs = {b: f"{r.kind} {r.digest[:12]}" for r in rows for b in _blobs_of(r.kind, r.body)}
    erased = {b for r in rows if r.kind == Erasure.kind for b in json.loads(r.body).get("blobs", ())}
    for blob, owner in blobs.items():
        if blob not in store.blobs:
            if blob not in erased:
                problems.append(f"blob {blob[:12]} of {owner} is gone")
        elif not store.blobs.intact(blob):
            problems.append(f"blob {blob[:12]} of {owner} is not what it was")
    return Verification(size, len(rows), len(blobs), root, problems)


class _Row(NamedTuple):
    digest: str
    kind: str
    body: str


def _things(rows: Sequence[_Row], outputs: dict[str, int]) -> Iterator[str]:
    for row in rows:
        told = f"{row.kind} {row.digest[:12]}" + (
            f" (ledger entry {outputs[row.digest]})" if row.digest in outputs else ""
        )
        if (
            hashlib.sha256(row.body.encode()).hexdigest() != row.digest
            or f'"kind":"{row.kind}"' not in row.body
        ):
            yield f"{told} was changed"
        elif row.digest not in outputs:
            yield f"{told} was saved by no entry"


def _blobs_of(kind: str, body: str) -> list[str]:
    try:
        return list(parse(NOUNS[kind], body).points_at())
    except (ValueError, KeyError):
        return []
