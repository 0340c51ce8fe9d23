"""Which of two predictions is better on labelled incidents: metrics with a paired bootstrap, and McNemar's test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lo2core.base.config import MIN_RUNS, SEED
from lo2core.base.schemas import ComparedMetrics
from lo2core.base.statistics import over_runs
from lo2core.base.types import Floats

BLOCKS, REPLICATES = 20, 2_000
"""The bootstrap resamples runs, grouped into at most `BLOCKS` blocks, `REPLICATES` times."""


def metric_differences(incidents: pl.DataFrame) -> pl.DataFrame:
    """Metrics of a and b on labelled incidents, as `schemas.ComparedMetrics`.

    Columns metric, a, b, difference (b - a), low, high; no rows unless there are normal and faulty incidents.
    low, high: 95 % interval of the difference by a paired bootstrap over runs, null for fewer than five runs. A metric
    is null if it is undefined, such as the precision without alarms.

    incidents: `pairs.incident_pairs`. Metrics: precision, recall, F1, false alarms per 100 normals, and AUROC of z.
    """
    labelled = incidents.drop_nulls(["anomaly", "z_a", "z_b", "flagged_a", "flagged_b"])
    if labelled["anomaly"].n_unique() < 2:
        return ComparedMetrics.create_empty()
    blocks = labelled["run"].rank("dense").to_numpy().astype(int) - 1
    n_runs = int(blocks.max()) + 1
    blocks %= BLOCKS
    sides = [_Side.of(labelled, side, blocks) for side in ("a", "b")]
    ones = np.ones((1, sides[0].counts.shape[0]))
    draws = np.random.default_rng(SEED).multinomial(ones.size, np.full(ones.size, 1 / ones.size), REPLICATES)
    point, spread = ([side.metrics(weights) for side in sides] for weights in (ones, draws.astype(float)))
    (a, b), (drawn_a, drawn_b) = ([np.column_stack(list(side.values())) for side in sides] for sides in (point, spread))
    difference = (b - a)[0]
    low, high = over_runs(drawn_b - drawn_a, difference, ones.size) if n_runs >= MIN_RUNS else (None, None)
    columns = {"metric": list(point[0]), "a": a[0], "b": b[0], "difference": difference, "low": low, "high": high}
    return ComparedMetrics.cast(pl.DataFrame(columns)).with_columns(pl.exclude("metric").fill_nan(None))


@dataclass(frozen=True)
class _Side:
    """One prediction, summed by blocks of runs, so that the bootstrap only has to weight blocks.

    counts: [blocks, 4] true positives, false positives, false negatives, true negatives. wins: [blocks, blocks] number
    of pairs of a faulty incident in the one block and a normal incident in the other in which the faulty one has the
    larger z-score (ties count half).
    """

    counts: Floats
    wins: Floats

    @classmethod
    def of(cls, incidents: pl.DataFrame, side: str, blocks: NDArray[np.int_]) -> _Side:
        y, flagged = incidents["anomaly"].to_numpy(), incidents[f"flagged_{side}"].to_numpy()
        n = int(blocks.max()) + 1
        kinds = (y & flagged, ~y & flagged, y & ~flagged, ~y & ~flagged)
        counts = np.stack([np.bincount(blocks[kind], minlength=n) for kind in kinds], axis=1).astype(float)
        z = incidents[f"z_{side}"].to_numpy()
        faulty = [np.sort(z[y & (blocks == block)]) for block in range(n)]
        normal = [np.sort(z[~y & (blocks == block)]) for block in range(n)]
        wins = [
            [(np.searchsorted(m, f, "left") + np.searchsorted(m, f, "right")).sum() / 2 for m in normal] for f in faulty
        ]
        return cls(counts, np.asarray(wins, dtype=float))

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """Metrics by name: one value for each row of weights [replicates, blocks]."""
        tp, fp, fn, tn = (weights @ self.counts).T
        pairs = np.einsum("rb,bc,rc->r", weights, self.wins, weights, optimize=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "precision": tp / (tp + fp),
                "recall": tp / (tp + fn),
                "F1": 2 * tp / (2 * tp + fp + fn),
                "false alarms per 100 normals": 100 * fp / (fp + tn),
                "AUROC": pairs / ((tp + fn) * (fp + tn)),
            }


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test (Psychometrika 12, 1947).

    only_a, only_b: incidents that only a, or only b, classified correctly. p_value: two-sided, of such an uneven split
    by chance.
    """

    only_a: int
    only_b: int
    p_value: float


def mcnemar(incidents: pl.DataFrame) -> McNemar | None:
    """The test on labelled `pairs.incident_pairs`; None without labels."""
    labelled = incidents.drop_nulls(["anomaly", "flagged_a", "flagged_b"])
    if not labelled.height:
        return None
    from scipy import stats  # takes half a second to import

    right_a, right_b = (labelled[f"flagged_{side}"] == labelled["anomaly"] for side in ("a", "b"))
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    p = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    return McNemar(only_a, only_b, float(p))
