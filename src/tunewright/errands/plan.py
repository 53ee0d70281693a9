import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import JsonValue

from tunewright.bases import find
from tunewright.errands import _power
from tunewright.errors import BadInput, Exhausted
from tunewright.nouns import Dataset, Estimate, Progress, Recipe, Record
from tunewright.project import Project
from tunewright.store import Step
from tunewright.trainers import train, trainers
from tunewright.verbs import Named, verb
from tunewright.verbs._harden_fit import made_hard

Verdict = Literal["fits", "tight", "will not fit"]
SPREAD = 24
"""Records whose steps are timed."""
PATIENCE = 90.0
"""Seconds that calibrating may take, but for loading the base."""
TIGHT, FULL = 0.7, 0.95
"""Shares of the memory there is."""


@verb(reads=("recipe", "base"), repeats=True)
def plan(step: Step, project: Project, dataset: Annotated[Dataset, Named("vetted")]) -> Estimate:
    """Say what tuning would take on this machine before it is done: memory, time, energy and money.

    Lays out the whole training without a step of it, then trains on a few records for a few steps and throws
    the result away. Memory is that of the longest rows, and is held against what the machine has: it fits, is
    tight, or will not fit, with what would make it fit. Energy is measured where the system tells it (RAPL)
    and otherwise assumed; price and carbon dioxide come from `tune.machine` in tunewright.yaml. Also told is
    how long it takes to go on without a person who asks to be forgotten. `tune` compares afterwards.

    Parameters:
    dataset: which vetted records would be learnt

    Limits: other work on the machine makes the time longer than it will be, or shorter than it turns out.
    Early stopping may end the training sooner. Evaluation is not counted.
    """
    recipe = step.use(project.recipe())
    found = find(recipe.base, home=project.folder, cache=project.state / "bases")
    records = list(project.records(dataset))
    if not records:
        raise BadInput("there is nothing to learn from", hint="tunewright gather, then tunewright vet")
    records += made_hard(project, records, recipe, found.folder)[0]
    out = project.work(step.work.key)
    project.tell(Progress(label="plan", done=0, total=3, note="laying out"))
    laid = _laid_out(recipe, found.folder, records, out)
    count = int(str(recipe.options.get("batch_size", 8)))
    longest = sorted(records, key=lambda r: (-len(r.text), r.id))[:count]
    spread = records[:: max(1, len(records) // SPREAD)][:SPREAD]
    meter = _power.Meter(project.settings.tune.machine.watts)
    try:
        project.tell(Progress(label="plan", done=1, total=3, note="the longest rows"))
        heavy = _tried(recipe, found.folder, longest, out / "longest")
        project.tell(Progress(label="plan", done=2, total=3, note="rows of every length"))
        usual = _tried(recipe, found.folder, spread, out / "usual")
    except Exhausted as error:
        raise Exhausted(f"it will not fit: {error}", hint="; ".join(_remedies(recipe, 1))) from error
    finally:
        shutil.rmtree(out, ignore_errors=True)
    watts, power = meter.read()
    project.tell(Progress(label="plan", done=3, total=3))
    tokens = laid.get("tokens", _guessed(records))
    rate = usual.again or usual.first
    first = laid.get("tokens_an_epoch", tokens) * max(0.0, 1 / usual.first - 1 / rate)
    held = laid.get("tokens_held_out", 0.0) * (1 + laid.get("measurements", 0.0)) * usual.measuring
    seconds = tokens / rate + first + held + usual.start
    memory = max(heavy.memory, usual.memory) + laid.get("bytes_kept", 0.0)
    available = _power.available() + _power.resident()
    verdict: Verdict = (
        "fits" if memory < TIGHT * available else "tight" if memory < FULL * available else "will not fit"
    )
    machine = project.settings.tune.machine
    kwh = watts * seconds / 3.6e6
    estimate = Estimate(
        recipe=recipe.digest,
        dataset=dataset.digest,
        verdict=verdict,
        remedies=_remedies(recipe, memory / available) if verdict != "fits" else (),
        seconds=round(seconds, 1),
        seconds_low=round(seconds * (1 - usual.spread), 1),
        seconds_high=round(seconds * (1 + usual.spread), 1),
        memory=memory,
        available=available,
        disk=laid.get("bytes_of_a_checkpoint", 0.0) * (2 + laid.get("stages", 1.0)),
        kwh=kwh,
        grams=kwh * machine.grams,
        price=machine.price * seconds / 3600,
        currency=machine.currency,
        tokens=tokens,
        flop=6.0 * found.base.parameters * tokens,
        steps=int(laid.get("steps", 0)),
        forget=_forget(laid, rate),
        basis={
            "tokens_per_second": round(rate, 1),
            "tokens_per_second_at_first": round(usual.first, 1),
            "steps_timed": usual.steps,
            "seconds_of_calibration": round(heavy.seconds + usual.seconds, 1),
            "watts": round(watts, 1),
            "power": power,
            "grams_per_kwh": machine.grams,
            "price_per_hour": machine.price,
            "records": len(records),
        },
    )
    return step.save(estimate)


class Tried(NamedTuple):
    """What a few steps took."""

    first: float
    """Tokens a second while the rows are read for the first time."""
    again: float
    """Tokens a second afterwards."""
    measuring: float
    """Seconds a token of what is held out."""
    memory: float
    seconds: float
    start: float
    """Seconds before the first step."""
    steps: int
    spread: float
    """How far apart the steps were, as a share of their mean: half the range of most of them."""


def _laid_out(recipe: Recipe, base: Path, records: Sequence[Record], out: Path) -> dict[str, float]:
    """What the trainer says of the work before its first step."""
    told = train(recipe, base, records, out / "laid")
    try:
        return dict(next((p.values for p in told if p.values), {}))
    finally:
        _close(told)


def _tried(recipe: Recipe, base: Path, records: Sequence[Record], out: Path) -> Tried:
    """Train on some records for two epochs, or as long as patience lasts."""
    began = time.monotonic()
    takes = trainers.options(recipe.trainer)
    twice: dict[str, JsonValue] = {"epochs": 2} if "epochs" in takes else {}
    told = train(
        recipe.model_copy(update={"options": {**recipe.options, **twice}}), base, records, out, held=[]
    )
    tokens, times, memory, last, start = 0.0, list[float](), 0.0, 0.0, 0.0
    try:
        for progress in told:
            now = time.monotonic()
            tokens = progress.values.get("tokens", tokens)
            memory = max(memory, progress.values.get("memory_gb", 0.0) * 1e9)
            if "loss" in progress.values:
                times.append(now - last)
            else:
                start = now - began
            last = now
            if times and now - began - start > PATIENCE:
                break
    finally:
        _close(told)
    whole = max(1, round(progress.total)) if times else 1
    each = (tokens or _guessed(records)) / whole
    half = max(1, whole // 2)
    again = times[half:] or times
    middle = statistics.mean(again)
    wide = (max(again) - min(again)) / 2 / middle if len(again) > 1 else 0.5
    return Tried(
        each / max(1e-9, statistics.mean(times[:half])),
        each / max(1e-9, middle),
        middle / each / 3,  # one pass forwards of three of equal cost
        memory,
        time.monotonic() - began,
        start,
        len(times),
        min(0.5, max(0.1, wide)),
    )


def _forget(laid: dict[str, float], rate: float) -> dict[str, float]:
    """Seconds from the checkpoint before each stage to the end."""
    stages = int(laid.get("stages", 0))
    left = {n: sum(laid[f"tokens_{m}"] for m in range(n, stages + 1)) / rate for n in range(1, stages + 1)}
    return {str(n): round(seconds, 1) for n, seconds in left.items()}


def _remedies(recipe: Recipe, times: float) -> tuple[str, ...]:
    """What would make it fit, the gentlest first."""
    said, options = list[str](), recipe.options
    size, longest = int(str(options.get("batch_size", 8))), int(str(options.get("max_tokens", 512)))
    if size > 1:
        said.append(f"tune.options.batch_size: {max(1, int(size / max(2.0, times)))}")
    said.append(f"tune.options.max_tokens: {max(64, longest // 2)} with truncate: true")
    if float(str(options.get("layers", 0.5))) > 0.25 and recipe.trainer != "full":
        said.append("tune.options.layers: 0.25")
    if recipe.trainer == "full":
        said.append("tune.trainer: lora")
    return (*said, "a smaller base model")


def _guessed(records: Sequence[Record]) -> float:
    """Tokens, for a trainer that does not tell: about four characters each."""
    return sum(len(r.text) for r in records) / 4


def _close(told: object) -> None:
    close = getattr(told, "close", None)
    if close:
        close()
