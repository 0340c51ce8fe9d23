"""Attribution: how much each item contributes to the scores of many sequences of one service."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lo2core.base.types import Floats, Integers
from lo2core.detect.detectors.base import Detector
from lo2core.detect.detectors.nearest_normal import NearestNormal
from lo2core.detect.vectorizer import Encoded, Vectorizer, raw_counts
from lo2core.messages.counts import MessageCounts
from lo2core.messages.salience import severity
from lo2core.messages.templates import UNSEEN


def split(detector: Detector, vec: Vectorizer, encoded: Encoded, novel: NDArray[np.bool_]) -> pl.DataFrame:
    """The items that contribute to the scores of rows of one service, and the items that no normal contains.

    Columns row, feature, here (count), contribution (in units of the score, higher is worse), known. novel: bool
    [n_columns], the columns of `encoded` that no normal of the service has. Items outside the vocabulary
    (`known` is False) are listed individually.
    """
    contribution = np.asarray(detector.attribute(encoded.X))
    counts = raw_counts(vec, encoded.X).toarray()
    row, column = np.nonzero(((contribution != 0) | ((counts > 0) & novel))[:, : vec.vocabulary_.height])
    inside = {"row": row, "feature": vec.vocabulary_["feature"].gather(column), "here": counts[row, column]}
    unseen = encoded.unseen.group_by("row", "feature").agg(here=pl.col("n").sum().cast(pl.Float64))
    parts = [
        pl.DataFrame(inside, schema=_SPLIT).with_columns(known=pl.lit(True)),
        unseen.select(pl.col(name).cast(dtype) for name, dtype in _SPLIT.items()).with_columns(known=pl.lit(False)),
    ]
    pools = np.broadcast_to(np.arange(contribution.shape[1]), contribution.shape)
    if isinstance(detector, NearestNormal):
        pools = np.where((counts > 0) & novel, contribution.shape[1], pools)
    return _divided(vec, pl.concat(parts), contribution, pools)


_SPLIT = {"row": pl.Int64, "feature": pl.UInt64, "here": pl.Float64}


def unmatched(carried: pl.DataFrame, items: MessageCounts, seq_ids: pl.Series) -> pl.DataFrame:
    """The most severe message that matches no template, for each sequence that has one: seq_id, text.

    carried: the result of `Vectorizer.expand`. All these messages share one item, whose name is not informative.
    """
    nameless = carried.filter(pl.col("name") == UNSEEN)
    occurrences = items.counts.filter(pl.col("seq_id").is_in(seq_ids.implode())).join(
        nameless, on="message_id", how="semi"
    )
    texts = occurrences.join(items.messages, on="message_id").select("seq_id", "text")
    loudest = texts.sort(severity(pl.col("text").str.extract(r"^(\w+)")), "text", descending=[True, False])
    return loudest.unique("seq_id", keep="first", maintain_order=True)


def _divided(vec: Vectorizer, items: pl.DataFrame, contribution: Floats, pools: Integers) -> pl.DataFrame:
    """The items with their contributions. Items of one pool share their sum in proportion to log(1 + count).

    NearestNormal uses only the most frequent of the items that no normal contains, and an arbitrary one of equally
    frequent items, so these items form one pool. Items outside the vocabulary that have the same column form one, too.
    """
    rows = np.arange(len(contribution))[:, None]
    totals = np.zeros((len(contribution), contribution.shape[1] + 1))
    np.add.at(totals, (rows, pools), contribution)
    row, column = items["row"].to_numpy(), vec.columns_of(items["feature"]).to_numpy()
    pool = pools[row, column]
    share = pl.col("here").log1p().clip(1e-9)
    pooled = items.with_columns(pool=pl.Series(pool), contribution=pl.Series(totals[row, pool], dtype=pl.Float64))
    return pooled.with_columns(pl.col("contribution") * share / share.sum().over("row", "pool")).select(
        "row", "feature", "here", "contribution", "known"
    )
