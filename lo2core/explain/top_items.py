"""Headlines: of many sequences at once, the one item that says most about each score; `explain` goes deeper."""

from __future__ import annotations

import numpy as np
import polars as pl

from lo2core.detect.detectors.base import Detector
from lo2core.detect.detectors.nearest_normal import NearestNormal
from lo2core.detect.detectors.rarity import OutOfVocabulary, Rarity
from lo2core.detect.model import Model
from lo2core.detect.vectorizer import Encoded, Vectorizer
from lo2core.explain.attribution import split, unmatched
from lo2core.messages.counts import MessageCounts
from lo2core.messages.drain import UNSEEN
from lo2core.messages.salience import said_most, weight
from lo2core.messages.titles import titles

_ROWS = 1000
"""Sequences whose scores are split at a time, so that memory stays small."""
_CHEAP: tuple[type[Detector], ...] = (NearestNormal, Rarity, OutOfVocabulary)
"""Detectors that split their scores without scoring anew."""
_NO_COUNTS = pl.DataFrame(schema={"message_id": pl.UInt64, "normal_n": pl.Int64})


def headlines(model: Model, vec: Vectorizer, items: MessageCounts, sequences: pl.DataFrame) -> pl.DataFrame:
    """Columns seq_id, top_item: a line of text for each of `sequences` (columns seq_id, service).

    It is the item that `explain.items` puts first; of scored events the message of the worst one. Null where the
    detector has no quick way to tell, the service is unknown, or nothing speaks against the sequence. What lies outside
    the vocabulary begins with "new: ".
    """
    parts = [
        _items_of(model, vec, items, str(service), own["seq_id"])
        for (service,), own in sequences.group_by("service", maintain_order=True)
        if service in model.detectors
    ]
    found = pl.concat([pl.DataFrame(schema=_ITEMS), *parts]).filter(pl.col("share") > 0)
    described = found.join(_described(vec, items), on="feature", how="left", maintain_order="left")
    most = said_most() if model.unit == "sequence" else pl.col("share")
    order = (most, weight(pl.col("item")), pl.col("here"), pl.col("feature"))
    first = described.sort(order, descending=[True, True, True, False]).unique("seq_id", keep="first")
    title = titles(_named(vec, items, first), items.messages, _NO_COUNTS)
    new = pl.when("known").then(pl.lit("")).otherwise(pl.lit("new: "))
    named = first.select("seq_id", top_item=new + title)
    return sequences.select("seq_id").join(named, on="seq_id", how="left", maintain_order="left")


def _named(vec: Vectorizer, items: MessageCounts, first: pl.DataFrame) -> pl.DataFrame:
    """The item of each sequence, called by a message of it where it stands for all that no template matches."""
    nameless = first.filter(pl.col("item") == UNSEEN)
    if not nameless.height:
        return first
    said = unmatched(vec.expand(items.messages), items, nameless["seq_id"])
    joined = first.join(said, on="seq_id", how="left", maintain_order="left")
    return joined.with_columns(item=pl.when(pl.col("item") == UNSEEN).then("text").otherwise("item"))


_ITEMS = {
    "seq_id": pl.String,
    "feature": pl.UInt64,
    "here": pl.Float64,
    "share": pl.Float64,
    "known": pl.Boolean,
}


def _items_of(model: Model, vec: Vectorizer, items: MessageCounts, service: str, seq_ids: pl.Series) -> pl.DataFrame:
    """The items of sequences of one service, with what each did to the score as `share`, not yet brought to 1."""
    if model.unit == "event":
        return _messages_of(model, vec, items, service, seq_ids)
    detector = model.detectors[service]
    if model.unit != "sequence" or not isinstance(detector, _CHEAP):
        return pl.DataFrame(schema=_ITEMS)
    parts = []
    for some in seq_ids.to_frame().iter_slices(_ROWS):
        encoded = vec.transform(items, some["seq_id"])
        found = split(detector, vec, encoded, _foreign(detector, encoded))
        parts.append(found.with_columns(seq_id=some["seq_id"].gather(found["row"]), share="contribution"))
    return pl.concat(parts).select(_ITEMS.keys())


def _foreign(detector: Detector, encoded: Encoded) -> np.ndarray:
    """Columns that no normal of the service holds, where the detector knows."""
    if not isinstance(detector, NearestNormal):
        return np.zeros(encoded.X.shape[1], dtype=bool)
    return ~np.isin(np.arange(encoded.X.shape[1]), detector.items_)


def _messages_of(model: Model, vec: Vectorizer, items: MessageCounts, service: str, seq_ids: pl.Series) -> pl.DataFrame:
    """The messages of sequences by the z-score of an event that holds one."""
    counts = items.counts.filter(pl.col("seq_id").is_in(seq_ids.implode()), pl.col("kind") == "message")
    held = items.messages.join(counts, on="message_id", how="semi")
    X = vec.transform_messages(held).X
    z = model.calibrations[service].z(np.asarray(model.detectors[service].score(X)))
    known = np.asarray(X[:, : vec.vocabulary_.height].sum(axis=1)).ravel() > 0
    scored = held.select("message_id", share=pl.Series(z, dtype=pl.Float64), known=pl.Series(known))
    named = counts.join(scored, on="message_id").rename({"message_id": "feature", "n": "here"})
    return named.select(pl.col(name).cast(dtype) for name, dtype in _ITEMS.items())


def _described(vec: Vectorizer, items: MessageCounts) -> pl.DataFrame:
    """feature, kind, item (text) of what the logs hold, and of what only the vocabulary knows."""
    kinds = items.messages.select(feature="message_id", kind=pl.col("kind").cast(pl.String), text="text")
    held = vec.expand(items.messages).select("feature", item="name").unique("feature", keep="first")
    names = pl.Series(vec.feature_names_[: vec.vocabulary_.height], dtype=pl.String)
    known = vec.vocabulary_.select("feature", item=names)
    both = pl.concat([held, known, kinds.select("feature", item="text")]).unique("feature", keep="first")
    return both.join(kinds.drop("text"), on="feature", how="left")
