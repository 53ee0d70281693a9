"""Records that say the same thing twice."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tunewright.checks import Whole
from tunewright.checks._clusters import Flags, Near, conflicts, near, repeats
from tunewright.checks._kept import Kept, Table
from tunewright.checks._memory import Memory, Reading
from tunewright.checks._shingles import Numbers
from tunewright.errors import BadInput
from tunewright.nouns import Finding, Severity, Tally


def duplicates(
    records: Whole, *, threshold: float = 0.7, words: int = 5, cache: Path | None = None
) -> Iterator[Finding | Tally]:
    """Records that repeat an earlier one, word for word or nearly, and equal texts with different labels.

    `exact`: the same turns after folding case, width and white space. `near`: exact Jaccard similarity of at
    least `threshold` (0 to 1), both between the whole conversations and between what the users said in them,
    so different questions with the same stock answer are no duplicates. Texts of 40 words and more are
    compared by runs of `words` words (2 to 16): with 5, one changed word in twenty leaves about 0.62, with 3
    about 0.75. Shorter texts, and texts of up to 63 words with shorter ones, are compared by runs of 3
    characters; from nine different words on also with every word counted as three more, whichever is more
    alike, so that one changed word in ten is mostly still found. `conflict`: labelled texts with the same
    words but another label than most of them carry. Near duplicates must carry the same label.

    The first of a kind is kept. Later ones are found, each naming the earliest record that it repeats, and
    the one that is kept when that is another. The system prompt is not compared. `clusters` counts the kept
    records that are repeated, by how many records say the same.

    Candidates come from one permutation hashing with locality-sensitive hashing (Li, Owen and Zhang 2012;
    Shrivastava and Li 2014; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3); every
    pair is then verified exactly on its hashed shingles. In the folder `cache` the signatures of the last run
    stay, so only new records are signed, and what was found, so that records added at the end are all that
    is compared. They hold no words, but hashes of runs of words, which must be protected like the records.

    Limits: paraphrases and translations pass; so do long texts in which more than about every thirtieth word
    was changed, unless `threshold` or `words` is lowered. A pair just above the threshold is missed about
    once in a thousand times, more often below a threshold of 0.6 and in crowds: of more than 32 records with
    almost the same question, and of rows made of a few words only, not all pairs are looked at. Texts are
    compared by their first million characters.
    """
    if not 0 < threshold <= 1 or not 2 <= words <= 16:
        raise BadInput("duplicates: `threshold` lies above 0 and at most at 1, `words` between 2 and 16")
    reading = Reading(records, named=True)
    if not len(reading):
        return
    with Kept(cache, words) as kept:
        table = kept.read(reading)
        ids, first = table.ids, repeats(table)
        found = list[tuple[int, str, Severity, str, str]]()
        for number, other, most, every in conflicts(table):
            found.append(
                (
                    number,
                    "conflict",
                    "medium",
                    f"says the same as record {ids[other]} but is labelled differently",
                    f"{most} of {every} records with these words carry the label of {ids[other]}",
                )
            )
        root = first.copy()
        alive = first == np.arange(len(ids))
        memory = Memory(cache, "duplicates", threshold, words)
        for one in _near(reading, memory, table, kept, alive, threshold):
            other = one.earlier
            root[one.record] = root[other]
            by = f"runs of {words} words" if one.kind == "long" else "runs of 3 characters and words"
            note = f"repeats record {ids[other]} nearly: similarity {one.whole:.2f}"
            evidence = f"Jaccard similarity of {by}: {one.whole:.3f}, of the questions alone {one.asked:.3f}"
            found.append((one.record, "near", "medium", note + _kept_one(ids, other, root), evidence))
        for number in np.flatnonzero(~alive).tolist():
            other = int(first[number])
            root[number] = root[other]
            note = f"repeats record {ids[other]} word for word" + _kept_one(ids, other, root)
            found.append(
                (number, "exact", "medium", note, "the same after folding case, width and white space")
            )
    for number, what, severity, note, evidence in sorted(found):
        yield Finding(
            check="duplicates", what=what, record=ids[number], severity=severity, note=note, evidence=evidence
        )
    sizes = Counter(np.unique(root, return_counts=True)[1].tolist())
    del sizes[1]
    if sizes:
        classes = {"2": (2, 2), "3": (3, 3), "4-9": (4, 9), "10+": (10, len(ids))}
        counts = {
            name: sum(n for size, n in sizes.items() if a <= size <= b) for name, (a, b) in classes.items()
        }
        yield Tally(
            check="duplicates",
            name="clusters",
            counts=counts,
            note="kept records, by how many records say the same",
        )


def _near(
    reading: Reading, memory: Memory, table: Table, kept: Kept, alive: Flags, threshold: float
) -> Iterator[Near]:
    """Records that nearly repeat an earlier one. Where records were only added at the end since the last
    time, what was found then still holds, because each record is compared with earlier ones only."""
    found, start = list[Near](), 0
    before = memory.arrays("near", memory.form)
    if before is not None:
        count = int(before["count"][0])
        if count <= len(reading) and str(before["digest"]) == _prefix(reading, count):
            start = count
            columns = (before[name].tolist() for name in ("record", "earlier", "asked", "whole", "long"))
            found = [
                Near(int(one), int(other), asked, whole, "long" if long else "short")
                for one, other, asked, whole, long in zip(*columns, strict=True)
            ]
    found += near(table, kept, alive, threshold, start)
    if before is None or start < len(reading):
        arrays = {
            "count": np.array([len(reading)]),
            "digest": np.array(_prefix(reading, len(reading))),
            "record": np.array([one.record for one in found], dtype=np.int64),
            "earlier": np.array([one.earlier for one in found], dtype=np.int64),
            "asked": np.array([one.asked for one in found]),
            "whole": np.array([one.whole for one in found]),
            "long": np.array([one.kind == "long" for one in found], dtype=bool),
        }
        memory.keep("near", memory.form, arrays)
    yield from found


def _prefix(reading: Reading, count: int) -> str:
    return reading.digest(np.arange(count), "first")


def _kept_one(ids: list[str], other: int, root: Numbers) -> str:
    """Which record is kept, where it is not the one that is repeated."""
    return "" if root[other] == other else f"; of these, record {ids[root[other]]} is kept"
