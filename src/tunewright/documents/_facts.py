"""What the documents share: the evidence, arranged for people to read. Nothing is measured here."""

import inspect
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, get_args

from tunewright import stats
from tunewright.documents import Evidence, Limit
from tunewright.nouns import Arm, Comparison, Entry, Measure, Report

ARMS: tuple[Arm, ...] = get_args(Arm)
ARM: dict[Arm, str] = {"base": "base", "prompted": "best prompt", "tuned": "tuned"}
SHORT = 12
"""How many characters of a digest people are shown."""

Unit = Literal["share", "score", "nats per token", "seconds", "tokens per second", ""]


class About(NamedTuple):
    """What people call a measure."""

    label: str
    unit: Unit


KNOWN = {
    "golden.contains": About("answers that hold every expected phrase", "share"),
    "golden.exact": About("answers that are the expected text", "share"),
    "golden.token_f1": About("word overlap with the reference (token F1)", "score"),
    "labels.accuracy": About("right labels (accuracy)", "share"),
    "labels.macro_f1": About("macro-F1 over the labels", "score"),
    "loss.nats_per_token": About("held-out loss in nats per token", "nats per token"),
    "speed.seconds": About("seconds for a whole answer", "seconds"),
    "speed.first_token": About("seconds to the first word", "seconds"),
    "speed.tokens_per_second": About("tokens per second of the answer", "tokens per second"),
}
LOWER = {"loss.nats_per_token", "speed.seconds", "speed.first_token"}
"""Measures of which less is better."""
HEADLINES = ("golden.contains", "golden.exact", "labels.accuracy", "golden.token_f1")
"""Which measure the first sentence is about: the first of these that was measured."""


class Line(NamedTuple):
    """One measure of every arm, and what tuned was compared with."""

    name: str
    about: About
    arms: dict[Arm, Measure]
    against: dict[Arm, Comparison]

    @property
    def lower(self) -> bool:
        """Whether less is better."""
        return self.name in LOWER or any(c.better == "lower" for c in self.against.values())


def short(digest: str) -> str:
    """The beginning of a digest."""
    return digest[:SHORT]


def lines(report: Report) -> list[Line]:
    """The report's measures, arm by arm, in the report's order."""
    found: dict[str, dict[Arm, Measure]] = {}
    for measure in report.measures:
        name, _, last = measure.name.rpartition(".")
        for arm in ARMS:
            if arm == last:
                found.setdefault(name, {})[arm] = measure
    against: dict[str, dict[Arm, Comparison]] = {}
    for comparison in report.comparisons:
        if comparison.after == "tuned":
            against.setdefault(comparison.measure, {})[comparison.before] = comparison
    return [Line(n, about(n, arms.values()), arms, against.get(n, {})) for n, arms in found.items()]


def about(name: str, measures: Iterable[Measure]) -> About:
    """What people call it; a suite that is not ours is called by its own name."""
    share = all(m.method.startswith("share") for m in measures)
    return KNOWN.get(name) or About(name, "share" if share else "")


def headline(report: Report) -> Line | None:
    """The measure that the first sentence is about."""
    there = {line.name: line for line in lines(report) if "tuned" in line.arms and line.arms["tuned"].n}
    return next((there[name] for name in HEADLINES if name in there), next(iter(there.values()), None))


# ── numbers as text ─────────────────────────────────────────────────────────────────────────────


def number(value: float, unit: Unit, digits: int = 1) -> str:
    """A value in its unit: shares as per cent, seconds and speeds with their unit."""
    if unit == "share":
        return f"{100 * value:.{digits}f}%"
    if abs(value) >= 10:
        return f"{value:,.1f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) >= 0.01 or not value else f"{value:.2g}"


def gap(value: float, unit: Unit) -> str:
    """A difference with its sign; of shares, in percentage points."""
    if unit == "share":
        text = f"{100 * value:+.1f}"
    else:
        text = f"{value:+.3f}" if abs(value) >= 0.001 else f"{value:+.1g}"
    return "0" if float(text) == 0 else text.replace("-", "−")


def least(comparison: Comparison, unit: Unit) -> str:
    """The smallest visible difference, unless no case differed, from which none can be computed."""
    visible = comparison.smallest_visible
    return gap(visible, unit).lstrip("+") if visible else "not known: no case differed"


def gap_unit(unit: Unit) -> str:
    """The unit of a difference."""
    return {"share": "percentage points", "score": "on a scale from 0 to 1"}.get(unit, unit)


def told(measure: Measure | None, unit: Unit) -> str:
    """A measure with its interval and n. What has no items was not measured."""
    if measure is None or not measure.n:
        return "not measured"
    low, high = number(measure.low, unit), number(measure.high, unit)
    return f"{number(measure.value, unit)} ({low} to {high}), n={measure.n}"


def compared(comparison: Comparison, unit: Unit) -> str:
    """A difference with its interval."""
    d = comparison.difference
    return f"{gap(d.value, unit)} ({gap(d.low, unit)} to {gap(d.high, unit)})"


