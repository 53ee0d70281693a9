"""Which evaluation items many texts repeat, found by whole text, by runs of words and by signature."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tunewright.checks import _minhash, _shingles
from tunewright.checks._items import Item
from tunewright.checks._shingles import Hashes, Numbers, Texts
from tunewright.checks._verify import similar, spread

N = 8
"""Words of a run: ConTAM (Singh et al. 2024) advises 8; short items never reach the usual 13."""
FEW = 4
"""Items of fewer words are only compared as a whole."""
CROWD = 200
"""Items of equal signature that a text meets at most."""
MOST = 50
"""Items that one text is compared with at most, those with most in common first."""
_NUMBER = np.uint64(0x9E3779B97F4A7C15)
_SIZES = np.uint64(0xD6E8FEB86659FD93)


class Match(NamedTuple):
    """An item that a text repeats."""

    what: str
    item: str
    evidence: str


class _Words:
    """Texts as hashes of their words: as they are, and with all numbers made equal."""

    def __init__(self, texts: Sequence[str]) -> None:
        spelled = Texts([_shingles.folded(text[: _shingles.READ])[1] for text in texts])
        self.spelled, self.counts = spelled, spelled.counts
        self.hashes = spelled.hashes
        self.masked = np.where(spelled.numbers, _NUMBER, self.hashes)
        self.ends = np.cumsum(self.counts)
        self.starts = self.ends - self.counts

    def whole(self) -> Hashes:
        """One hash for each text: equal for equal words in equal order."""
        place = np.arange(len(self.hashes)) - np.repeat(self.starts, self.counts)
        weighed = _shingles.mix(self.hashes + place.astype(np.uint64) * _SIZES)
        sums = np.concatenate((np.zeros(1, dtype=np.uint64), np.cumsum(weighed, dtype=np.uint64)))
        found: Hashes = sums[self.ends] - sums[self.starts]
        return found

    def runs(self, size: int) -> tuple[Hashes, Numbers, Numbers]:
        """Hashes of runs of words with numbers made equal, the text of each, and where it starts."""
        owner = _shingles.owners(self.counts)
        found = _shingles.runs(self.masked, size)
        inside = np.flatnonzero(owner[: len(found)] == owner[size - 1 :][: len(found)])
        return found[inside] + np.uint64(size), owner[inside], inside

    def of(self, number: int) -> Hashes:
        return self.masked[self.starts[number] : self.ends[number]]


class Index:
    """The items of an evaluation."""

    def __init__(self, groups: Sequence[Sequence[Item]], coverage: float, threshold: float) -> None:
        """`groups`: the cases, then each benchmark. Wording is common or not within one group."""
        self.coverage, self.threshold = coverage, threshold
        items = [(item, at) for at, group in enumerate(groups) for item in group]
        self.items = [item for item, _ in items]
        group = np.array([at for _, at in items], dtype=np.int64)
        words = self.words = _Words([item.text for item in self.items])
        self.whole = defaultdict[int, list[int]](list)
        for number, key in enumerate(words.whole().tolist()):
            if words.counts[number]:
                self.whole[key].append(number)
        size = np.minimum(words.counts, N)
        self.sizes = [n for n in np.unique(size).tolist() if n >= FEW]
        keys, owners = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int64)]
        self.common = np.zeros(0, dtype=np.uint64)
        for n in self.sizes:
            found, owner, _ = words.runs(n)
            own = size[owner] == n
            found, owner = found[own], owner[own]
            often = _often(found, owner, group)
            keys.append(found[~often])
            owners.append(owner[~often])
        every, belongs = np.concatenate(keys), np.concatenate(owners)
        order = np.argsort(every, kind="stable")
        self.keys, self.owners = every[order], belongs[order]
        self.bits = np.zeros(1 << 22, dtype=bool)
        self.bits[(self.keys >> np.uint64(42)).astype(np.int64)] = True
        threes, owner, _ = words.runs(3)
        self.threes = [np.zeros(0, dtype=np.uint64)] * len(self.items)
        often = _often(threes, owner, group)
        edges = np.searchsorted(owner, np.arange(len(self.items) + 1))
        for number in range(len(self.items)):
            part = slice(int(edges[number]), int(edges[number + 1]))
            own_runs = threes[part][~often[part]]
            self.threes[number] = np.unique(own_runs if len(own_runs) else threes[part])
        self.near = Nearby(words)

    def look(self, texts: Sequence[tuple[str, bool]]) -> Iterator[tuple[int, Match]]:
        """For texts, each with whether it is an answer: its number, and an item that it repeats."""
        if not texts or not self.items:
            return
        words = _Words([text for text, _ in texts])
        told = set[tuple[int, int]]()
        for text, key in enumerate(words.whole().tolist()):
            for item in self.whole.get(key, ()) if words.counts[text] else ():
                if self.items[item].answer == texts[text][1]:
                    told.add((text, item))
                    count = int(words.counts[text])
                    yield text, Match("exact", self.items[item].name, f"all {count} words in order")
        for text, item in self._touched(words):
            if (text, item) in told or self.items[item].answer != texts[text][1]:
                continue
            mine = words.of(text)
            share = float(np.isin(self.threes[item], _three(mine)).mean()) if len(self.threes[item]) else 0.0
            if share >= self.coverage:
                told.add((text, item))
                run = _longest(mine, self.words.of(item))
                count = int(self.words.counts[item])
                said = f"longest run {run} of {count} words; {share:.0%} of its runs of 3 words"
                yield text, Match("ngram", self.items[item].name, said)
        for text, item, similarity in self.near.look(words, self.threshold):
            if (text, item) not in told and self.items[item].answer == texts[text][1]:
                run = _longest(words.of(text), self.words.of(item))
                count = int(self.words.counts[item])
                said = f"similarity {similarity:.2f}; longest run {run} of {count} words"
                yield text, Match("near", self.items[item].name, said)

    def _touched(self, words: _Words) -> list[tuple[int, int]]:
        """Texts and items with a run of words in common."""
        pairs = list[Hashes]()
        for n in self.sizes:
            found, owner, _ = words.runs(n)
            some = np.flatnonzero(self.bits[(found >> np.uint64(42)).astype(np.int64)])
            left = np.searchsorted(self.keys, found[some], side="left")
            sizes = np.searchsorted(self.keys, found[some], side="right") - left
            at = spread(left, sizes)
            text = np.repeat(owner[some], sizes)
            pairs.append(text.astype(np.uint64) << np.uint64(32) | self.owners[at].astype(np.uint64))
        if not pairs:
            return []
        each, votes = np.unique(np.concatenate(pairs), return_counts=True)
        text = (each >> np.uint64(32)).astype(np.int64)
        order = np.lexsort((-votes, text))
        rank = np.arange(len(order)) - np.searchsorted(text[order], text[order])
        chosen = each[order[rank < MOST]].tolist()
        return [(int(pair) >> 32, int(pair) & 0xFFFFFFFF) for pair in chosen]


class Nearby:
    """Items that are nearly the same as a text, by the similarity that `duplicates` states."""

    def __init__(self, words: _Words) -> None:
        self.views = [_View(words, kind) for kind in (0, 1)]

    def look(self, words: _Words, threshold: float) -> Iterator[tuple[int, int, float]]:
        """Number of the text, of the item, and their similarity."""
        seen = set[int]()
        for kind, mine in enumerate(self.views):
            if not len(mine.rows):
                continue
            yours = _View(words, kind)
            pairs = mine.candidates(yours)
            one, other = pairs >> 32, pairs & 0xFFFFFFFF
            for start in range(0, len(pairs), 1024):
                left, right = one[start : start + 1024], other[start : start + 1024]
                sets = yours.sets[spread(yours.place[left], yours.size[left])]
                theirs = mine.sets[spread(mine.place[right], mine.size[right])]
                lengths = np.concatenate((yours.size[left], mine.size[right]))
                found = similar(np.concatenate((sets, theirs)), lengths, kind == 0)
                for a, b, share in zip(left.tolist(), right.tolist(), found.tolist(), strict=True):
                    text, item = int(yours.rows[a]), int(mine.rows[b])
                    if share >= threshold and (text << 32 | item) not in seen:
                        seen.add(text << 32 | item)
                        yield text, item, share


class _View:
    """Signatures of those texts that can be compared as one kind."""

    def __init__(self, words: _Words, kind: int) -> None:
        lengths = words.counts
        keep = (lengths >= _shingles.SHORT) if kind == 0 else (lengths > 0) & (lengths < _shingles.OVERLAP)
        self.rows = np.flatnonzero(keep)
        keys, sizes, bands = list[Hashes](), list[Numbers](), list[_minhash.Keys]()
        for start in range(0, len(self.rows), 4096):
            rows = self.rows[start : start + 4096]
            some = np.zeros(len(lengths), dtype=bool)
            some[rows] = True
            inside = np.repeat(some, lengths)
            if kind == 0:
                made = features = _shingles.word_sets(words.hashes[inside], lengths[rows], 5)
            else:
                letters = words.spelled.codes(inside, lengths[rows])
                made, features = _shingles.character_sets(*letters, words.hashes[inside], lengths[rows])
            keys.append(_shingles.plain(made))
            sizes.append(_shingles.sizes(made, len(rows)))
            bands.append(np.hstack(_minhash.sign(features, len(rows), 1)[0]))
        self.sets = np.concatenate([np.zeros(0, dtype=np.uint64), *keys])
        self.size = np.concatenate([np.zeros(0, dtype=np.int64), *sizes])
        self.place = np.cumsum(self.size) - self.size
        self.bands = np.concatenate([np.zeros((0, _minhash.BANDS), dtype=np.uint32), *bands])
        column = np.arange(_minhash.BANDS, dtype=np.uint64) << np.uint64(32)
        flat = (self.bands.astype(np.uint64) | column).reshape(-1)
        self.order = np.argsort(flat, kind="stable")
        self.sorted = flat[self.order]
        self.flat = flat
        self.bits = np.zeros(1 << 22, dtype=bool)
        self.bits[_cell(flat)] = True

    def candidates(self, yours: "_View") -> Numbers:
        """Pairs `row of yours << 32 | row of mine` that share a band, crowds cut short."""
        some = np.flatnonzero(self.bits[_cell(yours.flat)])
        left = np.searchsorted(self.sorted, yours.flat[some], side="left")
        sizes = np.minimum(np.searchsorted(self.sorted, yours.flat[some], side="right") - left, CROWD)
        at = spread(left, sizes)
        text = np.repeat(some // _minhash.BANDS, sizes)
        found: Numbers = np.unique(text << 32 | self.order[at] // _minhash.BANDS)
        return found


def _cell(keys: Hashes) -> Numbers:
    """Where a key is marked as known."""
    found: Numbers = ((keys * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(42)).astype(np.int64)
    return found


def _often(keys: Hashes, owner: Numbers, group: Numbers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether more than a fifth of the items of its group (of at least 10, and more than 2) share a run."""
    each, at = np.unique(keys, return_inverse=True)
    pairs = np.unique(at.astype(np.int64) << 32 | owner)
    many = np.bincount(group, minlength=1)
    count = np.zeros((len(many), len(each)), dtype=np.int32) if len(each) * len(many) < 50_000_000 else None
    if count is None:
        return np.zeros(len(keys), dtype=bool)
    np.add.at(count, (group[pairs & 0xFFFFFFFF], pairs >> 32), 1)
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
        count[group[owner], at] > np.maximum(many[group[owner]] / 5, 2)
    ) & (many[group[owner]] >= 10)
    return found


def _three(words: Hashes) -> Hashes:
    return _shingles.runs(words, 3) + np.uint64(3)


def _longest(one: Hashes, other: Hashes) -> int:
    """Words of the longest run that both have, numbers made equal."""
    least, most = 0, min(len(one), len(other))
    while least < most:
        size = (least + most + 1) // 2
        if len(np.intersect1d(_any_runs(one, size), _any_runs(other, size))):
            least = size
        else:
            most = size - 1
    return least


def _any_runs(words: Hashes, size: int) -> Hashes:
    """Hashes of runs of any length, by sums of powers."""
    forth, back = _shingles.powers(len(words))
    sums = np.concatenate((np.zeros(1, dtype=np.uint64), np.cumsum(words * forth, dtype=np.uint64)))
    return (sums[size:] - sums[:-size]) * back[: len(words) - size + 1]
