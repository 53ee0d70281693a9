"""Numbers with their uncertainty, against published values, other people's code, and simulation."""

import itertools
from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewright.nouns import Comparison, Measure
from tunewright.stats import (
    compare,
    compare_statistic,
    drift,
    macro_f1,
    mean,
    quantile,
    rate,
    resampled,
    settle,
    wilson,
)

bits = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=60)
numbers = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40)


def arms(both: int, gained: int, lost: int, neither: int) -> tuple[list[float], list[float]]:
    """Paired yes/no scores from the four cells of their table."""
    old = [1.0] * both + [0.0] * gained + [1.0] * lost + [0.0] * neither
    new = [1.0] * both + [1.0] * gained + [0.0] * lost + [0.0] * neither
    return old, new


def paired(old: list[float], new: list[float]) -> Comparison:
    return compare("m", ("base", old), ("tuned", new))


# ── one number ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_intervals_that_newcombe_published(
    hits: int, n: int, low: float, high: float
) -> None:
    """Newcombe (1998), Statistics in Medicine 17:857, table I, method 3."""
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipys_wilson(found: tuple[int, int]) -> None:
    hits, n = found
    theirs = scipy.stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits, n) == pytest.approx((theirs.low, theirs.high), abs=1e-6)


def test_a_rate_of_nothing_claims_nothing() -> None:
    nothing = rate("r", 0, 0)
    assert (nothing.n, nothing.low, nothing.high) == (0, 0.0, 1.0)
    assert "not measured" in nothing.method


@settings(max_examples=15)
@given(numbers)
def test_every_interval_holds_its_value(values: list[float]) -> None:
    for measure in (mean("m", values), quantile("q", values, 0.5)):
        assert measure.low <= measure.value <= measure.high
        assert measure.n == len(values)


def test_a_mean_of_zeros_and_ones_is_a_share() -> None:
    assert mean("m", [1.0, 0.0, 1.0, 1.0]) == rate("m", 3, 4)


def test_nothing_measured_has_no_mean_and_no_quantile() -> None:
    assert mean("m", []).n == quantile("q", [], 0.5).n == 0


def test_the_bootstrap_is_scipys_percentile_bootstrap() -> None:
    values = np.random.default_rng(7).gamma(2.0, size=60)
    ours = mean("m", list(values))
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.05 * width)
    assert ours.value == pytest.approx(values.mean())


def test_the_same_scores_give_the_same_numbers() -> None:
    values = [0.1, 0.5, 0.25, 0.9, 0.3]
    assert mean("m", values) == mean("m", values)
    assert paired(values, values[::-1]) == paired(values, values[::-1])
    assert drift("d", values * 20, values * 12) == drift("d", values * 20, values * 12)


def test_a_quantile_is_numpys() -> None:
    values = [float(v) for v in range(101)]
    assert quantile("q", values, 0.95).value == 95.0
    assert quantile("q", values, 0.5).method == "50% quantile, bootstrap interval"


@pytest.mark.parametrize(
    ("gold", "said", "f1"),
    [
        (["a", "a", "b"], ["a", "a", "b"], 1.0),
        (["a", "a", "b", "b"], ["a", "b", "b", "b"], (2 / 3 + 4 / 5) / 2),
        (["a", "b"], ["c", "c"], 0.0),
        (["a", "b"], ["a", "c"], 0.5),
        ([], [], 0.0),
    ],
)
def test_macro_f1_of_known_answers(gold: list[str], said: list[str], f1: float) -> None:
    assert macro_f1(gold, said) == pytest.approx(f1)


def test_resampling_takes_any_statistic() -> None:
    gold, said = ["a", "b"] * 20, ["a", "b", "a", "a"] * 10
    found = resampled("f1", lambda at: macro_f1([gold[i] for i in at], [said[i] for i in at]), 40, "macro-F1")
    assert found.low < found.value < found.high


# ── two arms, yes or no ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("table", "value", "low", "high"),
    [
        ((36, 12, 2, 0), 0.2, 0.0569, 0.3404),  # Newcombe (1998), Statistics in Medicine 17:2635
        ((1, 1, 7, 12), -0.286, -0.507, -0.026),  # Fagerland, Lydersen and Laake (2014), their first example
    ],
)
def test_the_paired_interval_is_newcombes_method_10(
    table: tuple[int, int, int, int], value: float, low: float, high: float
) -> None:
    found = paired(*arms(*table)).difference
    digits = 5e-5 if value == 0.2 else 5e-4
    assert (found.value, found.low, found.high) == pytest.approx((value, low, high), abs=digits)


