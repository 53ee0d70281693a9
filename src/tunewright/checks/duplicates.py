"""Records that say the same thing twice."""

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np

from tunewright.checks import Whole
from tunewright.checks._shingles import Hashes, Neighbours, alike, bands, normal, said
from tunewright.nouns import Finding


def duplicates(records: Whole, *, threshold: float = 0.7) -> Iterator[Finding]:
    """Records that repeat an earlier one, word for word or nearly.

    `exact`: the same turns after folding case, width and white space. `near`: exact Jaccard similarity of
    character shingles of at least `threshold` (0 to 1), both between the whole conversations and between
    what the users said in them, so different questions with the same stock answer are no duplicates.
    Labelled texts must carry the same label. The first of a kind is kept and later ones are found, each
    naming the kept record that it repeats. Candidates come from MinHash with locality-sensitive hashing
    (Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3); every pair is
    then verified exactly. The system prompt is not compared.

    Limits: reads all records before it speaks and keeps their words in memory; paraphrases and
    translations pass, a pair just above the threshold is missed about once in a hundred times, and of
    more than 100 records with almost the same question only the first 100 are compared.
    """
    ids: list[str] = []
    labels: list[str] = []
    questions: list[str] = []
    wholes: list[str] = []
    signatures: list[Hashes] = []
    seen: dict[bytes, int] = {}
    same: dict[int, int] = {}
    for number, record in enumerate(records):
        ids.append(record.id)
        turns = "\0".join(f"{m.role}\1{normal(m.content)}" for m in record.messages)
        key = blake2b(f"{record.label}\0{turns}".encode("utf-8", "replace"), digest_size=16).digest()
        first = seen.setdefault(key, number)
        if first != number:
            same[number] = first
        question = "" if first != number else said(record, "user")
        labels.append(record.label)
        questions.append(question)
        wholes.append("" if first != number else said(record, "user", "assistant", "tool"))
        signatures.append(bands(question) if question else np.arange(len(bands("")), dtype=np.uint64))
    keep = np.ones(len(ids), dtype=bool)
    keep[[n for n, question in enumerate(questions) if not question]] = False
    neighbours = Neighbours(signatures)
    kept: dict[int, int] = {}
    for number, name in enumerate(ids):
        if number in same:
            first = kept.get(same[number], same[number])
            yield _finding(name, "exact", f"repeats record {ids[first]} word for word")
            continue
        if not questions[number]:
            continue
        for other in neighbours.before(number, keep):
            if labels[other] != labels[number]:
                continue
            if alike(questions[other], questions[number]) < threshold:
                continue
            whole = alike(wholes[other], wholes[number])
            if whole >= threshold:
                keep[number] = False
                kept[number] = other
                yield _finding(name, "near", f"repeats record {ids[other]} nearly: similarity {whole:.2f}")
                break


def _finding(record: str, what: str, note: str) -> Finding:
    return Finding(check="duplicates", what=what, record=record, severity="medium", note=note)
