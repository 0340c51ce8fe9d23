"""Statistics that evaluation and comparison share: 95 % intervals, and the population stability index (PSI).

PSI says how differently two samples are distributed. Below 0.1 is usually called stable, above 0.25 shifted (Siddiqi,
Credit Risk Scorecards, 2006).
"""

from __future__ import annotations

import numpy as np

from lo2core.base.types import Floats

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


SOME_SHIFT, STRONG_SHIFT = 0.1, 0.25
PER_BIN = 10
"""Values of the smaller sample that a bin takes at least."""
_MAX_BINS = 10
_FLOOR = 1e-4


def psi(expected: Floats, found: Floats) -> float | None:
    """The index of two samples.

    Bins are quantiles of `expected`, with at least `PER_BIN` values of the smaller sample a bin; an empty bin counts as
    half a value. Null where there are too few values for two bins.
    """
    n_bins = min(_MAX_BINS, min(len(expected), len(found)) // PER_BIN)
    if n_bins < 2:
        return None
    edges = np.unique(np.quantile(expected, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return _index(*(_shares(values, edges) for values in (expected, found)))


def psi_of_counts(expected: Floats, found: Floats) -> float | None:
    """The index of how often each thing was counted; arrays of equal length. What one side lacks counts 0.01 %.

    Null where one side counted nothing.
    """
    if not (expected.any() and found.any()):
        return None
    p, q = (np.maximum(counts / counts.sum(), _FLOOR) for counts in (expected, found))
    return _index(p, q)


def shift_in_words(index: float) -> str:
    """A PSI as text: how the second sample is distributed, compared with the first."""
    if index < SOME_SHIFT:
        return "distributed as before"
    return "distributed somewhat differently" if index < STRONG_SHIFT else "distributed very differently"


def _shares(values: Floats, edges: Floats) -> Floats:
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    filled = np.maximum(counts, 0.5)
    return filled / filled.sum()


def _index(p: Floats, q: Floats) -> float:
    return float(((p - q) * np.log(p / q)).sum())
