"""Evaluation questions in the training data."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from tunewright.checks._items import of_benchmark, of_cases
from tunewright.checks._overlap import Index, Match
from tunewright.errors import BadInput
from tunewright.nouns import Case, Finding, Record, Severity

BATCH = 256
ANSWERED = ("assistant", "rejected")
KINDS: dict[str, tuple[str, Severity]] = {
    "exact": ("is word for word", "high"),
    "ngram": ("holds much of", "high"),
    "near": ("is nearly", "medium"),
}
_kept = dict[tuple[object, ...], Index]()


def contamination(
    records: Iterable[Record],
    *,
    cases: Iterable[Case],
    coverage: float = 0.5,
    threshold: float = 0.7,
    benchmarks: tuple[str, ...] = (),
    answers: bool = False,
) -> Iterator[Finding]:
    """Evaluation questions that are also in the training data: what was learnt by heart proves nothing.

    Compares what users say in the records with what they say in `cases` and with what is asked in the files
    `benchmarks` (JSONL, JSON, CSV, TSV, Parquet; text files by line): public benchmarks on this disk, read by
    fields with names like question, prompt or sentence. With `answers`, reference answers are compared with
    what the assistant says. `exact`: the same words after folding case, width, punctuation and white space.
    `ngram`: a run of 8 words in common (of all words, if the item has 4 to 7; numbers count as equal) and at
    least the share `coverage` of the item's runs of 3 words. `near`: the similarity that the check
    `duplicates` states, of at least `threshold`. Runs that more than a fifth of the items of one file, or of
    the cases, share are taken for the test's own wording. Evidence tells the longest run of words in common,
    and the share. Sources: GPT-3 (Brown et al. 2020, appendix C) for n-gram overlap, ConTAM (Singh et al.
    2024) for 8 words and the longest match, MinHash (Broder 1997) to find rewrites.

    Limits: a paraphrase or translation of a question passes; items of up to 3 words are only compared as a
    whole; of an item only the first 20,000 characters are compared, and near rewrites only with whole turns.
    """
    if not 0 < threshold <= 1 or not 0 <= coverage <= 1:
        raise BadInput("contamination: `threshold` and `coverage` lie between 0 and 1")
    index = _index(tuple(cases), tuple(benchmarks), coverage, threshold, answers)
    reading = iter(records)
    while batch := list(islice(reading, BATCH)):
        turns = [
            (number, place, m.content, m.role in ANSWERED)
            for number, record in enumerate(batch)
            for place, m in enumerate(record.messages)
            if m.role == "user" or (answers and m.role in ANSWERED)
        ]
        best = dict[tuple[int, str], tuple[int, Match]]()
        for at, match in index.look([(content, said) for _, _, content, said in turns]):
            number, place, *_ = turns[at]
            key = (number, match.item)
            if key not in best or list(KINDS).index(match.what) < list(KINDS).index(best[key][1].what):
                best[key] = (place, match)
        for (number, _), (place, match) in sorted(best.items(), key=lambda one: one[0][0]):
            verb, severity = KINDS[match.what]
            yield Finding(
                check="contamination",
                what=match.what,
                record=batch[number].id,
                message=place,
                severity=severity,
                note=f"{verb} {match.item}",
                evidence=match.evidence,
            )


def _index(
    cases: tuple[Case, ...], benchmarks: tuple[str, ...], coverage: float, threshold: float, answers: bool
) -> Index:
    """The index of these items; the last few are kept, because records come in many small lots."""
    files = tuple(Path(name) for name in benchmarks)
    stamps = tuple(
        (str(f.absolute()), f.stat().st_mtime_ns, f.stat().st_size) if f.is_file() else f for f in files
    )
    told = tuple(
        (case.id, case.reference, *(m.content for m in case.messages if m.role == "user")) for case in cases
    )
    key = (hash(told), told, stamps, coverage, threshold, answers)
    if key not in _kept:
        groups = [list(of_cases(cases, answers)), *(list(of_benchmark(file, answers)) for file in files)]
        while len(_kept) >= 4:
            _kept.pop(next(iter(_kept)))
        _kept[key] = Index(groups, coverage, threshold)
    return _kept[key]
