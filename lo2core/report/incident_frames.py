"""Scored incidents as frames for charts and tables."""

from __future__ import annotations

import polars as pl

from lo2core.detect.incidents import by_incident


def ranked_incidents(scores: pl.DataFrame) -> pl.DataFrame:
    """`detect.incidents.by_incident` with rank (1 is worst), incident (a short, unique label) and short_run."""
    found = by_incident(scores).with_row_index("rank", offset=1).with_columns(pl.col("rank").cast(pl.Int64))
    part = pl.format("w{}", pl.col("window").cast(pl.String).str.zfill(3))
    runs = found["run"].unique().to_list()
    short_run = pl.col("run").str.slice(len(_common(runs)))
    parts = ["folder", part, *([short_run] if len(runs) > 1 else [])]
    return found.with_columns(incident=pl.concat_str(parts, separator="  ", ignore_nulls=True), short_run=short_run)


def _common(runs: list[str]) -> str:
    """What all runs begin with, up to a separator."""
    first, last = min(runs, default=""), max(runs, default="")
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    prefix = first[:same]
    return prefix[: max(prefix.rfind("-"), prefix.rfind("_")) + 1]
