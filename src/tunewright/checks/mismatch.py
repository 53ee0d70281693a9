"""Answers that belong to another question."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunewright.checks import Whole
from tunewright.checks._limits import limit, placed
from tunewright.checks._topics import SEED, Floats, Space, answered, asked, bags, blocks, sample, several
from tunewright.nouns import Finding, Measure, Record, Tally
from tunewright.stats import rate

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Scores = NDArray[np.float64]
_POOL = 200
_PENALTY = 10.0


class _Side(NamedTuple):
    """Questions or answers: weighted words, and dense vectors."""

    words: "csr_matrix"
    dense: Floats


class _Pairs(NamedTuple):
    asked: _Side
    answered: _Side
    even: NDArray[np.bool_]
    """Position in the data is even: judged by what was learnt from the odd ones."""


class _Learnt(NamedTuple):
    space: Space
    maps: tuple[NDArray[np.float64], NDArray[np.float64]]
    """From question to answer vectors: learnt from odd, and from even positions."""
    pool: _Pairs


def mismatch(
    records: Whole, *, alarms: float = 0.01, least: int = 200, most: int = 12_000, size: int = 128
) -> Iterator[Finding | Tally | Measure]:
    """Answers that fit other questions better than the one they stand under.

    Vectors are learnt from the data itself (hashed words, TF-IDF, latent semantic analysis). Two signs are
    weighed: words that question and answer share, and how close the answer is to what a linear map (ridge
    regression, learnt from the other half of the data) expects for the question. Each is set against 200
    other answers to the question and 200 other questions to the answer. The line is drawn by shuffling
    answers: at most the share `alarms` of right pairs is found, by estimate. A finding is called
    `answer`; the measures are the share suspected (`mismatch.suspected`) and the share of shuffled
    answers that was found (`mismatch.reach`).

    At most `most` pairs, drawn evenly, are learnt from, with `size` dimensions; all are judged, by the
    users' words and the last answer.

    Limits: sees words and topics, not truth: a wrong answer on the right topic passes, and so does a mix-up
    between questions that are alike. Short answers carry little. The share of alarms is an estimate: it was
    0.1 to 1.7% on corpora where 1% was asked for. Says nothing, with a tally that tells why, for fewer than
    `least` pairs or when not even a fifth of shuffled answers could be told from right ones.
    """
    records = several(records)
    pairs = (r for r in records if r.messages and answered(r).strip() and asked(r).strip())
    drawn = sample(pairs, most)
    if len(drawn) < 2:
        return
    if len(drawn) < least:
        yield _silent(len(drawn), f"it needs {least} questions with answers")
        return
    rows = [r for _, r in drawn]
    places = [n for n, _ in drawn]
    learnt, sampled = _learn(rows, places, size)
    signs = _signs(learnt, sampled)
    dice = np.random.default_rng(SEED)
    others = (np.arange(len(rows)) + dice.integers(1, len(rows), len(rows))) % len(rows)
    wrong = _signs(learnt, _swapped(sampled, others))
    scale = [np.sort(sign) for sign in signs]
    line = limit(_score(signs, scale), _score(wrong, scale), alarms)
    if line.reach < 0.2:
        yield _silent(len(rows), f"of answers shuffled on purpose only {line.reach:.0%} could be told")
        return
    found = judged = 0
    if len(drawn) < most:
        parts: Iterator[tuple[list[Record], list[Scores]]] = iter([(rows, signs)])
    else:
        parts = _parts(learnt, records)
    for block, theirs in parts:
        judged += len(block)
        score = _score(theirs, scale)
        for n in np.flatnonzero(score <= line.at).tolist():
            found += 1
            yield _finding(block[n], float(score[n]), line.at)
    yield rate("mismatch.suspected", found, judged)
    yield rate("mismatch.reach", round(line.reach * len(rows)), len(rows))


def _learn(rows: Sequence[Record], places: Sequence[int], size: int) -> tuple[_Learnt, _Pairs]:
    from scipy.sparse import vstack

    questions, answers = bags([asked(r) for r in rows]), bags([answered(r) for r in rows])
    space = Space(vstack([questions, answers], format="csr"), size)
    even: NDArray[np.bool_] = np.array(places) % 2 == 0
    pairs = _Pairs(_side(space, questions), _side(space, answers), even)
    maps = (_map(pairs, ~even), _map(pairs, even))
    dice = np.random.default_rng(SEED)
    chosen = np.sort(dice.choice(len(rows), min(_POOL, len(rows)), replace=False))
    return _Learnt(space, maps, _taken(pairs, chosen)), pairs


def _map(pairs: _Pairs, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    x, y = pairs.asked.dense[rows].astype(np.float64), pairs.answered.dense[rows].astype(np.float64)
    learnt: NDArray[np.float64] = np.linalg.solve(x.T @ x + _PENALTY * np.eye(x.shape[1]), x.T @ y).astype(
        np.float64
    )
    return learnt


def _side(space: Space, counts: "csr_matrix") -> _Side:
    return _Side(space.weighted(counts), space.vectors(counts))


def _taken(pairs: _Pairs, rows: NDArray[np.intp]) -> _Pairs:
    first, second = pairs.asked, pairs.answered
    return _Pairs(
        _Side(first.words[rows], first.dense[rows]),
        _Side(second.words[rows], second.dense[rows]),
        pairs.even[rows],
    )


def _swapped(pairs: _Pairs, others: NDArray[np.intp]) -> _Pairs:
    second = pairs.answered
    return _Pairs(pairs.asked, _Side(second.words[others], second.dense[others]), pairs.even)


def _signs(learnt: _Learnt, pairs: _Pairs) -> list[Scores]:
    """Of each pair, for each of the two signs: by how many deviations it beats other pairs."""
    first, second, pool = pairs.asked, pairs.answered, learnt.pool
    shared = np.asarray(first.words.multiply(second.words).sum(axis=1)).ravel().astype(np.float64)
    lexical = _beats(
        shared, (first.words @ pool.answered.words.T).toarray(), (second.words @ pool.asked.words.T).toarray()
    )
    expected = np.where(pairs.even[:, None], first.dense @ learnt.maps[0], first.dense @ learnt.maps[1])
    theirs = np.where(
        pool.even[:, None], pool.asked.dense @ learnt.maps[0], pool.asked.dense @ learnt.maps[1]
    )
    expected, theirs = _length_one(expected), _length_one(theirs)
    close = np.einsum("ij,ij->i", expected, second.dense)
    mapped = _beats(close, expected @ pool.answered.dense.T, second.dense @ theirs.T)
    return [lexical, mapped]


def _beats(own: Scores, across: Scores, down: Scores) -> Scores:
    total = np.zeros_like(own)
    for other in (across, down):
        total += (own - other.mean(axis=1)) / np.maximum(other.std(axis=1), 0.01)
    return total


def _length_one(rows: Scores) -> Scores:
    scaled: Scores = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    return scaled


def _score(signs: Sequence[Scores], scale: Sequence[Scores]) -> Scores:
    total: Scores = np.mean([placed(s, among) for s, among in zip(signs, scale, strict=True)], axis=0)
    return total


def _parts(learnt: _Learnt, records: Whole) -> Iterator[tuple[list[Record], list[Scores]]]:
    at = 0
    for block in blocks(
        (r for r in records if r.messages and answered(r).strip() and asked(r).strip()), 2048
    ):
        even: NDArray[np.bool_] = np.arange(at, at + len(block)) % 2 == 0
        at += len(block)
        pairs = _Pairs(
            _side(learnt.space, bags([asked(r) for r in block])),
            _side(learnt.space, bags([answered(r) for r in block])),
            even,
        )
        yield block, _signs(learnt, pairs)


def _finding(record: Record, score: float, line: float) -> Finding:
    return Finding(
        check="mismatch",
        what="answer",
        record=record.id,
        message=len(record.turns) - 1,
        severity="medium",
        note="the answer fits other questions of the data better than this one",
        evidence=f"fits worse than {1 - score:.1%} of all pairs; the line is at {1 - line:.1%}",
        confidence=round(min(0.99, max(0.01, 1 - 0.7 * score / max(line, 1e-9))), 4),
    )


def _silent(count: int, why: str) -> Tally:
    note = f"nothing is said of answers that fit no question: {why}"
    return Tally(check="mismatch", name="not_judged", counts={"questions with answers": count}, note=note)
