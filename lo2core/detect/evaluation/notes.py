"""Notes: sentences about what limits the metrics of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from lo2core.detect.folds import BY_RUN, FAULT_LEFT_OUT, LONG_NORMALS

_ESTIMATED = (
    "There were few normals to calibrate on, so the threshold is an estimate, slightly above their largest z-score. It "
    "gives few false alarms and may miss faults; recall at 5 % shows how well the scores themselves separate."
)


def notes(figures: pl.DataFrame) -> list[tuple[str, str]]:
    """Detector and sentence of each note on rows of `schemas.Evaluation`, in their order; trivial baselines have none.

    Notes are about estimated thresholds, unscored rows, memorised faults and long normal test cases.
    """
    rows = figures.filter(pl.col("kind") == "detector").iter_rows(named=True)
    return [(row["detector"], sentence) for row in rows for sentence in _sentences(row)]


def _sentences(row: Mapping[str, Any]) -> Iterator[str]:
    split, level = row["split"], row["level"]
    incidents = level == "incident"
    if row["note"] and split != LONG_NORMALS:  # that split contains only normals
        yield row["note"] if incidents and split == BY_RUN else f"{split}, {level}: {row['note']}"
    if row["estimated"] and incidents and split == BY_RUN:
        yield _ESTIMATED
    if incidents and split == FAULT_LEFT_OUT and row["auroc"] is not None:
        yield (
            f"On faults that were never in the training data, AUROC is {row['auroc']:.3f} and recall "
            f"{row['recall']:.3f}. The difference to known faults is memorisation."
        )
    if incidents and split == LONG_NORMALS and row["false_positives"]:
        yield (
            f"Trained without the long normal test cases, it flags {row['false_positives']} of the {row['normal']}: "
            "scores depend on the length of the test case."
        )
