"""Predict: score new sequences or events with a trained model, without learning anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from lo2core.base.errors import InputError
from lo2core.base.schemas import Predictions
from lo2core.base.text import windows
from lo2core.detect.calibration import Threshold
from lo2core.detect.incidents import worst_first
from lo2core.detect.instances import CountSource, EventSource, FrameSource, rows_of_events
from lo2core.detect.model import Model
from lo2core.detect.vectorizer import Vectorizer
from lo2core.messages.counts import MessageCounts

_MOST_NAMED = 10
"""Maximum number of services that a sentence names."""

COLUMNS = Predictions.create_empty().schema


def predict(
    model: Model, vec: Vectorizer, items: MessageCounts, sequences: pl.DataFrame, threshold: Threshold | None = None
) -> pl.DataFrame:
    """`schemas.Predictions` of whole sequences, worst first. Services the model does not know get null scores."""
    if model.unit != "sequence":
        raise InputError(
            f"This model scores single {model.unit}s, not sequences: predict with its bundle, or train one on "
            "sequences."
        )
    source = CountSource(items, sequences)
    rows = source.encode(source.rows, vec)
    scores = model.score(rows.X, rows.frame["service"])
    frame = pl.concat([sequences.select(n for n in COLUMNS if n in sequences.columns), scores], how="horizontal")
    return labelled(frame, threshold or model.threshold).select(COLUMNS.names())


def predict_events(
    model: Model,
    vec: Vectorizer,
    items: MessageCounts,
    sequences: pl.DataFrame,
    events: pl.LazyFrame,
    threshold: Threshold | None = None,
) -> pl.LazyFrame:
    """All events with their scores. Each distinct (service, message) is scored once; equal scores share a rank."""
    source = EventSource(items, sequences)
    distinct = source.rows.group_by("service", "message_id").agg(n=pl.col("weight").sum().cast(pl.Int64))
    scores = model.score(source.encode(distinct, vec).X, distinct["service"])
    return _everywhere(events, distinct, scores, ["service", "message_id"], threshold or model.threshold)


def predict_rows(
    model: Model, vec: Vectorizer, messages: pl.DataFrame, events: pl.LazyFrame, threshold: Threshold | None = None
) -> pl.LazyFrame:
    """Like `predict_events`, for a model of frame rows (`AnomalyDetector` on events); scores each distinct row once."""
    rows = rows_of_events(events, messages, vec)
    keys = ["service", "message_id", *vec.numeric_columns]
    texts = [name for name in dict.fromkeys((str(vec.item_column), "e_message_normalized")) if name not in keys]
    distinct = rows.group_by(keys).agg(pl.col(texts).first(), n=pl.len().cast(pl.Int64)).collect(engine="streaming")
    grouped = distinct if model.by_service else distinct.drop("service")
    source = FrameSource(grouped, str(vec.item_column), vec.numeric_columns, vec)
    scores = model.score(source.encode(source.rows, vec).X, source.rows["service"])[source.position]
    return _everywhere(rows, distinct.drop(texts), scores, keys, threshold or model.threshold)


def remarks(model: Model, services: pl.Series, window: float | None) -> list[str]:
    """Warnings about scoring logs that have these services and windows (seconds; None: whole test cases)."""
    unscored = unknown(model, services) if model.by_service else ""
    return [sentence for sentence in (unscored, other_windows(model.facts, window)) if sentence]


def unknown(model: Model, services: pl.Series) -> str:
    """A sentence that names the services that the model does not know and cannot score; empty if it knows all."""
    missing = model.unknown_services(services)
    if not missing:
        return ""
    return (
        f"The model does not know {_listed(missing)}: their logs have no score. It was trained on "
        f"{_listed(sorted(model.detectors))}."
    )


def _listed(services: list[str]) -> str:
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
    return _judged(events.join(ranked.lazy(), on=keys, how="left", maintain_order="left"), threshold)


def labelled(frame: pl.DataFrame, threshold: Threshold) -> pl.DataFrame:
    """The scored frame with threshold, pred_ano and rank (1 is the worst; ties share a rank), sorted by rank."""
    ranked = frame.with_columns(rank=pl.col("z_score").rank("min", descending=True).cast(pl.Int64))
    judged = _judged(ranked.lazy(), threshold)
    return worst_first(judged.collect())


def _judged(frame: pl.LazyFrame, threshold: Threshold) -> pl.LazyFrame:
    return frame.with_columns(
        threshold=pl.lit(threshold.z, dtype=pl.Float64), pred_ano=pl.col("z_score") >= threshold.z
    )
