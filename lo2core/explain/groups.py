"""Groups of flagged incidents by their cause: the same service, the same error codes, similar leading items.

The leading items of an incident are those of its worst service, see `leading_items`. Incidents whose items have other
error codes are never in one group. Otherwise two incidents belong together if their messages are similar, and the
request kinds that contain these (Jaccard index): the same error of another request has another cause. Of the different
sets of items, the most frequent one begins a group, takes those similar to it, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from lo2core.base.schemas import ComparedGroups, GroupedIncidents, Groups
from lo2core.detect.incidents import by_incident, by_sequence
from lo2core.detect.logs import Logs
from lo2core.detect.model import Model
from lo2core.detect.vectorizer import Vectorizer
from lo2core.explain.leading_items import REQUEST, leading_items
from lo2core.messages.grouping import CONSTANT
from lo2core.messages.salience import informative_messages, weight
from lo2core.messages.titles import titles

CHANGES = ("new", "gone", "in both")

SIMILAR = {"items": 0.5, "requests": 0.3}
"""Jaccard index from which on two sets are similar. Request kinds of one fault differ from run to run, since the lines
of concurrent requests mix."""

_NO_USUAL = pl.DataFrame(schema={"message_id": pl.UInt64, "normal_n": pl.Int64})
_NO_ITEM = "counts of usual messages, no new one"


@dataclass(frozen=True)
class Grouping:
    """Groups (`schemas.Groups`) and their incidents (`schemas.GroupedIncidents`)."""

    groups: pl.DataFrame
    incidents: pl.DataFrame


def group_incidents(model: Model, vec: Vectorizer, logs: Logs, predictions: pl.DataFrame) -> Grouping:
    """The flagged incidents of predictions of these logs in groups; the group with the largest z first."""
    flagged = by_incident(by_sequence(predictions)).filter("pred_ano")
    leading = leading_items(model, vec, logs.items, flagged.select("seq_id", "service"))
    return grouped(flagged, leading, logs.items.messages, logs.sequences.select("seq_id", "start_time"))


def grouped(flagged: pl.DataFrame, leading: pl.DataFrame, messages: pl.DataFrame, times: pl.DataFrame) -> Grouping:
    """As `group_incidents`.

    flagged: rows of `incidents.by_incident`. leading: the result of `leading_items`. times: seq_id, start_time.
    """
    is_request = pl.col("kind") == REQUEST
    coded = leading.with_columns(
        codes=pl.when(~is_request).then(_constants(leading["text"])).otherwise(pl.lit([], dtype=pl.List(pl.String)))
    )
    sets = coded.group_by("seq_id").agg(
        codes=pl.col("codes").explode(empty_as_null=True).drop_nulls().unique().sort(),
        items=pl.col("message_id").filter(~is_request).unique().sort(),
        requests=pl.col("message_id").filter(is_request).unique().sort(),
    )
    known = flagged.join(sets, on="seq_id", how="left", maintain_order="left")
    known = known.with_columns(pl.col(CAUSE[1:]).fill_null([]))
    numbered = known.join(_with_leaders(known), on=CAUSE, how="left", maintain_order="left")
    order = numbered.unique("leader", keep="first", maintain_order=True).select("leader").with_row_index("group", 1)
    incidents = numbered.join(order, on="leader", maintain_order="left").with_columns(pl.col("group").cast(pl.Int64))
    groups = _described(incidents.join(times, on="seq_id", how="left", maintain_order="left"), leading, messages)
    return Grouping(groups, incidents.select(GroupedIncidents.column_names()))


CAUSE = ["service", "codes", "items", "requests"]
"""The columns of `schemas.Groups` by which groups are compared."""


def _constants(texts: pl.Series) -> pl.Series:
    """The error codes and constants of each text."""
    distinct = texts.unique()
    found = pl.DataFrame({"text": distinct, "codes": [CONSTANT.findall(text) for text in distinct]}, schema=_CODED)
    return texts.to_frame("text").join(found, on="text", how="left", maintain_order="left")["codes"]


_CODED: dict[str, pl.DataType] = {"text": pl.String(), "codes": pl.List(pl.String)}


def _with_leaders(known: pl.DataFrame) -> pl.DataFrame:
    """Each distinct cause (columns `CAUSE`) with leader, the number of the one that its group began with."""
    distinct = known.group_by(CAUSE, maintain_order=True).agg(pl.len().alias("size"), pl.col("z_score").max())
    distinct = distinct.sort("size", "z_score", descending=True, maintain_order=True).with_row_index("number")
    parts = [
        part.with_columns(leader=part["number"].gather(_leaders(part)))
        for part in distinct.partition_by("service", "codes", maintain_order=True)
    ]
    return pl.concat([distinct.clear().with_columns(leader=pl.col("number")), *parts]).select(*CAUSE, "leader")


def _leaders(sets: pl.DataFrame) -> NDArray[np.int64]:
    """The row of the leader of each row; sets with the same service and codes, the most frequent first."""
    kinds = [(*_matrix(sets[name]), least) for name, least in SIMILAR.items()]
    leader = np.full(sets.height, -1)
    for row in range(sets.height):
        if leader[row] < 0:
            close = leader < 0
            for X, sizes, least in kinds:
                common = np.asarray((X @ X[row].T).todense()).ravel()
                close &= common >= least * (sizes + sizes[row] - common)
            leader[close] = row
    return leader


def _matrix(sets: pl.Series) -> tuple[sparse.csr_matrix, NDArray[np.float64]]:
    """Which set has which item: csr [n_sets, n_items], 1 or 0; and the sizes of the sets."""
    long = pl.DataFrame({"row": range(len(sets)), "item": sets}).explode("item").drop_nulls()
    column = long["item"].rank("dense").to_numpy().astype(int) - 1
    shape = (len(sets), int(column.max(initial=0)) + 1)
    X = sparse.csr_matrix((np.ones(long.height), (long["row"].to_numpy(), column)), shape=shape)
    return X, sets.list.len().to_numpy().astype(float)


def _described(incidents: pl.DataFrame, leading: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """`schemas.Groups` of incidents with their group, start_time and codes."""
    found = incidents.group_by("group").agg(
        pl.col("service", "codes").first(),
        incidents=pl.len().cast(pl.Int64),
        runs=pl.col("run").n_unique().cast(pl.Int64),
        first=pl.col("start_time").min(),
        last=pl.col("start_time").max(),
        z_score=pl.col("z_score").max(),
    )
    held = leading.join(incidents.select("seq_id", "group"), on="seq_id").group_by("group", "message_id")
    by_item = held.agg(pl.col("kind", "text").first(), pl.col("here").mean(), n=pl.len())
    by_item = by_item.join(found.select("group", "incidents"), on="group")
    is_request = pl.col("kind") == REQUEST
    most = by_item.filter(2 * pl.col("n") >= pl.col("incidents")).sort("message_id").group_by("group")
    sets = most.agg(items=pl.col("message_id").filter(~is_request), requests=pl.col("message_id").filter(is_request))
    named = _titled(by_item, messages)
    whole = found.join(named, on="group", how="left").join(sets, on="group", how="left").sort("group")
    whole = whole.with_columns(pl.col("title").fill_null(_NO_ITEM), pl.col("items", "requests").fill_null([]))
    return whole.select(pl.col(name).cast(dtype) for name, dtype in Groups.create_empty().schema.items())


def _titled(by_item: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """group, title: the most telling message that most incidents of a group have, with the path of its requests.

    by_item: group, message_id, kind, text, n (incidents that have the item), incidents (of the group), here.
    """
    share = pl.col("n") / pl.col("incidents") * weight(pl.col("text"))
    ordered = by_item.sort(share, "here", "message_id", descending=[True, True, False])
    ordered = ordered.rename({"message_id": "feature", "text": "item"})
    first, request = (
        ordered.filter(kind).unique("group", keep="first", maintain_order=True)
        for kind in (pl.col("kind") != REQUEST, pl.col("kind") == REQUEST)
    )
    first = first.select("group", title=titles(first, messages, _NO_USUAL))
    paths = informative_messages(request.select("feature").unique(), messages, _NO_USUAL).select("feature", "path")
    named = first.join(request.select("group", "feature").join(paths, on="feature"), on="group", how="left")
    return named.select("group", title=pl.coalesce(pl.format("{} → {}", "path", "title"), "title"))


def similar(groups: pl.DataFrame, others: pl.DataFrame, key: str, other: str) -> pl.DataFrame:
    """The pairs of groups and others with the same cause by the rules of groups: the columns key and other, similarity.

    groups, others: the columns `CAUSE` and one that names each. similarity: of their items and requests, up to 1.
    """
    pairs = groups.select(pl.col(key), *CAUSE).join(others.select(pl.col(other), *CAUSE), on=["service", "codes"])
    close = pairs.with_columns(pl.mean_horizontal(*map(_jaccard, SIMILAR)).alias("similarity"))
    close = close.filter(*(_jaccard(name) >= least for name, least in SIMILAR.items()))
    return close.select(key, other, "similarity")


def _jaccard(name: str) -> pl.Expr:
    """The Jaccard index of two columns of sets, 1 for two empty sets."""
    common = pl.col(name).list.set_intersection(f"{name}_right").list.len().cast(pl.Float64)
    union = pl.col(name).list.set_union(f"{name}_right").list.len()
    return pl.when(union > 0).then(common / union).otherwise(1.0)


def paired_groups(a: pl.DataFrame, b: pl.DataFrame) -> pl.DataFrame:
    """Groups of two predictions side by side (`schemas.ComparedGroups`): new ones, gone ones, then those in both.

    a, b: `schemas.Groups`. Each group of B is paired with the most similar one of A, see `similar`.
    """
    close = similar(b, a.rename({"group": "group_a"}), "group", "group_a")
    close = close.sort("similarity", "group_a", descending=[True, False])
    pairs = close.unique("group", keep="first", maintain_order=True)
    pairs = pairs.unique("group_a", keep="first", maintain_order=True)
    shown = ("group", "incidents", "z_score")
    left = b.join(pairs.select("group", "group_a"), on="group", how="left").rename({n: f"{n}_b" for n in shown})
    right = a.select(*(pl.col(name).alias(f"{name}_a") for name in shown), "service", "title")
    both = left.join(right, on="group_a", how="full", suffix="_of_a", coalesce=True)
    both = both.with_columns(pl.coalesce(name, f"{name}_of_a").alias(name) for name in ("service", "title"))
    change = (
        pl.when(pl.col("incidents_a").is_null())
        .then(pl.lit("new"))
        .otherwise(pl.when(pl.col("incidents_b").is_null()).then(pl.lit("gone")).otherwise(pl.lit("in both")))
    )
    both = both.with_columns(pl.col("incidents_a", "incidents_b").fill_null(0), change=change.cast(pl.Enum(CHANGES)))
    largest = pl.max_horizontal("z_score_a", "z_score_b")
    ordered = both.sort("change", largest, "title", descending=[False, True, False])
    return ordered.select(pl.col(name).cast(dtype) for name, dtype in ComparedGroups.create_empty().schema.items())
