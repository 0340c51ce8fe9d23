"""95 % intervals: of a share, and of figures that a bootstrap over runs drew again and again."""

from __future__ import annotations

import numpy as np

from lo2core.arrays import Floats

LEVEL = 0.95


def binomial(hits: int, n: int) -> tuple[float | None, float | None]:
    """Clopper-Pearson interval of a share (Biometrika 26, 1934); nulls where there is nothing to count."""
    from scipy import stats  # takes half a second to import

    if not n:
        return None, None
    interval = stats.binomtest(hits, n).proportion_ci(LEVEL, method="exact")
    return float(interval.low), float(interval.high)


def over_runs(drawn: Floats, figures: Floats, n: int) -> Floats:
    """Low and high [2, figures] of what a bootstrap over n runs drew [replicates, figures]; NaN where it drew nothing.

    Percentiles, taken as far from the figures as Student's t would have them. Of few runs the percentiles alone are too
    narrow, by sqrt((n - 1) / n) and by z for t (Hesterberg, The American Statistician 69, 2015): of five simulated runs
    they hold the true AUROC 82 to 87 times in 100, these 91 to 96 times.
    """
    from scipy import stats  # takes half a second to import

    tail = (1 + LEVEL) / 2
    wider = stats.t.ppf(tail, n - 1) / stats.norm.ppf(tail) * np.sqrt(n / (n - 1))
    bounds = np.full((2, len(figures)), np.nan)
    some = np.isfinite(drawn).any(axis=0)
    bounds[:, some] = np.nanquantile(drawn[:, some], [1 - tail, tail], axis=0)
    low, high = figures + wider * (bounds - figures)
    return np.array([np.minimum(low, figures), np.maximum(high, figures)])
