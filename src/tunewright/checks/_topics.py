"""Texts as vectors, and vectors as topics: learnt from the data itself, always the same, no model needed.

Words are hashed into 2**18 buckets straight from the characters' codes, many texts at once. Weights are
TF-IDF (Salton and Buckley 1988); the dense vectors are latent semantic analysis (Deerwester et al. 1990)
by a randomised range finder (Halko, Martinsson and Tropp 2011); topics are spherical k-means (Dhillon and
Modha 2001), started by k-means++ (Arthur and Vassilvitskii 2007).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunewright.nouns import Record

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]
Words = NDArray[np.uint64]

BITS = 18
STEM = 6
"""Words are told apart by so many first letters: a crude stem that joins `cancel` and `cancelling`."""
SEED = 20_261_123
_BATCH = 400_000
"""Characters that are cut into words at once."""
_CJK = ((0x0E00, 0x0EFF), (0x1780, 0x17FF), (0x2E80, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF))
"""Scripts without spaces between words (and Hangul): every character counts as a word."""


def several(records: Iterable[Record]) -> Collection[Record]:
    """The records as something that can be read again; only what is not sized is copied."""
    return records if isinstance(records, Collection) else list(records)


def asked(record: Record) -> str:
    """What the users said."""
    return "\n".join(m.content for m in record.messages if m.role == "user")


def answered(record: Record) -> str:
    """The last answer, of two the one that people preferred; a labelled text has none of its own."""
    last = record.turns[-1] if record.messages and not record.disliked else None
    return last.content if last is not None and last.role == "assistant" and not record.label else ""


def sample(records: Iterable[Record], most: int, seed: int = SEED) -> list[tuple[int, Record]]:
    """At most `most` records, each as likely as any other, with their positions (Vitter 1985)."""
    dice = np.random.default_rng(seed)
    kept = list[tuple[int, Record]]()
    places: NDArray[np.int64] = np.empty(0, dtype=np.int64)
    for number, record in enumerate(records):
        if number < most:
            kept.append((number, record))
            continue
        at = (number - most) % 65_536
        if at == 0:
            places = dice.integers(0, np.arange(number + 1, number + 65_537))
        if places[at] < most:
            kept[int(places[at])] = (number, record)
    kept.sort(key=lambda pair: pair[0])
    return kept


@cache
def _letters() -> NDArray[np.uint8]:
    """By code: 0 no word character, 1 one, 2 a word by itself."""
    table = np.zeros(0x10000, dtype=np.uint8)
    for code in range(0x10000):
        table[code] = chr(code).isalnum()
    for first, last in _CJK:
        table[first : last + 1] *= 2
    return table


@cache
def _powers() -> tuple[Words, Words]:
    """Powers of an odd number and of its inverse modulo 2**64."""
    times = 0x9E3779B97F4A7C15
    inverse = pow(times, -1, 1 << 64)
    count = 4 * _BATCH

    def powers(of: int) -> Words:
        factors = np.full(count, of, dtype=np.uint64)
        factors[0] = 1
        return np.multiply.accumulate(factors)

    return powers(times), powers(inverse)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLAIN = _words(
    "the and are was were been being have has had having does did doing will would shall should can could "
    "may might must not you your yours our ours their theirs his her hers its they them she him who whom "
    "whose which what when where why how this that these those there here from with without into onto for "
    "but than then also any some all each every both few more most other such only own same very just about "
    "after before again once out over under much many get got give given take want need please tell know "
    "like use used using make made let say said didn don doesn isn hasn haven wasn aren couldn wouldn won "
    "one two three its it's i'm i've der die das und ist nicht ein eine mit für auf den dem von les des est "
    "une que pour dans qui los las por para con una del que"
)
"""Words that tell no topic, left out of names."""


class Tokens(NamedTuple):
    """The words of some texts: which text, which hash, and where in `letters`."""

    text: Indices
    hashed: Words
    start: Indices
    end: Indices
    letters: str


def tokens(texts: Sequence[str], stem: int = STEM) -> Tokens:
    """The words of a batch of texts, by hashes of their first letters.

    The hash of a run is a difference of prefix sums, so all words are hashed at once.
    """
    folded = [text[:_BATCH].lower() for text in texts]
    letters = "\n".join(folded)
    codes = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kinds = _letters()[np.minimum(codes, 0xFFFF)]
    kinds[codes > 0xFFFF] = 0
    word = np.concatenate([[0], kinds, [0]]).astype(np.uint8)
    here, before = word[1:], word[:-1]
    edge = (here != before) | (here == 2)
    starts = np.flatnonzero(edge & (here > 0))
    ends = np.flatnonzero(edge & (before > 0))
    bounds = np.cumsum(np.array([len(text) + 1 for text in folded], dtype=np.int64))
    owner = np.searchsorted(bounds, starts, side="right")
    times, inverse = _powers()
    sums = np.zeros(len(codes) + 1, dtype=np.uint64)
    np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * times[: len(codes)], out=sums[1:])
    cut = np.minimum(ends, starts + stem) if stem else ends
    return Tokens(owner, mixed((sums[cut] - sums[starts]) * inverse[starts]), starts, ends, letters)


def mixed(hashes: Words) -> Words:
    """The finaliser of splitmix64: every bit depends on every bit."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Runs of texts of about `_BATCH` characters."""
    first, size = 0, 0
    for number, text in enumerate(texts):
        if size and size + len(text) > _BATCH:
            yield texts[first:number]
            first, size = number, 0
        size += min(len(text), _BATCH) + 1
    if first < len(texts):
        yield texts[first:]


