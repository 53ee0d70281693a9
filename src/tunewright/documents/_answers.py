"""The answers that changed most, side by side."""

from collections import defaultdict
from typing import NamedTuple

from tunewright.documents import Evidence
from tunewright.documents._facts import Line, Unit, number
from tunewright.nouns import Arm, Case

IMPROVED, WORST = 12, 6
"""How many of each are shown."""


def by_case(evidence: Evidence, name: str) -> dict[str, dict[Arm, float]]:
    """A measure's value for each case and arm."""
    suite, _, measure = name.partition(".")
    values: dict[str, dict[Arm, float]] = defaultdict(dict)
    for score in evidence.scores:
        if score.suite == suite and measure in score.values:
            values[score.case][score.arm] = score.values[measure]
    return values


class Side(NamedTuple):
    """One case: what was asked, what each arm said, and how it was scored."""

    case: Case
    said: dict[Arm, str]
    scored: dict[Arm, str]
    word: str


class Answers(NamedTuple):
    """The answers that changed most."""

    improved: list[Side]
    worst: list[Side]
    counts: dict[str, int]


def answers(evidence: Evidence, line: Line) -> Answers:
    """Cases that tuned does better at than base, most changed first; and those it does worse at or fails."""
    suite, sign = line.name.partition(".")[0], -1 if line.lower else 1
    values = by_case(evidence, line.name)
    cases = {case.id: case for case in evidence.cases}
    said: dict[str, dict[Arm, str]] = defaultdict(dict)
    overlap: dict[str, dict[Arm, float]] = defaultdict(dict)
    for score in evidence.scores:
        if score.suite == suite:
            said[score.case][score.arm] = score.answer
            overlap[score.case][score.arm] = score.values.get("token_f1", 0.0)
    change: dict[str, tuple[float, float, float]] = {}
    for name, arms in values.items():
        if "tuned" in arms and "base" in arms and name in cases:
            over = sign * (arms["tuned"] - arms["base"])
            prompt = sign * (arms["tuned"] - arms.get("prompted", arms["base"]))
            change[name] = (over, prompt, overlap[name]["tuned"] - overlap[name].get("base", 0.0))

    def side(name: str, word: str) -> Side:
        scored = {a: _scored(v, line.about.unit) for a, v in values[name].items()}
        return Side(cases[name], said[name], scored, word)

    best = sorted((n for n, c in change.items() if c[0] > 0), key=lambda n: change[n], reverse=True)
    lost = sorted((n for n, c in change.items() if c[0] < 0), key=lambda n: change[n])
    kept = {n for n, c in change.items() if c[0] == 0 and line.about.unit == "share"}
    wrong = sorted((n for n in kept if not values[n]["tuned"]), key=lambda n: overlap[n]["tuned"])
    worst = [side(n, "regressed") for n in lost] + [side(n, "still wrong") for n in wrong]
    counts = {"improved": len(best), "regressed": len(lost), "still wrong": len(wrong)}
    counts["right before and after"] = len(kept) - len(wrong)
    if line.about.unit != "share":
        counts = {"improved": len(best), "regressed": len(lost)}
    return Answers([side(n, "improved") for n in best[:IMPROVED]], worst[:WORST], counts)


def _scored(value: float, unit: Unit) -> str:
    return ("right" if value else "wrong") if unit == "share" else number(value, unit)
