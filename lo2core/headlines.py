"""Headlines: of many sequences at once, the one item that weighs most in each score; `explain` goes deeper."""

from __future__ import annotations

import numpy as np
import polars as pl

from lo2core.detectors.base import Detector, Integers
from lo2core.detectors.nearest import NearestNormal
from lo2core.detectors.rarity import OutOfVocabulary, Rarity
from lo2core.items import Items
from lo2core.model import Model
from lo2core.vectorizer import Encoded, Vectorizer

LENGTH = 160
_ROWS = 1000
"""Sequences whose scores are split at a time, so that memory stays small."""
_CHEAP: tuple[type[Detector], ...] = (NearestNormal, Rarity, OutOfVocabulary)
"""Detectors that split their scores without scoring anew."""


def headlines(model: Model, vec: Vectorizer, items: Items, sequences: pl.DataFrame) -> pl.DataFrame:
    """Columns seq_id, top_item: a line of text for each of `sequences` (columns seq_id, service).

    Null where the detector has no quick way to tell, the service is unknown, or nothing speaks against the sequence.
    What no normal of any service holds begins with "new: ".
    """
    encoded = vec.transform(items, sequences["seq_id"])
    top = pl.DataFrame({"seq_id": sequences["seq_id"], "column": _heaviest(model, encoded, sequences["service"])})
    n_items = vec.vocabulary_.height
    names = pl.DataFrame({"column": range(n_items), "name": vec.feature_names_[:n_items]})
    return (
        top.with_row_index("row")
        .join(names, on="column", how="left", maintain_order="left")
        .join(_unseen(vec, items, encoded), on="row", how="left", maintain_order="left")
        .with_columns(pl.when(pl.col("column") >= n_items).then("new"))
        .select("seq_id", top_item=_one_line(pl.coalesce("name", "new")))
    )


def _heaviest(model: Model, encoded: Encoded, services: pl.Series) -> Integers:
    """The column with the largest share of each row's score, -1 where there is none."""
    out = np.full(len(services), -1)
    for service in services.unique():
        detector = model.detectors.get(service)
        if model.unit == "sequence" and isinstance(detector, _CHEAP):
            rows = np.flatnonzero((services == service).to_numpy())
            for some in np.split(rows, range(_ROWS, len(rows), _ROWS)):
                shares = detector.attribute(encoded.X[some])
                out[some] = np.where(shares.max(axis=1) > 0, shares.argmax(axis=1), -1)
    return out


def _unseen(vec: Vectorizer, items: Items, encoded: Encoded) -> pl.DataFrame:
    """Columns row, new: of a row's items outside the vocabulary the most telling, then the most frequent.

    They weigh much the same, and what an error says helps more than the frames of its stack trace.
    """
    names = vec.expand(items.messages).select("feature", "name").unique("feature", keep="first")
    named = encoded.unseen.join(names, on="feature").with_columns(telling=_telling(pl.col("name")))
    best = named.sort("telling", "n", "feature", descending=[True, True, False]).unique("row", keep="first")
    return best.select("row", new=pl.format("new: {}", pl.col("name").str.strip_chars()))


def _telling(text: pl.Expr) -> pl.Expr:
    """3 for exceptions, 2 for errors, 1 for warnings, -1 for stack frames, else 0."""
    levels = pl.when(text.str.contains(r"^(ERROR|FATAL|SEVERE)\b")).then(2).when(text.str.starts_with("WARN")).then(1)
    return (
        pl.when(text.str.contains(r"^\s*at "))
        .then(-1)
        .when(text.str.contains(r"^\S*(Exception|Error)\b"))
        .then(3)
        .otherwise(levels.otherwise(0))
    )


def _one_line(text: pl.Expr) -> pl.Expr:
    joined = text.str.strip_chars().str.replace_all(r"\s*\n\s*", "  ·  ")
    return pl.when(joined.str.len_chars() > LENGTH).then(joined.str.slice(0, LENGTH - 1) + "…").otherwise(joined)
