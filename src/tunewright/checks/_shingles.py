"""Comparing texts: normal form, character shingles, Jaccard similarity and MinHash signatures.

Character shingles rather than word n-grams, because support questions are short: on nine words one
changed word destroys most word 5-grams. Short texts are compared by 3 characters, longer ones by 5,
where single letters would make all texts of a language alike.
"""

import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tunewright.nouns import Record

Hashes = NDArray[np.uint64]

SHORT = 200
"""Characters below which 3-shingles are compared instead of 5-shingles."""
BANDS, ROWS = 40, 4
"""40 bands of 4 rows: two texts of similarity 0.6 share a band with probability 0.996, of 0.2 with 0.06."""
_SKETCH = 512
"""At most so many of the smallest shingle hashes enter a signature (a bottom-k sketch, Broder 1997)."""

_random = np.random.default_rng(20_261_123)
_POWERS = _random.integers(1, 2**63, 8, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_TIMES = _random.integers(1, 2**63, BANDS * ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_PLUS = _random.integers(0, 2**63, BANDS * ROWS, dtype=np.uint64)
_FOLD = _random.integers(1, 2**63, ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def normal(text: str) -> str:
    """The text without differences of case, width, composition and white space."""
    return " ".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold().split())


def bare(text: str) -> str:
    """The normal form without punctuation."""
    return " ".join("".join(c if c.isalnum() else " " for c in normal(text)).split())


def said(record: Record, *roles: str) -> str:
    """The bare words of some roles, turn after turn."""
    return bare("\n".join(m.content for m in record.messages if m.role in roles))


def shingles(text: str, size: int) -> Hashes:
    """The sorted, distinct hashes of all runs of `size` characters (of the whole text, if it is shorter)."""
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    size = min(size, len(codes))
    if not size:
        return np.empty(0, dtype=np.uint64)
    count = len(codes) - size + 1
    mixed = np.zeros(count, dtype=np.uint64)
    for offset in range(size):
        mixed += (codes[offset : offset + count] + np.uint64(1)) * _POWERS[offset]
    mixed ^= mixed >> np.uint64(29)  # the finaliser of splitmix64
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return np.unique(mixed)


def jaccard(one: Hashes, other: Hashes) -> float:
    """Shared shingles over all shingles of both; 1 for two empty texts."""
    if not len(one) or not len(other):
        return float(len(one) == len(other))
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    at = np.searchsorted(large, small)
    at[at == len(large)] = 0
    shared = int(np.count_nonzero(large[at] == small))
    return shared / (len(one) + len(other) - shared)


def alike(one: str, other: str) -> float:
    """Exact Jaccard similarity of two bare texts, by shingles that suit the shorter one."""
    shorter, longer = sorted((len(one), len(other)))
    if longer > 4 * (shorter + 8):
        return 0.0
    size = 3 if shorter < SHORT else 5
    return jaccard(shingles(one, size), shingles(other, size))


def bands(text: str) -> Hashes:
    """One number per band of the MinHash signature: similar texts share at least one (LSH)."""
    found = shingles(text, 5)[:_SKETCH]
    if not len(found):
        return np.zeros(BANDS, dtype=np.uint64)
    lowest = (found[:, None] * _TIMES + _PLUS).min(axis=0).reshape(BANDS, ROWS)
    folded: Hashes = (lowest >> np.uint64(7)) @ _FOLD
    return folded


class Neighbours:
    """Earlier texts that share bands with a later one, most shared bands first."""

    def __init__(self, signatures: Sequence[Hashes], near: int = 100) -> None:
        """`near`: how many members of a bucket, and how many candidates, are looked at."""
        self.near = near
        count = len(signatures)
        table = np.array(signatures, dtype=np.uint64).reshape(count, BANDS) if count else np.empty((0, BANDS))
        self.order = np.empty((BANDS, count), dtype=np.int32)
        self.first = np.empty((count, BANDS), dtype=np.int32)
        self.place = np.empty((count, BANDS), dtype=np.int32)
        for band in range(BANDS):
            order = np.argsort(table[:, band], kind="stable")
            keys = table[order, band]
            new = np.ones(count, dtype=bool)
            new[1:] = keys[1:] != keys[:-1]
            starts = np.maximum.accumulate(np.where(new, np.arange(count), 0))
            self.order[band] = order
            self.first[order, band] = starts
            self.place[order, band] = np.arange(count)

    def before(self, item: int, keep: NDArray[np.bool_]) -> Iterator[int]:
        """Candidates with a lower number than `item` for which `keep` holds."""
        first, place = self.first[item], self.place[item]
        shared = np.flatnonzero(first < place)
        if not len(shared):
            return
        parts = [self.order[band, first[band] : min(place[band], first[band] + self.near)] for band in shared]
        everyone, votes = np.unique(np.concatenate(parts), return_counts=True)
        here = keep[everyone]
        everyone, votes = everyone[here], votes[here]
        yield from everyone[np.argsort(-votes, kind="stable")][: self.near].tolist()
