"""How much there is: distinct records, nearness of evaluation cases, and the curve of learning."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunewright.checks._linear import Labels, features, fit, mixed_scores, scores
from tunewright.checks._topics import SEED, Floats, Space, Words, bags, batches, mixed, tokens
from tunewright.nouns import Measure

_HASHES = 16
_BAND = 4
_RUN = 3
"""Words a shingle."""
_dice = np.random.default_rng(SEED)
_TIMES = _dice.integers(1, 2**63, _HASHES, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def distinct(table: Words) -> Measure:
    """How many records remain when near copies count once; `table` has the `signatures` of all.

    MinHash of runs of three words (Broder 1997), 16 numbers a record. Records are joined with the first
    that shares all 4 numbers of a band when 11 of the 16 agree (an estimated similarity of 0.7); the
    lower end takes 8, the upper end only the same words.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(table)
    rows, firsts = [], []
    for at in range(0, _HASHES, _BAND):
        _, first, place = np.unique(
            _folded(table[:, at : at + _BAND]), return_index=True, return_inverse=True
        )
        other = first[place.ravel()]
        here = np.flatnonzero(other != np.arange(count))
        rows.append(here)
        firsts.append(other[here])
    one, other = np.concatenate(rows), np.concatenate(firsts)
    agree = np.zeros(len(one), dtype=np.int8)
    for n in range(_HASHES):
        agree += table[one, n] == table[other, n]

    def groups(least: int) -> int:
        near = agree >= least
        graph = csr_matrix(
            (np.ones(int(near.sum()), np.int8), (one[near], other[near])), shape=(count, count)
        )
        return int(connected_components(graph, directed=False)[0])

    value, low = groups(11), groups(8)
    high = len(np.unique(table[:, _HASHES]))
    return Measure(
        name="sufficiency.effective_size",
        value=value,
        low=min(low, value),
        high=max(high, value),
        n=count,
        method="records when near copies count once, by MinHash; from a loose joining to the same words only",
    )


def signatures(texts: Sequence[str]) -> Words:
    """Sixteen minimal hashes of word runs and one hash of the whole text, a row each."""
    parts = []
    for batch in batches(texts):
        found = tokens(batch, stem=0)
        table = np.zeros((len(batch), _HASHES + 1), dtype=np.uint64)
        words, owner = found.hashed, found.text
        if len(words):
            run = words.copy()
            for ahead in range(1, _RUN):
                same = owner[ahead:] == owner[:-ahead]
                run[:-ahead][same] += words[ahead:][same] * np.uint64(2 * ahead + 1)
            run = mixed(run)
            starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
            for n in range(_HASHES):
                table[owner[starts], n] = np.minimum.reduceat(
                    run * _TIMES[n] + (_TIMES[n] >> np.uint64(9)), starts
                )
            table[owner[starts], _HASHES] = np.add.reduceat(run, starts)
        parts.append(table)
    return np.concatenate(parts) if parts else np.zeros((0, _HASHES + 1), dtype=np.uint64)


def _folded(columns: Words) -> Words:
    total = np.zeros(len(columns), dtype=np.uint64)
    for n in range(columns.shape[1]):
        total = mixed(total * np.uint64(3) + columns[:, n])
    return total


class Coverage(NamedTuple):
    """For each case: how near the nearest training record is; and how near counts as covered."""

    near: Floats
    limit: float


def coverage(texts: Sequence[str], cases: Sequence[str], size: int = 128) -> Coverage:
    """How near each case's nearest training text is, by weighted words and by latent-semantic vectors.

    The mean of both cosines. Covered is what is at least as near as nine in ten training texts are to
    their nearest other one.
    """
    counts = bags(texts)
    space = Space(counts, size)
    words, dense = space.weighted(counts), space.vectors(counts)
    asked = bags(cases)
    total = np.asarray(asked.sum(axis=1)).ravel()
    share = np.asarray(asked[:, space.known].sum(axis=1)).ravel() / np.maximum(total, 1)
    near = np.zeros(len(cases), dtype=np.float32)
    theirs, vectors = space.weighted(asked), space.vectors(asked)
    for at in range(0, len(cases), 256):
        here = slice(at, at + 256)
        like = ((theirs[here] @ words.T).toarray() + vectors[here] @ dense.T) / 2
        near[here] = like.max(axis=1, initial=0) * share[here]
    dice = np.random.default_rng(SEED)
    probe = np.sort(dice.choice(len(texts), min(600, len(texts)), replace=False))
    like = ((words[probe] @ words.T).toarray() + dense[probe] @ dense.T) / 2
    like[np.arange(len(probe)), probe] = -1
    like[like > 0.98] = -1
    return Coverage(near, float(np.quantile(like.max(axis=1), 0.1)))


class Learnt(NamedTuple):
    """The share of right labels at growing sizes, what it is now, and what twice the data would bring."""

    sizes: tuple[int, ...]
    right: tuple[float, ...]
    now: Measure
    gain: Measure


def learnt(texts: Sequence[str], labels: Labels, classes: int, splits: int = 3) -> Learnt:
    """Accuracy of a linear classifier at an eighth, a quarter, half and all of four fifths of the texts.

    Tested on the other fifth, in `splits` random splits. Errors are taken to fall as a power of the number of
    texts (Hestness et al. 2017): a line through the logarithms, read off at the present number and at its
    double. The interval redraws the tested texts (300 bootstrap draws).
    """
    count = len(texts)
    _, rows = features(texts, min(256, count // 4))
    dice = np.random.default_rng(SEED)
    test = min(4000, count // 5)
    shares = (1 / 8, 1 / 4, 1 / 2, 1.0)
    sizes = [max(2, int((count - test) * share)) for share in shares]
    hits = np.zeros((splits * test, len(sizes)))
    for split in range(splits):
        order = dice.permutation(count)
        held = order[:test]
        held_rows = type(rows)(rows.words[held], rows.dense[held])
        for n, size in enumerate(sizes):
            used = order[test : test + size]
            model = fit(type(rows)(rows.words[used], rows.dense[used]), labels[used], classes)
            said = mixed_scores(*scores(model, held_rows)).argmax(axis=1)
            hits[split * test : (split + 1) * test, n] = said == labels[held]

    def read(at: NDArray[np.intp]) -> tuple[float, float]:
        wrong = np.maximum(1 - hits[at].mean(axis=0), 0.5 / len(at))
        slope, start = np.polyfit(np.log(sizes), np.log(wrong), 1)
        slope = min(0.0, float(slope))
        start = float(np.mean(np.log(wrong) - slope * np.log(sizes)))
        now = min(1.0, float(np.exp(start + slope * np.log(count))))
        return 1 - now, now * (1 - 2.0**slope)

    draws = np.array([read(dice.integers(0, len(hits), len(hits))) for _ in range(300)])
    value = read(np.arange(len(hits)))
    ends = np.quantile(draws, [0.025, 0.975], axis=0)
    told = [
        Measure(
            name=f"sufficiency.{name}",
            value=value[n],
            low=min(value[n], float(ends[0, n])),
            high=max(value[n], float(ends[1, n])),
            n=count,
            method=f"power law through {len(sizes)} sizes of a linear classifier, bootstrap interval",
        )
        for n, name in enumerate(("accuracy_of_words", "gain_of_double"))
    ]
    return Learnt(tuple(sizes), tuple(float(x) for x in hits.mean(axis=0)), told[0], told[1])
