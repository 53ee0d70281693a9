"""What more data would bring, measured."""

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from tunewright.errands import _fit, _reads, _training
from tunewright.errands._gate import Asking
from tunewright.errors import BadInput
from tunewright.nouns import Curve, Dataset, Point, Record
from tunewright.project import Project
from tunewright.store import Step
from tunewright.verbs import Named, verb

LEAST = 2
"""Records that the smallest size has at least."""
LITTLE = 0.02
"""Share of the loss below which a gain is called little."""
SURE = 0.25
"""Share of the gain that the lower end of its interval must have for the gain to be told."""


@verb(reads=("recipe", "base", _reads.GATE))
def curve(
    step: Step,
    project: Project,
    dataset: Annotated[Dataset, Named("vetted")],
    fractions: tuple[float, ...] = (0.125, 0.25, 0.5, 1.0),
    repeats: int = 3,
    cases: bool = False,
) -> Curve:
    """Measure what more data of the same kind would bring, by training on growing parts of it.

    The project's recipe is trained from scratch on each fraction; the fractions are nested and chosen by a
    hash of the content. All are measured on the same conversations, a twentieth and at least 20, which none
    of them has learnt; the evaluation cases are not touched. Small fractions are repeated with other subsets
    and other training seeds, as far as a size costs no more than one training on everything. A power law a +
    b n^(-c) is fitted (Hestness and others 2017, arXiv:1712.00409) and read at twice the data; its interval
    is a parametric bootstrap. Where the interval is wide, or the loss rises with more data, the answer is
    that it cannot be told. Stopped half-way, the same command goes on with what is not measured yet.

    With `cases`, the tuned model of every size answers the evaluation cases too, and for each rule of the
    release policy it is said whether the data is enough and, if not, how much would be. Every such look is an
    attempt at the evaluation, and is counted.

    Parameters:
    dataset: which vetted records to learn from
    fractions: the parts of the data to train on, each above 0 and up to 1
    repeats: how often a small fraction is trained, each time with another subset
    cases: ask the evaluation cases at each size, to say whether the data is enough for the gate

    Errors: `BadInput` when there are fewer than 40 conversations.

    Limits: the same settings at every size, so that a small part with few steps may look worse than it has
    to. The interval knows the spread between trainings and not the choice of the held-out conversations. A
    power law may not go on, above all where new data is of another kind. What `harden` adds is left out.
    """
    if not fractions or min(fractions) <= 0 or max(fractions) > 1 or repeats < 1:
        raise BadInput(
            "fractions lie above 0 and up to 1, and repeats is at least 1",
            hint="tunewright curve --fractions 0.25 --fractions 0.5 --fractions 1",
        )
    study = _training.study(step, project, dataset)
    total, seed = len(study.learn), study.recipe.seed
    sizes = sorted({max(LEAST, round(total * share)) for share in fractions})
    if len(sizes) < 3:
        raise BadInput(
            f"a curve takes at least three sizes; these fractions of {total:,} records make {len(sizes)}",
            hint="leave out --fractions",
        )
    place = project.work(step.work.key)
    asking = Asking(step, project, study, place) if cases else None
    times = [min(repeats, round(total / size)) for size in sizes]
    drawn = [_training.subsets(study.learn, seed + number, sizes) for number in range(max(times))]
    whole = float(sum(size * often for size, often in zip(sizes, times, strict=True)))
    done, points = 0.0, list[Point]()
    for at, (size, often) in enumerate(zip(sizes, times, strict=True)):
        seen = list[_training.Facts]()
        for number in range(often):
            said = f"{size:,} of {total:,} conversations{f', subset {number + 1}' if number else ''}"
            _training.overall(project, "curve", done, whole, said)
            out = place / f"{size}-{number}"
            looking = asking if not number else None
            seen.append(_once(project, study, drawn[number][at], out, seed + number, looking))
            done += size
        measures = asking.measures(size) if asking else ()
        losses = tuple(one.loss for one in seen)
        points.append(Point(records=size, tokens=seen[0].tokens, losses=losses, measures=measures))
    _training.overall(project, "curve", whole, whole, "")
    read = _fit.read(sizes, [point.losses for point in points])
    told, sentence = _told(sizes, points, read, f"nats a {study.per}")
    step.save(study.recipe)
    step.save(study.found.base)
    step.afterwards(partial(shutil.rmtree, place, ignore_errors=True))  # checkpoints may hold records' words
    found = Curve(
        dataset=dataset.digest,
        recipe=study.recipe.digest,
        base=study.found.base.digest,
        day=datetime.now(UTC).date().isoformat(),
        records=total,
        held=len(study.held),
        per=study.per,
        points=tuple(points),
        law=read.law,
        measures=(read.now, read.gain),
        told=told,
        sentence=sentence,
        needed=asking.needed(sizes, [point.measures for point in points]) if asking else (),
        looks=len(sizes) if asking else 0,
    )
    return step.save(found, "curve")


def _once(
    project: Project,
    study: _training.Study,
    records: Sequence[Record],
    out: Path,
    seed: int,
    asking: Asking | None,
) -> _training.Facts:
    """Train on these records and measure; the result is kept beside the folder, which is thrown away."""
    result = out.with_suffix(".json")
    if not result.exists():
        label = f"train on {len(records):,}"
        *_, loss = _training.losses(project, study, records, out, label, seed=seed)
        if asking is not None and not asking.asked(len(records)):
            asking.ask(out / "weights", len(records))
        _training.note(result, json.dumps(_training.facts(out, loss)))
    _training.clear(out)
    return _training.Facts(*json.loads(result.read_text("utf-8")))


def _told(
    sizes: Sequence[int], points: Sequence[Point], read: _fit.Read, unit: str
) -> tuple[Literal["gain", "little", "cannot tell"], str]:
    """What the curve says, in a sentence."""
    gain, now = read.gain, read.now.value
    means = {point.records: sum(point.losses) / len(point.losses) for point in points}
    doubt = "what twice the data would bring cannot be told"
    if rise := _fit.rises(sizes, [point.losses for point in points]):
        few, more = rise
        return "cannot tell", (
            f"{doubt}: the held-out loss is {_nats(means[few])} with {few:,} records and "
            f"{_nats(means[more])} with {more:,}"
        )
    if gain.high <= LITTLE * now:
        return "little", (
            f"twice the data would lower the held-out loss by {_nats(gain.value)} {unit}, "
            f"and by no more than {_nats(gain.high)}: little against {_nats(now)}"
        )
    between = f"{_nats(gain.value)} ({_nats(gain.low)} to {_nats(gain.high)}) {unit}"
    if gain.low > 0 and gain.low >= SURE * gain.value:
        return "gain", f"twice the data would lower the held-out loss by {between}"
    return "cannot tell", f"{doubt}: it might lower the held-out loss by {between}, which is too wide"


def _nats(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 or value == 0 else f"{value:.2g}"