def bags(texts: Sequence[str], *, pairs: bool = False) -> "csr_matrix":
    """How often each hashed word (and, with `pairs`, each pair of neighbours) occurs: texts x 2**18."""
    from scipy.sparse import csr_matrix, vstack

    parts = []
    for batch in batches(texts):
        found = tokens(batch)
        owner, hashed = found.text, found.hashed
        if pairs and len(owner) > 1:
            same = owner[1:] == owner[:-1]
            joined = mixed(hashed[1:] * np.uint64(3) + hashed[:-1])[same]
            owner, hashed = np.concatenate([owner, owner[1:][same]]), np.concatenate([hashed, joined])
            order = np.argsort(owner, kind="stable")
            owner, hashed = owner[order], hashed[order]
        counts = np.bincount(owner, minlength=len(batch))
        places = (hashed >> np.uint64(64 - BITS)).astype(np.int32)
        edges = np.concatenate([[0], np.cumsum(counts)])
        part = csr_matrix((np.ones(len(places), np.float32), places, edges), shape=(len(batch), 1 << BITS))
        part.sum_duplicates()
        parts.append(part)
    return vstack(parts, format="csr") if parts else csr_matrix((0, 1 << BITS), dtype=np.float32)


class Space:
    """Weights and directions learnt from some texts; turns other texts into vectors of length 1."""

    def __init__(self, counts: "csr_matrix", size: int, *, least: int = 2, most: int = 60_000) -> None:
        """`least`: texts a word must occur in; `most`: how many words are used; `size`: dimensions."""
        texts = counts.shape[0]
        spread = np.bincount(counts.indices, minlength=counts.shape[1])
        known = np.flatnonzero(spread >= least)
        if len(known) > most:
            known = np.sort(known[np.argsort(-spread[known], kind="stable")[:most]])
        self.known = known
        self.weight = (np.log((1 + texts) / (1 + spread[known])) + 0.1).astype(np.float32)
        self.size = max(1, min(size, len(known) - 1, texts - 1))
        self.axes = self._axes(self.weighted(counts))

    def weighted(self, counts: "csr_matrix") -> "csr_matrix":
        """TF-IDF rows of length 1 over the words that are used."""
        rows = counts[:, self.known]
        rows.data = (1 + np.log(rows.data)) * self.weight[rows.indices]
        norms = np.sqrt(np.add.reduceat(np.append(rows.data**2, 0), rows.indptr[:-1])) if rows.nnz else None
        if norms is not None:
            norms[np.diff(rows.indptr) == 0] = 1
            rows.data /= np.repeat(norms, np.diff(rows.indptr))
        return rows

    def _axes(self, rows: "csr_matrix") -> Floats:
        if not rows.nnz:
            return np.zeros((len(self.known), self.size), dtype=np.float32)
        dice = np.random.default_rng(SEED)
        wide = min(self.size + 12, *rows.shape)
        basis = rows.T @ dice.standard_normal((rows.shape[0], wide), dtype=np.float32)
        for _ in range(2):
            basis, _r = np.linalg.qr(basis)
            basis = rows.T @ (rows @ basis)
        basis, _r = np.linalg.qr(basis)
        seen = rows @ basis
        _values, turns = np.linalg.eigh(seen.T @ seen)
        axes: Floats = (basis @ turns[:, ::-1][:, : self.size]).astype(np.float32)
        signs = np.sign(axes[np.argmax(np.abs(axes), axis=0), np.arange(axes.shape[1])])
        return axes * np.where(signs == 0, 1, signs).astype(np.float32)

    def vectors(self, counts: "csr_matrix") -> Floats:
        """One vector a text, of length 1 (or 0, when no word of it is known)."""
        dense: Floats = np.asarray(self.weighted(counts) @ self.axes, dtype=np.float32)
        return unit(dense)


