"""The second opinion on a language: naive Bayes over byte n-grams, many texts at once."""

import math
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tunewright.checks._language_codes import CODES, GRASPING

Grid: TypeAlias = NDArray[np.float32]

_BYTES = 400
_TOGETHER = 512


class Bayes:
    """The model of `py3langid` 0.4 (after Lui and Baldwin 2012), scored for many texts at once.

    `codes` are the columns of what `votes` returns. The model is an .npz within that package, which it reads
    with `allow_pickle=False`; its automaton and tables are used as they are, and a test holds the answers
    against the package's own.
    """

    def __init__(self) -> None:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier, visit_counts

        model = LanguageIdentifier.from_model_file(MODEL_FILE)
        labels = [str(label) for label in model.nb_classes]
        self.codes = list(dict.fromkeys(CODES.get(label, label) for label in labels))
        self.place = {code: at for at, code in enumerate(self.codes)}
        order = sorted(range(len(labels)), key=lambda at: self.place[CODES.get(labels[at], labels[at])])
        columns = [self.place[CODES.get(labels[at], labels[at])] for at in order]
        self._starts = np.searchsorted(np.array(columns), np.arange(len(self.codes)))
        self._table: Grid = np.ascontiguousarray(model.nb_ptc[:, order], dtype=np.float32)
        self._prior: Grid = np.asarray(model.nb_pc, dtype=np.float32)[order]
        self._owed: Grid = np.array([_owed(labels[at]) for at in order], dtype=np.float32)
        self.owed: Grid = np.minimum.reduceat(self._owed, self._starts)
        rows, moves, ends = [r << 8 for r in model.tk_row], model.tk_nextmove, model.tk_output
        self._visits: Callable[[bytes], dict[int, int] | None] = lambda text: visit_counts(
            moves, rows, ends, text
        )

    def votes(self, texts: Sequence[str]) -> Grid:
        """Log-probabilities [texts x codes], less what a language owes for taking over its neighbours'
        sentences. Tempered by the square root of the length in bytes, as the package does."""
        parts = [self._few(texts[at : at + _TOGETHER]) for at in range(0, len(texts), _TOGETHER)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.codes)), dtype=np.float32)

    def _few(self, texts: Sequence[str]) -> Grid:
        scores = np.zeros((len(texts), self._table.shape[1]), dtype=np.float32)
        lengths = np.ones(len(texts), dtype=np.float32)
        for at, text in enumerate(texts):
            text = unicodedata.normalize("NFC", text.lower() if text.isupper() else text)
            octets = text.encode("utf-8", "replace")[:_BYTES]
            visits = self._visits(octets)
            if visits:
                features = np.fromiter(visits.keys(), dtype=np.intp, count=len(visits))
                counts = np.fromiter(visits.values(), dtype=np.float32, count=len(visits))
                scores[at] = np.log1p(counts) @ self._table[features] + self._prior
                lengths[at] = len(octets)
        scores /= np.sqrt(lengths)[:, None]
        scores -= scores.max(axis=1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        best: Grid = np.maximum.reduceat(scores - self._owed, self._starts, axis=1)
        return np.maximum(best, np.float32(math.log(1e-9)))


def _owed(label: str) -> float:
    return 2.0 if label in GRASPING else 3.0 if len(label) == 3 and label != "zxx" else 0.0


@cache
def bayes() -> Bayes | None:
    """The second opinion, or None when `py3langid` is not installed."""
    try:
        return Bayes()
    except ModuleNotFoundError:
        return None
