"""The entity tagger's network, on numpy alone: rows of words in, a score for every tag out."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.checks._tagger_words import Lists, pieces

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

KNOWN = 40_000
"""Words whose rows are kept; past that the memory of words starts anew."""


class Layer(NamedTuple):
    """One convolution: how far apart its words are, and its weights."""

    step: int
    weights: Floats  # (taps, in, out)
    bias: Floats


class Weights(NamedTuple):
    """All that was learnt, as it lies in the file."""

    table: npt.NDArray[np.int8]
    scale: Floats
    lists: Lists
    first: Layer
    casing: Floats  # a bias for each kind of casing of a text
    inner: tuple[Layer, ...]
    last: Floats
    last_bias: Floats
    gate: tuple[Layer, Layer]

    @property
    def gap(self) -> int:
        """Empty rows between two texts: the widest step of a layer, so that no text sees its neighbour."""
        return max(len(self.first.weights) // 2, *(layer.step for layer in self.inner))

    @property
    def field(self) -> int:
        """Words to each side that can change what a word is tagged as."""
        return len(self.first.weights) // 2 + sum(layer.step for layer in self.inner)


def load(path: Path) -> Weights:
    """The weights in an npz file written by training/entities; nothing in it is unpickled."""
    with np.load(path, allow_pickle=False) as file:
        real = {name: file[name].astype(np.float32) for name in file.files if file[name].dtype == np.float16}
        steps = [int(step) for step in file["steps"]]
        return Weights(
            table=file["table"],
            scale=real["scale"],
            lists=Lists(file["list_hashes"], file["list_bits"]),
            first=Layer(1, real["first"], real["first_bias"]),
            casing=real["casing"],
            inner=tuple(
                Layer(step, real[f"inner{at}"], real[f"inner{at}_bias"]) for at, step in enumerate(steps)
            ),
            last=real["last"],
            last_bias=real["last_bias"],
            gate=(
                Layer(0, real["gate0"], real["gate0_bias"]),
                Layer(0, real["gate1"], real["gate1_bias"]),
            ),
        )


class Words(dict[str, int]):
    """Numbers of words. A word asked for the first time gets the next number and waits in `new`."""

    def __init__(self) -> None:
        super().__init__({"": 0})
        self.new = list[str]()

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        self.new.append(word)
        return number


class Memory:
    """What is known of the words met so far: their rows, casing and whether one could be an entity."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.words = Words()
        self.filled = 1
        self.lock = Lock()
        self.rows = np.zeros((1, weights.table.shape[1]), dtype=np.float32)
        self.case = np.zeros(1, dtype=np.int8)
        self.hope = np.full(1, -99, dtype=np.float32)

    def numbers(self, words: Sequence[str]) -> Ids:
        """The number of each word; "" is 0, the empty row."""
        with self.lock:
            got = np.fromiter(map(self.words.__getitem__, words), dtype=np.int64, count=len(words))
            if self.words.new:
                self._learn()
        return got

    def _learn(self) -> None:
        new = self.words.new
        self.words.new = []
        for start in range(0, len(new), 4096):
            part = new[start : start + 4096]
            rows = summed(self.weights, part)
            known = self.filled
            self._room(known + len(part))
            self.rows[known : known + len(part)] = rows
            self.case[known : known + len(part)] = [casing(word) for word in part]
            self.hope[known : known + len(part)] = hoped(self.weights, rows)
            self.filled = known + len(part)

    def _room(self, wanted: int) -> None:
        if wanted > len(self.rows):
            more = max(wanted, 2 * len(self.rows), 4096) - len(self.rows)
            self.rows = np.concatenate([self.rows, np.zeros((more, self.rows.shape[1]), dtype=np.float32)])
            self.case = np.concatenate([self.case, np.zeros(more, dtype=np.int8)])
            self.hope = np.concatenate([self.hope, np.zeros(more, dtype=np.float32)])


def casing(word: str) -> int:
    """0 for no letters, 1 for small letters, 2 for a capital and small ones, 3 for capitals only."""
    if not word[:1].isalpha():
        return 0
    if word.islower():
        return 1
    return 3 if len(word) > 1 and word.isupper() else 2


def summed(weights: Weights, words: Sequence[str]) -> Floats:
    """One row a word: the sum of the table's rows for its pieces."""
    found = pieces(words, len(weights.table), weights.lists)
    parts = weights.table[found.rows].astype(np.float32) * weights.scale[found.rows][:, None]
    return np.add.reduceat(parts, found.starts[:-1], axis=0).astype(np.float32)


def hoped(weights: Weights, rows: Floats) -> Floats:
    """How likely each word is to be part of something named, by itself (a logarithm of odds)."""
    first, second = weights.gate
    inner = np.maximum(rows @ first.weights[0] + first.bias, 0)
    return np.asarray(inner @ second.weights[0] + second.bias, dtype=np.float32)[:, 0]


def text_casing(case: npt.NDArray[np.int8], starts: Ids) -> Ids:
    """What kind of text each is by its words' casing: 0 mixed, 1 small letters, 2 capitals, 3 titles."""
    small, title, capital = (np.add.reduceat((case == which).astype(np.int64), starts) for which in (1, 2, 3))
    letters = small + title + capital
    kinds = np.where(small < 0.3 * letters, 3, 0)
    kinds[capital > 0.6 * letters] = 2
    kinds[small == letters] = 1
    kinds[letters < 3] = 0
    return kinds


def forward(
    weights: Weights, rows: Floats, kinds: npt.NDArray[np.int64], empty: npt.NDArray[np.bool_]
) -> Floats:
    """Scores (words, tags). `kinds` is the casing of each row's text; `empty` marks rows between texts."""
    none = np.flatnonzero(empty)
    out = np.empty((len(rows), len(weights.first.bias)), dtype=np.float32)
    more, part = np.empty_like(out), np.empty_like(out)
    _slid(weights.first, rows, out, part)
    out += weights.casing[kinds]
    np.maximum(out, 0, out=out)
    out[none] = 0
    for layer in weights.inner:
        _slid(layer, out, more, part)
        np.maximum(more, 0, out=more)
        out += more
        out[none] = 0
    return np.asarray(out @ weights.last + weights.last_bias, dtype=np.float32)


def _slid(layer: Layer, rows: Floats, out: Floats, part: Floats) -> None:
    """A convolution along the words into `out`; what lies outside counts as zero. `part` is room."""
    taps, count = len(layer.weights), len(rows)
    half = taps // 2
    np.matmul(rows, layer.weights[half], out=out)
    for tap in range(taps):
        shift = (tap - half) * layer.step
        if shift < 0 and count > -shift:
            np.matmul(rows[:shift], layer.weights[tap], out=part[:shift])
            out[-shift:] += part[:shift]
        elif shift > 0 and count > shift:
            np.matmul(rows[shift:], layer.weights[tap], out=part[:-shift])
            out[:-shift] += part[:-shift]
    out += layer.bias
