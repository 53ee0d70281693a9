"""Comparing texts: normal form, words, and sets of hashed shingles, many texts at a time.

Two kinds of shingles (Broder 1997), because training rows differ a thousandfold in length:

    long texts    runs of 5 words. Few unrelated texts share one, so candidates are few and sure.
    short texts   runs of 3 characters, and words. In twenty words one changed word destroys a quarter of
                  all runs of 5 words, so they say nothing there.

Texts are taken as bare words: case, width, composition, punctuation and white space do not count. In
scripts that put no spaces between words every sign is a word. Hashes keep 51 or 52 bits: two texts of
1,000 shingles each share one by accident once in two thousand million pairs.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Numbers = NDArray[np.int64]
Kind = Literal["long", "short"]

SHORT, OVERLAP = 40, 64
"""Below 40 words a text is short. Up to 64 words it is also compared with texts below 40, as a short one."""
WEIGHT, SEVERAL = 3, 9
"""How many character shingles a word counts for in short texts that have at least so many different words."""
DARTS = 4
READ = 1_000_000
"""Characters of a text that are compared; what follows is not."""

_BITS = 52
_LOW = np.uint64(2**_BITS - 1)
_random = np.random.default_rng(20_261_123)
_POWERS = _random.integers(1, 2**63, 64, dtype=np.uint64) * np.uint64(2) + np.uint64(1)

_FOLDED = bytes(32 if c in b"\t\n\v\f\r\x1c\x1d\x1e\x1f" else ord(chr(c).lower()) for c in range(128))
_FOLDED += bytes(range(128, 256))
_SIGNS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U000323af"
)
_BEYOND = re.compile("[^\x00-\x7f]+")
_SIGN = re.compile(f"[{_SIGNS}]")
_WORD = re.compile(f"[^\\W_{_SIGNS}]+|[{_SIGNS}]")

_LETTER = np.array([c >= 128 or chr(c).isalnum() for c in range(256)])
_DIGIT = np.array([48 <= c < 58 for c in range(256)])
_LOWER = np.array([ord(chr(c).lower()) if c < 128 else c for c in range(256)], dtype=np.uint8)
_CODES = _random.integers(1, 2**63, 256, dtype=np.uint64)[_LOWER] * _LETTER
_STEP = 0x9E3779B97F4A7C13
_BACK = pow(_STEP, -1, 2**64)


def folded(text: str) -> tuple[bytes, bytes]:
    """The text in two forms, in UTF-8: without differences of case, width, composition and white space; and
    with its words set apart by ASCII characters that are no letters or digits."""
    if text.isascii():
        raw = text.encode("ascii")
        found = raw.translate(_FOLDED).strip()
        while b"  " in found:
            found = found.replace(b"  ", b" ")
        return found, raw
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    text = text.casefold()
    found = " ".join(text.split()).encode("utf-8", "surrogatepass")
    beyond = set("".join(_BEYOND.findall(text)))
    if any(_SIGN.match(character) for character in beyond):
        text = " ".join(_WORD.findall(text))
    else:
        for character in beyond:
            if not character.isalnum():
                text = text.replace(character, " ")
    return found, text.encode("utf-8", "surrogatepass")


class Texts:
    """The words of many texts, one text after the other."""

    def __init__(self, texts: Sequence[bytes]) -> None:
        """`texts`: the second form of `folded`."""
        joined = b"\n".join([*texts, b""])
        self.data = np.frombuffer(joined, dtype=np.uint8)
        letter = _LETTER[self.data]
        change = np.flatnonzero(letter[1:] != letter[:-1]) + 1
        if len(letter) and letter[0]:
            change = np.concatenate(([0], change))
        self.starts, self.ends = change[::2], change[1::2]
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1
        edges = np.concatenate(([0], np.cumsum(lengths)))
        self.counts: Numbers = np.diff(np.searchsorted(self.starts, edges))

    @property
    def hashes(self) -> Hashes:
        """A 64-bit hash of every word: a polynomial of its bytes modulo 2**64."""
        forth, back = powers(len(self.data))
        sums = np.zeros(len(self.data) + 1, dtype=np.uint64)
        np.cumsum(_CODES[self.data] * forth, out=sums[1:])
        return mix((sums[self.ends] - sums[self.starts]) * back[self.starts])

    @property
    def numbers(self) -> NDArray[np.bool_]:
        """Of every word, whether it has digits only."""
        sums = np.zeros(len(self.data) + 1, dtype=np.int64)
        np.cumsum(_DIGIT[self.data], out=sums[1:])
        found: NDArray[np.bool_] = sums[self.ends] - sums[self.starts] == self.ends - self.starts
        return found

    def codes(self, chosen: NDArray[np.bool_], counts: Numbers) -> tuple[Hashes, Numbers]:
        """The characters of texts made of the chosen words, `counts` of them each, set apart by a blank."""
        starts, ends = self.starts[chosen], self.ends[chosen]
        steps = np.zeros(len(self.data) + 1, dtype=np.int8)
        steps[starts] = 1
        steps[ends] = -1
        inside = np.cumsum(steps[:-1], dtype=np.int8).astype(bool)
        last = np.cumsum(counts)[counts > 0] - 1
        blanks = np.delete(ends, last)
        inside[blanks] = True
        data = _LOWER[self.data]
        data[blanks] = 32
        flat = data[inside]
        wide = np.zeros(len(counts), dtype=np.int64)
        if len(last):
            wide[counts > 0] = np.add.reduceat(ends - starts + 1, np.append(0, last[:-1] + 1)) - 1
        if len(flat) and flat.max() > 127:
            follows = np.concatenate(([0], np.cumsum((flat & 0xC0) == 0x80)))
            edges = np.concatenate(([0], np.cumsum(wide)))
            wide = wide - np.diff(follows[edges])
            text = flat.tobytes().decode("utf-8", "surrogatepass").encode("utf-32-le", "surrogatepass")
            return np.frombuffer(text, dtype=np.uint32).astype(np.uint64) + np.uint64(1), wide
        return flat.astype(np.uint64) + np.uint64(1), wide


_POWER = [np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint64)]


def powers(count: int) -> tuple[Hashes, Hashes]:
    """Powers of the polynomial's variable and of its inverse modulo 2**64."""
    if len(_POWER[1]) < count:
        for at, step in enumerate((_STEP, _BACK)):
            row = np.full(max(count, 1 << 21), step, dtype=np.uint64)
            row[0] = 1
            _POWER[at] = np.cumprod(row)
    return _POWER[0][:count], _POWER[1][:count]


