"""Two fast classifiers over hashed words, with scores for texts that they have not been fitted to.

Ridge regression of one-hot labels on latent-semantic vectors: leaving one text out has a closed form
(Allen 1974, PRESS), so the out-of-sample scores of n texts cost one fit and not n. Complement naive Bayes
(Rennie et al. 2003) in folds: it judges well how badly a text fits a label.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tunewright.checks._topics import SEED, Floats, Space, bags

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Labels = NDArray[np.intp]
Scores = NDArray[np.float64]
FOLDS = 4


class Features(NamedTuple):
    """The texts twice: weighted words, and dense vectors with a constant in front."""

    words: "csr_matrix"
    dense: Floats


class Linear(NamedTuple):
    """A fit of both classifiers."""

    weights: Scores
    """Dense features x classes."""
    inverse: Scores
    bayes: Scores
    """Classes x words."""


def features(texts: Sequence[str], size: int, space: Space | None = None) -> tuple[Space, Features]:
    """Words and pairs of neighbouring words, weighted, and their vectors of at most `size` numbers."""
    counts = bags(texts, pairs=True)
    space = space or Space(counts, size)
    vectors = space.vectors(counts)
    ones = np.ones((len(vectors), 1), dtype=np.float32)
    return space, Features(space.weighted(counts), np.hstack([ones, vectors]))


def fit(rows: Features, labels: Labels, classes: int, penalty: float = 1.0) -> Linear:
    """Both classifiers, fitted to all rows."""
    wide = rows.dense.astype(np.float64)
    inverse: Scores = np.linalg.inv(wide.T @ wide + penalty * np.eye(wide.shape[1])).astype(np.float64)
    totals = np.zeros((classes, wide.shape[1]))
    np.add.at(totals, labels, wide)
    return Linear(inverse @ totals.T, inverse, _bayes(rows.words, labels, classes))


def scores(model: Linear, rows: Features) -> tuple[Scores, Scores]:
    """Of other texts: ridge scores and naive Bayes scores, texts x classes."""
    return rows.dense @ model.weights, _fits(rows.words, model.bayes)


def left_out(model: Linear, rows: Features, labels: Labels) -> tuple[Scores, Scores]:
    """Scores of the texts the model was fitted to, as if without them."""
    plain = rows.dense @ model.weights
    pull = np.clip(np.einsum("ij,ij->i", rows.dense @ model.inverse, rows.dense), 0, 0.999)[:, None]
    own = np.zeros_like(plain)
    own[np.arange(len(labels)), labels] = 1
    ridge = (plain - pull * own) / (1 - pull)
    classes = plain.shape[1]
    fold = np.random.default_rng(SEED).integers(0, FOLDS, len(labels))
    bayes = np.zeros_like(plain)
    for one in range(FOLDS):
        inside = fold != one
        bayes[~inside] = _fits(rows.words[~inside], _bayes(rows.words[inside], labels[inside], classes))
    return ridge, bayes


def _bayes(words: "csr_matrix", labels: Labels, classes: int, smooth: float = 0.3) -> Scores:
    from scipy.sparse import csr_matrix

    ones = np.ones(len(labels), dtype=np.float32)
    member = csr_matrix((ones, (labels, np.arange(len(labels)))), shape=(classes, len(labels)))
    inside = np.asarray((member @ words).todense(), dtype=np.float64)
    others = inside.sum(axis=0) - inside + smooth
    weights: Scores = -np.log(others / others.sum(axis=1, keepdims=True))
    return weights


def _fits(words: "csr_matrix", weights: Scores) -> Scores:
    raw = np.asarray(words @ weights.T)
    centred: Scores = raw - raw.mean(axis=1, keepdims=True)
    return centred


def mixed_scores(ridge: Scores, bayes: Scores) -> Scores:
    """One score a class: ridge, helped by naive Bayes where that is sure."""
    total: Scores = ridge + 0.4 * bayes
    return total
