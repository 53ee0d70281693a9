"""Where to draw the line: from the scores of ones that were made wrong on purpose."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


class Limit(NamedTuple):
    """Scores of at most `at` are found."""

    at: float
    share: float
    """Estimated share of wrong ones in the data (an upper bound)."""
    alarms: float
    """Estimated share of right ones that are found."""
    reach: float
    """Share of the ones made wrong that are found: the recall to expect of errors like those."""


def limit(seen: Scores, wrong: Scores, alarms: float) -> Limit:
    """The highest limit at which at most the share `alarms` of right ones is found.

    `seen` are the scores of the data, a mixture of right and wrong ones; `wrong` are scores of ones that
    were made wrong. The share of wrong ones is at most the smallest ratio of the two distributions (as in
    two-sample mixture estimation: Scott, Blanchard and Handy 2013); what is left below the limit when
    they are taken away are alarms. Where the two overlap so much that not 95 in 100 of the wrong ones
    lie among the lowest tenth of the data, that ratio says nothing, and everything below the limit
    counts as an alarm.
    """
    seen, wrong = np.sort(seen), np.sort(wrong)
    points = np.quantile(wrong, np.linspace(0.02, 0.98, 97))
    below_seen = np.searchsorted(seen, points, side="right") / len(seen)
    below_wrong = np.searchsorted(wrong, points, side="right") / len(wrong)
    usable = below_wrong >= 0.2
    share = float(np.min(below_seen[usable] / below_wrong[usable])) if usable.any() else 0.0
    apart = float(np.searchsorted(wrong, np.quantile(seen, 0.1), side="right")) / len(wrong) >= 0.95
    share = min(share, 0.5) if apart else 0.0
    alarm = np.maximum(0, below_seen - share * below_wrong) / (1 - share)
    above, under = np.maximum.accumulate(alarm), np.minimum.accumulate(alarm[::-1])[::-1]
    alarm = (above + under) / 2  # it can only rise: half way between the two that do
    fits = np.flatnonzero(alarm <= alarms)
    if not len(fits):
        return Limit(-np.inf, share, 0.0, 0.0)
    n = int(fits[-1])
    return Limit(float(points[n]), share, float(alarm[n]), float(below_wrong[n]))


def placed(values: Scores, among: Scores) -> Scores:
    """Where values lie among others, 0 to 1; `among` is sorted."""
    at = np.searchsorted(among, values, side="left") + np.searchsorted(among, values, side="right")
    out: Scores = at / (2.0 * max(1, len(among)))
    return out