def unit(rows: Floats) -> Floats:
    """Rows scaled to length 1; rows of nothing stay nothing."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Floats = (rows / np.where(norms > 1e-9, norms, 1)).astype(np.float32)
    return scaled


def clusters(vectors: Floats, count: int, rounds: int = 25) -> tuple[Indices, Floats]:
    """Spherical k-means: the cluster of each vector, and the centres (largest cluster first)."""
    dice = np.random.default_rng(SEED)
    centres = vectors[[int(dice.integers(len(vectors)))]]
    nearest: Floats = 1 - vectors @ centres[0]
    for _ in range(count - 1):
        odds = np.maximum(nearest, 0).astype(np.float64) ** 2
        if odds.sum() <= 1e-12:
            break
        chosen = int(dice.choice(len(vectors), p=odds / odds.sum()))
        centres = np.vstack([centres, vectors[chosen]])
        nearest = np.minimum(nearest, 1 - vectors @ vectors[chosen])
    member = np.full(len(vectors), -1, dtype=np.intp)
    for _ in range(rounds):
        now = np.argmax(vectors @ centres.T, axis=1)
        if np.array_equal(now, member):
            break
        member = now
        totals = np.zeros_like(centres)
        np.add.at(totals, member, vectors)
        centres = np.where(np.linalg.norm(totals, axis=1, keepdims=True) > 1e-9, unit(totals), centres)
    sizes = np.bincount(member, minlength=len(centres))
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] > 0]
    rank = np.zeros(len(centres), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[member], centres[order]


def names(texts: Sequence[str], member: Indices, count: int, words: int = 3) -> list[str]:
    """A name for each cluster: the words that tell it from the others, each counted once a text.

    By log-odds with a prior (Monroe, Colaresi and Quinn 2008).
    """
    found = dict[int, list[str]]()
    spelt = dict[int, str]()
    keys, groups = [], []
    at = 0
    for batch in batches(texts):
        seen = tokens(batch)
        long = (seen.end - seen.start) >= 3
        once = np.unique(np.stack([seen.text[long].astype(np.uint64), seen.hashed[long]]), axis=1)
        groups.append(member[at + once[0].astype(np.intp)])
        keys.append(once[1])
        unique, first = np.unique(seen.hashed[long], return_index=True)
        for key, start, end in zip(
            unique.tolist(), seen.start[long][first].tolist(), seen.end[long][first].tolist(), strict=True
        ):
            spelt.setdefault(key, seen.letters[start:end])
        at += len(batch)
    if not keys:
        return [f"topic {n + 1}" for n in range(count)]
    all_keys, group = np.concatenate(keys), np.concatenate(groups)
    vocabulary, place = np.unique(all_keys, return_inverse=True)
    table = np.bincount(place * count + group, minlength=len(vocabulary) * count).reshape(-1, count)
    total = table.sum(axis=1)
    sizes = np.maximum(table.sum(axis=0), 1)
    prior = total / total.sum() * 100
    for one in range(count):
        mine, rest = table[:, one] + prior, total - table[:, one] + prior
        odds = np.log(mine / (sizes[one] + 100)) - np.log(rest / (sizes.sum() - sizes[one] + 100))
        score = odds / np.sqrt(1 / mine + 1 / rest)
        best = [spelt[int(vocabulary[n])] for n in np.argsort(-score, kind="stable")[: words * 20]]
        found[one] = [word for word in best if word not in _PLAIN and not word.isdigit()][:words]
    labels = list[str]()
    for one in range(count):
        name = " · ".join(found[one]) or f"topic {one + 1}"
        labels.append(name if name not in labels else f"{name} ({one + 1})")
    return labels


def how_many(size: int) -> int:
    """Topics for so many texts: the square root of an eighth, 2 to 24."""
    return int(min(24, max(2, round((size / 8) ** 0.5))))


class Topics(NamedTuple):
    """Sampled records, where they lie, which topic each belongs to, and the topics' names."""

    records: tuple[str, ...]
    """Ids."""
    x: tuple[float, ...]
    y: tuple[float, ...]
    """-1 to 1."""
    topic: tuple[int, ...]
    names: tuple[str, ...]


