"""MinHash signatures of many texts at once, and the pairs of texts that may be alike.

One permutation hashing: a hash falls into one of 256 bins by its upper bits, and the smallest of each bin
stands for it; an empty bin borrows from the one before (Li, Owen and Zhang 2012; Shrivastava and Li 2014).
Bins, shuffled, are grouped into bands: texts that share a band are candidates (locality-sensitive
hashing; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3). One bit of each bin makes
a sketch, from which similarity is estimated in nanoseconds (b-bit minwise hashing, Li and König 2010).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tunewright.checks._shingles import Hashes, Numbers

BINS = 256
ROWS = 4
BANDS = BINS // ROWS
"""64 bands of 4: two sets of similarity 0.7 share a band in all but one of 10 million cases, of 0.05 in
one of 2,500."""
SKETCH = BINS // 64
CROWD = 32
"""Members of a bucket, the first, all pairs of which are candidates."""
FIRST = 8
"""Of a larger bucket that cannot be split, later members are paired with so many of the first and of those
just before."""
MANY = 1_000_000
"""Pairs that are looked at together."""

Keys = NDArray[np.uint32]

_random = np.random.default_rng(20_261_124)
_ORDERS = (_random.permutation(BINS), _random.permutation(BINS))
_FOLD = _random.integers(0, 2**31, ROWS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
_PICKS = _random.integers(0, BINS, (BANDS, 4, 12))


def sign(keys: Hashes, count: int, orders: int) -> tuple[list[Keys], Hashes]:
    """Band keys (count x BANDS) for one or two ways to group the bins, and sketches (count x SKETCH), of the
    sets of `distinct`."""
    signatures = _bins(keys, count)
    found = list[Keys]()
    for order in _ORDERS[:orders]:
        rows = signatures[:, order].reshape(count, ROWS, BANDS)
        folded = rows[:, 0] * _FOLD[0]
        for row in range(1, ROWS):
            folded += rows[:, row] * _FOLD[row]
        folded ^= folded >> np.uint32(16)
        folded *= np.uint32(0x85EBCA6B)
        folded ^= folded >> np.uint32(13)
        found.append(folded)
    return found, _sketch(signatures)


def sketch(keys: Hashes, count: int) -> Hashes:
    """Sketches alone."""
    return _sketch(_bins(keys, count))


def _sketch(signatures: Keys) -> Hashes:
    bits = signatures * np.uint32(0x9E3779B1) >= np.uint32(2**31)
    found: Hashes = np.packbits(bits, axis=1).view(np.uint64)
    return found


def _bins(keys: Hashes, count: int) -> Keys:
    """The smallest hash of each bin; an empty one takes that of the one before, the first of the last."""
    if not len(keys):
        return np.zeros((count, BINS), dtype=np.uint32)
    cells = (keys >> np.uint64(52 - 8)).astype(np.int64)
    first = np.ones(len(cells), dtype=bool)
    np.not_equal(cells[1:], cells[:-1], out=first[1:])
    at, values = cells[first], (keys[first] >> np.uint64(1)).astype(np.uint32)
    line = at // BINS
    ends = np.flatnonzero(np.concatenate((line[1:] != line[:-1], [True])))
    starts = np.concatenate(([0], ends[:-1] + 1))
    opening = line[ends] * BINS
    empty = at[starts] != opening
    at = np.insert(at, starts[empty], opening[empty])
    values = np.insert(values, starts[empty], values[ends[empty]])
    lengths = np.minimum(np.append(at[1:], at[-1] + BINS), (at // BINS + 1) * BINS) - at
    spread = np.repeat(values, lengths).reshape(len(ends), BINS)
    if len(ends) == count:
        return spread
    found = np.zeros((count, BINS), dtype=np.uint32)
    found[line[ends]] = spread
    return found


def agree(one: Hashes, other: Hashes) -> Numbers:
    """Bits that two rows of sketches have in common; similarity is about 2 * share - 1."""
    differ = np.bitwise_count(one ^ other).sum(axis=1, dtype=np.int64)
    found: Numbers = one.shape[1] * 64 - differ
    return found


def paired(band: int, keys: Keys, sketches: Hashes) -> Iterator[tuple[Numbers, Numbers]]:
    """Pairs of rows (lower number first) that share a key; crowds are split by similarity of `sketches`."""
    left, right, waiting = list[Numbers](), list[Numbers](), 0
    for one, other in _shared(band, keys, sketches):
        left.append(one)
        right.append(other)
        waiting += len(one)
        if waiting > MANY:
            yield np.concatenate(left), np.concatenate(right)
            left, right, waiting = [], [], 0
    if left:
        yield np.concatenate(left), np.concatenate(right)


def _shared(band: int, keys: Keys, sketches: Hashes) -> Iterator[tuple[Numbers, Numbers]]:
    count = len(keys)
    order = keys.astype(np.uint64) << np.uint64(32) | np.arange(count, dtype=np.uint64)
    order.sort()
    starts, lengths = _groups(order >> np.uint64(32))
    rows = (order & np.uint64(0xFFFFFFFF)).astype(np.int64)
    yield from _pairs(rows, starts, lengths)
    crowded = lengths > CROWD
    if not crowded.any():
        return
    starts, lengths = starts[crowded], lengths[crowded]
    members = rows[np.concatenate([np.arange(s, s + n) for s, n in zip(starts, lengths, strict=True)])]
    bucket = np.repeat(np.arange(len(starts)), lengths).astype(np.uint64)
    bits = np.unpackbits(sketches[members].view(np.uint8), axis=1)
    for picks in _PICKS[band]:
        part = np.zeros(len(members), dtype=np.uint64)
        for pick in picks:
            part = part << np.uint64(1) | bits[:, pick % bits.shape[1]]
        fine = bucket << np.uint64(12) | part
        again = np.argsort(fine, kind="stable")
        inner, sizes = _groups(fine[again])
        yield from _pairs(members[again], inner, sizes, all_of=True)


def _groups(values: Hashes) -> tuple[Numbers, Numbers]:
    """Where runs of at least two equal values start in a sorted array, and how long they are."""
    edges = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1], [True])))
    lengths = np.diff(edges)
    several = lengths > 1
    return edges[:-1][several], lengths[several]


def _pairs(
    rows: Numbers, starts: Numbers, lengths: Numbers, all_of: bool = False
) -> Iterator[tuple[Numbers, Numbers]]:
    """Pairs among the first members of buckets; with `all_of` later ones too meet the first and those before.

    Which pairs a row makes with earlier ones depends on these alone, and on nothing that comes later.
    """
    for gap in range(1, CROWD):
        some = starts[lengths > gap]
        sizes = lengths[lengths > gap]
        if not len(some):
            break
        sizes = (sizes if all_of and gap <= FIRST else np.minimum(sizes, CROWD)) - gap
        left = np.repeat(some - (np.cumsum(sizes) - sizes), sizes) + np.arange(int(sizes.sum()))
        yield rows[left], rows[left + gap]
    if all_of:
        for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
            if length > CROWD:
                later = rows[start + CROWD : start + length]
                for first in range(FIRST):
                    yield np.full(len(later), rows[start + first]), later
