"""How much data a rule of the release policy would take, from what was measured at growing sizes."""

from collections.abc import Sequence

import numpy as np

from tunewright.errands import _fit
from tunewright.gate import decide
from tunewright.nouns import Measure, Needed, Policy, Rule, Score

UNBOUNDED = "loss."
"""The suite whose values do not lie between 0 and 1."""
DRAWS = 1000
SEED = 20260105
NEVER = 0.8
"""Share of the draws that must never get there before it is said that more of this data is no help."""


def needed(
    policy: Policy,
    sizes: Sequence[int],
    found: Sequence[Sequence[Measure]],
    before: Sequence[Score],
    tuned: Sequence[Sequence[Score]],
) -> tuple[Needed, ...]:
    """For each rule whether it is met with all data, and if not, how much data would meet it.

    `found` and `tuned` hold what was measured and the scores of one tuned model a size; `before` the scores
    of the arms that tuning is compared with. A rule compares the uncertain end of an interval: a power law is
    fitted to that end. Cases are drawn anew (bootstrap), the same for all sizes, because all sizes answered
    the same cases.

    Limits: one training a size, so that the spread between trainings is not in the interval; a measure that
    is no mean over cases, such as macro-F1, is only told when it is met.
    """
    told = list[Needed]()
    for rule in policy.release:
        of = [{m.name: m for m in some}.get(rule.measure) for some in found]
        here = [measure for measure in of if measure is not None and measure.n]
        if here and len(here) == len(sizes):
            told.append(_of_rule(policy, rule, sizes, here, before, tuned))
    return tuple(told)


def _of_rule(
    policy: Policy,
    rule: Rule,
    sizes: Sequence[int],
    of: Sequence[Measure],
    before: Sequence[Score],
    tuned: Sequence[Sequence[Score]],
) -> Needed:
    now = of[-1]
    bounds = (("at least", rule.at_least), ("at most", rule.at_most))
    name = f"{rule.measure} {', '.join(f'{word} {bound:g}' for word, bound in bounds if bound is not None)}"
    alone = policy.model_copy(update={"release": (rule,)})
    if decide(alone, policy.digest, [now]).passed:
        return Needed(rule=name, now=now, told="enough")
    cannot = Needed(rule=name, now=now, told="cannot tell")
    rising = rule.at_least is not None and now.low < rule.at_least
    goal = rule.at_least if rising else rule.at_most
    values = _by_case(rule.measure, before, tuned)
    if goal is None or values is None or (rising and rule.measure.startswith(UNBOUNDED)):
        return cannot
    theirs, ours = values
    sign = -1.0 if rising else 1.0  # what has to rise is turned round, so that everything falls
    apart = np.array([(m.value - m.low) if rising else (m.value - m.high) for m in of])
    gaps = ours - theirs
    drawn = np.random.default_rng(SEED).integers(0, gaps.shape[1], (DRAWS, gaps.shape[1]))
    rows = sign * (np.stack([gap[drawn].mean(axis=1) for gap in gaps], axis=1) - apart)
    here = sign * (gaps.mean(axis=1) - apart)
    least = sign * ((1.0 if rising else 0.0) - float(theirs.mean()) - float(apart[-1]))
    floor = min(least, float(rows.min()))
    most = _fit.FAR * max(sizes)
    never = float((_fit.fits(sizes, rows, floor).reaches(sign * goal) >= most).mean())
    records = _fit.needed(sizes, here, rows, sign * goal, floor)
    if records is None:
        return cannot.model_copy(update={"told": "not by more of this data"}) if never >= NEVER else cannot
    if never > 0.5:
        return cannot
    return cannot.model_copy(update={"told": "more", "records": records, "open": records.high >= most})


def _by_case(
    measure: str, before: Sequence[Score], tuned: Sequence[Sequence[Score]]
) -> tuple[_fit.Floats, _fit.Floats] | None:
    """For each case the value of the arm that is compared with (0 when none is), and for each size that of
    the tuned model; None for what is no mean over cases."""
    name, _, arms = measure.rpartition(".")
    suite, _, value = name.partition(".")
    _, _, other = arms.partition("-")

    def said(scores: Sequence[Score], arm: str) -> dict[str, float]:
        mine = (s for s in scores if s.suite == suite and s.arm == arm and value in s.values)
        return {score.case: score.values[value] for score in mine}

    of = [said(scores, "tuned") for scores in tuned]
    against = said(before, other) if other else dict.fromkeys(of[0], 0.0)
    ids = sorted(set(against).intersection(*of))
    if not ids:
        return None
    return np.array([against[case] for case in ids]), np.array([[one[case] for case in ids] for one in of])
