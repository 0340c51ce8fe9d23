"""The ranking of evaluations by their metrics of incidents in held-out runs."""

from __future__ import annotations

import polars as pl

from lo2core.detect.folds import BY_RUN, FAULT_LEFT_OUT


def ranked_evaluations(figures: pl.DataFrame, fingerprint: str | None) -> pl.DataFrame:
    """One row for each evaluated detector, best AUROC on held-out runs first.

    figures: rows of `schemas.Evaluation`. fingerprint: of the loaded logs.

    Columns evaluation, detector, items, weighting, unit, window; metrics of incidents: auroc, recall, recall_at_5,
    false_alarms (per 100), right_service, average_precision, precision, f1, psi; auroc_unmet (AUROC on held-out
    faults); current (whether the loaded logs were evaluated).
    """
    incidents = figures.filter(pl.col("level") == "incident", pl.col("kind") == "detector")
    unmet = incidents.filter(pl.col("split") == FAULT_LEFT_OUT).select("evaluation", auroc_unmet="auroc")
    by_run = incidents.filter(pl.col("split") == BY_RUN).join(unmet, on="evaluation", how="left")
    return by_run.sort("auroc", descending=True, nulls_last=True, maintain_order=True).select(
        "evaluation",
        "detector",
        "items",
        "weighting",
        "unit",
        "window",
        "auroc",
        "auroc_unmet",
        "recall",
        "recall_at_5",
        (pl.col("false_alarm_rate") * 100).alias("false_alarms"),
        "right_service",
        "average_precision",
        "precision",
        "f1",
        "psi",
        current=pl.col("data_fingerprint").eq(pl.lit(fingerprint, dtype=pl.String)).fill_null(False),
    )
