"""Two predictions of different logs, by test case and service: scores, incidents and items that changed."""

from __future__ import annotations

import numpy as np
import polars as pl

from lo2core.base import statistics
from lo2core.base.schemas import ComparedIncidents, ComparedItems, ComparedShifts, ComparedTestCases
from lo2core.base.statistics import ENOUGH, SOME_SHIFT, psi, psi_of_counts, separated
from lo2core.base.types import Floats
from lo2core.compare.prediction import SavedPrediction
from lo2core.messages.counts import MessageCounts
from lo2core.messages.titles import titles

NEW, GONE, NOT_IN_A, NOT_IN_B = "new", "gone", "not in A", "not in B"
VANISHED = "vanished"
ALL_SERVICES = "all services"
_HIGH = (0.9, 0.95, 0.99)
"""Quantiles of the scores of both predictions at which their upper tails are compared."""


def by_test_case(a: SavedPrediction, b: SavedPrediction) -> pl.DataFrame:
    """The median z-score of each test case and service on both sides, as `schemas.ComparedTestCases`.

    Columns test_case, service, z_a, n_a, z_b, n_b (rows), difference (z_b - z_a).
    """
    on = ["test_case", "service"]
    sides = [
        one.frame.group_by(on).agg(pl.col("z_score").median().alias(f"z_{side}"), pl.len().alias(f"n_{side}"))
        for side, one in (("a", a), ("b", b))
    ]
    both = sides[0].join(sides[1], on=on, how="full", coalesce=True)
    both = both.with_columns(pl.col("n_a", "n_b").fill_null(0), difference=pl.col("z_b") - pl.col("z_a"))
    return ComparedTestCases.cast(both.sort(on))


def incident_changes(a: SavedPrediction, b: SavedPrediction) -> pl.DataFrame:
    """Test cases and services that only one side flags, as `schemas.ComparedIncidents`.

    Columns test_case, service, z (largest, on the side that flags it), n (flagged rows), change: `NEW` (flagged in b
    only), `GONE` (in a only), or `NOT_IN_A` and `NOT_IN_B` if the other logs do not contain the test case and service.
    Rows that both logs contain come first, largest z first.
    """
    on = ["test_case", "service"]
    flags = [one.frame.group_by(on).agg(flagged=pl.col("pred_ano").any(), z=pl.col("z_score").max()) for one in (a, b)]
    sizes = [one.frame.filter("pred_ano").group_by(on).agg(n=pl.len()) for one in (a, b)]
    parts = [
        _flagged_alone(flags[1], flags[0], NEW, NOT_IN_A).join(sizes[1], on=on),
        _flagged_alone(flags[0], flags[1], GONE, NOT_IN_B).join(sizes[0], on=on),
    ]
    absent = pl.col("change").is_in([NOT_IN_A, NOT_IN_B])
    ordered = pl.concat(parts).sort(absent, "z", *on, descending=[False, True, False, False])
    return ComparedIncidents.cast(ordered)


def _flagged_alone(mine: pl.DataFrame, other: pl.DataFrame, change: str, absent: str) -> pl.DataFrame:
    """The rows that `mine` flags and `other` does not, with `change`; `absent` for rows that `other` does not have."""
    in_other = other.select("test_case", "service", flagged_other="flagged", in_other=pl.lit(True))
    both = mine.filter("flagged").join(in_other, on=["test_case", "service"], how="left")
    alone = both.filter(~pl.col("flagged_other").fill_null(False))
    return alone.with_columns(change=pl.when("in_other").then(pl.lit(change)).otherwise(pl.lit(absent)))


def why_no_items(a: SavedPrediction, b: SavedPrediction) -> str:
    """A sentence that says why the items of the two cannot be compared; empty if they can."""
    for one in (a, b):
        if one.items is None:
            return f"Items were not compared: {one.name} does not record its logs, or they are no longer loaded."
    return "" if a.items_comparable(b) else "Items were not compared: the logs were masked with different rules."


def item_changes(a: SavedPrediction, b: SavedPrediction) -> pl.DataFrame:
    """Messages, trace lines and request kinds that only one side's logs contain, as `schemas.ComparedItems`.

    Columns message_id, kind, title (one line), item (whole text), n (occurrences), sequences, change: `NEW` (in b only)
    or `VANISHED` (in a only). No rows if items cannot be compared (`why_no_items`).
    """
    if a.items is None or b.items is None or not a.items_comparable(b):
        return ComparedItems.create_empty()
    parts = [_only_in(b.items, a.items, NEW), _only_in(a.items, b.items, VANISHED)]
    return ComparedItems.cast(pl.concat(parts)).sort("change", "n", "item", descending=[False, True, False])


