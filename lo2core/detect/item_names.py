"""The items of a vectorizer: which messages carry them, their kind and their text."""

from __future__ import annotations

import polars as pl

from lo2core.detect.vectorizer import Vectorizer

_KIND_NAMES = {"templates": "template", "words": "word", "trigrams": "trigram"}


def carriers(vec: Vectorizer, messages: pl.DataFrame) -> pl.DataFrame:
    """Which message, trace or request carries which item: message_id, feature, name, per (how often), kind.

    messages: `schemas.Messages`.
    """
    own = messages.select("message_id", own=pl.col("kind").cast(pl.String))
    parts = []
    for kind in vec.kinds:
        label = pl.lit(_KIND_NAMES[kind]) if kind in _KIND_NAMES else pl.col("own")
        carried = vec.expand(messages, kind).join(own, on="message_id", how="left", maintain_order="left")
        parts.append(carried.select("message_id", "feature", "name", "per", kind=label))
    return pl.concat(parts)


def item_names(vec: Vectorizer, carried: pl.DataFrame) -> pl.DataFrame:
    """Kind and text of every item that the logs or the vocabulary contain: feature, kind, item (text).

    carried: the result of `carriers`. The kind of an item that only the vocabulary contains is inferred from its text.
    """
    in_logs = carried.select("feature", "kind", item="name").unique("feature", keep="first")
    names = pl.Series(vec.feature_names_[: vec.vocabulary_.height], dtype=pl.String)
    in_vocabulary = vec.vocabulary_.select("feature", kind=_inferred_kinds(names, vec.kinds), item=names)
    return pl.concat([in_logs, in_vocabulary]).unique("feature", keep="first", maintain_order=True)


def _inferred_kinds(texts: pl.Series, kinds: tuple[str, ...]) -> pl.Series:
    named = [_KIND_NAMES[kind] for kind in kinds if kind in _KIND_NAMES]
    if named:
        return pl.Series([named[0]], dtype=pl.String).new_from_index(0, len(texts))
    text = texts.to_frame("text")
    request, message = pl.col("text").str.contains("\n"), pl.col("text").str.contains(r"^[A-Z]{4,} \S")
    kind = pl.when(request).then(pl.lit("request")).when(message).then(pl.lit("message")).otherwise(pl.lit("trace"))
    return text.select(kind).to_series()