def topic_map(records: Iterable[Record], *, points: int = 1500) -> Topics:
    """Where records lie relative to each other, in the plane: close means they use the same words.

    The topics are those of all that `points` sampled records say; the plane starts as the two main axes
    of the topics' centres, and neighbours are then drawn together while strangers push each other away
    (the idea of UMAP: McInnes, Healy and Melville 2018).

    Limits: distances between far points mean little; a map of other points looks different.
    """
    chosen = [record for _, record in sample(records, points)]
    texts = [f"{asked(r)}\n{answered(r)}" for r in chosen]
    if len(chosen) < 8:
        return Topics((), (), (), (), ())
    counts = bags(texts)
    vectors = Space(counts, 64).vectors(counts)
    member, centres = clusters(vectors, how_many(len(chosen)))
    spots = laid_out(vectors, member, centres)
    return Topics(
        tuple(r.id for r in chosen),
        tuple(round(float(x), 4) for x in spots[:, 0]),
        tuple(round(float(y), 4) for y in spots[:, 1]),
        tuple(int(m) for m in member),
        tuple(names(texts, member, len(centres))),
    )


def laid_out(vectors: Floats, member: Indices, centres: Floats, rounds: int = 150, near: int = 8) -> Floats:
    """Two coordinates a vector, -1 to 1."""
    dice = np.random.default_rng(SEED)
    count = len(vectors)
    middle = centres - centres.mean(axis=0)
    _u, _s, axes = np.linalg.svd(middle, full_matrices=False)
    plane = np.zeros((count, 2))
    start = (vectors - centres.mean(axis=0)) @ axes[:2].T
    plane[:, : start.shape[1]] = start
    plane = plane / (plane.std(axis=0) + 1e-9) * 5 + dice.normal(0, 0.05, plane.shape)
    near = min(near, count - 1)
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -2)
    friends = np.argpartition(-likeness, near - 1, axis=1)[:, :near]
    one, other = np.repeat(np.arange(count), near), friends.ravel()
    for turn in range(rounds):
        rate = 1 - turn / rounds
        gap = plane[one] - plane[other]
        square = (gap**2).sum(axis=1, keepdims=True)
        pull = np.clip(-2 * gap / (1 + square), -4, 4) * rate * 0.25
        step = np.zeros_like(plane)
        np.add.at(step, one, pull)
        np.add.at(step, other, -pull)
        stranger = dice.integers(0, count, (count, 5))
        away = plane[:, None, :] - plane[stranger]
        square = (away**2).sum(axis=2, keepdims=True)
        push = np.clip(2 * away / ((0.05 + square) * (1 + square)), -4, 4)
        plane += np.clip(step + push.sum(axis=1) * rate * 0.25, -2, 2)
    plane -= np.median(plane, axis=0)
    far = np.quantile(np.abs(plane), 0.995)
    spots: Floats = np.clip(plane / max(float(far), 1e-9), -1, 1).astype(np.float32)
    return spots


def blocks(records: Iterable[Record], size: int = 4096) -> Iterator[list[Record]]:
    """The records in lists of `size`."""
    coming = iter(records)
    while block := list(islice(coming, size)):
        yield block
