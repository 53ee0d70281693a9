"""What is kept of each record to compare it with others: digests, signatures and shingle sets."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from tunewright.checks import _minhash, _shingles
from tunewright.checks._minhash import Keys
from tunewright.checks._shingles import Hashes, Kind, Numbers
from tunewright.nouns import Record

VIEWS: tuple[tuple[str, Kind], ...] = (
    ("asked", "long"),
    ("asked", "short"),
    ("whole", "long"),
    ("whole", "short"),
)
"""What was asked and the whole conversation, each as a long and as a short text where its length allows."""
SAME, TEXT, PLACE, COUNT, FIRST, KINDS, GIST = 2, 4, 6, 10, 14, 15, 16
WIDTH = GIST + _minhash.SKETCH
"""Columns of `heads`: digest of the record (0, 1), digests of its normal form (`SAME`) and, with a label, of
what was asked (`TEXT`), place and size of four sets (`PLACE`, `COUNT`), row of its first signature, how many
it has, and a sketch of all its words (`GIST`) where much more was said than asked."""


NOTHING = b"\0" * 16


class Signed(NamedTuple):
    """Some records as numbers: one row of `heads` each; one row of the others for each kind of question."""

    heads: Hashes
    bands: Keys
    sketches: Hashes
    kinds: Numbers
    """0 long; 1 and 2 short, whose bins are grouped in two ways."""
    owners: Numbers
    """Which record, counted from the first of these."""
    sets: Hashes


class Said(NamedTuple):
    """The parts of one record that are compared."""

    label: str
    turns: tuple[tuple[str, str], ...]

    @classmethod
    def by(cls, record: Record) -> "Said":
        """All turns but the system prompt; the answer of a labelled text is its label and counts as such."""
        label = record.label
        turns = [(m.role, m.content) for m in record.messages if m.role != "system"]
        last = len(turns) - 2 if turns and turns[-1][0] == "rejected" else len(turns) - 1
        if label and last > 0 and turns[last] == ("assistant", label):
            del turns[last]
        return cls(label, tuple(turns))

    @property
    def key(self) -> bytes:
        """128-bit digest of the words as they stand."""
        return _digest(
            self.label, [(role, text.encode("utf-8", "surrogatepass")) for role, text in self.turns]
        )


def _digest(label: str, turns: Sequence[tuple[str, bytes]]) -> bytes:
    """128 bits that stand for these turns."""
    sizes = ",".join([f"{role}{len(text)}" for role, text in turns])
    head = f"{len(label)} {label} {sizes} ".encode("utf-8", "surrogatepass")
    return blake2b(b"".join([head, *[text for _, text in turns]]), digest_size=16).digest()


def signed(batch: Sequence[Said], size: int) -> Signed:
    """Up to 4,096 records as numbers; runs of `size` words are compared in long texts."""
    count = len(batch)
    heads = np.zeros((count, WIDTH), dtype=np.uint64)
    same, texts, turns = list[bytes](), list[bytes](), list[bytes]()
    for said in batch:
        normal = list[tuple[str, bytes]]()
        for role, content in said.turns:
            if len(content) <= _shingles.READ:
                form, words = _shingles.folded(content)
            else:
                form, words = _shingles.folded(content)[0], _shingles.folded(content[: _shingles.READ])[1]
            normal.append((role, form))
            turns.append(words)
        same.append(_digest(said.label, normal))
        texts.append(_digest("", normal) if said.label else NOTHING)
    heads[:, SAME : SAME + 2] = np.frombuffer(b"".join(same), dtype=np.uint64).reshape(count, 2)
    heads[:, TEXT : TEXT + 2] = np.frombuffer(b"".join(texts), dtype=np.uint64).reshape(count, 2)
    text = _shingles.Texts(turns)
    hashes = text.hashes
    record = np.repeat(np.arange(count), [len(said.turns) for said in batch])
    users = np.array([role == "user" for said in batch for role, _ in said.turns], dtype=bool)
    record, users = np.repeat(record, text.counts), np.repeat(users, text.counts)
    every = np.bincount(record, minlength=count)
    asked = np.bincount(record[users], minlength=count)
    differ = (asked > 0) & (asked < every)
    sets, place = list[Hashes](), 0
    parts = list[tuple[Numbers, int, Keys, Hashes]]()
    views = ((~differ[record] | users, np.where(differ, asked, every)), (differ[record], every * differ))
    for view, (inside, lengths) in enumerate(views):
        for kind in (0, 1):
            keep = (
                (lengths >= _shingles.SHORT) if kind == 0 else (lengths > 0) & (lengths < _shingles.OVERLAP)
            )
            rows = np.flatnonzero(keep)
            if not len(rows):
                continue
            chosen = inside & keep[record]
            if kind == 0:
                keys = features = _shingles.word_sets(hashes[chosen], lengths[rows], size)
            else:
                letters = text.codes(chosen, lengths[rows])
                keys, features = _shingles.character_sets(*letters, hashes[chosen], lengths[rows])
            sizes = _shingles.sizes(keys, len(rows))
            column = 2 * view + kind
            heads[rows, PLACE + column] = (place + np.cumsum(sizes) - sizes).astype(np.uint64)
            heads[rows, COUNT + column] = sizes.astype(np.uint64)
            sets.append(_shingles.plain(keys))
            place += len(keys)
            if view == 0:
                bands, sketches = _minhash.sign(features, len(rows), 1 + kind)
                parts += [(rows, kind + order, some, sketches) for order, some in enumerate(bands)]
        if view == 1 and differ.any():
            inside &= every[record] >= _shingles.SHORT
            gist = _shingles.distinct(_shingles.mix(hashes[inside]), record[inside])
            heads[:, GIST:] = _minhash.sketch(gist, count)
    alone = np.flatnonzero(~differ)
    for column in (0, 1):
        heads[alone, PLACE + 2 + column] = heads[alone, PLACE + column]
        heads[alone, COUNT + 2 + column] = heads[alone, COUNT + column]
    owners = np.concatenate([np.zeros(0, dtype=np.int64), *(part[0] for part in parts)])
    kinds = np.repeat(np.array([part[1] for part in parts], dtype=np.int64), [len(part[0]) for part in parts])
    order = np.lexsort((kinds, owners))
    several = np.bincount(owners, minlength=count)
    heads[:, FIRST] = (np.cumsum(several) - several).astype(np.uint64)
    heads[:, KINDS] = several.astype(np.uint64)
    return Signed(
        heads,
        np.concatenate([np.zeros((0, _minhash.BANDS), dtype=np.uint32), *(part[2] for part in parts)])[order],
        np.concatenate([np.zeros((0, _minhash.SKETCH), dtype=np.uint64), *(part[3] for part in parts)])[
            order
        ],
        kinds[order],
        owners[order],
        np.concatenate([np.zeros(0, dtype=np.uint64), *sets]),
    )
