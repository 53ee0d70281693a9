"""Whether there is enough."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tunewright.checks import Whole
from tunewright.checks._linear import Labels
from tunewright.checks._memory import Memory, Reading
from tunewright.checks._sufficiency import coverage, distinct, learnt, signatures
from tunewright.checks._topics import asked
from tunewright.nouns import Case, Curve, Finding, Measure, Record, Severity, Tally
from tunewright.stats import rate


def sufficiency(
    records: Whole,
    *,
    cases: tuple[Case, ...] = (),
    curve: Curve | None = None,
    per_label: int = 30,
    fewest: int = 50,
    enough: int = 1000,
    most: int = 10_000,
    cache: Path | None = None,
) -> Iterator[Finding | Tally | Measure]:
    """How much there is when copies count once, what of the evaluation it covers, and what more would bring.

    `sufficiency.effective_size`: records when near copies count once. `sufficiency.coverage`: the share
    of evaluation cases whose question is as near to some training record as nine in ten training records
    are to another; the others are named (`uncovered`). For labelled texts, a learning curve of a fast linear
    classifier: its accuracy (`sufficiency.accuracy_of_words`) and what twice the data would add
    (`sufficiency.gain_of_double`). For answers in words that takes a tuned model: it is `not_measured` until
    `tunewright curve` has measured it for this base model, and is then told as measured, with day and size
    (`sufficiency.loss_gain_of_double`, how much the held-out loss would fall, in nats per token), or as
    `cannot_tell`.

    Found as `too_few`, of the whole (`record` is empty): fewer than `per_label` distinct texts a label, the
    larger of the two sizes at which Casanueva et al. (2020) report few-shot intent detection; for answers,
    fewer than `fewest` distinct ones, the lower end at which providers of fine-tuning report first effects,
    or fewer than `enough`, with which Zhou et al. (2023, LIMA) tuned a large model. They are rules of thumb.
    Also `too_few` is what the learning curve of a tuned model says is not enough for the release policy.

    Coverage and curve look at at most `most` records, drawn evenly; the sample stays the same while records
    are added at the end, up to a 16th of them. In the folder `cache` stay hashes of each record's words, and
    what was seen in the sample.

    Limits: nearness is by words, so a paraphrase may count as uncovered and a different question in the same
    words as covered. The curve of labels is that of a simple classifier and not of the model that will be
    tuned; the curve of a tuned model may be of earlier data; a power law may not go on. Says nothing of one
    record.
    """
    reading = Reading(records)
    total = len(reading)
    if total < 2:
        return
    every = np.arange(total)
    memory = Memory(cache, "sufficiency")
    table = memory.numbers("words", reading, every, lambda block: signatures([r.text for r in block]))
    size = distinct(table.astype(np.uint64, copy=False))
    yield size
    places = reading.sample(np.ones(total, dtype=bool), most)
    questions = [(case.id, case.messages, case.topic, case.label) for case in cases]
    form = reading.digest(places, questions)
    match memory.told("sample", form):
        case [dict(labels), list(said)]:
            seen = [_KINDS[kind].model_validate_json(text) for kind, text in said]
        case _:
            drawn = list(reading.at(places))
            labels = Counter(r.label for r in drawn if r.label)
            seen = list(_of_sample(drawn, cases))
            memory.tell("sample", form, [labels, [[one.kind, one.model_dump_json()] for one in seen]])
    yield from _too_few(size.value, total, Counter(labels), len(places), (per_label, fewest, enough))
    yield from seen
    if curve is not None:
        yield from _of_tuned(curve, total)
    elif (words := len(places) - Counter(labels).total()) > 0:
        note = "what more data would bring is not measured: it takes a tuned model (tunewright curve)"
        yield _finding("not_measured", "low", note, f"{words:,} records answer in words")


_KINDS: dict[str, type[Finding] | type[Tally] | type[Measure]] = {
    noun.kind: noun for noun in (Finding, Tally, Measure)
}


def _of_sample(drawn: list[Record], cases: tuple[Case, ...]) -> Iterator[Finding | Tally | Measure]:
    labelled = [r for r in drawn if r.label]
    if cases:
        yield from _covered(drawn, cases)
    if len(labelled) >= len(drawn) / 2:
        yield from _curve(labelled)


def _of_tuned(curve: Curve, total: int) -> Iterator[Finding | Measure]:
    """What the learning curve of a tuned model says, and when and of how much data."""
    where = f"measured {curve.day} with {curve.records:,} records to learn from"
    if not 0.8 < total / (curve.records + curve.held) < 1.25:
        where += f"; there are {total:,} now"
    points = ", ".join(f"{sum(p.losses) / len(p.losses):.3f} with {p.records:,}" for p in curve.points)
    gain = next((m for m in curve.measures if m.name == "curve.gain_of_double"), None)
    if curve.told == "cannot tell" or gain is None:
        yield _finding("cannot_tell", "low", f"{curve.sentence}; {where}", f"held-out loss {points}")
    else:
        method = f"held-out loss of tuned models, {points}; {where}; {gain.method}"
        yield gain.model_copy(update={"name": "sufficiency.loss_gain_of_double", "method": method})
    for needed in curve.needed:
        if needed.told == "more" and needed.records is not None:
            much = f"about {needed.records.value:,.0f} records would be enough"
        elif needed.told == "not by more of this data":
            much = "more of this data would not be"
        else:
            continue
        note = f"not enough for the gate, which asks for {needed.rule}: {much}"
        here = f"{needed.now.value:.3f} ({needed.now.low:.3f} to {needed.now.high:.3f})"
        yield _finding("too_few", "medium", note, f"{here}; {where}")


def _too_few(
    size: float, total: int, labels: Counter[str], drawn: int, limits: tuple[int, int, int]
) -> Iterator[Finding]:
    per_label, fewest, enough = limits
    labelled = labels.total()
    if labels and labelled >= drawn / 2:
        each = size * labelled / drawn / len(labels)
        if each < per_label:
            note = f"{each:.0f} distinct texts a label on average, fewer than {per_label}"
            yield _finding("too_few", "medium" if each < per_label / 3 else "low", note, _size(size, total))
    elif size < fewest:
        note = f"{size:.0f} distinct answers, fewer than the {fewest} at which effects begin to show"
        yield _finding("too_few", "medium", note, _size(size, total))
    elif size < enough:
        note = f"{size:.0f} distinct answers, fewer than {enough:,}: that is enough for a manner"
        yield _finding("too_few", "low", note, _size(size, total))


def _size(size: float, total: int) -> str:
    return f"effective size {size:.0f} of {total:,} records"


def _covered(drawn: list[Record], cases: tuple[Case, ...]) -> Iterator[Finding | Tally | Measure]:
    texts = [text for text in map(asked, drawn) if text.strip()]
    if len(texts) < 20:
        yield _finding("not_measured", "low", "coverage is not measured: fewer than 20 questions", "")
        return
    questions = ["\n".join(m.content for m in case.messages if m.role == "user") for case in cases]
    seen = coverage(texts, questions)
    inside = seen.near >= seen.limit
    yield rate("sufficiency.coverage", int(inside.sum()), len(cases))
    missing = [case for case, ok in zip(cases, inside.tolist(), strict=True) if not ok]
    if not missing:
        return
    topics = Counter(case.topic or case.label or "no topic stated" for case in missing)
    of_all = Counter(case.topic or case.label or "no topic stated" for case in cases)
    yield Tally(
        check="sufficiency",
        name="uncovered",
        counts=dict(topics.most_common()),
        note=f"evaluation cases without a training record nearby, of {len(cases):,}, by topic",
    )
    worst = ", ".join(f"{topic!r} ({n} of {of_all[topic]})" for topic, n in topics.most_common(5))
    ids = ", ".join(case.id for case in missing[:20])
    yield _finding(
        "uncovered",
        "medium" if len(missing) > 0.2 * len(cases) else "low",
        f"{len(missing)} of {len(cases)} evaluation cases have no training record nearby; most: {worst}",
        f"nearness below {seen.limit:.2f}; cases: {ids}{' …' if len(missing) > 20 else ''}",
    )


def _curve(labelled: list[Record]) -> Iterator[Finding | Tally | Measure]:
    counts = Counter(r.label for r in labelled)
    known = sorted(label for label, count in counts.items() if count >= 4)
    place = {label: n for n, label in enumerate(known)}
    rows = [r for r in labelled if r.label in place]
    if len(known) < 2 or len(rows) < 100:
        note = "what more data would bring is not measured: fewer than 100 texts, or than two labels"
        yield _finding("not_measured", "low", note, f"{len(rows)} texts of {len(known)} labels")
        return
    labels: Labels = np.array([place[r.label] for r in rows], dtype=np.intp)
    seen = learnt([asked(r) for r in rows], labels, len(known))
    yield seen.now
    yield seen.gain
    points = ", ".join(
        f"{right:.1%} with {size:,}" for size, right in zip(seen.sizes, seen.right, strict=True)
    )
    yield Tally(
        check="sufficiency",
        name="learning_curve",
        counts={
            f"{size:,} texts": round(1000 * right) for size, right in zip(seen.sizes, seen.right, strict=True)
        },
        note=f"right answers in a thousand; {points}; twice the data would bring {seen.gain.value:+.1%} "
        f"({seen.gain.low:+.1%} to {seen.gain.high:+.1%})",
    )


def _finding(what: str, severity: Severity, note: str, evidence: str) -> Finding:
    return Finding(check="sufficiency", what=what, record="", severity=severity, note=note, evidence=evidence)