def _only_in(mine: MessageCounts, other: MessageCounts, change: str) -> pl.DataFrame:
    only = mine.counts.join(other.counts, on="message_id", how="anti")
    counted = only.group_by("message_id").agg(pl.col("n").sum(), sequences=pl.col("seq_id").n_unique())
    texts = mine.messages.select("message_id", pl.col("kind").cast(pl.String), item="text")
    found = counted.join(texts, on="message_id").with_columns(feature="message_id", change=pl.lit(change))
    usual = other.counts.group_by("message_id").agg(normal_n=pl.col("n").sum())
    return found.with_columns(title=titles(found, mine.messages, usual))


def score_shift(a: SavedPrediction, b: SavedPrediction) -> float | None:
    """Population stability index of all z-scores of b against a; None with too few scores."""
    return psi(*(one.frame["z_score"].drop_nulls().to_numpy() for one in (a, b)))


def shift_in_words(a: SavedPrediction, b: SavedPrediction) -> str:
    """A sentence that compares the distributions of all z-scores; empty with too few of them.

    They are called similar only if there are enough scores, and if their upper tails are similar, too: as many rows are
    flagged, and as many lie above the thresholds and above high quantiles of both together. The PSI does not see tails,
    since its last bin is open.
    """
    index, tail = score_shift(a, b), _tail_in_words(a, b)
    if index is None:
        return ""
    n_a, n_b = (one.frame["z_score"].count() for one in (a, b))
    if min(n_a, n_b) < ENOUGH:
        few = f"{n_a:,} and {n_b:,} scores are too few to say whether their distributions are similar"
        return f"{few}, but the highest ones differ: {tail}." if tail else f"{few}."
    if tail and index < SOME_SHIFT:
        return f"Most scores have {statistics.shift_in_words(index)} (PSI {index:.2f}), but not the highest: {tail}."
    return f"The scores have {statistics.shift_in_words(index)} (PSI {index:.2f})."


def _tail_in_words(a: SavedPrediction, b: SavedPrediction) -> str:
    """How the upper tails of the z-scores differ; empty if they do not."""
    z = [one.frame["z_score"].drop_nulls().to_numpy() for one in (a, b)]
    n = len(z[0]), len(z[1])
    if not all(n):
        return ""
    flags = [int(one.frame["pred_ano"].sum()) for one in (a, b)]
    if separated((flags[0], flags[1]), n):
        return f"{flags[0] / n[0]:.1%} of them are flagged in {a.name}, {flags[1] / n[1]:.1%} in {b.name}"
    for cut in (a.threshold, b.threshold, *np.quantile(np.concatenate(z), _HIGH)):
        above = [int((side >= cut).sum()) for side in z]
        if separated((above[0], above[1]), n):
            shares = f"{above[0] / n[0]:.1%} of them in {a.name} and {above[1] / n[1]:.1%} in {b.name}"
            return f"{shares} have a z of {cut:.1f} or more"
    return ""


def shifts(a: SavedPrediction, b: SavedPrediction) -> pl.DataFrame:
    """Population stability index (PSI) of b against a, as `schemas.ComparedShifts`.

    Columns service (`ALL_SERVICES` first), scores (PSI of z-scores; null with too few of them), items (PSI of message
    frequencies; null if items cannot be compared).
    """
    scores = [_z_by_service(one.frame) for one in (a, b)]
    items = _item_psi(a, b)
    names = sorted(scores[0].keys() | scores[1].keys())
    none = np.zeros(0)
    rows = [(ALL_SERVICES, score_shift(a, b), items.get(None))]
    rows += [(name, psi(*(side.get(name, none) for side in scores)), items.get(name)) for name in names]
    return pl.DataFrame(rows, schema=ComparedShifts.create_empty().schema, orient="row")


def _z_by_service(frame: pl.DataFrame) -> dict[str, Floats]:
    parts = frame.drop_nulls("z_score").group_by("service").agg("z_score")
    return {service: part.to_numpy() for service, part in zip(parts["service"], parts["z_score"], strict=True)}


def _item_psi(a: SavedPrediction, b: SavedPrediction) -> dict[str | None, float | None]:
    """PSI of message frequencies by service; the key None is all services."""
    if a.items is None or b.items is None or not a.items_comparable(b):
        return {}
    sides = []
    for frame, items in ((a.frame, a.items), (b.frame, b.items)):
        services = frame.select("seq_id", "service").unique("seq_id")
        counts = items.counts.filter(pl.col("kind") == "message").join(services, on="seq_id")
        sides.append(counts.group_by("service", "message_id").agg(pl.col("n").sum()))
    both = sides[0].join(sides[1], on=["service", "message_id"], how="full", coalesce=True, suffix="_b").fill_null(0)
    parts = {str(service): part for (service,), part in both.group_by("service")}
    return {service: _frequency_psi(part) for service, part in [(None, both), *parts.items()]}


def _frequency_psi(counts: pl.DataFrame) -> float | None:
    n_a, n_b = counts["n"].to_numpy().astype(float), counts["n_b"].to_numpy().astype(float)
    return psi_of_counts(n_a, n_b)
