"""Metrics of an evaluation, measured by scikit-learn, with bootstrap intervals over runs.

`truth` is bool (True is faulty), a higher `score` is more anomalous, `weight` is the number of equal rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn import metrics

from lo2core.base.config import MIN_RUNS, SEED
from lo2core.base.statistics import over_runs
from lo2core.base.types import Floats

Flags = NDArray[np.bool_]

_RESAMPLES = 500
_CURVE_POINTS = 300
_AT_K = (10, 50)
_FLOATS = {"x": pl.Float64, "y": pl.Float64, "threshold": pl.Float64}


@dataclass(frozen=True)
class Scored:
    """Labelled, scored rows; `alarm`: whether the row reaches the threshold of its model; `group`: its run."""

    truth: Flags
    score: Floats
    alarm: Flags
    weight: Floats
    group: NDArray[np.str_]

    @property
    def two_classes(self) -> bool:
        return bool(self.truth.any() and not self.truth.all())

    def take(self, rows: NDArray[np.intp]) -> Scored:
        return Scored(self.truth[rows], self.score[rows], self.alarm[rows], self.weight[rows], self.group[rows])


def figures(rows: Scored) -> dict[str, float | int | None]:
    """All metrics in `schemas.Evaluation` that are computed from scored rows; null if undefined."""
    return _counted(rows) | ranked(rows)


def _counted(rows: Scored) -> dict[str, float | int | None]:
    """The confusion matrix at the threshold of the model, and the metrics that follow from it."""
    matrix = metrics.confusion_matrix(rows.truth, rows.alarm, labels=[False, True], sample_weight=rows.weight)
    tn, fp, fn, tp = (round(float(n)) for n in matrix.ravel())
    return {
        "true_negatives": tn,
        "false_positives": fp,
        "false_negatives": fn,
        "true_positives": tp,
        "precision": _ratio(tp, tp + fp),
        "recall": _ratio(tp, tp + fn),
        "f1": _ratio(2 * tp, 2 * tp + fp + fn),
        "false_alarm_rate": _ratio(fp, fp + tn),
    }


def ranked(rows: Scored) -> dict[str, float | int | None]:
    """Metrics that depend only on the order of the scores; empty if there is only one class."""
    if not rows.two_classes:
        return {}
    precision = metrics.average_precision_score(rows.truth, rows.score, sample_weight=rows.weight)
    return {
        "auroc": auroc(rows),
        "average_precision": float(precision),
        "recall_at_1": recall_at(rows, 0.01),
        "recall_at_5": recall_at(rows, 0.05),
        **{f"precision_at_{k}": precision_at(rows, k) for k in _AT_K},
        **_intervals(rows),
    }


def auroc(rows: Scored) -> float:
    """Area under the ROC curve."""
    return float(metrics.roc_auc_score(rows.truth, rows.score, sample_weight=rows.weight))


def recall_at(rows: Scored, false_alarms: float) -> float:
    """The largest recall with a false positive rate of at most `false_alarms`."""
    rates, recalls, _ = metrics.roc_curve(rows.truth, rows.score, sample_weight=rows.weight, drop_intermediate=False)
    return float(recalls[rates <= false_alarms + 1e-12].max())


def precision_at(rows: Scored, k: int) -> float | None:
    """Share of faulty rows among the `k` worst, each counted with its weight; None if there are fewer than `k`."""
    order = np.lexsort((rows.truth, -rows.score))  # normals first among equal scores, so that ties bring no luck
    upto_k = np.minimum(np.cumsum(rows.weight[order]), k)
    return float(np.diff(upto_k, prepend=0.0) @ rows.truth[order]) / k if upto_k[-1] == k else None


def _intervals(rows: Scored) -> dict[str, float | int | None]:
    """95 % bootstrap intervals, resampling whole runs; empty with fewer than `MIN_RUNS` runs."""
    names, group = np.unique(rows.group, return_inverse=True)
    if len(names) < MIN_RUNS:
        return {}
    rng = np.random.default_rng(SEED)
    order = np.argsort(-rows.score, kind="stable")
    group, ordered = group[order], rows.take(order)
    times = (np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names)) for _ in range(_RESAMPLES))
    measured = np.array([_quick_roc(ordered, ordered.weight * drawn[group]) for drawn in times])
    low, high = np.clip(over_runs(measured, np.array(_quick_roc(ordered, ordered.weight)), len(names)), 0, 1)
    return {"auroc_low": low[0], "auroc_high": high[0], "recall_at_5_low": low[1], "recall_at_5_high": high[1]}


def _quick_roc(rows: Scored, weight: Floats) -> tuple[float, float]:
    """AUROC and recall at 5 % false alarms of rows sorted by descending score: as scikit-learn, but 50 times faster.

    NaN if only one class has a positive weight.
    """
    last_of_ties = np.append(np.diff(rows.score) != 0, True)
    found, alarms = (np.append(0, np.cumsum(weight * of)[last_of_ties]) for of in (rows.truth, ~rows.truth))
    if not found[-1] or not alarms[-1]:
        return np.nan, np.nan
    recalls, rates = found / found[-1], alarms / alarms[-1]
    return float(np.trapezoid(recalls, rates)), float(recalls[rates <= 0.05 + 1e-12].max())


def curves(rows: Scored) -> pl.DataFrame:
    """ROC and precision-recall curve: curve, x, y, threshold; at most 300 points each, none for a single class."""
    empty = pl.DataFrame(schema={"curve": pl.String, **_FLOATS})
    if not rows.two_classes:
        return empty
    rates, recalls, cuts = metrics.roc_curve(rows.truth, rows.score, sample_weight=rows.weight)
    precisions, found, levels = metrics.precision_recall_curve(rows.truth, rows.score, sample_weight=rows.weight)
    parts = {"roc": (rates, recalls, cuts), "precision-recall": (found, precisions, np.append(levels, np.nan))}
    return pl.concat([empty, *(_curve(name, *columns) for name, columns in parts.items())])


def _curve(name: str, x: Floats, y: Floats, thresholds: Floats) -> pl.DataFrame:
    kept = np.unique(np.linspace(0, len(x) - 1, _CURVE_POINTS).round().astype(int))
    levels = np.where(np.isfinite(thresholds), thresholds, np.nan)
    frame = pl.DataFrame({"x": x[kept], "y": y[kept], "threshold": levels[kept]}, schema_overrides=_FLOATS)
    return frame.select(pl.lit(name).alias("curve"), "x", "y", pl.col("threshold").fill_nan(None))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
