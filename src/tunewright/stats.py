"""Numbers with their uncertainty. No measure leaves Tunewright without an interval.

All intervals are at 95%. Resampling uses fixed seeds, so the same scores give the same numbers.
"""

from collections.abc import Callable, Sequence
from math import comb, sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

from tunewright.nouns import Arm, Change, Comparison, Measure

Floats = npt.NDArray[np.float64]
Statistic = Callable[[npt.NDArray[np.intp]], float]
"""A number computed from the items at these indices (with repeats, when resampling)."""

DRAWS = 4000
Z = 1.959964
POWER = Z + 0.841621
"""How many standard errors a difference must be to be seen with 80% power at two-sided 5%."""


def rate(name: str, hits: int, n: int) -> Measure:
    """A proportion with its Wilson score interval (Wilson 1927), which stays honest when n is small.

    Limits: items must be independent of each other.
    """
    if n == 0:
        return Measure(name=name, value=0.0, low=0.0, high=1.0, n=0, method="not measured: no items")
    low, high = wilson(hits, n)
    return Measure(name=name, value=hits / n, low=low, high=high, n=n, method="share, Wilson interval")


def wilson(hits: float, n: int) -> tuple[float, float]:
    """Wilson score interval of a proportion."""
    p, zz = hits / n, Z * Z
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    half = Z * sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    return max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half))


def mean(name: str, values: Sequence[float]) -> Measure:
    """A mean with a percentile bootstrap interval; a share (Wilson) when every value is 0 or 1."""
    if not len(values) or set(values) <= {0.0, 1.0}:
        return rate(name, round(sum(values)), len(values))
    xs = np.asarray(values, dtype=np.float64)
    return _bounded(name, float(xs.mean()), _redraw(xs, lambda rows: rows.mean(axis=1)), len(xs), "mean")


def quantile(name: str, values: Sequence[float], q: float) -> Measure:
    """A quantile (0 to 1) with a percentile bootstrap interval."""
    xs = np.asarray(values, dtype=np.float64)
    if not len(xs):
        return Measure(name=name, value=0.0, low=0.0, high=0.0, n=0, method="not measured: no items")
    draws = _redraw(xs, lambda rows: np.quantile(rows, q, axis=1))
    return _bounded(name, float(np.quantile(xs, q)), draws, len(xs), f"{q:.0%} quantile")


def resampled(name: str, statistic: Statistic, n: int, what: str) -> Measure:
    """Any statistic of n items with a percentile bootstrap interval (Efron 1979, 4,000 draws).

    Limits: intervals of fewer than about 20 items are too narrow.
    """
    return _bounded(name, statistic(np.arange(n)), _draw(statistic, n), n, what)


def macro_f1(gold: Sequence[str], said: Sequence[str]) -> float:
    """Mean over the gold labels of each label's F1."""
    f1s = []
    for label in sorted(set(gold)):
        right = sum(g == s == label for g, s in zip(gold, said, strict=True))
        wrong = sum((g == label) != (s == label) for g, s in zip(gold, said, strict=True))
        f1s.append(2 * right / (2 * right + wrong) if right else 0.0)
    return sum(f1s) / len(f1s) if f1s else 0.0


def compare(
    measure: str,
    before: tuple[Arm, Sequence[float]],
    after: tuple[Arm, Sequence[float]],
    better: Literal["higher", "lower"] = "higher",
) -> Comparison:
    """Two arms on the same items, in the same order.

    Yes/no scores: mid-p McNemar test, Newcombe's paired interval (method 10). Others: sign-flip
    permutation test, paired bootstrap interval. The verdict is set by `settle`, after adjusting for
    how many measures are compared.

    Limits: one training seed; says nothing of how another seed would have done.
    """
    (first, xs), (second, ys) = before, after
    old, new = np.asarray(xs, dtype=np.float64), np.asarray(ys, dtype=np.float64)
    if len(old) != len(new) or not len(old):
        raise ValueError(f"{measure}: paired comparison of {len(old)} and {len(new)} items")
    gap = new - old
    name = f"{measure}.{second}-{first}"
    if set(np.unique(np.concatenate([old, new]))) <= {0.0, 1.0}:
        low, high = _newcombe(old, new)
        p, test, method = _mcnemar(old, new), "McNemar, mid-p", "paired difference, Newcombe interval"
    else:
        draws = _redraw(gap, lambda rows: rows.mean(axis=1))
        low, high = (float(q) for q in np.quantile(draws, [0.025, 0.975]))
        p, test, method = _sign_flip(gap), "sign-flip permutation", "paired difference, bootstrap interval"
    value = float(gap.mean())
    difference = Measure(
        name=name, value=value, low=min(value, low), high=max(value, high), n=len(gap), method=method
    )
    return Comparison(
        measure=measure,
        before=first,
        after=second,
        better=better,
        difference=difference,
        p=p,
        test=test,
        verdict="NO CHANGE",
        smallest_visible=POWER * float(gap.std(ddof=1) if len(gap) > 1 else 0.0) / sqrt(len(gap)),
    )


def compare_statistic(
    measure: str, before: tuple[Arm, Statistic], after: tuple[Arm, Statistic], n: int
) -> Comparison:
    """As `compare`, by paired bootstrap, for a statistic that is no mean over items, such as macro-F1."""
    (first, old), (second, new) = before, after
    draws = _draw(lambda at: new(at) - old(at), n)
    low, high = (float(q) for q in np.quantile(draws, [0.025, 0.975]))
    everything = np.arange(n)
    value = new(everything) - old(everything)
    against = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    difference = Measure(
        name=f"{measure}.{second}-{first}",
        value=value,
        low=min(value, low),
        high=max(value, high),
        n=n,
        method="paired difference, bootstrap interval",
    )
    return Comparison(
        measure=measure,
        before=first,
        after=second,
        difference=difference,
        p=min(1.0, 2 * (against + 1) / (DRAWS + 1)),
        test="paired bootstrap",
        verdict="NO CHANGE",
        smallest_visible=POWER * float(draws.std()),
    )


