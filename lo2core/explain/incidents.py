"""Incidents: their services side by side, their first unusual events, and what false positives have in common."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from lo2core.base.schemas import FalsePositives, FirstEvents, SharedItems
from lo2core.detect.incidents import NOT_KNOWN, by_sequence, compared_with_normals, worst_first
from lo2core.detect.model import Model
from lo2core.explain.evidence import Evidence
from lo2core.explain.items import explained_items
from lo2core.explain.lines import odd_lines

_FIRST = FirstEvents.create_empty().schema
_WRONG = FalsePositives.create_empty().schema
_SHARED = SharedItems.create_empty().schema
TOP = 5
"""Number of items per sequence if many sequences are explained."""
MOST_FALSE_POSITIVES = 200
_LARGE_SHARE = 0.05


def services_of(incident: pl.DataFrame, model: Model) -> pl.DataFrame:
    """`schemas.ExplainedServices`: the services of an incident side by side, in the order of its rows.

    incident: the result of `detect.incidents.rows_of`. `words` compares a score with the held-out normals of its
    service; if another model made the scores, it says that this is not known.
    """
    sizes = {name: round(calibration.weights.sum()) for name, calibration in model.calibrations.items()}
    columns = ("seq_id", "service", "score", "z_score", "p_value", "threshold", "pred_ano")
    counted = pl.col("p_value").is_null() | _calibrated_by(model, incident)
    words = pl.when(counted).then(compared_with_normals(incident, sizes)).otherwise(pl.lit(NOT_KNOWN))
    return incident.select(*columns, words=words)


def _calibrated_by(model: Model, scored: pl.DataFrame) -> pl.Series:
    """Whether the z-score of each row follows from its score by this model; true for rows without a score."""

    def same(service: str, score: float | None, z_score: float | None) -> bool:
        calibration = model.calibrations.get(service, model.calibrations.get(""))
        if score is None or z_score is None or calibration is None:
            return True
        return bool(np.isclose(calibration.z(np.array([score]))[0], z_score))

    return pl.Series([same(*row) for row in scored.select("service", "score", "z_score").iter_rows()], dtype=pl.Boolean)


def first_odd_events(evidence: Evidence, explained: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """`schemas.FirstEvents`: the first event of each service with an item that no training normal contains.

    explained: `schemas.ExplainedItems` of each seq_id. For a service without such an item, the first event that has an
    item with a large share of the score. Raises InputError if no events were saved.
    """
    firsts = [first for seq_id, items in explained.items() if (first := _first_odd(evidence, seq_id, items)).height]
    if not firsts:
        return pl.DataFrame(schema=_FIRST)
    return pl.concat(firsts).sort("m_timestamp", "service", nulls_last=True)


def _first_odd(evidence: Evidence, seq_id: str, items: pl.DataFrame) -> pl.DataFrame:
    foreign = items.filter(pl.col("held_by") == 0)
    chosen = foreign if foreign.height else items.filter(pl.col("share") >= _LARGE_SHARE)
    first = odd_lines(evidence, seq_id, chosen).sort("m_timestamp", "line_no").head(1)
    return first.with_columns(
        service=pl.lit(evidence.service_of(seq_id)), seq_id=pl.lit(seq_id), known_to_normals=pl.lit(not foreign.height)
    ).select(pl.col(name).cast(dtype) for name, dtype in _FIRST.items())


def false_positives(evidence: Evidence, predictions: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`schemas.FalsePositives` and `schemas.SharedItems`: the flagged sequences that are normal, and their top items.

    At most the worst `MOST_FALSE_POSITIVES` are explained.
    """
    wrong = worst_first(by_sequence(predictions).filter(pl.col("pred_ano"), pl.col("normal")))
    tops = [explained_items(evidence, seq_id).head(TOP) for seq_id in wrong["seq_id"].head(MOST_FALSE_POSITIVES)]
    if not tops:
        return pl.DataFrame(schema=_WRONG), pl.DataFrame(schema=_SHARED)
    items = pl.concat(tops).filter(pl.col("share") > 0)
    shared = (
        items.group_by("service", "feature")
        .agg(
            pl.col("title").first(),
            sequences=pl.len().cast(pl.Int64),
            mean_share=pl.col("share").mean(),
            examples="seq_id",
        )
        .sort("sequences", "mean_share", "title", descending=[True, True, False])
    )
    top = items.filter(pl.col("rank") == 1).select("seq_id", top_item="title")
    named = wrong.join(top, on="seq_id", how="left", maintain_order="left")
    lacking = [pl.lit(None, dtype).alias(name) for name, dtype in _WRONG.items() if name not in named.columns]
    return named.with_columns(lacking).select(_WRONG.names()), shared.select(_SHARED.names())
