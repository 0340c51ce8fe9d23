"""Predict: score new sequences or events with a trained model, without learning anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from lo2core.base.errors import InputError
from lo2core.base.schemas import EventPredictions, Predictions
from lo2core.base.text import windows
from lo2core.base.types import Mapped
from lo2core.detect.calibration import Threshold
from lo2core.detect.incidents import worst_first
from lo2core.detect.instances import CountSource, EventSource, FrameSource, rows_of_events
from lo2core.detect.model import Model
from lo2core.detect.vectorizer import Vectorizer
from lo2core.messages.counts import MessageCounts

_MOST_NAMED = 10
"""Maximum number of services that a sentence names."""

COLUMNS = Predictions.create_empty().schema
_SCORES = ("score", "z_score", "p_value")


SCORED, NOT_READ, UNKNOWN_SERVICE = "scored", "not read", "unknown service"
"""Values of `schemas.Predictions.status`."""


def predict(
    model: Model,
    vec: Vectorizer,
    items: MessageCounts,
    sequences: pl.DataFrame,
    threshold: Threshold | None = None,
    unread: pl.Series | None = None,
    mapped: Mapped = map,
) -> pl.DataFrame:
    """`schemas.Predictions` of whole sequences, worst first.

    Services the model does not know get null scores, and so do the sequences `unread` (see `Logs`). mapped: see
    `Model.score`.
    """
    if model.unit != "sequence":
        raise InputError(
            f"This model scores single {model.unit}s, not sequences: predict with its bundle, or train one on "
            "sequences."
        )
    source = CountSource(items, sequences)
    rows = source.encode(source.rows, vec)
    scores = model.score(rows.X, rows.frame["service"], mapped)
    frame = pl.concat([sequences.select(n for n in COLUMNS if n in sequences.columns), scores], how="horizontal")
    return labelled(_with_status(frame, unread), threshold or model.threshold).select(COLUMNS.names())


def _with_status(scored: pl.DataFrame, unread: pl.Series | None) -> pl.DataFrame:
    """The rows with `status`, and without scores for those of `unread` sequences."""
    if unread is not None and len(unread):
        kept = [pl.when(~pl.col("seq_id").is_in(unread.implode())).then(name).alias(name) for name in _SCORES]
        scored = scored.with_columns(kept)
    return scored.with_columns(status=_status(unread))


def _status(unread: pl.Series | None) -> pl.Expr:
    reason = pl.lit(UNKNOWN_SERVICE)
    if unread is not None and len(unread):
        reason = pl.when(pl.col("seq_id").is_in(unread.implode())).then(pl.lit(NOT_READ)).otherwise(reason)
    return pl.when(pl.col("score").is_null()).then(reason).otherwise(pl.lit(SCORED)).cast(COLUMNS["status"])


def predict_events(
    model: Model,
    vec: Vectorizer,
    items: MessageCounts,
    sequences: pl.DataFrame,
    events: pl.LazyFrame,
    threshold: Threshold | None = None,
    mapped: Mapped = map,
) -> pl.LazyFrame:
    """All events with their scores. Each distinct (service, message) is scored once; equal scores share a rank."""
    source = EventSource(items, sequences)
    distinct = source.rows.group_by("service", "message_id").agg(n=pl.col("weight").sum().cast(pl.Int64))
    scores = model.score(source.encode(distinct, vec).X, distinct["service"], mapped)
    return _everywhere(events, distinct, scores, ["service", "message_id"], threshold or model.threshold)


def predict_rows(
    model: Model,
    vec: Vectorizer,
    messages: pl.DataFrame,
    events: pl.LazyFrame,
    threshold: Threshold | None = None,
    mapped: Mapped = map,
) -> pl.LazyFrame:
    """Like `predict_events`, for a model of frame rows (`AnomalyDetector` on events); scores each distinct row once."""
    rows = rows_of_events(events, messages, vec)
    keys = ["service", "message_id", *vec.numeric_columns]
    texts = [name for name in dict.fromkeys((str(vec.item_column), "e_message_normalized")) if name not in keys]
    distinct = rows.group_by(keys).agg(pl.col(texts).first(), n=pl.len().cast(pl.Int64)).collect(engine="streaming")
    grouped = distinct if model.by_service else distinct.drop("service")
    source = FrameSource(grouped, str(vec.item_column), vec.numeric_columns, vec)
    scores = model.score(source.encode(source.rows, vec).X, source.rows["service"], mapped)[source.position]
    return _everywhere(rows, distinct.drop(texts), scores, keys, threshold or model.threshold)


def unknown_services(model: Model, services: pl.Series) -> str:
    """A sentence that names the services that the model does not know and cannot score; empty if it knows all."""
    missing = model.unknown_services(services)
    if not missing:
        return ""
    whose = "its" if len(missing) == 1 else "their"
    return (
        f"The model does not know {listed(missing)}, so {whose} logs have no score. It was trained on "
        f"{listed(sorted(model.detectors))}."
    )


def listed(services: Sequence[str]) -> str:
    """The names of at most ten services, and how many more there are."""
    shown = [name or "logs without a service" for name in services[:_MOST_NAMED]]
    more = len(services) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def other_windows(facts: Mapping[str, Any], window: float | None) -> str:
    """A sentence if a model with these facts was trained on test cases cut into other windows; otherwise empty."""
    if facts.get("window", window) == window:
        return ""
    return (
        f"The model was trained on {windows(facts['window'])}, these logs were loaded as {windows(window)}: neither "
        "its z-scores nor its threshold are valid for them. Use logs and a model with the same windows."
    )


def _everywhere(
    events: pl.LazyFrame, distinct: pl.DataFrame, scores: pl.DataFrame, keys: list[str], threshold: Threshold
) -> pl.LazyFrame:
    """The events with the scores of distinct rows (columns `keys` and n, the number of events); ties share a rank."""
    ranked = pl.concat([distinct, scores], how="horizontal")
    ranks = ranked.group_by("z_score").agg(pl.col("n").sum()).drop_nulls().sort("z_score", descending=True)
    ranks = ranks.select("z_score", rank=1 + pl.col("n").cum_sum() - pl.col("n"))
    ranked = ranked.drop("n").join(ranks, on="z_score", how="left")
    judged = _judged(events.join(ranked.lazy(), on=keys, how="left", maintain_order="left"), threshold)
    return judged.with_columns(status=_status(None)).select(EventPredictions.column_names())


def with_unread(scored: pl.LazyFrame, sequences: pl.DataFrame, unread: pl.Series, threshold: Threshold) -> pl.LazyFrame:
    """Scored events (`schemas.EventPredictions`), and a row without a score, for line 1, of each `unread` sequence."""
    schema = EventPredictions.create_empty().schema
    rows = sequences.filter(pl.col("seq_id").is_in(unread.implode())).with_columns(
        *(pl.lit(None, dtype=schema[name]).alias(name) for name in (*_SCORES, "pred_ano", "rank")),
        line_no=pl.lit(1, dtype=pl.Int64),
        threshold=pl.lit(threshold.z),
        status=pl.lit(NOT_READ, dtype=schema["status"]),
    )
    return pl.concat([scored, rows.select(schema.names()).lazy()]) if rows.height else scored


def labelled(frame: pl.DataFrame, threshold: Threshold) -> pl.DataFrame:
    """The scored frame with threshold, pred_ano and rank (1 is the worst; ties share a rank), sorted by rank."""
    ranked = frame.with_columns(rank=pl.col("z_score").rank("min", descending=True).cast(pl.Int64))
    judged = _judged(ranked.lazy(), threshold)
    return worst_first(judged.collect())


def _judged(frame: pl.LazyFrame, threshold: Threshold) -> pl.LazyFrame:
    return frame.with_columns(
        threshold=pl.lit(threshold.z, dtype=pl.Float64), pred_ano=pl.col("z_score") >= threshold.z
    )