def settle(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """Adjust the p-values for how many there are (Holm 1979) and say what each comparison shows.

    IMPROVED or REGRESSED needs both the adjusted test below 5% and an interval that excludes zero.
    """
    order = sorted(range(len(comparisons)), key=lambda i: comparisons[i].p)
    adjusted, worst = dict[int, float](), 0.0
    for rank, i in enumerate(order):
        worst = max(worst, min(1.0, comparisons[i].p * (len(order) - rank)))
        adjusted[i] = worst
    return tuple(
        c.model_copy(update={"p": adjusted[i], "verdict": _verdict(c, adjusted[i])})
        for i, c in enumerate(comparisons)
    )


def drift(name: str, before: Sequence[float], after: Sequence[float], least: int = 50) -> Measure:
    """How far `after` has moved from `before`: the Kolmogorov-Smirnov distance, 0 (same) to 1 (apart).

    The interval is the bootstrap's. With fewer than `least` items on a side nothing is claimed:
    n is 0 and the interval is everything.

    Limits: sees one number at a time; a shift in meaning at equal values is invisible.
    """
    if min(len(before), len(after)) < least:
        return Measure(
            name=name, value=0.0, low=0.0, high=1.0, n=0, method=f"not measured: fewer than {least} items"
        )
    old, new = np.sort(np.asarray(before, dtype=np.float64)), np.asarray(after, dtype=np.float64)
    value = _ks(old, np.sort(new))
    draws = [_ks(np.sort(a), np.sort(b)) for a, b in _pairs(old, new, 500)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return Measure(
        name=name,
        value=value,
        low=min(value, float(low)),
        high=max(value, float(high)),
        n=len(new),
        method="Kolmogorov-Smirnov distance, bootstrap interval",
    )


def _verdict(comparison: Comparison, p: float) -> Change:
    low, high = comparison.difference.low, comparison.difference.high
    if p >= 0.05 or low <= 0 <= high:
        return "NO CHANGE"
    return "IMPROVED" if (low > 0) == (comparison.better == "higher") else "REGRESSED"


def _draw(statistic: Statistic, n: int) -> Floats:
    random = np.random.default_rng(20260101)
    return np.array([statistic(random.integers(0, n, n)) for _ in range(DRAWS)])


def _redraw(values: Floats, statistic: Callable[[Floats], Floats]) -> Floats:
    """As `_draw`, for a statistic of many samples at once, one a row: a hundred times as fast."""
    random, n = np.random.default_rng(20260101), len(values)
    rows = max(1, min(DRAWS, 1_000_000 // n))
    sizes = [min(rows, DRAWS - at) for at in range(0, DRAWS, rows)]
    return np.concatenate([statistic(values[random.integers(0, n, (size, n))]) for size in sizes])


def _bounded(name: str, value: float, draws: Floats, n: int, what: str) -> Measure:
    low, high = (float(q) for q in np.quantile(draws, [0.025, 0.975]))
    method = f"{what}, bootstrap interval"
    return Measure(name=name, value=value, low=min(value, low), high=max(value, high), n=n, method=method)


def _newcombe(old: Floats, new: Floats) -> tuple[float, float]:
    """Newcombe (1998), Statistics in Medicine 17:2635, method 10."""
    n = len(old)
    both = float((old * new).sum())
    gained, lost = float((new * (1 - old)).sum()), float((old * (1 - new)).sum())
    neither = n - both - gained - lost
    (l1, u1), (l2, u2) = wilson(both + gained, n), wilson(both + lost, n)
    p1, p2 = (both + gained) / n, (both + lost) / n
    below = (both + gained) * (lost + neither) * (both + lost) * (gained + neither)
    cross = both * neither - gained * lost
    phi = 0.0 if below == 0 else (max(0.0, cross - n / 2) if cross > 0 else cross) / sqrt(below)
    low = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    high = (p2 - l2) ** 2 - 2 * phi * (p2 - l2) * (u1 - p1) + (u1 - p1) ** 2
    return p1 - p2 - sqrt(max(0.0, low)), p1 - p2 + sqrt(max(0.0, high))


def _mcnemar(old: Floats, new: Floats) -> float:
    """Mid-p McNemar test (Fagerland, Lydersen and Laake 2013), two-sided."""
    gained, lost = int((new > old).sum()), int((new < old).sum())
    n, k = gained + lost, min(gained, lost)
    if n == 0:
        return 1.0
    tail = sum(comb(n, i) for i in range(k + 1)) - comb(n, k) / 2
    return min(1.0, 2 * tail / (1 << n))


def _sign_flip(gap: Floats) -> float:
    """Paired permutation test: how often random signs give a mean as far from zero."""
    random = np.random.default_rng(20260102)
    flips = random.choice([-1.0, 1.0], size=(DRAWS, len(gap)))
    reached = np.abs((flips * gap).mean(axis=1)) >= abs(gap.mean()) - 1e-12
    return (int(reached.sum()) + 1) / (DRAWS + 1)


def _ks(old: Floats, new: Floats) -> float:
    at = np.concatenate([old, new])
    below_old = np.searchsorted(old, at, side="right") / len(old)
    gaps = below_old - np.searchsorted(new, at, side="right") / len(new)
    return float(np.max(np.abs(gaps)))


def _pairs(old: Floats, new: Floats, draws: int) -> list[tuple[Floats, Floats]]:
    random = np.random.default_rng(20260103)
    return [(random.choice(old, len(old)), random.choice(new, len(new))) for _ in range(draws)]
