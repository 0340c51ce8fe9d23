"""The leading items of many sequences at once: what speaks for a cause, whatever the detector and its items.

They are messages, lines of stack traces and request kinds, so their ids mean the same for every model and every load.
`lo2core.explain.items` explains one sequence in full.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from lo2core.detect.item_names import carriers
from lo2core.detect.logs import Logs
from lo2core.detect.model import Model
from lo2core.detect.units import unit_of
from lo2core.detect.vectorizer import Vectorizer, raw_counts
from lo2core.messages.counts import MessageCounts
from lo2core.messages.salience import STACK_FRAME, is_problem, weight

MOST_SPLIT = 1000
"""Sequences without new messages whose scores are divided among items, which takes about a millisecond each."""

REQUEST = "request"
LEADING = {"seq_id": pl.String, "message_id": pl.UInt64, "kind": pl.String, "text": pl.String, "here": pl.Float64}


def leading_items(model: Model, vec: Vectorizer, items: MessageCounts, sequences: pl.DataFrame) -> pl.DataFrame:
    """The leading items of sequences (columns seq_id, service): seq_id, message_id, kind, text, here (count).

    They are the messages that no training normal of the service contains: those that are problems (warnings, errors,
    exceptions), otherwise all but stack frames, otherwise all. A sequence without any has the item with the largest
    share of its score, if the detector divides scores quickly, for the first `MOST_SPLIT` of them. The request kinds
    with a leading message are leading items, too. Services that the model does not know have none.
    """
    new = _new_items(model, vec, items, sequences)
    rest = sequences.join(new, on="seq_id", how="anti", maintain_order="left").head(MOST_SPLIT)
    largest = _largest_shares(model, vec, items, rest)
    found = pl.concat([_most_telling(new, items.messages), largest])
    texts = items.messages.select("message_id", pl.col("kind").cast(pl.String), "text")
    named = pl.concat([found, _requests_with(found, items)]).join(texts, on="message_id", maintain_order="left")
    return named.select(LEADING.keys())


_FOUND = {"seq_id": pl.String, "message_id": pl.UInt64, "here": pl.Float64}


def _new_items(model: Model, vec: Vectorizer, items: MessageCounts, sequences: pl.DataFrame) -> pl.DataFrame:
    """Messages of which the vectorizer counts something that no normal of the service has: columns `_FOUND`."""
    carried = carriers(vec, items.messages).select("message_id", "feature")
    parts = [
        carried.join(_usual(model, vec, service), on="feature", how="anti")
        .select("message_id", trained=pl.lit(service))
        .unique()
        for service in model.detectors
    ]
    new = pl.concat([pl.DataFrame(schema={"message_id": pl.UInt64, "trained": pl.String}), *parts])
    of = sequences.select("seq_id", trained="service" if model.by_service else pl.lit(""))
    few = items.counts.filter(pl.col("message_id").is_in(new["message_id"].unique().implode()))
    counted = few.join(of, on="seq_id").join(new, on=["trained", "message_id"])
    return counted.select("seq_id", "message_id", here=pl.col("n").cast(pl.Float64))


def _usual(model: Model, vec: Vectorizer, service: str) -> pl.DataFrame:
    """The items of the vocabulary that a training normal of the service has: feature."""
    n_items = vec.vocabulary_.height
    _, normals = model.normals.get(service, ([], None))
    if normals is not None and unit_of(model).from_counts:
        seen = raw_counts(vec, normals).getnnz(axis=0)[:n_items] > 0
    else:
        seen = ~np.asarray(model.detectors[service].novel)[:n_items]
    return vec.vocabulary_.filter(pl.Series(seen)).select("feature")


def _most_telling(new: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """Of each sequence the problems, otherwise what is no stack frame, otherwise all."""
    is_frame = pl.col("text").str.contains(STACK_FRAME)
    place = pl.when(is_problem(pl.col("text"))).then(0).when(is_frame).then(2).otherwise(1)
    placed = new.join(messages.select("message_id", place=place), on="message_id", maintain_order="left")
    return placed.filter(pl.col("place") == pl.col("place").min().over("seq_id")).select(_FOUND.keys())


def _requests_with(found: pl.DataFrame, items: MessageCounts) -> pl.DataFrame:
    """The request kinds of sequences that contain one of their leading messages: columns `_FOUND`."""
    kinds = items.messages.filter(pl.col("kind") == REQUEST).select(request="message_id", message_id="members")
    pairs = kinds.explode("message_id").join(found, on="message_id", how="semi")
    few = items.counts.filter(pl.col("message_id").is_in(pairs["request"].unique().implode()))
    own = few.join(found.select("seq_id").unique(), on="seq_id", how="semi")
    counted = own.select("seq_id", request="message_id", here=pl.col("n").cast(pl.Float64)).join(pairs, on="request")
    held = counted.join(found, on=["seq_id", "message_id"], how="semi")
    return held.unique(["seq_id", "request"]).select("seq_id", "here", message_id="request").select(_FOUND.keys())


def _largest_shares(model: Model, vec: Vectorizer, items: MessageCounts, sequences: pl.DataFrame) -> pl.DataFrame:
    """The item with the largest share of the score of each sequence, where that is quickly known: columns `_FOUND`."""
    logs, unit, parts = Logs(items, sequences), unit_of(model), [pl.DataFrame(schema=_FOUND)]
    carried = unit.carriers(carriers(vec, items.messages), items.messages)
    texts = items.messages.select("message_id", "text")
    for (service,), own in sequences.group_by("service", maintain_order=True):
        name = str(service) if model.by_service else ""
        detector = model.detectors.get(name)
        if detector is None or not unit.splits_quickly(detector):
            continue
        split = unit.contributions(model, vec, logs, name, own["seq_id"], detector.novel)
        told = split.filter(pl.col("contribution") > 0).join(carried, on="feature").join(texts, on="message_id")
        share = pl.col("contribution") * weight(pl.col("text"))
        first = told.sort(share, "message_id", descending=[True, False]).unique("seq_id", keep="first")
        parts.append(first.select(_FOUND.keys()))
    return pl.concat(parts)
