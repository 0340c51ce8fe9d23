"""Figures of each prediction, to be shown side by side: alert rates, recall by test case, history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from lo2core.base.schemas import ComparedRates, ComparedRecall
from lo2core.compare.prediction import SavedPrediction


def rates(saved: Sequence[SavedPrediction], incidents: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """How much each prediction flags, as `schemas.ComparedRates`, in the given order.

    Columns prediction, rows, flagged, incidents, flagged_incidents, not_fully_scored, alert_rate (of incidents that
    are flagged or fully scored, 0 to 1). incidents:
    `SavedPrediction.incidents` of each.
    """
    rows = []
    for one, its_incidents in zip(saved, incidents, strict=True):
        flagged, known = int(its_incidents["flagged"].sum()), its_incidents["flagged"].count()
        counted = (one.frame.height, int(one.frame["pred_ano"].sum()), its_incidents.height, flagged)
        rate = flagged / known if known else None
        rows.append((one.name, *counted, its_incidents.height - known, rate))
    return pl.DataFrame(rows, schema=ComparedRates.create_empty().schema, orient="row")


def fault_recall(saved: Sequence[SavedPrediction], incidents: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The share of flagged incidents of each faulty test case, as `schemas.ComparedRecall`, sorted by test case.

    Columns test_case, prediction, recall (0 to 1), n (faulty incidents that are flagged or fully scored), difference
    (to the recall of the first prediction). incidents: `SavedPrediction.incidents` of each.
    """
    parts = []
    for one, its_incidents in zip(saved, incidents, strict=True):
        faulty = its_incidents.drop_nulls("flagged").filter("anomaly").group_by("test_case")
        parts.append(faulty.agg(recall=pl.col("flagged").mean(), n=pl.len()).with_columns(prediction=pl.lit(one.name)))
    first = parts[0].select("test_case", first="recall")
    table = pl.concat(parts).join(first, on="test_case", how="left", maintain_order="left")
    table = table.sort("test_case", maintain_order=True).with_columns(difference=pl.col("recall") - pl.col("first"))
    return ComparedRecall.cast(table)


def history_row(saved: SavedPrediction, incidents: pl.DataFrame) -> pl.DataFrame:
    """Figures of one prediction for a chart over time, one row per figure.

    Columns prediction, model (name of its bundle), made (UTC; null if not recorded), measure (name of the figure),
    value (null if undefined). incidents: `SavedPrediction.incidents`.
    """
    z = saved.frame["z_score"].drop_nulls()
    measures = {
        "incidents": float(incidents.height),
        "flagged incidents, %": 100 * int(incidents["flagged"].sum()) / incidents.height if incidents.height else None,
        "median z": z.median(),
        "largest z": z.max(),
        "threshold": saved.threshold if saved.frame.height else None,
    }
    frame = pl.DataFrame(
        {"measure": list(measures), "value": list(measures.values())}, schema_overrides={"value": pl.Float64}
    )
    created = pl.lit(saved.metadata.get("created"), dtype=pl.String)
    return frame.select(
        prediction=pl.lit(saved.name),
        model=pl.lit(Path(saved.metadata.get("bundle") or "not recorded").stem),
        made=created.str.to_datetime(time_unit="ms", time_zone="UTC", strict=False),
        measure="measure",
        value="value",
    )
