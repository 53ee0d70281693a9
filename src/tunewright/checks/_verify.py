"""Exact similarity of many pairs of records at a time, from their shingle sets."""

import numpy as np
from numpy.typing import NDArray

from tunewright.checks._kept import Kept, Table
from tunewright.checks._shingles import SEVERAL, WEIGHT, Hashes, Numbers
from tunewright.checks._signing import COUNT, PLACE

PAIRS, SHINGLES = 4096, 1_000_000
"""Pairs, and shingles, that are compared together."""

ONE = np.uint64(1)
"""The lowest bit of a hash in a short text says that it is a word's."""

Similarities = NDArray[np.float64]


class Verify:
    """The similarity of records, by pairs."""

    def __init__(self, table: Table, kept: Kept) -> None:
        self.kept = kept
        self.heads = np.concatenate([heads[:, PLACE : COUNT + 4] for heads in table.heads]).astype(np.int64)
        self.segments = np.concatenate(table.segments)

    def __call__(
        self, one: Numbers, other: Numbers, threshold: float
    ) -> tuple[Similarities, Similarities, NDArray[np.bool_]]:
        """For each pair: similarity of what was asked, of the whole (0 where the first is too low), and
        whether the whole was compared as a long text."""
        asked, long = self._view(one, other, 0)
        whole = np.where(asked >= threshold, asked, 0.0)
        more = (self.heads[:, 0:2] != self.heads[:, 2:4]).any(axis=1)
        again = np.flatnonzero((asked >= threshold) & (more[one] | more[other]))
        whole[again], long[again] = self._view(one[again], other[again], 2)
        return asked, whole, long

    def _view(self, one: Numbers, other: Numbers, view: int) -> tuple[Similarities, NDArray[np.bool_]]:
        """Of a pair that has no kind of text in common, the similarity is 0."""
        counts = self.heads[:, 4 + view : 6 + view]
        both = (counts[one] > 0) & (counts[other] > 0)
        long, found = both[:, 0], np.zeros(len(one), dtype=np.float64)
        for kind, rows in ((0, np.flatnonzero(long)), (1, np.flatnonzero(~long & both[:, 1]))):
            sizes = np.cumsum(counts[one[rows], kind] + counts[other[rows], kind])
            start = 0
            while start < len(rows):
                most = np.searchsorted(sizes, (sizes[start - 1] if start else 0) + SHINGLES)
                stop = min(max(int(most), start + 1), start + PAIRS)
                some = rows[start:stop]
                found[some] = self._similar(one[some], other[some], view + kind)
                start = stop
        return found, long

    def _similar(self, one: Numbers, other: Numbers, column: int) -> Similarities:
        """The similarity of some pairs, whose sets are read now."""
        records, at = np.unique(np.concatenate((one, other)), return_inverse=True)
        sizes = self.heads[records, 4 + column]
        segments, places = self.segments[records].tolist(), self.heads[records, column].tolist()
        read = zip(segments, places, sizes.tolist(), strict=True)
        every = np.concatenate([self.kept.sets(segment, place, size) for segment, place, size in read])
        starts, lengths = (np.cumsum(sizes) - sizes)[at], sizes[at]
        return similar(every[spread(starts, lengths)], lengths, column % 2 == 0)


def spread(starts: Numbers, lengths: Numbers) -> Numbers:
    """Places of the members of sets that start there and are so long."""
    found: Numbers = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    found += np.arange(len(found))
    return found


def similar(sets: Hashes, lengths: Numbers, long: bool) -> Similarities:
    """Exact Jaccard similarity of up to 4,096 pairs. `sets`: the first of every pair, then the second.

    Of short texts that of their runs of 3 characters or, where both have several words and it is larger, of
    these with each word counted as three more. The first forgives a slip of the pen, the second a long word
    that was replaced.
    """
    pairs = len(lengths) // 2
    side = np.repeat(np.arange(2 * pairs), lengths)
    keys = (side % max(pairs, 1)).astype(np.uint64) << np.uint64(52) | sets
    keys.sort()
    twice = keys[1:][keys[1:] == keys[:-1]]
    if long:
        common, total = _count(twice, pairs), lengths.reshape(2, -1).sum(axis=0)
        share: Similarities = common / (total - common)
        return share
    words = np.bincount(side[(sets & ONE).astype(bool)], minlength=2 * pairs).reshape(2, -1)
    letters = (lengths.reshape(2, -1) - words).sum(axis=0)
    named = (twice & ONE).astype(bool)
    both, common = _count(twice[named], pairs), _count(twice[~named], pairs)
    weight = np.where(words.min(axis=0) >= SEVERAL, WEIGHT, 0)
    letters, either = letters - common, words.sum(axis=0) - both
    larger: Similarities = np.maximum(
        common / letters, (common + weight * both) / (letters + weight * either)
    )
    return larger


def _count(keys: Hashes, pairs: int) -> Numbers:
    """How many of the keys each pair has."""
    return np.bincount((keys >> np.uint64(52)).astype(np.int64), minlength=pairs)
