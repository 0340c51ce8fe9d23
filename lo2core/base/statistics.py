"""Statistics shared by evaluation and comparison: 95 % intervals and the population stability index (PSI).

The PSI measures how much two distributions differ. A PSI below 0.1 is commonly called stable, above 0.25 shifted
(Siddiqi, Credit Risk Scorecards, 2006).
"""

from __future__ import annotations

import numpy as np

from lo2core.base.types import Floats

LEVEL = 0.95


def binomial(hits: int, n: int) -> tuple[float | None, float | None]:
    """Clopper-Pearson interval of the share hits / n (Biometrika 26, 1934); (None, None) for n = 0."""
    from scipy import stats  # takes half a second to import

    if not n:
        return None, None
    interval = stats.binomtest(hits, n).proportion_ci(LEVEL, method="exact")
    return float(interval.low), float(interval.high)


def over_runs(drawn: Floats, figures: Floats, n: int) -> Floats:
    """Bootstrap intervals over n runs: array [2, n_figures] with lower and upper bounds.

    drawn: replicates [n_replicates, n_figures]; NaN where a replicate has no value. figures: the estimates [n_figures].
    A figure without any replicate gets NaN bounds.
    Percentile intervals are too narrow for few runs, so their distance from the estimate is multiplied by
    t / z * sqrt(n / (n - 1)) (Hesterberg, The American Statistician 69, 2015). In simulations with five runs, plain
    percentile intervals contained the true AUROC in 82 to 87 % of the cases, these in 91 to 96 %.
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
"""Minimum number of values per bin, in the smaller of the two groups."""
_MAX_BINS = 10
_FLOOR = 1e-4


def psi(expected: Floats, actual: Floats) -> float | None:
    """The PSI of two groups of values; None where there are too few values for two bins.

    Bins are quantiles of `expected` with at least `PER_BIN` values of the smaller group each; an empty bin counts as
    half a value.
    """
    n_bins = min(_MAX_BINS, min(len(expected), len(actual)) // PER_BIN)
    if n_bins < 2:
        return None
    edges = np.unique(np.quantile(expected, np.linspace(0, 1, n_bins + 1)[1:-1]))
    return _index(*(_shares(values, edges) for values in (expected, actual)))


def psi_of_counts(expected: Floats, actual: Floats) -> float | None:
    """The PSI of two arrays of counts of the same categories; None where all counts of one array are 0.

    A share of 0 is replaced by 0.01 %.
    """
    if not (expected.any() and actual.any()):
        return None
    p, q = (np.maximum(counts / counts.sum(), _FLOOR) for counts in (expected, actual))
    return _index(p, q)


ENOUGH = _MAX_BINS * PER_BIN
"""Minimum number of values in the smaller of two groups to say that their distributions are similar."""


def separated(hits: tuple[int, int], n: tuple[int, int]) -> bool:
    """Whether two shares hits / n differ: their 95 % intervals (`binomial`) do not overlap."""
    (low_a, high_a), (low_b, high_b) = (binomial(*pair) for pair in zip(hits, n, strict=True))
    known = None not in (low_a, high_a, low_b, high_b)
    return known and (low_a > high_b or low_b > high_a)  # type: ignore[operator]  # none of them is None


def shift_in_words(index: float) -> str:
    """A PSI as text that completes "the second group has ...", compared with the first."""
    if index < SOME_SHIFT:
        return "a similar distribution"
    return "a somewhat different distribution" if index < STRONG_SHIFT else "a very different distribution"


def _shares(values: Floats, edges: Floats) -> Floats:
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    filled = np.maximum(counts, 0.5)
    shares: Floats = filled / filled.sum()
    return shares


def _index(p: Floats, q: Floats) -> float:
    return float(np.sum((p - q) * np.log(p / q)))
