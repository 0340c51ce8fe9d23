"""The top item of many sequences at once. `lo2core.explain.items` explains one sequence in full."""

from __future__ import annotations

import polars as pl

from lo2core.detect.attribution import unmatched
from lo2core.detect.item_names import carriers
from lo2core.detect.logs import Logs
from lo2core.detect.model import Model
from lo2core.detect.units import unit_of
from lo2core.detect.vectorizer import Vectorizer
from lo2core.messages.counts import MessageCounts
from lo2core.messages.salience import weight
from lo2core.messages.templates import UNSEEN
from lo2core.messages.titles import titles

_ROWS = 1000
"""Number of sequences to attribute at a time, to limit memory."""
_NO_COUNTS = pl.DataFrame(schema={"message_id": pl.UInt64, "normal_n": pl.Int64})


def top_items(model: Model, vec: Vectorizer, items: MessageCounts, sequences: pl.DataFrame) -> pl.DataFrame:
    """The top item of each of `sequences` (columns seq_id, service) as one line of text: seq_id, top_item.

    It is the first item of `items.explained_items`. Null if the detector cannot divide its scores quickly, if the model
    does not know the service, or if nothing raises the score. Items outside the vocabulary begin with "new: ".
    """
    logs = Logs(items, sequences)
    parts = [
        _contributions(model, vec, logs, str(service), own["seq_id"])
        for (service,), own in sequences.group_by("service", maintain_order=True)
        if service in model.detectors
    ]
    contributions = pl.concat([pl.DataFrame(schema=_ITEMS), *parts]).filter(pl.col("share") > 0)
    unit, carried = unit_of(model), carriers(vec, items.messages)
    names = unit.item_names(vec, carried, items.messages)
    named = contributions.join(names, on="feature", how="left", maintain_order="left")
    order = (unit.contribution_order(), weight(pl.col("item")), pl.col("here"), pl.col("feature"))
    first = named.sort(order, descending=[True, True, True, False]).unique("seq_id", keep="first")
    title = titles(_unmatched_named(carried, items, first), items.messages, _NO_COUNTS)
    new = pl.when("known").then(pl.lit("")).otherwise(pl.lit("new: "))
    lines = first.select("seq_id", top_item=new + title)
    return sequences.select("seq_id").join(lines, on="seq_id", how="left", maintain_order="left")


def _unmatched_named(carried: pl.DataFrame, items: MessageCounts, first: pl.DataFrame) -> pl.DataFrame:
    """Give the item of all messages that match no template the text of one of these messages of the sequence."""
    nameless = first.filter(pl.col("item") == UNSEEN)
    if not nameless.height:
        return first
    examples = unmatched(carried, items, nameless["seq_id"])
    joined = first.join(examples, on="seq_id", how="left", maintain_order="left")
    return joined.with_columns(item=pl.when(pl.col("item") == UNSEEN).then("text").otherwise("item"))


_ITEMS = {
    "seq_id": pl.String,
    "feature": pl.UInt64,
    "here": pl.Float64,
    "share": pl.Float64,
    "known": pl.Boolean,
}


def _contributions(model: Model, vec: Vectorizer, logs: Logs, service: str, seq_ids: pl.Series) -> pl.DataFrame:
    """The items of sequences of one service. share: the contribution itself, not divided by the sum."""
    unit, detector = unit_of(model), model.detectors[service]
    if not unit.splits_quickly(detector):
        return pl.DataFrame(schema=_ITEMS)
    parts = [
        unit.contributions(model, vec, logs, service, part["seq_id"], detector.novel)
        for part in seq_ids.to_frame().iter_slices(_ROWS)
    ]
    return pl.concat(parts).rename({"contribution": "share"}).select(_ITEMS.keys())
