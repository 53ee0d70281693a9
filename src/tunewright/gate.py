"""May we? A policy is a set of rules; a decision is what the rules say of the measures. Pure: no I/O."""

from collections.abc import Iterable
from typing import TypeVar

from tunewright.nouns import Action, Decision, Finding, Measure, Policy, Remedy, Rule, Verdict

T = TypeVar("T")

WORST_REMEDY: tuple[Remedy, ...] = ("keep", "redact", "pseudonymise", "ask", "drop", "quarantine")
CRASHED = "crashed"
"""The kind of finding that says that a check failed on a record."""
WORST_ACTION: tuple[Action, ...] = ("allow", "flag", "block")


def decide(policy: Policy, subject: str, measures: Iterable[Measure]) -> Decision:
    """Judge `measures` rule by rule, by the uncertain end of their intervals.

    What was not measured does not pass.
    """
    known = {m.name: m for m in measures}
    judged = [_judge(rule, known.get(rule.measure)) for rule in policy.release]
    met = tuple(why for fine, why in judged if fine)
    broken = tuple(why for fine, why in judged if not fine)
    return Decision(policy=policy.digest, subject=subject, passed=not broken, met=met, broken=broken)


def remedy(policy: Policy, findings: Iterable[Finding]) -> Remedy:
    """What happens to a record with these findings: the strongest of what the policy says of each."""
    return max((remedy_of(policy, f) for f in findings), key=WORST_REMEDY.index, default="keep")


def remedy_of(policy: Policy, finding: Finding) -> Remedy:
    """What the policy says of one finding. A record that a check failed on is quarantined by default."""
    if finding.what == CRASHED:
        return policy.vet.get(f"{finding.check}.{CRASHED}", "quarantine")
    return lookup(policy.vet, finding, "keep")


def screen(policy: Policy, findings: Iterable[Finding]) -> Verdict:
    """Judge one message in flight. A finding that the policy does not name is flagged."""
    found = tuple(findings)
    actions: list[Action] = [lookup(policy.serve, f, "flag") for f in found]
    action = max(actions, key=WORST_ACTION.index, default=WORST_ACTION[0])
    return Verdict(action=action, findings=found)


def lookup(said: dict[str, T], finding: Finding, otherwise: T) -> T:
    """What is said of this finding: by `check.what` first, then by `check`."""
    return said.get(f"{finding.check}.{finding.what}", said.get(finding.check, otherwise))


def _judge(rule: Rule, measure: Measure | None) -> tuple[bool, str]:
    if measure is None or measure.n == 0:
        return False, f"{rule.measure} was not measured"
    wanted = ", ".join(
        f"{word} {bound:g}"
        for word, bound in (("at least", rule.at_least), ("at most", rule.at_most))
        if bound is not None
    )
    low_enough = rule.at_least is None or measure.low >= rule.at_least
    high_enough = rule.at_most is None or measure.high <= rule.at_most
    told = f"{measure.name} is {measure.value:.3f} ({measure.low:.3f} to {measure.high:.3f}, n={measure.n})"
    return low_enough and high_enough, f"{told}; the policy asks for {wanted}"
