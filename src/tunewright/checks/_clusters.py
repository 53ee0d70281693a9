"""Which records repeat which: candidates by shared bands, every pair verified exactly, the first is kept."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunewright.checks import _minhash
from tunewright.checks._kept import Kept, Table
from tunewright.checks._minhash import Keys
from tunewright.checks._shingles import Hashes, Kind, Numbers
from tunewright.checks._signing import GIST, SAME, TEXT
from tunewright.checks._verify import Verify

MANY = 4_000_000
"""Pairs that are collected before repeated ones are taken out."""

Flags = NDArray[np.bool_]


class Near(NamedTuple):
    """A record that nearly repeats an earlier one."""

    record: int
    earlier: int
    asked: float
    whole: float
    kind: Kind


def firsts(digests: Hashes) -> Numbers:
    """For each row of 128 bits, the number of the first row that is equal."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    rows = digests[order]
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    found = np.empty(len(rows), dtype=np.int64)
    found[order] = order[np.maximum.accumulate(np.where(new, np.arange(len(rows)), 0))]
    return found


def repeats(table: Table) -> Numbers:
    """For each record, the first one with the same turns."""
    return firsts(np.concatenate([heads[:, SAME : SAME + 2] for heads in table.heads]))


def conflicts(table: Table) -> Iterator[tuple[int, int, int, int]]:
    """Labelled records whose words mostly carry another label: record, the first with that label, how many of
    how many records with these words carry it."""
    texts = np.concatenate([heads[:, TEXT : TEXT + 2] for heads in table.heads])
    labelled = np.flatnonzero(texts.any(axis=1))
    if not len(labelled):
        return
    text, label = labelled[firsts(texts[labelled])], table.labels[labelled]
    order = np.lexsort((labelled, label, text))
    text, label, record = text[order], label[order], labelled[order]
    group = np.flatnonzero(np.concatenate(([True], text[1:] != text[:-1], [True])))
    found = list[tuple[int, int, int, int]]()
    for start, end in zip(group[:-1].tolist(), group[1:].tolist(), strict=True):
        if label[start] == label[end - 1]:
            continue
        names, at, counts = np.unique(label[start:end], return_index=True, return_counts=True)
        best = min(range(len(names)), key=lambda n: (-int(counts[n]), int(record[start + at[n]])))
        for place in range(start, end):
            if label[place] != names[best]:
                first = int(record[start + at[best]])
                found.append((int(record[place]), first, int(counts[best]), end - start))
    yield from sorted(found)


def candidates(table: Table, alive: Flags, threshold: float, start: int = 0) -> Numbers:
    """Pairs `later << 32 | earlier`, sorted, of records with equal labels that may be alike. The later is
    number `start` or one after it."""
    gists = np.concatenate([heads[:, GIST:] for heads in table.heads])
    both: Flags = np.asarray(gists.any(axis=1))
    gist = _least(threshold * 0.6)  # texts that share most runs of words share nearly all words
    parts, waiting = [np.zeros(0, dtype=np.int64)], 0
    for kind, share in ((0, threshold * 0.4), (1, threshold * 0.25), (2, threshold * 0.25)):
        chosen = [
            np.flatnonzero((kinds == kind) & alive[owners])
            for kinds, owners in zip(table.kinds, table.owners, strict=True)
        ]
        owners = np.concatenate([o[c] for o, c in zip(table.owners, chosen, strict=True)])
        sketches = np.concatenate([s[c] for s, c in zip(table.sketches, chosen, strict=True)])
        crowd = gists[owners]
        crowd = np.where(crowd.any(axis=1, keepdims=True), crowd, sketches)
        least = _least(share)
        fresh = owners >= start
        if not fresh.any():
            continue
        for band in range(_minhash.BANDS):
            keys = np.concatenate([b[c, band] for b, c in zip(table.bands, chosen, strict=True)])
            for left, right in _paired(band, keys, crowd, fresh):
                keep = _minhash.agree(sketches[left], sketches[right]) >= least
                one, other = owners[left[keep]], owners[right[keep]]
                keep = table.labels[one] == table.labels[other]
                one, other = one[keep], other[keep]
                unsure = ~(both[one] & both[other])
                keep = unsure | (_minhash.agree(gists[one], gists[other]) >= gist)
                parts.append(other[keep] << 32 | one[keep])
                waiting += len(parts[-1])
            if waiting > MANY:
                parts, waiting = [_distinct(parts)], 0
    return _distinct(parts)


def _paired(band: int, keys: Keys, crowd: Hashes, fresh: Flags) -> Iterator[tuple[Numbers, Numbers]]:
    """Pairs of rows that share a key, the later one a fresh row."""
    if fresh.all():
        yield from _minhash.paired(band, keys, crowd)
        return
    marks = np.zeros(1 << 18, dtype=bool)
    marks[keys[fresh] >> np.uint32(14)] = True
    rows = np.flatnonzero(marks[keys >> np.uint32(14)])
    for left, right in _minhash.paired(band, keys[rows], crowd[rows]):
        keep = fresh[rows[right]]
        yield rows[left[keep]], rows[right[keep]]


def _distinct(parts: list[Numbers]) -> Numbers:
    """Every number once, in order."""
    every = np.concatenate(parts)
    every.sort()
    return every[np.concatenate(([True], every[1:] != every[:-1]))] if len(every) else every


def _least(similarity: float) -> int:
    return int(64 * _minhash.SKETCH * (1 + similarity) / 2)


def near(table: Table, kept: Kept, alive: Flags, threshold: float, start: int = 0) -> Iterator[Near]:
    """Records, from number `start`, that nearly repeat an earlier one, each with the earliest that it
    repeats."""
    pairs = candidates(table, alive, threshold, start)
    verify = Verify(table, kept)
    edges = np.flatnonzero(np.diff(pairs >> 32, prepend=-1, append=-1))
    at, end, some = edges[:-1], edges[1:], 1
    found = list[Near]()
    while len(at):
        stop = np.minimum(at + some, end)
        sizes = stop - at
        chosen = np.repeat(at - (np.cumsum(sizes) - sizes), sizes) + np.arange(int(sizes.sum()))
        asked, whole, long = verify(pairs[chosen] >> 32, pairs[chosen] & 0xFFFFFFFF, threshold)
        good = np.flatnonzero(whole >= threshold)
        owner = np.repeat(np.arange(len(at)), sizes)[good]
        first = np.ones(len(good), dtype=bool)
        first[1:] = owner[1:] != owner[:-1]
        for place in good[first].tolist():
            pair = int(pairs[chosen[place]])
            kind: Kind = "long" if long[place] else "short"
            found.append(Near(pair >> 32, pair & 0xFFFFFFFF, float(asked[place]), float(whole[place]), kind))
        going = stop < end
        going[owner] = False
        at, end, some = stop[going], end[going], some * 4
    yield from sorted(found)