def p_value(p: float) -> str:
    """A p-value as papers print it."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


# ── what it comes to ────────────────────────────────────────────────────────────────────────────

Outcome = Literal["better", "as well", "no gain", "worse", "unknown"]


class Headline(NamedTuple):
    """The point, in two sentences."""

    outcome: Outcome
    first: str
    second: str


def verdict(evidence: Evidence) -> Headline:
    """What was decided and why, first in numbers and then in a word about prompts."""
    gate = "Released" if evidence.decision.passed else "Not released"
    line = headline(evidence.report)
    if line is None:
        return Headline("unknown", f"{gate}: no answers were measured", "Nothing can be said of its quality.")
    unit, n = line.about.unit, line.arms["tuned"].n
    said = {a: number(m.value, unit, 0) for a, m in line.arms.items() if m.n}
    others = ", ".join(f"{ARM[arm]} {said[arm]}" for arm in ("base", "prompted") if arm in said)
    if unit == "share":
        noun = "cases right" if line.name in KNOWN else f"cases as {line.name} asks"
        first = f"{gate}: tuned answers {said['tuned']} of {n} held-out {noun}"
    else:
        first = f"{gate}: tuned reaches {said['tuned']} in {line.about.label} on {n} held-out cases"
    outcome, second = _meaning(line, evidence.report.facts.get("prompt_tried"))
    return Headline(outcome, f"{first}; {others}" if others else first, second)


def _meaning(line: Line, tried: object) -> tuple[Outcome, str]:
    base, prompted = line.against.get("base"), line.against.get("prompted")
    said = list[str]()
    outcome: Outcome = "better"
    if base is None:
        outcome = "unknown"
        said.append("It was not compared with the base model.")
    elif base.verdict == "REGRESSED":
        outcome = "worse"
        said.append("Tuning made it worse than the base model.")
    elif base.verdict == "NO CHANGE":
        outcome = "no gain"
        said.append("Tuning shows no gain over the base model.")
    if prompted is None:
        said.append("It was not compared with a prompt.")
        outcome = "unknown" if outcome == "better" else outcome
    elif prompted.verdict != "IMPROVED":
        said.append(f"A prompt does as well: {_as_well(prompted, line.about.unit)}.")
        outcome = "as well" if outcome == "better" else outcome
    if outcome == "better":
        best = f"the best of {tried} prompts" if isinstance(tried, int) and tried > 1 else "the best prompt"
        said.append(f"Better than the base model and than {best}, beyond what chance explains.")
    return outcome, " ".join(said)


def _as_well(c: Comparison, unit: Unit) -> str:
    scale = f" {gap_unit(unit)}" if unit else ""
    text = f"against the best prompt, tuned differs by {compared(c, unit)}{scale}, {c.verdict}"
    if c.verdict == "REGRESSED":
        return f"in fact better; {text}"
    if not c.smallest_visible:
        return f"{text}; not one case differed"
    return f"{text}; a difference below {least(c, unit)}{scale} could not reliably have been seen"


def as_well(report: Report) -> list[Comparison]:
    """Every measure on which tuning is not better than the best prompt."""
    return [c for c in report.comparisons if c.before == "prompted" and c.verdict != "IMPROVED"]


# ── where it came from ──────────────────────────────────────────────────────────────────────────


def entry_of(evidence: Evidence, digest: str) -> Entry | None:
    """The ledger entry that saved a thing."""
    return next((e for e in reversed(evidence.history) if digest in e.outputs), None)


def cite(evidence: Evidence, digest: str) -> str:
    """How documents name a thing in the ledger: its short digest, and its entry where that is known."""
    entry = entry_of(evidence, digest)
    return f"{short(digest)}, ledger entry {entry.seq}" if entry else short(digest)


def limits(evidence: Evidence) -> tuple[Limit, ...]:
    """Limits of every check and suite that was used, and of the statistics behind the numbers."""
    methods = " ".join(m.method for r in (evidence.report, evidence.data_report) for m in r.measures)
    used: list[tuple[str, Callable[..., object]]] = []
    if "Wilson" in methods:
        used.append(("stats/rate", stats.rate))
    if "bootstrap" in methods:
        used.append(("stats/resampled", stats.resampled))
    if evidence.report.comparisons:
        used.append(("stats/compare", stats.compare))
    said = (*evidence.limits, *(Limit(name, *_doc(function)) for name, function in used))
    return tuple(limit._replace(limits=sentence(limit.limits)) for limit in said)


def sentence(words: str) -> str:
    """With a capital first letter, and a word where a plugin says nothing."""
    return words[:1].upper() + words[1:] or "States no limits of its own."


def _doc(function: Callable[..., object]) -> tuple[str, str]:
    doc = inspect.getdoc(function) or ""
    title = " ".join(doc.partition("\n\n")[0].split())
    return title, " ".join(doc.partition("Limits:")[2].partition("\n\n")[0].split())


GAPS = {
    "safety: how it answers harmful or manipulative requests": "safety harm jailbreak refusal",
    "fairness: whether it treats groups of people alike": "fairness bias stereotypes",
    "toxicity of its answers": "toxicity toxic",
    "invented facts in answers to questions outside the cases": "hallucination groundedness truthful",
    "memorisation: whether it repeats personal or secret data it has learnt": "memorisation canary leakage",
    "robustness to typing errors and to other wordings": "robustness perturbation",
    "general abilities that tuning may have cost": "general benchmarks mmlu",
    "other languages than those of the cases": "languages multilingual",
    "judgement by people": "human people survey",
    "energy use and emissions": "energy carbon",
    "other training seeds": "seeds",
}
"""What a reader may want to know of a model, and words in the names of suites that would measure it."""


def unmeasured(evidence: Evidence) -> list[str]:
    """What no suite that was used looks at, and what was asked for and could not be measured."""
    used = {p.partition("/")[2].casefold() for p in evidence.report.plugins}
    gaps = [
        gap for gap, words in GAPS.items() if not any(word in name for word in words.split() for name in used)
    ]
    for line in lines(evidence.report):
        missing = [ARM[arm] for arm in ARMS if arm not in line.arms or not line.arms[arm].n]
        if missing:
            gaps.append(f"{line.about.label} of {', '.join(missing)}")
    return gaps
