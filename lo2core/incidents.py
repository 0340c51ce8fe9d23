"""Incidents: all services of a test case side by side, where it began, and what false alarms have in common."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from polars.datatypes import DataTypeClass

from lo2core import explain
from lo2core.errors import InputError
from lo2core.evidence import Evidence
from lo2core.lines import odd_lines
from lo2core.model import Model

DataType = pl.DataType | DataTypeClass

TOP = 5
"""The items of a sequence that are looked at where many sequences are."""
MOST_FALSE_POSITIVES = 200
_LARGE_SHARE = 0.05
_NOT_KNOWN = "not known how many normals are as odd"


def sequence_scores(predictions: pl.DataFrame) -> pl.DataFrame:
    """One row a sequence: the predictions themselves, or of scored events the worst of each sequence."""
    if "line_no" not in predictions.columns:
        return predictions
    return worst_first(predictions).unique("seq_id", keep="first", maintain_order=True)


def incident_of(predictions: pl.DataFrame, run: str, folder: str, window: int | None = None) -> pl.DataFrame:
    """The rows of one incident, one a service, worst first. Raises InputError where there are none."""
    same_window = pl.col("window").eq_missing(pl.lit(window, dtype=pl.Int32))
    chosen = predictions.filter(pl.col("run") == run, pl.col("folder") == folder, same_window)
    if not chosen.height:
        part = "" if window is None else f", window {window}"
        raise InputError(f"These predictions hold no incident {folder!r} of run {run!r}{part}.")
    return worst_first(sequence_scores(chosen))


def in_words(p_value: float, n_normals: int) -> str:
    """What a p-value says among so many unseen normals."""
    if not n_normals:
        return _NOT_KNOWN
    as_odd = round(p_value * (n_normals + 1)) - 1
    if as_odd < 1:
        return f"odder than all {n_normals:,} normals"
    if as_odd >= n_normals:
        return f"all {n_normals:,} normals are as odd"
    return f"{as_odd:,} of {n_normals:,} normals {'is' if as_odd == 1 else 'are'} as odd"


def oddness(scored: pl.DataFrame, n_normals: Mapping[str, int]) -> pl.Series:
    """`in_words` of each scored row (service, z_score, p_value); of a row without these, what is missing.

    n_normals: the unseen normals of each service; of a model that tells no services apart all of them, as "".
    """
    of_all = n_normals.get("")

    def words(service: str, z_score: float | None, p_value: float | None) -> str:
        n = n_normals.get(service, of_all)
        if z_score is None:
            return "not scored" if n else "not scored: the model does not know this service"
        return f"no p-value: {_NOT_KNOWN}" if p_value is None else in_words(p_value, n or 0)

    rows = scored.select("service", "z_score", "p_value").iter_rows()
    return pl.Series([words(*row) for row in rows], dtype=pl.String)


def services(incident: pl.DataFrame, model: Model) -> pl.DataFrame:
    """The services of an incident side by side: seq_id, service, score, z_score, p_value, threshold, pred_ano, words.

    `words` sets a score against the normals that the model had not seen: "odder than all 44 normals". Where another
    model made the scores, none are counted.
    """
    sizes = {name: round(calibration.weights.sum()) for name, calibration in model.calibrations.items()}
    columns = ("seq_id", "service", "score", "z_score", "p_value", "threshold", "pred_ano")
    counted = pl.col("p_value").is_null() | _calibrated_by(model, incident)
    words = pl.when(counted).then(oddness(incident, sizes)).otherwise(pl.lit(_NOT_KNOWN))
    return incident.select(*columns, words=words)


def _calibrated_by(model: Model, scored: pl.DataFrame) -> pl.Series:
    """Whether the z-score of each row is what the model makes of its score; true where there is none."""

    def same(service: str, score: float | None, z_score: float | None) -> bool:
        calibration = model.calibrations.get(service, model.calibrations.get(""))
        if score is None or z_score is None or calibration is None:
            return True
        return bool(np.isclose(calibration.z(np.array([score]))[0], z_score))

    return pl.Series([same(*row) for row in scored.select("service", "score", "z_score").iter_rows()], dtype=pl.Boolean)


def first_odd_events(evidence: Evidence, explained: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """When it began, service by service: the first event that holds an item no training normal holds.

    explained: `tables.ExplainedItems` of each seq_id. Where a service has no such item, one with a large share of the
    score stands in. Columns m_timestamp, service, seq_id, line_no, level, text, title, known_to_normals; in time order.
    """
    firsts = [first for seq_id, items in explained.items() if (first := _first_odd(evidence, seq_id, items)).height]
    if not firsts:
        return pl.DataFrame(schema=_ODD)
    return pl.concat(firsts).sort("m_timestamp", "service", nulls_last=True)


_ODD: dict[str, DataType] = {
    "m_timestamp": pl.Datetime("ms"),
    "service": pl.String,
    "seq_id": pl.String,
    "line_no": pl.Int64,
    "level": pl.String,
    "text": pl.String,
    "title": pl.String,
    "known_to_normals": pl.Boolean,
}


def _first_odd(evidence: Evidence, seq_id: str, items: pl.DataFrame) -> pl.DataFrame:
    foreign = items.filter(pl.col("held_by") == 0)
    chosen = foreign if foreign.height else items.filter(pl.col("share") >= _LARGE_SHARE)
    first = odd_lines(evidence, seq_id, chosen).sort("m_timestamp", "line_no").head(1)
    return first.with_columns(
        service=pl.lit(evidence.service_of(seq_id)), seq_id=pl.lit(seq_id), known_to_normals=pl.lit(not foreign.height)
    ).select(pl.col(name).cast(dtype) for name, dtype in _ODD.items())


def false_positives(evidence: Evidence, predictions: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Flagged sequences that are normal, and what they share.

    The first frame has their rows, worst first, with `top_item`; the second a row an item among the five largest of any
    of them: service, title, sequences (how many), mean_share, examples (seq_ids). Of many, the worst 200 are explained.
    """
    wrong = worst_first(sequence_scores(predictions).filter(pl.col("pred_ano"), pl.col("normal")))
    tops = [explain.items(evidence, seq_id).head(TOP) for seq_id in wrong["seq_id"].head(MOST_FALSE_POSITIVES)]
    if not tops:
        return wrong.with_columns(top_item=pl.lit(None, dtype=pl.String)), pl.DataFrame(schema=_SHARED)
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
    return wrong.join(top, on="seq_id", how="left", maintain_order="left"), shared.select(*_SHARED)


_SHARED: dict[str, DataType] = {
    "service": pl.String,
    "title": pl.String,
    "sequences": pl.Int64,
    "mean_share": pl.Float64,
    "examples": pl.List(pl.String),
}


def worst_first(scores: pl.DataFrame) -> pl.DataFrame:
    """Scored rows, worst first, unscored last."""
    return scores.sort("z_score", descending=True, nulls_last=True, maintain_order=True)