def test_mcnemars_mid_p_is_the_published_one() -> None:
    """Fagerland, Lydersen and Laake (2013): 1 gained, 7 lost gives 0.0391."""
    assert paired(*arms(1, 1, 7, 12)).p == pytest.approx(0.0391, abs=5e-5)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mid_p_is_the_exact_test_less_half_of_what_was_seen(gained: int, lost: int) -> None:
    n = gained + lost
    exact = scipy.stats.binomtest(min(gained, lost), n).pvalue if n else 1.0
    seen = scipy.stats.binom.pmf(min(gained, lost), n, 0.5)
    expected = 1.0 if gained == lost else exact - seen
    assert paired(*arms(3, gained, lost, 4)).p == pytest.approx(expected)


@given(bits, st.randoms())
def test_swapping_the_arms_mirrors_the_interval(old: list[float], random: object) -> None:
    new = old[::-1]
    there, back = paired(old, new), paired(new, old)
    assert there.difference.value == pytest.approx(-back.difference.value)
    assert (there.difference.low, there.difference.high) == pytest.approx(
        (-back.difference.high, -back.difference.low)
    )
    assert there.p == back.p


@given(bits)
def test_an_arm_does_not_differ_from_itself(scores: list[float]) -> None:
    same = paired(scores, scores)
    assert same.p == 1.0
    assert same.difference.low <= 0 == same.difference.value <= same.difference.high
    assert settle([same])[0].verdict == "NO CHANGE"


@pytest.mark.parametrize(
    ("n", "cells"),
    [
        (50, (0.5, 0.2, 0.1, 0.2)),
        (50, (0.85, 0.1, 0.02, 0.03)),
        (100, (0.3, 0.3, 0.3, 0.1)),
        (200, (0.1, 0.05, 0.02, 0.83)),
    ],
)
def test_the_paired_interval_covers_the_truth(n: int, cells: tuple[float, float, float, float]) -> None:
    random = np.random.default_rng(n)
    truth, hit, runs = cells[1] - cells[2], 0, 1500
    for both, gained, lost, neither in random.multinomial(n, cells, size=runs):
        found = paired(*arms(both, gained, lost, neither)).difference
        hit += found.low <= truth <= found.high
    assert hit / runs >= 0.93


# ── two arms, any number ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(6))
def test_the_permutation_test_agrees_with_every_permutation(seed: int) -> None:
    gap = np.random.default_rng(seed).normal(0.4, 1, size=10)
    signs = np.array(list(itertools.product([-1, 1], repeat=len(gap))))
    exact = float(np.mean(np.abs((signs * gap).mean(axis=1)) >= abs(gap.mean()) - 1e-12))
    found = paired([0.0] * len(gap), list(gap))
    assert found.test == "sign-flip permutation"
    assert found.p == pytest.approx(exact, abs=4 * sqrt(exact * (1 - exact) / 4000) + 1e-3)


def test_a_p_value_is_never_zero() -> None:
    assert 0 < paired([0.0] * 50, [0.5] * 50).p < 0.001


