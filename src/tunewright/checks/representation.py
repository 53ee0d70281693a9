"""Who and what the data speaks of."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tunewright.checks import Whole
from tunewright.checks._memory import Memory, Reading
from tunewright.checks._representation_words import KINDS, mentions
from tunewright.checks._topics import Space, answered, asked, bags, clusters, how_many, names
from tunewright.errors import BadInput
from tunewright.nouns import Finding, Measure, Record, Tally
from tunewright.stats import rate

_LENGTHS = (0, 1, 3, 6, 12, 25, 50, 100, 200, 400, 800, 1600, 3200)
_DIMENSIONS = (
    *("language", "label", "question_words", "answer_words", "turns", "answers", "source", "topics"),
    *KINDS,
)
_DRAWS = 2000


def representation(
    records: Whole,
    *,
    target: dict[str, dict[str, float]] = {},  # noqa: B006
    tolerance: float = 0.05,
    thin: int = 20,
    imbalance: float = 20.0,
    most: int = 10_000,
    cache: Path | None = None,
) -> Iterator[Finding | Tally | Measure]:
    """Languages, labels, lengths, turns, sources, topics, and mentions of gender, age, region and dialect.

    Counts of all records: `label`, `question_words`, `answer_words` (classes that double), `turns`,
    `source`, and where any answer was rejected, how many records have an answer, a pair, or only a rejected
    one (`answers`). Counts of at most `most` records, drawn evenly: `language`, `topics` (spherical k-means
    over latent-semantic vectors; named by their most telling words) and the mentions `gender`, `age`,
    `region` and `dialect`, by short lists of words; a record may mention several. How many mention any is
    measured (`representation.mentions_gender` and so on).

    In the folder `cache` stay the label, the classes and a digest of each record, and the counts of the
    sample. The sample stays the same while records are added at the end, up to a 16th of them.

    `target` says for any of these names which share each class should have; classes it does not name share
    what is left. A dimension further off than `tolerance` is found as `off_target`: total variation distance
    (half the sum of the differences; 0 same, 1 apart) with an interval (Dirichlet, Jeffreys prior) whose
    lower end counts, the class that is worst, and how many records are missing. Labels with fewer than
    `thin` texts are found as `thin`, and as `imbalance` when the most frequent label has more than
    `imbalance` times as many texts as the least frequent. These findings are of the whole
    (`record` is empty).

    Limits: of 10,000 drawn records a share is known to within one point in a hundred (95% interval), and what
    came last, up to a 16th, may not be among them. Sees words, not people: who wrote a
    text, and whom it concerns, it cannot see; that a group is not
    mentioned does not mean that it is absent, and a mention says nothing of how it is spoken of. Disability,
    religion, ethnicity and class are not looked for. The lists are short and mainly English; dialects are
    told by spelling and a few words, and most dialects are not known at all.

    Errors: `BadInput` when `target` names something that is not counted, or shares that are no shares.
    """
    _checked(target)
    reading, memory = Reading(records), Memory(cache, "representation")
    total = len(reading)
    if total < 2:
        return
    whole = _whole(reading, memory)
    places = reading.sample(np.ones(total, dtype=bool), most)
    part, notes, spoken, drawn = _remembered(reading, places, memory)
    of_part = "" if drawn == total else f"of {drawn:,} records drawn evenly"
    counted = {**whole, **part}
    for name in _DIMENSIONS:
        counts = counted.get(name)
        if not counts:
            continue
        note = "; ".join(x for x in (of_part if name in part else "", notes.get(name, "")) if x)
        yield Tally(check="representation", name=name, counts=_ordered(name, counts), note=note)
    for kind in KINDS:
        yield rate(f"representation.mentions_{kind}", spoken[kind], drawn)
    yield from _of_labels(whole["label"], thin, imbalance)
    for name, shares in sorted(target.items()):
        yield from _against(name, counted.get(name, Counter()), shares, tolerance)


def _whole(reading: Reading, memory: Memory) -> dict[str, Counter[str]]:
    """What is counted over all records."""
    counted = ("label", "question_words", "answer_words", "turns", "answers", "source")
    counts = {name: Counter[str]() for name in counted}
    texts, which = memory.texts("classes", reading, _classes)
    for text, count in zip(texts, np.bincount(which, minlength=len(texts)).tolist(), strict=True):
        for name, value in json.loads(text).items():
            counts[name][value] += count
    if plain := len(reading) - counts["answers"].total() if counts["answers"] else 0:
        counts["answers"]["an answer"] = plain
    many = np.bincount(reading.source, minlength=len(reading.sources)).tolist()
    counts["source"].update(dict(zip(reading.sources, many, strict=True)))
    return counts


def _classes(record: Record) -> str:
    """The classes that a record falls into, as JSON."""
    found = dict[str, str]()
    if record.label:
        found["label"] = record.label
    elif answer := answered(record):
        found["answer_words"] = _length(answer)
    found["question_words"] = _length(asked(record))
    turns = sum(1 for m in record.messages if m.role == "user")
    found["turns"] = str(turns) if turns < 6 else "6 or more"
    if record.rejected:
        found["answers"] = "only a rejected one" if record.disliked else "a pair"
    return json.dumps(found)


Part = tuple[dict[str, Counter[str]], dict[str, str], Counter[str]]


def _remembered(
    reading: Reading, places: NDArray[np.int64], memory: Memory
) -> tuple[dict[str, Counter[str]], dict[str, str], Counter[str], int]:
    """What is counted over a sample, from the last time where the sample is the same, and its size."""
    form = reading.digest(places)
    match memory.told("sample", form):
        case [dict(counted), dict(notes), dict(spoken)]:
            part: Part = {name: Counter(said) for name, said in counted.items()}, notes, Counter(spoken)
        case _:
            part = _part(list(reading.at(places)))
            if "language" not in part[1]:
                memory.tell("sample", form, part)
    return *part, len(places)


def _part(drawn: Sequence[Record]) -> Part:
    """What is counted over a sample, notes, and how many records mention any class of each kind."""
    counts = {name: Counter[str]() for name in ("language", "topics", *KINDS)}
    notes = dict.fromkeys(KINDS, "not being mentioned is not being absent")
    texts = [f"{asked(r)}\n{answered(r)}" for r in drawn]
    spoken = Counter[str]()
    for text in texts:
        seen = list(mentions(text))
        spoken.update({kind for kind, _ in seen})
        for kind, name in seen:
            counts[kind][name] += 1
    try:
        from tunewright.checks._language import identify

        for at in range(0, len(texts), 512):
            counts["language"].update(code for code, _ in identify(texts[at : at + 512]))
    except ModuleNotFoundError:
        notes["language"] = "not told: no language package is installed"
    if len(drawn) >= 50:
        bag = bags(texts)
        vectors = Space(bag, 64).vectors(bag)
        member, centres = clusters(vectors, how_many(len(drawn)))
        called = names(texts, member, len(centres))
        counts["topics"].update(called[n] for n in member.tolist())
    return counts, notes, spoken


def _length(text: str) -> str:
    words = len(text.split())
    for low, high in pairwise(_LENGTHS):
        if words < high:
            return f"{low}" if high == low + 1 else f"{low} to {high - 1}"
    return f"{_LENGTHS[-1]} or more"


def _ordered(name: str, counts: Mapping[str, int]) -> dict[str, int]:
    if name in ("question_words", "answer_words", "turns"):
        return dict(sorted(counts.items(), key=lambda pair: int(pair[0].split()[0])))
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _of_labels(counts: Counter[str], thin: int, imbalance: float) -> Iterator[Finding]:
    if len(counts) < 2:
        return
    (top, high), *_, (last, low) = counts.most_common()
    if high > imbalance * low:
        note = f"the label {top!r} has {high / low:.0f} times as many texts as {last!r} ({high:,} to {low:,})"
        yield _finding("imbalance", "medium", note, f"limit: {imbalance:g} times")
    small = sorted(label for label, count in counts.items() if count < thin)
    for label in small[:50]:
        more = thin - counts[label]
        note = f"the label {label!r} has {counts[label]} texts; {more} more reach {thin}"
        yield _finding("thin", "low", note, f"limit: {thin} texts")
    if len(small) > 50:
        yield _finding("thin", "low", f"{len(small) - 50} more labels have fewer than {thin} texts", "")


def _against(
    name: str, counts: Counter[str], shares: Mapping[str, float], tolerance: float
) -> Iterator[Finding | Measure]:
    n = sum(counts.values())
    if not n:
        yield _finding("off_target", "medium", f"{name}: a target is set, but nothing was counted", "n = 0")
        return
    total = sum(shares.values())
    wanted = {one: share / max(1.0, total) for one, share in shares.items()}
    rest = max(0.0, 1 - total)
    seen = {one: counts[one] for one in wanted}
    other = n - sum(seen.values())
    if rest > 1e-9 or other:
        wanted["all others"], seen["all others"] = rest, other
    goal, have = np.array(list(wanted.values())), np.array([seen[one] for one in wanted], dtype=np.float64)
    apart = float(np.abs(have / n - goal).sum() / 2)
    draws = np.random.default_rng(20_261_123).dirichlet(have + 0.5, _DRAWS)
    low, high = np.quantile(np.abs(draws - goal).sum(axis=1) / 2, [0.025, 0.975])
    yield Measure(
        name=f"representation.off_target.{name}",
        value=apart,
        low=min(apart, float(low)),
        high=max(apart, float(high)),
        n=n,
        method="total variation distance, Dirichlet interval (Jeffreys prior)",
    )
    if low <= tolerance:
        return
    gap = goal - have / n
    classes = list(wanted)
    worst = classes[int(np.argmax(gap))]
    most = classes[int(np.argmin(gap))]
    whole = float(np.max(have[goal > 0] / goal[goal > 0])) if (goal > 0).any() else n
    missing = {c: round(whole * g - h) for c, g, h in zip(classes, goal, have, strict=True) if g > 0}
    need = ", ".join(
        f"{more:,} of {c!r}" for c, more in sorted(missing.items(), key=lambda p: -p[1])[:3] if more > 0
    )
    short = (
        f"too little of {worst!r}: {seen[worst] / n:.1%} instead of {wanted[worst]:.1%}; "
        if gap.max() > 0
        else ""
    )
    note = (
        f"{name} is off its target; {short}too much of {most!r}: {seen[most] / n:.1%} instead of "
        f"{wanted[most]:.1%}; without removing records it takes {need or 'nothing'} more"
    )
    evidence = (
        f"total variation distance {apart:.3f} ({low:.3f} to {high:.3f}), n = {n:,}, tolerance {tolerance:g}"
    )
    yield _finding("off_target", "medium", note, evidence)


def _checked(target: Mapping[str, Mapping[str, float]]) -> None:
    for name, shares in target.items():
        if name not in _DIMENSIONS:
            raise BadInput(
                f"checks/representation: no target can be set for {name!r}",
                hint=f"what is counted: {', '.join(_DIMENSIONS)}",
            )
        if not shares or min(shares.values()) < 0 or sum(shares.values()) > 1.001:
            raise BadInput(
                f"checks/representation: the target for {name!r} is no distribution",
                hint="shares lie between 0 and 1 and add up to 1 at most",
            )


def _finding(what: str, severity: str, note: str, evidence: str) -> Finding:
    return Finding(
        check="representation",
        what=what,
        record="",
        severity="medium" if severity == "medium" else "low",
        note=note,
        evidence=evidence,
    )
