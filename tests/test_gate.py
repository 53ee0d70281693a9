"""What findings and measures mean. The uncertain end of an interval is what a rule compares."""

import pytest

from tunewright.gate import decide, lookup, remedy, screen
from tunewright.nouns import Finding, Measure, Policy, Rule

SUBJECT = "5" * 64


def finding(check: str, what: str = "x") -> Finding:
    return Finding(check=check, what=what, record="r", severity="low", note="n")


def policy(*rules: Rule, **said: object) -> Policy:
    return Policy.model_validate({"vet": {}, "serve": {}, "release": rules, **said})


def measure(name: str, low: float, value: float, high: float, n: int = 30) -> Measure:
    return Measure(name=name, value=value, low=low, high=high, n=n, method="m")


def test_the_low_end_must_reach_the_floor() -> None:
    floor = policy(Rule(measure="golden.exact.tuned", at_least=0.5))
    assert not decide(floor, SUBJECT, [measure("golden.exact.tuned", 0.49, 0.9, 1)]).passed
    assert decide(floor, SUBJECT, [measure("golden.exact.tuned", 0.5, 0.9, 1)]).passed


def test_the_high_end_must_stay_under_the_ceiling() -> None:
    ceiling = policy(Rule(measure="vet.secrets", at_most=0.1))
    assert not decide(ceiling, SUBJECT, [measure("vet.secrets", 0, 0.0, 0.11)]).passed
    assert decide(ceiling, SUBJECT, [measure("vet.secrets", 0, 0.0, 0.1)]).passed


def test_a_rule_with_two_bounds_asks_for_both() -> None:
    band = policy(Rule(measure="m", at_least=0.2, at_most=0.8))
    assert decide(band, SUBJECT, [measure("m", 0.2, 0.5, 0.8)]).passed
    assert not decide(band, SUBJECT, [measure("m", 0.1, 0.5, 0.8)]).passed
    assert not decide(band, SUBJECT, [measure("m", 0.2, 0.5, 0.9)]).passed


def test_what_was_not_measured_does_not_pass() -> None:
    decision = decide(policy(Rule(measure="golden.exact.tuned", at_least=0.0)), SUBJECT, [])
    assert not decision.passed
    assert decision.broken == ("golden.exact.tuned was not measured",)


@pytest.mark.parametrize("rule", [Rule(measure="m", at_least=0.0), Rule(measure="m", at_most=1.0)])
def test_a_measure_of_no_items_does_not_pass(rule: Rule) -> None:
    assert not decide(policy(rule), SUBJECT, [measure("m", 0, 0, 1, n=0)]).passed


def test_every_rule_is_told_whether_it_was_met_and_why() -> None:
    rules = Rule(measure="a", at_least=0.5), Rule(measure="b", at_most=0.5), Rule(measure="c", at_least=1)
    decision = decide(policy(*rules), SUBJECT, [measure("a", 0.6, 0.7, 0.8), measure("b", 0.4, 0.5, 0.6)])
    assert not decision.passed
    assert decision.met == ("a is 0.700 (0.600 to 0.800, n=30); the policy asks for at least 0.5",)
    assert len(decision.broken) == 2
    assert decision.subject == SUBJECT
    assert decision.policy == policy(*rules).digest


def test_a_policy_without_release_rules_lets_everything_out() -> None:
    assert decide(policy(), SUBJECT, []).passed


def test_the_strongest_remedy_counts() -> None:
    said = policy(
        vet={"personal": "redact", "duplicates": "drop", "licence": "quarantine", "quality": "keep"}
    )
    assert remedy(said, []) == "keep"
    assert remedy(said, [finding("quality")]) == "keep"
    assert remedy(said, [finding("quality"), finding("personal")]) == "redact"
    assert remedy(said, [finding("duplicates"), finding("personal")]) == "drop"
    assert remedy(said, [finding("duplicates"), finding("licence"), finding("personal")]) == "quarantine"


def test_what_is_said_of_a_kind_of_finding_beats_what_is_said_of_its_check() -> None:
    said = policy(vet={"personal": "drop", "personal.email": "redact"})
    assert remedy(said, [finding("personal", "email")]) == "redact"
    assert remedy(said, [finding("personal", "phone")]) == "drop"
    assert lookup(said.vet, finding("secrets"), "keep") == "keep"


def test_a_message_is_judged_by_its_worst_finding() -> None:
    said = policy(serve={"secrets": "block", "personal": "flag", "quality": "allow"})
    assert screen(said, []).action == "allow"
    assert screen(said, [finding("quality")]).action == "allow"
    assert screen(said, [finding("quality"), finding("personal")]).action == "flag"
    verdict = screen(said, [finding("personal"), finding("secrets")])
    assert verdict.action == "block"
    assert [f.check for f in verdict.findings] == ["personal", "secrets"]


def test_a_finding_in_service_that_the_policy_does_not_name_is_flagged() -> None:
    assert screen(policy(), [finding("toxicity")]).action == "flag"