def mix(values: Hashes) -> Hashes:
    """Every bit of the result depends on every bit of the value (the finaliser of splitmix64). In place."""
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def runs(values: Hashes, size: int) -> Hashes:
    """A hash of every run of `size` values, at the place of its first."""
    count = max(len(values) - size + 1, 0)
    found = np.zeros(count, dtype=np.uint64)
    for offset in range(size if count else 0):
        found += values[offset : offset + count] * _POWERS[offset]
    return mix(found)


def owners(counts: Numbers) -> Numbers:
    """For values that lie one text after the other: which text each belongs to."""
    return np.repeat(np.arange(len(counts)), counts)


def within(values: Hashes, counts: Numbers, size: int) -> tuple[Hashes, Numbers]:
    """Hashes of the runs that do not reach from one text into the next, and the text of each."""
    owner = owners(counts)
    found = runs(values, size)
    inside = owner[: len(found)] == owner[size - 1 :][: len(found)]
    return found[inside], owner[: len(found)][inside]


def distinct(found: Hashes, owner: Numbers, tag: int | None = None) -> Hashes:
    """Sorted, distinct `text << 52 | hash` for up to 4,096 texts; `tag` becomes the lowest bit."""
    keys = owner.astype(np.uint64) << np.uint64(_BITS) | found >> np.uint64(64 - _BITS)
    if tag is not None:
        keys = keys & ~np.uint64(1) | np.uint64(tag)
    keys.sort()
    new = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    return keys[new]


def sizes(keys: Hashes, count: int) -> Numbers:
    """How many of the keys of `distinct` each of `count` texts has."""
    edges = np.searchsorted(keys, np.arange(count, dtype=np.uint64) << np.uint64(_BITS))
    return np.diff(edges, append=len(keys))


def plain(keys: Hashes) -> Hashes:
    """The hashes of `distinct` without the number of the text."""
    return keys & _LOW


def padded(values: Hashes, counts: Numbers, size: int) -> tuple[Hashes, Numbers]:
    """Texts shorter than `size` are filled up to it, so that each has at least one run."""
    if not len(counts) or counts.min() >= size:
        return values, counts
    wide = np.maximum(counts, size)
    wide[counts == 0] = 0
    filled = np.zeros(int(wide.sum()), dtype=np.uint64)
    starts = np.cumsum(wide) - wide
    inside = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
    filled[np.repeat(starts, counts) + inside] = values
    return filled, wide


def word_sets(hashes: Hashes, counts: Numbers, size: int) -> Hashes:
    """Keys of the runs of `size` words of long texts."""
    return distinct(*within(*padded(hashes, counts, size), size))


def character_sets(
    letters: Hashes, lengths: Numbers, hashes: Hashes, counts: Numbers
) -> tuple[Hashes, Hashes]:
    """Keys of short texts: runs of 3 characters with the words among them; and runs of 4 characters, each
    with `DARTS` hashes, so that the few of a short text fill the bins of a signature evenly."""
    threes = distinct(*within(*padded(letters, lengths, 3), 3), tag=0)
    single = distinct(mix(hashes * _POWERS[60]), owners(counts), tag=1)
    both = np.concatenate((threes, single))
    both.sort()
    fours, owner = within(*padded(letters, lengths, 4), 4)
    darts = np.concatenate([mix(fours * power) for power in _POWERS[40 : 40 + DARTS]])
    return both, distinct(darts, np.tile(owner, DARTS))
