"""Labels that the rest of the data speaks against."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tunewright.checks import Whole
from tunewright.checks._limits import Limit, limit, placed
from tunewright.checks._linear import Labels, Linear, Scores, features, fit, left_out, mixed_scores, scores
from tunewright.checks._topics import SEED, Space, blocks, sample, several
from tunewright.nouns import Finding, Measure, Record, Tally
from tunewright.stats import rate

_CELLS = 8_000_000
"""Texts times labels that are looked at together: 64 MB a table."""


class _Judged(NamedTuple):
    """For each text: the best other label, how far ahead the given one is, and how well it fits."""

    other: Labels
    ahead: Scores
    fits: Scores


class _Scale(NamedTuple):
    ahead: Scores
    fits: Scores


def label_noise(
    records: Whole, *, alarms: float = 0.01, least: int = 6, most: int = 40_000, size: int = 256
) -> Iterator[Finding | Tally | Measure]:
    """Labelled texts whose label is probably another one.

    Two classifiers over hashed words, neither fitted to the text it judges (ridge regression, each text
    left out in closed form; complement naive Bayes in folds), say how far the given label is ahead of the
    best other one and how well it fits; the mean of both ranks is the score. The line is drawn by giving
    texts random wrong labels: at most the share `alarms` of right labels is found, by estimate. The idea of
    judging labels by out-of-sample predictions and their confidence is confident learning (Northcutt,
    Jiang and Chuang 2021). A finding (`label`) names the better label in `evidence`; the measures are
    the share that is suspected (`label_noise.suspected`) and the share of the random wrong labels that
    was found (`label_noise.reach`).

    The classifiers are fitted to at most `most` texts (fewer for over 200 labels), drawn evenly; all texts
    are judged. Labels with fewer than `least` texts are left alone.

    Limits: an opinion of simple classifiers, not the truth: unusual wording may pass for a wrong label,
    labels that are close to each other are told apart less well than `reach` says, and nothing is found
    where a whole group is wrong in the same way. Says nothing, with a tally that tells why, when there are
    too few texts or their words hardly tell the labels apart.
    """
    records = several(records)
    classes = len({r.label for r in records if r.label})
    most = min(most, max(2000, _CELLS // max(1, classes)))
    drawn = sample((r for r in records if r.label), most)
    counts = Counter(r.label for _, r in drawn)
    known = sorted(label for label, count in counts.items() if count >= least)
    place = {label: n for n, label in enumerate(known)}
    rows = [r for _, r in drawn if r.label in place]
    if len(drawn) < 2:
        return
    if len(known) < 2 or len(rows) < 50:
        yield _silent(len(drawn), f"it needs 50 texts, of two labels with at least {least} each")
        return
    labels: Labels = np.array([place[r.label] for r in rows], dtype=np.intp)
    space, vectors = features([_words(r) for r in rows], min(size, len(rows) // 4))
    model = fit(vectors, labels, len(known))
    ridge, bayes = left_out(model, vectors, labels)
    right = float((mixed_scores(ridge, bayes).argmax(axis=1) == labels).mean())
    common = float(np.bincount(labels).max() / len(labels))
    if right < common + 0.3 * (1 - common):
        yield _silent(
            len(drawn), f"words tell {right:.0%} of the labels, the most frequent label is {common:.0%}"
        )
        return
    truth = _judged(ridge, bayes, labels)
    planted: Labels = (labels + np.random.default_rng(SEED).integers(1, len(known), len(labels))) % len(known)
    wrong = _judged(ridge, bayes, planted)
    scale = _Scale(np.sort(truth.ahead), np.sort(truth.fits))
    line = limit(_score(truth, scale), _score(wrong, scale), alarms)
    found, judged = 0, 0
    for part, seen, theirs in _parts(records, rows, drawn, truth, labels, place, model, space, most):
        judged += len(part)
        for finding in _findings(part, seen, theirs, scale, line, known):
            found += 1
            yield finding
    yield rate("label_noise.suspected", found, judged)
    yield rate("label_noise.reach", round(line.reach * len(rows)), len(rows))


def _parts(
    records: Whole,
    rows: list[Record],
    drawn: list[tuple[int, Record]],
    truth: _Judged,
    labels: Labels,
    place: dict[str, int],
    model: Linear,
    space: Space,
    most: int,
) -> Iterator[tuple[list[Record], _Judged, Labels]]:
    """All texts with their judgements: the drawn ones, then the rest in blocks."""
    yield rows, truth, labels
    if len(drawn) < most:
        return
    inside = {n for n, _ in drawn}
    labelled = (r for n, r in enumerate(r for r in records if r.label) if n not in inside)
    for block in blocks(r for r in labelled if r.label in place):
        _space, more = features([_words(r) for r in block], 0, space)
        theirs: Labels = np.array([place[r.label] for r in block], dtype=np.intp)
        yield block, _judged(*scores(model, more), theirs), theirs


def _judged(ridge: Scores, bayes: Scores, labels: Labels) -> _Judged:
    every = np.arange(len(labels))
    total = mixed_scores(ridge, bayes)
    others = total.copy()
    others[every, labels] = -np.inf
    best = others.argmax(axis=1)
    rest = ridge.copy()
    rest[every, labels] = -np.inf
    return _Judged(best, ridge[every, labels] - rest.max(axis=1), bayes[every, labels])


def _score(seen: _Judged, scale: _Scale) -> Scores:
    total: Scores = (placed(seen.ahead, scale.ahead) + placed(seen.fits, scale.fits)) / 2
    return total


def _findings(
    rows: Sequence[Record], seen: _Judged, labels: Labels, scale: _Scale, line: Limit, known: list[str]
) -> Iterator[Finding]:
    score = _score(seen, scale)
    for n in np.flatnonzero((score <= line.at) & (seen.ahead < 0)).tolist():
        sure = 1 - 0.7 * float(score[n]) / max(line.at, 1e-9)
        yield Finding(
            check="label_noise",
            what="label",
            record=rows[n].id,
            severity="medium",
            note="texts with such words mostly carry another label",
            evidence=f"suggested label: {known[int(seen.other[n])]}; the given label ranks lower than "
            f"{1 - float(score[n]):.1%} of all",
            confidence=round(min(0.99, max(0.01, sure)), 4),
        )


def _silent(count: int, why: str) -> Tally:
    note = f"nothing is said of labels: {why}"
    return Tally(check="label_noise", name="not_judged", counts={"labelled texts": count}, note=note)


def _words(record: Record) -> str:
    return "\n".join(m.content for m in record.messages if m.role in ("user", "tool"))
