"""Power laws through a few points, and how far they can be trusted.

loss(n) = a + b n^(-c) with a >= 0, b >= 0 and c > 0: what falls with more data does so as a power of its
amount, down to what no amount removes (Hestness and others, Deep Learning Scaling is Predictable,
Empirically, 2017, arXiv:1712.00409).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.nouns import Law, Measure

Floats = npt.NDArray[np.float64]

EXPONENTS = np.geomspace(0.02, 3.0, 48)
DRAWS = 2000
SEED = 20260104
FAR = 100.0
"""Times the present data beyond which nothing is extrapolated."""


class Fits(NamedTuple):
    """Laws in the form a + b (n / last)^(-c), one for each row of losses."""

    a: Floats
    b: Floats
    c: Floats
    last: float

    def at(self, n: float | Floats) -> Floats:
        """The law's losses at this size."""
        found: Floats = self.a + self.b * (np.asarray(n) / self.last) ** -self.c
        return found

    @property
    def gain(self) -> Floats:
        """How much less the loss would be with twice the last size."""
        found: Floats = self.b * (1 - 2.0**-self.c)
        return found

    def reaches(self, goal: float) -> Floats:
        """The size at which the law comes down to `goal`; infinite when it never does."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            size = self.last * (self.b / (goal - self.a)) ** (1 / self.c)
        found: Floats = np.where(self.a < goal, np.where(self.b > 0, size, 0.0), np.inf)
        return found


def fits(sizes: Sequence[float], rows: Floats, floor: Floats | float = 0.0) -> Fits:
    """The least-squares law of every row of losses, one for each size. `floor` is the least that a may be.

    For each exponent of a grid the best a and b under their bounds are known in closed form; a second, finer
    grid lies around the best exponent.
    """
    n = np.asarray(sizes, dtype=np.float64)
    last = float(n.max())
    y = rows - np.reshape(floor, (-1, 1))
    a, b, c, error = _best(n / last, y, np.broadcast_to(EXPONENTS, (len(y), len(EXPONENTS))))
    step = EXPONENTS[1] / EXPONENTS[0]
    finer = c[:, None] * np.geomspace(1 / step, step, 17)
    nearer = _best(n / last, y, finer)
    better = nearer[3] < error
    a, b, c = (np.where(better, new, old) for new, old in zip(nearer[:3], (a, b, c), strict=True))
    return Fits(a + floor, b, c, last)


def _best(n: Floats, y: Floats, exponents: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """For each row of y the best of its exponents, with a and b not negative."""
    m = len(n)
    x = n[None, None, :] ** -exponents[:, :, None]
    sx, sxx, sxy = x.sum(2), (x * x).sum(2), (x * y[:, None, :]).sum(2)
    sy, syy = y.sum(1)[:, None], (y * y).sum(1)[:, None]
    spread = m * sxx - sx * sx
    b = np.where(spread > 1e-12, (m * sxy - sx * sy) / np.where(spread > 1e-12, spread, 1), 0)
    a = (sy - b * sx) / m
    low = a < 0
    b = np.where(low, np.maximum(0, sxy / sxx), b)
    a = np.where(low, 0, a)
    flat = b <= 0
    b = np.where(flat, 0, b)
    a = np.where(flat, np.maximum(0, sy / m), a)
    error = syy - 2 * a * sy - 2 * b * sxy + m * a * a + 2 * a * b * sx + b * b * sxx
    at = error.argmin(1)
    rows = np.arange(len(y))
    return a[rows, at], b[rows, at], exponents[rows, at], error[rows, at]


class Read(NamedTuple):
    """What a learning curve says."""

    law: Law
    now: Measure
    gain: Measure
    noise: float
    """Standard deviation of one training around the law."""


def read(sizes: Sequence[int], losses: Sequence[Sequence[float]]) -> Read:
    """Fit the law to the losses of several trainings a size, and read it at the largest size and its double.

    The intervals are those of a parametric bootstrap: trainings are drawn anew around the law with the spread
    that they had, which is itself drawn (from its chi-square distribution), so that few points give wide
    intervals; the law is fitted to each draw.

    Limits: the spread is taken to be the same at every size. The subsets of one size overlap, and all are
    measured on the same conversations, so that other conversations may differ by more than the interval says.
    """
    n = [float(size) for size, of in zip(sizes, losses, strict=True) for _ in of]
    y = np.array([[loss for of in losses for loss in of]])
    best = fits(n, y)
    around = best.at(np.array(n))
    free = max(1, len(n) - 3)
    spread = float(np.sqrt(((y[0] - around) ** 2).sum() / free))
    dice = np.random.default_rng(SEED)
    scale = spread * np.sqrt(free / dice.chisquare(free, (DRAWS, 1)))
    drawn = fits(n, np.maximum(0, around + scale * dice.standard_normal((DRAWS, len(n)))))
    a, b, c = float(best.a[0]), float(best.b[0]), float(best.c[0])
    law = Law(a=a, b=b * best.last**c, c=c)
    how = f"power law through {len(n)} trainings of {len(sizes)} sizes, parametric bootstrap interval"
    now = _measure("curve.held_out_loss", float(a + b), drawn.a + drawn.b, len(n), how)
    gain = _measure("curve.gain_of_double", float(best.gain[0]), drawn.gain, len(n), how)
    return Read(law, now, gain, spread)


def rises(sizes: Sequence[int], losses: Sequence[Sequence[float]]) -> tuple[int, int] | None:
    """Two sizes of which the larger has the clearly higher loss; None when there are no such.

    Clearly: by more than twice the standard error that the spread within the sizes gives, or, where no size
    was repeated, by more than 2% of the loss.
    """
    means = [float(np.mean(of)) for of in losses]
    free = sum(len(of) - 1 for of in losses)
    within = sum(float(np.var(of)) * len(of) for of in losses)
    spread = float(np.sqrt(within / free)) if free else 0.0
    worst: tuple[float, tuple[int, int]] | None = None
    for more in range(len(means)):
        for less in range(more):
            error = spread * float(np.sqrt(1 / len(losses[less]) + 1 / len(losses[more])))
            over = means[more] - means[less] - (2 * error if free else 0.02 * means[less])
            if over > 1e-9 and (worst is None or over > worst[0]):
                worst = over, (sizes[less], sizes[more])
    return worst[1] if worst else None


def needed(sizes: Sequence[float], now: Floats, draws: Floats, goal: float, floor: float) -> Measure | None:
    """How many records bring what falls with more data down to `goal`; None when they never do.

    `now` has one value a size, `draws` a row of such for every bootstrap draw; `floor` is the least possible
    value. The interval's upper end is `FAR` times the present size when it has none.
    """
    most = FAR * max(sizes)
    value = float(fits(sizes, now[None, :], floor).reaches(goal)[0])
    if value > most:
        return None
    reached = np.minimum(fits(sizes, draws, floor).reaches(goal), most)
    how = f"power law through {len(sizes)} sizes, bootstrap over cases"
    return _measure("curve.records_needed", value, reached, draws.shape[0], how)


def _measure(name: str, value: float, draws: Floats, n: int, how: str) -> Measure:
    low, high = (float(q) for q in np.quantile(draws, [0.025, 0.975]))
    return Measure(name=name, value=value, low=min(value, low), high=max(value, high), n=n, method=how)
