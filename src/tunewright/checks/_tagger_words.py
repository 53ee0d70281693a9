"""Words of a text, and what the entity tagger sees of one: hashed pieces of it, its shape, known lists."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]

TOKEN = re.compile(
    r"[\w\u0300-\u036f]+|['\u2019]s\b|[^\S\n]*\n\s*|-+|=+|\*+|\.+|_+|#+|[^\w\s]",
)
"""Words, line ends, runs of the same sign, single signs. Other white space separates."""

SHAPES = 64
"""Rows of the table kept for shapes and lists; the hashed pieces come after them."""

_LONGEST = 20
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_STEP = np.uint64(0x100000001B3)


class Lists(NamedTuple):
    """Known words: their hashes in ascending order, and a bit for each list that has the word."""

    hashes: npt.NDArray[np.uint32]
    bits: npt.NDArray[np.uint8]


class Pieces(NamedTuple):
    """Rows of the table for some words: those of word i are `rows[starts[i]:starts[i + 1]]`."""

    rows: Rows
    starts: Rows


def plain(word: str) -> str:
    """The word in small letters, compatibility forms folded, digits as 0, the middle of long ones cut."""
    if not word.isascii():
        word = unicodedata.normalize("NFKC", word[:400] + word[-400:] if len(word) > 800 else word)
    word = word.lower()
    if len(word) > _LONGEST:
        word = word[:12] + word[12 - _LONGEST :]
    if not word.isalpha():
        word = "".join(["0" if sign.isdigit() else sign for sign in word])
    return word.replace("\x00", " ")


def matrix(words: Sequence[str]) -> npt.NDArray[np.uint64]:
    """Code points of plain words between two marks, one word a row, filled up with zeros."""
    marked = np.array(["\x02" + word + "\x03" for word in words], dtype=f"<U{_LONGEST + 2}")
    return marked.view(np.uint32).reshape(len(words), _LONGEST + 2).astype(np.uint64)


def whole(codes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each row of `matrix`."""
    found = np.full(len(codes), 1469598103934665603, dtype=np.uint64)
    for column in range(codes.shape[1]):
        found = np.where(codes[:, column] > 0, (found ^ codes[:, column]) * _STEP, found)
    return found


def _mixed(value: npt.NDArray[np.uint64], salt: int) -> npt.NDArray[np.uint64]:
    value = (value + np.uint64(salt)) * _MULTIPLIER
    return (value ^ (value >> np.uint64(29))) * _MULTIPLIER >> np.uint64(20)


def _shape(word: str) -> tuple[int, int, int, int]:
    """Rows for case, digits, length and script."""
    if word.islower():
        case = 0
    elif word.istitle():
        case = 1 if len(word) > 1 else 2
    elif word.isupper():
        case = 3 if len(word) > 3 else 4
    elif word[:1].isupper():
        case = 5
    elif any(sign.isupper() for sign in word[1:40]):
        case = 6
    else:
        case = 7
    if word.isdigit():
        number = min(len(word), 6)
    elif word.isalpha():
        number = 0
    elif any(sign.isdigit() for sign in word[:40]):
        number = 7
    else:
        number = 8
    length = min(len(word), 12)
    if word.isascii():
        script = 0
    else:
        point = max(word[:40])
        script = 1 if point < "\u0250" else 2 if point < "\u0530" else 3 if point < "\u2e80" else 4
    return case, 8 + number, 18 + length, 32 + script


def pieces(words: Sequence[str], table: int, lists: Lists | None = None) -> Pieces:
    """Which rows of a table with `table` rows stand for each word."""
    codes = matrix([plain(word) for word in words])
    count, width = codes.shape
    length = (codes > 0).sum(axis=1)
    size = np.uint64(table - SHAPES)
    full = whole(codes)
    found = [_mixed(full, 1)]
    place = [np.ones(count, dtype=bool)]
    prefix = np.full(count, 7, dtype=np.uint64)
    for end in range(1, 5):
        prefix = (prefix ^ codes[:, end]) * _STEP
        if end > 1:
            found.append(_mixed(prefix, 100 + end))
            place.append(length > end + 2)
    at = np.arange(count)
    suffix = np.full(count, 11, dtype=np.uint64)
    for back in range(1, 6):
        suffix = (suffix ^ codes[at, np.maximum(length - 1 - back, 0)]) * _STEP
        if back > 1:
            found.append(_mixed(suffix, 200 + back))
            place.append(length > back + 2)
    for start in range(width - 2):
        here = length >= start + 3
        if not here.any():
            break
        gram = (codes[:, start] * _STEP ^ codes[:, start + 1]) * _STEP ^ codes[:, start + 2]
        found.append(_mixed(gram * _STEP, 300))
        place.append(here)
    hashed = np.stack(found, axis=1) % size + np.uint64(SHAPES)
    there = np.stack(place, axis=1)
    shapes = np.array([_shape(word) for word in words], dtype=np.int64).reshape(count, 4)
    listed = np.zeros((count, 8), dtype=bool)
    if lists is not None and len(lists.hashes):
        small = (full >> np.uint64(32)).astype(np.uint32)
        where = np.minimum(np.searchsorted(lists.hashes, small), len(lists.hashes) - 1)
        bits = np.where(lists.hashes[where] == small, lists.bits[where], np.uint8(0))
        listed = (bits[:, None] >> np.arange(8, dtype=np.uint8)[None, :]) & np.uint8(1) > 0
    every = np.concatenate(
        [shapes, np.broadcast_to(np.arange(40, 48), (count, 8)), hashed.astype(np.int64)], axis=1
    )
    kept = np.concatenate([np.ones((count, 4), dtype=bool), listed, there], axis=1)
    starts = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(kept.sum(axis=1), out=starts[1:])
    return Pieces(every[kept], starts)


def hashed(words: Sequence[str]) -> npt.NDArray[np.uint32]:
    """The hash by which `Lists` knows a word."""
    return (whole(matrix([plain(word) for word in words])) >> np.uint64(32)).astype(np.uint32)
