"""Two predictions of other logs, by test case and service: scores, incidents and items that came, went or shifted."""

from __future__ import annotations

import numpy as np
import polars as pl

from lo2core.base.statistics import psi, psi_of_counts
from lo2core.base.types import Floats
from lo2core.compare.prediction import Saved
from lo2core.messages.counts import MessageCounts
from lo2core.messages.titles import titles


def by_test_case(a: Saved, b: Saved) -> pl.DataFrame:
    """Test case x service with the median z of each side: test_case, service, z_a, n_a, z_b, n_b, difference."""
    sides = [
        one.frame.group_by("test_case", "service").agg(
            pl.col("z_score").median().alias(f"z_{side}"), pl.len().cast(pl.Int64).alias(f"n_{side}")
        )
        for side, one in (("a", a), ("b", b))
    ]
    both = sides[0].join(sides[1], on=["test_case", "service"], how="full", coalesce=True)
    both = both.with_columns(pl.col("n_a", "n_b").fill_null(0), difference=pl.col("z_b") - pl.col("z_a"))
    columns = ("test_case", "service", "z_a", "n_a", "z_b", "n_b", "difference")
    return both.sort("test_case", "service").select(columns)


NEW, GONE, NOT_IN_A, NOT_IN_B = "new", "gone", "not in A", "not in B"


def incident_changes(a: Saved, b: Saved) -> pl.DataFrame:
    """Test cases x services that were flagged on one side only: test_case, service, z (where flagged), n, change.

    `change` is "new" (flagged in b alone), "gone" (in a alone), or says that the other side's logs do not hold the test
    case and service at all. What was held by both comes first, the largest z first.
    """
    on = ["test_case", "service"]
    held = [one.frame.group_by(on).agg(flagged=pl.col("pred_ano").any(), z=pl.col("z_score").max()) for one in (a, b)]
    sizes = [one.frame.filter("pred_ano").group_by(on).agg(n=pl.len().cast(pl.Int64)) for one in (a, b)]
    parts = [
        _flagged_alone(held[1], held[0], NEW, NOT_IN_A).join(sizes[1], on=on),
        _flagged_alone(held[0], held[1], GONE, NOT_IN_B).join(sizes[0], on=on),
    ]
    absent = pl.col("change").is_in([NOT_IN_A, NOT_IN_B])
    ordered = pl.concat(parts).sort(absent, "z", *on, descending=[False, True, False, False])
    return ordered.select(*on, "z", "n", "change")


def _flagged_alone(mine: pl.DataFrame, other: pl.DataFrame, change: str, absent: str) -> pl.DataFrame:
    both = mine.filter("flagged").join(other, on=["test_case", "service"], how="left", suffix="_other")
    alone = both.filter(~pl.col("flagged_other").fill_null(False))
    there = other.select("test_case", "service", there=pl.lit(True))
    alone = alone.join(there, on=["test_case", "service"], how="left")
    return alone.with_columns(change=pl.when("there").then(pl.lit(change)).otherwise(pl.lit(absent)))


def items_apart(a: Saved, b: Saved) -> str:
    """A sentence saying why the items of the two cannot be compared; empty where they can."""
    for one in (a, b):
        if one.items is None:
            return f"Items were not compared: {one.name} does not say which logs it scored, or they are loaded no more."
    return "" if a.items_like(b) else "Items were not compared: the logs were masked by different rules."


def item_changes(a: Saved, b: Saved) -> pl.DataFrame:
    """Messages, traces and request kinds that only one side's logs hold.

    Columns message_id, kind, title (one line), item (whole text), n, sequences, change ("new" in b, or "vanished").
    Empty where items cannot be compared (`items_apart`).
    """
    if a.items is None or b.items is None or not a.items_like(b):
        return pl.DataFrame(schema=_ITEM_CHANGES)
    parts = [_only(b.items, a.items, "new"), _only(a.items, b.items, "vanished")]
    return pl.concat(parts).sort("change", "n", "item", descending=[False, True, False])


def _only(mine: MessageCounts, other: MessageCounts, change: str) -> pl.DataFrame:
    only = mine.counts.join(other.counts, on="message_id", how="anti")
    counted = only.group_by("message_id").agg(pl.col("n").sum(), sequences=pl.col("seq_id").n_unique().cast(pl.Int64))
    texts = mine.messages.select("message_id", pl.col("kind").cast(pl.String), item="text")
    found = counted.join(texts, on="message_id").with_columns(feature="message_id", change=pl.lit(change))
    usual = other.counts.group_by("message_id").agg(normal_n=pl.col("n").sum())
    return found.with_columns(title=titles(found, mine.messages, usual)).select(_ITEM_CHANGES.keys())


_ITEM_CHANGES = {
    "message_id": pl.UInt64,
    "kind": pl.String,
    "title": pl.String,
    "item": pl.String,
    "n": pl.Int64,
    "sequences": pl.Int64,
    "change": pl.String,
}


def score_shift(a: Saved, b: Saved) -> float | None:
    """PSI of all z-scores of b, set against those of a; None where there are too few."""
    return psi(*(one.frame["z_score"].drop_nulls().to_numpy() for one in (a, b)))


def shifts(a: Saved, b: Saved) -> pl.DataFrame:
    """PSI of the z-scores and of the items of each service, and of all: service, scores, items (null: not known)."""
    scores = [_z_by_service(one.frame) for one in (a, b)]
    items = _item_psi(a, b)
    names = sorted(scores[0].keys() | scores[1].keys())
    none = np.zeros(0)
    rows = [("all services", score_shift(a, b), items.get(None))]
    rows += [(name, psi(*(side.get(name, none) for side in scores)), items.get(name)) for name in names]
    return pl.DataFrame(rows, schema={"service": pl.String, "scores": pl.Float64, "items": pl.Float64}, orient="row")


def _z_by_service(frame: pl.DataFrame) -> dict[str, Floats]:
    parts = frame.drop_nulls("z_score").group_by("service").agg("z_score")
    return {service: part.to_numpy() for service, part in zip(parts["service"], parts["z_score"], strict=True)}


def _item_psi(a: Saved, b: Saved) -> dict[str | None, float | None]:
    """PSI of how often each message occurs, by service; None stands for all."""
    if a.items is None or b.items is None or not a.items_like(b):
        return {}
    sides = []
    for frame, items in ((a.frame, a.items), (b.frame, b.items)):
        services = frame.select("seq_id", "service").unique("seq_id")
        counts = items.counts.filter(pl.col("kind") == "message").join(services, on="seq_id")
        sides.append(counts.group_by("service", "message_id").agg(pl.col("n").sum()))
    both = sides[0].join(sides[1], on=["service", "message_id"], how="full", coalesce=True, suffix="_b").fill_null(0)
    parts = {str(service): part for (service,), part in both.group_by("service")}
    return {service: _shares_psi(part) for service, part in [(None, both), *parts.items()]}


def _shares_psi(counts: pl.DataFrame) -> float | None:
    n_a, n_b = counts["n"].to_numpy().astype(float), counts["n_b"].to_numpy().astype(float)
    return psi_of_counts(n_a, n_b)
