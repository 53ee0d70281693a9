"""How much of the personal data the check finds, measured on records that a person marked by hand."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tunewright.checks import checks
from tunewright.errors import Refused
from tunewright.nouns import Dataset, Finding, Mark, Measure, Policy, Record
from tunewright.project import Project
from tunewright.stats import rate
from tunewright.verbs._canaries import COVERED, covered
from tunewright.verbs._worker import as_told

DRAWS = 2000
"""Bootstrap samples."""
LOOKED_THROUGH = 5000
"""Records among which those to be marked are drawn."""

Span = tuple[int, int, int]


class Marked(NamedTuple):
    """One marked record: how many spans there are, how many of them were found, how many finds were none."""

    flagged: bool
    there: int
    found: int
    wrong: int


def key_of(project: Project, record: Record) -> str:
    """Names a record by its turns, keyed: a mark stays valid when ids or files change."""
    return project.commit("mark\0" + "\0".join(f"{m.role}\1{m.content}" for m in record.messages))


def to_mark(
    project: Project, policy: Policy, dataset: Dataset, wanted: int
) -> list[tuple[Record, list[Finding]]]:
    """Records that a person should mark next: half with findings and half without, drawn at random.

    Always the same for the same dataset, so that marking can be interrupted. Those marked already are left
    out.
    """
    marked = {mark.record for mark in project.marks()}
    records = project.records(dataset)
    draw = random.Random(dataset.digest)
    chance = min(1.0, LOOKED_THROUGH / max(1, len(records)))
    pool = [record for record in records if draw.random() < chance]
    found = _look(policy, pool)
    draw.shuffle(pool)
    sides: dict[bool, list[Record]] = {True: [], False: []}
    for record in pool:
        sides[bool(found.get(record.id))].append(record)
    half = min(len(sides[True]), max(wanted // 2, wanted - len(sides[False])))
    chosen = sides[True][:half] + sides[False][: wanted - half]
    draw.shuffle(chosen)
    return [(r, found.get(r.id, [])) for r in chosen if key_of(project, r) not in marked]


def audited(project: Project, policy: Policy, dataset: Dataset, flagged: int, wanted: int) -> list[Measure]:
    """Recall and precision of the check on marked records of this dataset, weighted to the whole of it.

    Errors: `Refused` when fewer than `wanted` are marked.
    """
    marks = {mark.record: mark for mark in project.marks()}
    mine = list[tuple[Record, Mark]]()
    if marks:
        for record in project.records(dataset):
            if mark := marks.get(key_of(project, record)):
                mine.append((record, mark))
    if len(mine) < wanted:
        raise Refused(
            f"{len(mine)} of {wanted} records are marked",
            hint=f"run `tunewright vet --audit {wanted}` in a terminal: it asks record by record",
        )
    if not mine:
        return []
    found = _look(policy, [record for record, _ in mine])
    rows = [_compare(mark, found.get(record.id, [])) for record, mark in mine]
    return measured(rows, flagged, dataset.count - flagged)


def measured(rows: Sequence[Marked], flagged: int, clean: int) -> list[Measure]:
    """Ratio estimates from records with and without findings, each weighted to its number in the dataset.

    Intervals: bootstrap by record within both groups (Efron and Tibshirani 1993). Where nothing was missed
    in the records without findings, the low end allows for three missed spans in so many records (rule of
    three).
    """
    if not sum(row.there for row in rows):
        return []
    value, draw = _recall(rows, flagged, clean), random.Random(0)
    groups = [[r for r in rows if r.flagged], [r for r in rows if not r.flagged]]
    draws = sorted(
        _recall([draw.choice(group) for group in groups for _ in group], flagged, clean) for _ in range(DRAWS)
    )
    low, high = draws[int(0.025 * DRAWS)], draws[int(0.975 * DRAWS)]
    if groups[1] and not sum(row.there for row in groups[1]):
        hits = sum(r.found for r in groups[0]) / max(1, len(groups[0])) * flagged
        low = min(low, hits / (hits + 3 / len(groups[1]) * clean) if hits else 0.0)
    how = "marked by hand; weighted by group, bootstrap by record"
    n = sum(row.there for row in rows)
    recall = Measure(name="audit.personal.recall", value=value, low=low, high=high, n=n, method=how)
    right, wrong = sum(r.found for r in rows), sum(r.wrong for r in rows)
    return [recall, rate("audit.personal.precision", right, right + wrong)] if right + wrong else [recall]


def _recall(rows: Sequence[Marked], flagged: int, clean: int) -> float:
    """Found spans over all spans, with each group's mean taken for the whole of it."""
    sizes = Counter(row.flagged for row in rows)
    weight = {True: flagged / max(1, sizes[True]), False: clean / max(1, sizes[False])}
    there = sum(weight[row.flagged] * row.there for row in rows)
    return sum(weight[row.flagged] * row.found for row in rows) / there if there else 1.0


def _compare(mark: Mark, findings: Sequence[Finding]) -> Marked:
    spans = [(f.message, f.start, f.end) for f in findings]
    hits = sum(
        covered(start, end, [(low, high) for at, low, high in spans if at == message]) >= COVERED
        for message, start, end, _ in mark.spans
    )
    wrong = sum(
        covered(low, high, [(start, end) for at, start, end, _ in mark.spans if at == message]) < 0.5
        for message, low, high in spans
    )
    return Marked(bool(spans), len(mark.spans), hits, wrong)


def _look(policy: Policy, records: Sequence[Record]) -> dict[str, list[Finding]]:
    options = as_told(policy.options.get("personal", {}))
    found = dict[str, list[Finding]]()
    for seen in checks["personal"](records, **options):
        if isinstance(seen, Finding) and seen.end > seen.start:
            found.setdefault(seen.record, []).append(seen)
    return found
