"""Population stability index: how far two samples, or two sets of counts, are spread alike.

Below 0.1 is usually called stable, above 0.25 shifted (Siddiqi, Credit Risk Scorecards, 2006).
"""

from __future__ import annotations

import numpy as np

from lo2core.arrays import Floats

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


def in_words(index: float) -> str:
    """How the second of two samples is spread, set against the first."""
    if index < SOME_SHIFT:
        return "spread as before"
    return "spread somewhat differently" if index < STRONG_SHIFT else "spread quite differently"


def _shares(values: Floats, edges: Floats) -> Floats:
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    filled = np.maximum(counts, 0.5)
    return filled / filled.sum()


def _index(p: Floats, q: Floats) -> float:
    return float(((p - q) * np.log(p / q)).sum())