def test_unpaired_arms_are_refused() -> None:
    with pytest.raises(ValueError, match="paired comparison of 1 and 2 items"):
        paired([1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="paired comparison of 0 and 0 items"):
        paired([], [])


def test_one_item_shows_nothing() -> None:
    for new in ([1.0], [0.37]):
        (settled,) = settle([paired([0.0], new)])
        assert settled.verdict == "NO CHANGE"


@pytest.mark.parametrize("yes_or_no", [True, False])
def test_the_smallest_visible_difference_is_seen_four_times_in_five(yes_or_no: bool) -> None:
    """Plan with one sample's answer, then draw fresh samples with just that difference."""
    random = np.random.default_rng(5)
    n, runs, seen = 120, 250 if yes_or_no else 60, 0
    for _ in range(runs):
        if yes_or_no:
            gained, lost = 0.2, 0.0707  # sd of the gap is 0.5042, so 0.129 can be seen at n=120
            cells = random.multinomial(n, [0.4, gained, lost, 1 - 0.4 - gained - lost])
            found = paired(*arms(*cells))
        else:
            old = random.normal(0, 1, n)
            found = paired(list(old), list(old + random.normal(0.2557, 1, n)))
        seen += settle([found])[0].verdict == "IMPROVED"
    assert 0.68 <= seen / runs <= 0.92
    assert found.smallest_visible == pytest.approx(0.13 if yes_or_no else 0.256, rel=0.25)


def test_a_statistic_that_is_no_mean_can_be_compared() -> None:
    gold = ["a", "b"] * 30
    worse, better = ["a"] * 60, ["a", "b"] * 29 + ["a", "a"]

    def f1(said: list[str]) -> Callable[[np.ndarray], float]:
        return lambda at: macro_f1([gold[i] for i in at], [said[i] for i in at])

    up = compare_statistic("labels.macro_f1", ("base", f1(worse)), ("tuned", f1(better)), 60)
    down = compare_statistic("labels.macro_f1", ("base", f1(better)), ("tuned", f1(worse)), 60)
    assert settle([up])[0].verdict == "IMPROVED"
    assert settle([down])[0].verdict == "REGRESSED"
    assert up.difference.name == "labels.macro_f1.tuned-base"
    assert 0 < up.p < 0.01


# ── many comparisons ────────────────────────────────────────────────────────────────────────────


def told(p: float, low: float, high: float, better: str = "higher") -> Comparison:
    gap = Measure(name="m.tuned-base", value=(low + high) / 2, low=low, high=high, n=50, method="m")
    return Comparison.model_validate(
        {"measure": "m", "before": "base", "after": "tuned", "better": better, "difference": gap, "p": p}
        | {"test": "t", "verdict": "NO CHANGE", "smallest_visible": 0.1}
    )


def test_holm_by_hand() -> None:
    adjusted = settle([told(p, 0.1, 0.2) for p in (0.01, 0.04, 0.03, 0.005)])
    assert [c.p for c in adjusted] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [c.verdict for c in adjusted] == ["IMPROVED", "NO CHANGE", "NO CHANGE", "IMPROVED"]


def test_an_adjusted_p_value_is_at_most_one_and_never_under_its_own() -> None:
    ps = [0.9, 0.5, 0.001, 0.4]
    adjusted = settle([told(p, 0.1, 0.2) for p in ps])
    assert all(p <= c.p <= 1 for p, c in zip(ps, adjusted, strict=True))


def test_nothing_to_settle_is_nothing() -> None:
    assert settle([]) == ()


@pytest.mark.parametrize(
    ("low", "high", "better", "verdict"),
    [
        (0.1, 0.3, "higher", "IMPROVED"),
        (-0.3, -0.1, "higher", "REGRESSED"),
        (0.1, 0.3, "lower", "REGRESSED"),
        (-0.3, -0.1, "lower", "IMPROVED"),
        (-0.1, 0.3, "higher", "NO CHANGE"),
        (-0.1, 0.3, "lower", "NO CHANGE"),
        (0.0, 0.3, "higher", "NO CHANGE"),
        (-0.3, 0.0, "lower", "NO CHANGE"),
    ],
)
def test_which_way_is_better_decides_the_verdict(low: float, high: float, better: str, verdict: str) -> None:
    assert settle([told(0.001, low, high, better)])[0].verdict == verdict


def test_a_clear_interval_does_not_outvote_the_test() -> None:
    assert settle([told(0.05, 0.1, 0.3)])[0].verdict == "NO CHANGE"


# ── drift ───────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 9), min_size=3, max_size=30), st.lists(st.integers(0, 9), min_size=3, max_size=30)
)
def test_drift_is_scipys_kolmogorov_smirnov_distance(old: list[int], new: list[int]) -> None:
    found = drift("d", [float(v) for v in old], [float(v) for v in new], least=3)
    assert found.value == pytest.approx(scipy.stats.ks_2samp(old, new, method="asymp").statistic)
    assert found.low <= found.value <= found.high


def test_with_too_few_items_no_drift_is_claimed() -> None:
    few = drift("d", [1.0] * 1000, [2.0] * 49)
    assert (few.n, few.value, few.low, few.high) == (0, 0.0, 0.0, 1.0)
    assert drift("d", [1.0] * 50, [2.0] * 50).value == 1.0
