"""What documents say of a training: its course, what it took, and its compute under the EU AI Act."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup
from pydantic import JsonValue

from tunewright.documents import _plots as plots
from tunewright.documents._facts import sentence, short
from tunewright.nouns import Base, Estimate, Progress, Recipe
from tunewright.rights import modification

POINTS = 400
"""How many points of a curve are drawn; of more, the means of neighbours."""
CURVES = (("loss", "loss on the batch", "loss"), ("held_out_loss", "held-out loss", "held"))
UNITS = {"lora": "loss, nats per token", "full": "loss, nats per token"}
"""What the loss of a trainer is; that of others has no unit."""
UNKNOWN = "not measured"
Facts = Mapping[str, JsonValue]
Point = tuple[float, float]


class Figure(NamedTuple):
    """A plot with its title and a note."""

    title: str
    plot: Markup
    note: str = ""


class Row(NamedTuple):
    """One thing about a training, and where the number comes from."""

    name: str
    told: str
    origin: str


# ── the course ──────────────────────────────────────────────────────────────────────────────────


def course(steps: Sequence[Progress], trainer: str, *, notes: bool = True) -> Figure | None:
    """Loss and held-out loss over the steps; and what was noted on the way."""
    curves, ends = list[plots.Series](), list[str]()
    for name, label, look in CURVES:
        points = [(p.done, p.values[name]) for p in steps if name in p.values]
        if len(points) > 1:
            thin, each = thinned(points)
            mean = f", mean of every {each} steps" if each > 1 and name == "loss" else ""
            curves.append(plots.Series(label + mean, look, thin))
            first, last = points[0], points[-1]
            ends.append(f"{label} from {first[1]:.3f} to {last[1]:.3f} in {last[0]:g} steps")
    if not curves:
        return None
    says, up = "; ".join(ends), UNITS.get(trainer, "loss")
    plot = plots.curves(
        curves, says=f"Training: {says}", across="training step", up=up, tick=lambda v: f"{v:g}"
    )
    said = "; ".join(dict.fromkeys(p.note for p in steps if p.note)) if notes else ""
    return Figure("Training", plot, f"{sentence(says)}. {sentence(said) + '.' if said else ''}")


def rates(steps: Sequence[Progress]) -> Figure | None:
    """The learning rate over the steps."""
    points = [(p.done, p.values["learning_rate"]) for p in steps if "learning_rate" in p.values]
    if len(points) < 2:
        return None
    thin, _ = thinned(points)
    top = max(rate for _, rate in points)
    says = f"Learning rate: at most {top:.3g}, {points[-1][1]:.3g} at step {points[-1][0]:g}"
    line = [plots.Series("learning rate", "loss", thin)]
    plot = plots.curves(
        line, says=says, across="training step", up="learning rate", tick=lambda v: f"{v:.3g}"
    )
    return Figure("Learning rate", plot, f"{says}.")


def thinned(points: Sequence[Point], most: int = POINTS) -> tuple[tuple[Point, ...], int]:
    """At most so many points, each the mean of as many neighbours as it also says."""
    each = -(-len(points) // most)
    parts = [points[at : at + each] for at in range(0, len(points), each)]
    return tuple((sum(x for x, _ in p) / len(p), sum(y for _, y in p) / len(p)) for p in parts), each


def values(steps: Iterable[Progress]) -> dict[str, float]:
    """The last known of every number that was told while training."""
    known = dict[str, float]()
    for progress in steps:
        if progress.label == "tune":
            known |= progress.values
    return known


# ── what it took ────────────────────────────────────────────────────────────────────────────────


def took(facts: Facts, recipe: Recipe, estimate: Estimate | None) -> list[Row]:
    """Work, time, memory, energy and which weights were kept; beside the plan where there was one."""
    plan = f"plan {short(estimate.digest)}" if estimate else ""
    both = f"trainer; {plan}" if plan else "trainer"
    rows = [
        Row("work", _work(facts, estimate), both),
        Row("time", _time(facts, estimate), both),
        Row("speed", _speed(facts), "trainer"),
        Row("memory", _memory(facts, estimate), both),
        Row("energy", _energy(facts, estimate), f"{both}; watts x time" if plan else "no plan"),
        Row("parameters learnt", _parameters(facts), "trainer"),
        Row("held-out loss", _held(facts), "trainer"),
        Row("weights kept", _kept(facts, recipe), "trainer"),
        Row("ended", _ended(facts, recipe), "trainer"),
    ]
    if _n(facts, "stages") > 1:
        rows.append(Row("stages", _stages(facts), "trainer"))
    left = [f"{_n(facts, k):,.0f} records {words}" for k, words in LEFT.items() if _n(facts, k)]
    rows += [Row("records", "; ".join(left), "trainer")] if left else []
    if _n(facts, "parts_of_a_batch") > 1:
        said = f"each batch was read in {_n(facts, 'parts_of_a_batch'):g} parts: the memory was full"
        rows.append(Row("batches", said, "trainer"))
    notes = facts.get("notes")
    rows += [Row("note", str(note), "trainer") for note in notes] if isinstance(notes, list) else []
    return rows


LEFT = {"cut": "cut at the end, too long", "left_out": "left out: nothing for this trainer in them"}


def _n(facts: Facts, name: str) -> float:
    """A number of the facts; 0 when it is not there."""
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _work(facts: Facts, estimate: Estimate | None) -> str:
    if not _n(facts, "tokens"):
        return f"{UNKNOWN}: the trainer does not count steps and tokens"
    told = f"{_n(facts, 'steps'):,.0f} of {_n(facts, 'steps_planned'):,.0f} steps"
    told += f", {_n(facts, 'tokens'):,.0f} tokens"
    if _n(facts, "tokens_learnt"):
        told += f" ({_n(facts, 'tokens_learnt'):,.0f} of them learnt)"
    if _n(facts, "from_stage"):
        told += f", counted from stage {_n(facts, 'from_stage') + 1:g} on: an earlier training made the rest"
    return told + (f"; planned {estimate.tokens:,.0f} tokens" if estimate else "")


def _time(facts: Facts, estimate: Estimate | None) -> str:
    seconds = _n(facts, "seconds")
    if not seconds:
        return UNKNOWN
    told = f"{duration(seconds)} ({duration(_n(facts, 'processor_seconds'))} of processor time)"
    if _n(facts, "processes") > 1:
        told += f" in each of {_n(facts, 'processes'):g} processes"
    if estimate is None:
        return told
    low, high = duration(estimate.seconds_low), duration(estimate.seconds_high)
    return f"{told}; planned {low} to {high}, with loading"


def _speed(facts: Facts) -> str:
    tokens, seconds = _n(facts, "tokens"), _n(facts, "seconds")
    return f"{tokens / seconds:,.0f} tokens a second" if tokens and seconds else UNKNOWN


def _memory(facts: Facts, estimate: Estimate | None) -> str:
    peak = _n(facts, "peak_memory")
    told = f"{gigabytes(peak)} at most, of the whole process" if peak else UNKNOWN
    return told + (f"; planned {gigabytes(estimate.memory)}" if estimate else "")


def _energy(facts: Facts, estimate: Estimate | None) -> str:
    if estimate is None:
        return f"{UNKNOWN}: there was no plan, which knows the watts"
    watts, seconds = _n(estimate.basis, "watts"), _n(facts, "seconds")
    if not watts or not seconds:
        return UNKNOWN
    hours = watts * seconds / 3600
    grams = hours / 1000 * _n(estimate.basis, "grams_per_kwh")
    told = f"about {amount(hours)} Wh and {amount(grams)} g CO2: {watts:g} W x {duration(seconds)}"
    told += f" ({estimate.basis.get('power', 'nobody says whose watts')})"
    return f"{told}; planned {amount(1000 * estimate.kwh)} Wh"


def _parameters(facts: Facts) -> str:
    learnt, whole = _n(facts, "parameters_learnt"), _n(facts, "parameters")
    if not whole:
        return UNKNOWN
    return f"{learnt:,.0f} beside the model's {whole:,.0f}" if learnt < whole else f"all {whole:,.0f}"


def _held(facts: Facts) -> str:
    before, after = facts.get("held_out_loss_before"), facts.get("held_out_loss")
    if before is None and after is None:
        return f"{UNKNOWN}: nothing was held out" if _n(facts, "steps") else UNKNOWN
    told = [f"{_n(facts, 'held_out_loss_before'):.3f} before the first step"] if before is not None else []
    told += [f"{_n(facts, 'held_out_loss'):.3f} at its lowest"] if after is not None else []
    return f"{', '.join(told)}, on {_n(facts, 'held_out'):,.0f} records that were never learnt"


def _kept(facts: Facts, recipe: Recipe) -> str:
    if "kept_step" not in facts:
        return UNKNOWN
    kept = f"those of step {_n(facts, 'kept_step'):g}"
    if recipe.options.get("keep") == "last":
        return f"{kept}, the last, as `keep: last` asks"
    if "held_out_loss" not in facts:
        return f"{kept}, the last: without held-out records there was no other measure"
    last = " and also the last" if facts.get("kept_step") == facts.get("steps") else ""
    return f"{kept}, where the held-out loss was lowest{last}"


def _ended(facts: Facts, recipe: Recipe) -> str:
    steps, planned = _n(facts, "steps"), _n(facts, "steps_planned")
    if not planned:
        return UNKNOWN
    if steps >= planned:
        return "after every step that was planned"
    patience = recipe.options.get("patience", "")
    times = f" {patience} times running" if patience else ""
    return f"early, at step {steps:g} of {planned:g}: the held-out loss did not get lower{times}"


def _stages(facts: Facts) -> str:
    sizes = facts.get("records_of_stages")
    told = " + ".join(f"{n:,}" for n in sizes if isinstance(n, int)) if isinstance(sizes, list) else ""
    return f"{_n(facts, 'stages'):g}{f', of {told} records' if told else ''}; people's records come last"


# ── the AI Act ──────────────────────────────────────────────────────────────────────────────────


def compute(base: Base, facts: Facts) -> list[Row]:
    """The training's compute against the threshold of the EU AI Act for those who modify a model."""
    flop, tokens, whole = _n(facts, "flop"), _n(facts, "tokens"), _n(facts, "parameters")
    before = _before(facts)
    flop += flop * before
    found = modification(f"{base.uri} {base.revision}", base.parameters or int(whole), flop)
    pack = f"pack compute, {found.pack}"
    if flop:
        told = f"{flop:.3g} FLOP = 6 x {whole:,.0f} parameters x {tokens * (1 + before):,.0f} tokens"
        told += "; an upper bound where most weights stay as they are"
        told += "; steps of an earlier training are reckoned in at the same size" if before else ""
    else:
        told = f"{UNKNOWN}: the trainer does not count tokens"
    original = f"{found.base_flop:.3g} FLOP" if found.base_flop else "not known"
    finding = f"{sentence(found.says)}. Both figures may be off by 30%; this is no legal advice."
    return [
        Row("compute of this training", told, "trainer; guidelines of the Commission, 18 July 2025"),
        Row("compute of the base's training", original, pack),
        Row("threshold", f"{found.threshold:.3g} FLOP: {found.basis}", pack),
        Row("share of the threshold", percent(found.share) if flop else UNKNOWN, "the two above"),
        Row(
            "finding",
            finding if flop else f"{UNKNOWN}: nothing can be said",
            "Regulation (EU) 2024/1689, article 53",
        ),
        Row("not counted", "evaluation, measuring the held-out loss, and trials of a search", "guidelines"),
    ]


def _before(facts: Facts) -> float:
    """How many times the counted steps the steps are that an earlier training made."""
    at, steps = int(_n(facts, "from_stage")), facts.get("steps_of_stages")
    if not at or not isinstance(steps, list):
        return 0.0
    gone = sum(float(n) for n in steps[:at] if isinstance(n, int | float))
    counted = _n(facts, "steps") - gone
    return gone / counted if counted > 0 else 0.0


# ── numbers as text ─────────────────────────────────────────────────────────────────────────────


def duration(seconds: float) -> str:
    """Such as `8.2 s`, `42 s`, `3 min 5 s` or `2 h 10 min`."""
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def gigabytes(size: float) -> str:
    """Of bytes, such as `2.4 GB`."""
    return f"{size / 1e9:.1f} GB"


def amount(value: float) -> str:
    """Two or three digits: `0.0041`, `3.2`, `1,204`."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def percent(share: float) -> str:
    """Of a share however small, never rounded to nothing: `0.00017%`."""
    if not share:
        return "0%"
    digits = max(0, 1 - int(f"{100 * share:e}".partition("e")[2]))
    return f"{100 * share:.{digits}f}%"
