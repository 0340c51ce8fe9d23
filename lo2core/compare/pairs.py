"""Two predictions of the same sequences, row by row: what flipped, what moved, how far they agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from lo2core.base.errors import InputError
from lo2core.compare.prediction import Saved
from lo2core.detect.incidents import INCIDENT

BOTH, NEITHER, NOW, NO_LONGER = "flagged by both", "flagged by neither", "now flagged", "no longer flagged"
CHANGE = pl.Enum([NEITHER, NO_LONGER, NOW, BOTH])
"""In the order of flagged by a + 2 x flagged by b."""
KENDALL_ROWS = 50_000
"""Kendall's tau is taken on so many rows, spread evenly, where there are more."""
_LABELS = ("normal", "anomaly")
_IDENTITY = ("run", "folder", "test_case", "repetition", "window", "service", *_LABELS)


def joined(a: Saved, b: Saved) -> pl.DataFrame:
    """The rows of both: identity columns, score_a, z_a, flagged_a, the same of b, and `change` (null: unscored).

    `change` is a `CHANGE`; "now flagged" is by b alone. Labels are those of a, and of b where a has none.
    """
    identity = [name for name in _IDENTITY if name in a.frame.columns and name not in a.keys]
    left = a.frame.select(*a.keys, *identity, score_a="score", z_a="z_score", flagged_a="pred_ano")
    labels = [name for name in _LABELS if name in identity and a.frame[name].null_count()]
    right = b.frame.select(*b.keys, *labels, score_b="score", z_b="z_score", flagged_b="pred_ano")
    if a.keys != b.keys:
        raise InputError(f"{a.name} scores {_unit(a)}, {b.name} scores {_unit(b)}: they cannot be joined row by row.")
    # an inner join takes twice as long
    both = left.join(right.with_columns(there=True), on=a.keys, how="left", maintain_order="left")
    both = both.with_columns(pl.coalesce(name, f"{name}_right") for name in labels)
    return both.filter("there").drop("there", *(f"{name}_right" for name in labels)).with_columns(change=_change())


def _unit(saved: Saved) -> str:
    return "single events" if "line_no" in saved.keys else "sequences"


def same_sequences(a: Saved, b: Saved, pairs: pl.DataFrame) -> bool:
    """Whether `joined` rows say enough: at least half of the smaller side is among them."""
    return pairs.height > 0 and pairs.height * 2 >= min(a.frame.height, b.frame.height)


def _change() -> pl.Expr:
    a, b = (pl.col(name).cast(pl.UInt8) for name in ("flagged_a", "flagged_b"))
    return (a + 2 * b).cat.to(CHANGE)


def flips(pairs: pl.DataFrame) -> pl.DataFrame:
    """The rows that only one of the two flagged, those of the largest difference in z first."""
    flipped = pairs.filter(pl.col("change").is_in([NOW, NO_LONGER])).with_columns(
        difference=pl.col("z_b") - pl.col("z_a")
    )
    return flipped.sort(pl.col("difference").abs(), descending=True, maintain_order=True)


def ranked(pairs: pl.DataFrame) -> pl.DataFrame:
    """The rows that both could score, with rank_a and rank_b by z: 1 is the worst, equal ones share their mean rank."""
    return pairs.drop_nulls(["z_a", "z_b"]).with_columns(
        rank_a=pl.col("z_a").rank("average", descending=True), rank_b=pl.col("z_b").rank("average", descending=True)
    )


def movers(ranks: pl.DataFrame, n: int = 20) -> pl.DataFrame:
    """The `ranked` rows whose rank changed, most first, with `moved` (positive: worse in b)."""
    changed = ranks.filter(pl.col("rank_a") != pl.col("rank_b"))
    moved = changed.with_columns(moved=pl.col("rank_a") - pl.col("rank_b"))
    return moved.top_k(n, by=pl.col("moved").abs()).sort(pl.col("moved").abs(), descending=True, maintain_order=True)


def incident_pairs(pairs: pl.DataFrame) -> pl.DataFrame:
    """The joined rows by incident: the worst z of each side, flagged where any service is, the truth (anomaly)."""
    return (
        pairs.group_by(*INCIDENT, "test_case", maintain_order=True)
        .agg(
            pl.col("z_a", "z_b").max(),
            pl.col("flagged_a", "flagged_b").any(),
            pl.col("anomaly").first(),
        )
        .with_columns(change=_change())
    )


def one_side(incidents: pl.DataFrame, side: str) -> pl.DataFrame:
    """`Saved.incidents` of a or of b, from `incident_pairs` of rows that both hold."""
    return incidents.select(*INCIDENT, "test_case", "anomaly", z=f"z_{side}", flagged=f"flagged_{side}")


@dataclass(frozen=True)
class Agreement:
    """How alike two scorings of the same rows are; None where it is not defined (constant scores, a single row).

    spearman, kendall: of the z-scores, 1 is the same order; kappa: Cohen's, of the flags, 0 is what chance gives.
    """

    n: int
    spearman: float | None
    kendall: float | None
    kappa: float | None


def agreement(ranks: pl.DataFrame) -> Agreement:
    """Correlation of the ranks of `ranked` rows, Cohen's kappa of flags. Kendall's on at most `KENDALL_ROWS` rows."""
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
    """As `sklearn.metrics.cohen_kappa_score`, from the four counts alone."""
    n = scored.height
    a, b = scored["flagged_a"], scored["flagged_b"]
    both, p, q = (int(flags.sum()) / n for flags in (a & b, a, b))
    by_chance = p * q + (1 - p) * (1 - q)
    if by_chance == 1:
        return None
    return (1 - p - q + 2 * both - by_chance) / (1 - by_chance)
