"""Two predictions of the same sequences, row by row: flips, rank changes, and agreement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from lo2core.base.errors import InputError
from lo2core.base.schemas import INCIDENT_KEY
from lo2core.compare.prediction import SavedPrediction
from lo2core.detect.incidents import flagged, per_incident

BOTH, NEITHER, NOW, NO_LONGER = "flagged by both", "flagged by neither", "now flagged", "no longer flagged"
CHANGE = pl.Enum([NEITHER, NO_LONGER, NOW, BOTH])
"""Ordered by (flagged by a) + 2 x (flagged by b)."""
KENDALL_ROWS = 50_000
"""Most rows for Kendall's tau; of more, every n-th row is used."""
_LABELS = ("normal", "anomaly")
_IDENTITY = ("run", "folder", "test_case", "repetition", "window", "service", *_LABELS)


def joined(a: SavedPrediction, b: SavedPrediction) -> pl.DataFrame:
    """The rows that both predictions contain, with both scores; see `schemas.ComparedPairs`.

    Columns: keys and identity, score_a, z_a, flagged_a, score_b, z_b, flagged_b, and change (a `CHANGE`; null if either
    side has no score). Labels are taken from a, and from b where a has none. Raises InputError if one of them scores
    events and the other sequences.
    """
    identity = [name for name in _IDENTITY if name in a.frame.columns and name not in a.keys]
    left = a.frame.select(*a.keys, *identity, score_a="score", z_a="z_score", flagged_a="pred_ano")
    labels = [name for name in _LABELS if name in identity and a.frame[name].null_count()]
    right = b.frame.select(*b.keys, *labels, score_b="score", z_b="z_score", flagged_b="pred_ano")
    if a.keys != b.keys:
        raise InputError(f"{a.name} scores {_unit(a)} and {b.name} scores {_unit(b)}: their rows cannot be joined.")
    # an inner join takes twice as long as a left join and a filter
    both = left.join(right.with_columns(in_both=True), on=a.keys, how="left", maintain_order="left")
    both = both.with_columns(pl.coalesce(name, f"{name}_right") for name in labels)
    return both.filter("in_both").drop("in_both", *(f"{name}_right" for name in labels)).with_columns(change=_change())


def _unit(saved: SavedPrediction) -> str:
    return "single events" if "line_no" in saved.keys else "sequences"


def same_sequences(a: SavedPrediction, b: SavedPrediction, pairs: pl.DataFrame) -> bool:
    """Whether the `joined` rows are at least half of the smaller prediction: else it compares different logs."""
    return pairs.height > 0 and pairs.height * 2 >= min(a.frame.height, b.frame.height)


def _change() -> pl.Expr:
    a, b = (pl.col(name).cast(pl.UInt8) for name in ("flagged_a", "flagged_b"))
    return (a + 2 * b).cat.to(CHANGE)


def flips(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs that only one side flags, with difference (z_b - z_a), largest absolute difference first."""
    flipped = pairs.filter(pl.col("change").is_in([NOW, NO_LONGER])).with_columns(
        difference=pl.col("z_b") - pl.col("z_a")
    )
    return flipped.sort(pl.col("difference").abs(), descending=True, maintain_order=True)


def ranked(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs with both scores, with rank_a and rank_b by z-score: 1 is the worst, ties share their mean rank."""
    return pairs.drop_nulls(["z_a", "z_b"]).with_columns(
        rank_a=pl.col("z_a").rank("average", descending=True), rank_b=pl.col("z_b").rank("average", descending=True)
    )


def movers(ranks: pl.DataFrame, n: int = 20) -> pl.DataFrame:
    """The n `ranked` pairs whose rank changed most, with moved (rank_a - rank_b; positive: worse in b)."""
    changed = ranks.filter(pl.col("rank_a") != pl.col("rank_b"))
    moved = changed.with_columns(moved=pl.col("rank_a") - pl.col("rank_b"))
    return moved.top_k(n, by=pl.col("moved").abs()).sort(pl.col("moved").abs(), descending=True, maintain_order=True)


def incident_pairs(pairs: pl.DataFrame) -> pl.DataFrame:
    """One row per incident of the pairs; its z-scores are those of the worst service, and any flagged service flags it.

    Columns run, folder, window, test_case, z_a, z_b, flagged_a, flagged_b, anomaly (truth), change.
    """
    return per_incident(
        pairs, pl.col("z_a", "z_b").max(), flagged("flagged_a"), flagged("flagged_b"), pl.col("anomaly").first()
    ).with_columns(change=_change())


def one_side(incidents: pl.DataFrame, side: str) -> pl.DataFrame:
    """`SavedPrediction.incidents` of a or b, from `incident_pairs`; valid if both predictions have the same rows."""
    return incidents.select(*INCIDENT_KEY, "test_case", "anomaly", z=f"z_{side}", flagged=f"flagged_{side}")


@dataclass(frozen=True)
class Agreement:
    """How well two predictions of the same n rows agree; None if undefined (constant scores, a single row).

    spearman, kendall: rank correlation of the z-scores, from -1 to 1 (same order). kappa: Cohen's kappa of the flags, 0
    for agreement by chance, 1 for identical flags.
    """

    n: int
    spearman: float | None
    kendall: float | None
    kappa: float | None


def agreement(ranks: pl.DataFrame) -> Agreement:
    """The agreement of `ranked` pairs; Kendall's tau uses at most `KENDALL_ROWS` of them."""
    if ranks.height < 2:
        return Agreement(ranks.height, None, None, None)
    spearman = ranks.select(pl.corr("rank_a", "rank_b")).item()  # Pearson's of ranks is Spearman's
    thin = ranks.gather_every(-(-ranks.height // KENDALL_ROWS))
    from scipy import stats  # takes half a second to import

    kendall = stats.kendalltau(thin["z_a"].to_numpy(), thin["z_b"].to_numpy()).statistic
    return Agreement(ranks.height, _defined(spearman), _defined(kendall), _kappa(ranks))


def _defined(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _kappa(scored: pl.DataFrame) -> float | None:
    """`sklearn.metrics.cohen_kappa_score`, computed from counts, which is faster."""
    n = scored.height
    a, b = scored["flagged_a"], scored["flagged_b"]
    both, p, q = (int(flags.sum()) / n for flags in (a & b, a, b))
    by_chance = p * q + (1 - p) * (1 - q)
    if by_chance == 1:
        return None
    return (1 - p - q + 2 * both - by_chance) / (1 - by_chance)
