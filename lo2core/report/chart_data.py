"""Frames for charts and tables of scores: ranked incidents, heat map cells, marks of strips and summary plots.

`scores` is `schemas.Predictions` with one row per sequence.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lo2core.base.schemas import INCIDENT_KEY
from lo2core.detect.incidents import by_incident, worst_first
from lo2core.report import charts

BINS = 80
"""Marks of an item within this fraction of the x axis count as overlapping."""


def ranked_incidents(scores: pl.DataFrame) -> pl.DataFrame:
    """`incidents.by_incident`, worst first, with the columns rank (1 is worst), incident and short_run.

    ``incident`` is a short, unique label; ``short_run`` is the run without the prefix that all runs share.
    """
    found = by_incident(scores).with_row_index("rank", offset=1).with_columns(pl.col("rank").cast(pl.Int64))
    runs = found["run"].unique().to_list()
    short_run = pl.col("run").str.slice(len(_shared_prefix(runs)))
    window = pl.format("w{}", pl.col("window").cast(pl.String).str.zfill(3))
    parts = ["folder", window, *([short_run] if len(runs) > 1 else [])]
    return found.with_columns(incident=pl.concat_str(parts, separator="  ", ignore_nulls=True), short_run=short_run)


def matching(ranked: pl.DataFrame, text: str) -> pl.DataFrame:
    """The ranked incidents whose run, test case or worst service contains `text`; case is ignored."""
    words = pl.concat_str("run", "folder", "service", separator=" ").str.to_lowercase()
    return ranked.filter(words.str.contains(text.strip().lower(), literal=True))


def label() -> pl.Expr:
    """The truth as text, from the column ``normal``: normal, other, no label."""
    known = pl.when("normal").then(pl.lit(charts.NORMAL)).otherwise(pl.lit(charts.FAULTY))
    return pl.when(pl.col("normal").is_null()).then(pl.lit(charts.UNLABELLED)).otherwise(known)


def heatmap_cells(scores: pl.DataFrame, ranked: pl.DataFrame, top_items: pl.DataFrame | None = None) -> pl.DataFrame:
    """Cells of `charts.incident_heatmap`: one row per service of each ranked incident.

    Columns run, folder, window, incident, rank, service, seq_id, z_score, top_item. top_items: seq_id, top_item; None
    leaves the column empty.
    """
    wanted = ranked.select(*INCIDENT_KEY, "incident", "rank")
    cells = scores.drop("rank", strict=False).join(wanted, on=INCIDENT_KEY, nulls_equal=True)
    cells = cells.select(*INCIDENT_KEY, "incident", "rank", "service", "seq_id", "z_score")
    if top_items is None:
        return cells.with_columns(top_item=pl.lit(None, dtype=pl.String))
    return cells.join(top_items.select("seq_id", "top_item"), on="seq_id", how="left", maintain_order="left")


def strip_marks(scores: pl.DataFrame, most: int = charts.MAX_MARKS) -> pl.DataFrame:
    """Marks of `charts.score_strip`: run, folder, window, seq_id, service, test_case, z_score, label.

    Of more than `most` scored sequences, the worst and an even choice of the others are kept, half of the marks each.
    """
    columns = (*INCIDENT_KEY, "seq_id", "service", "test_case", "z_score")
    marks = scores.drop_nulls("z_score").select(*columns, label=label())
    if marks.height <= most:
        return marks
    ordered = worst_first(marks)
    worst, rest = ordered.head(most // 2), ordered.slice(most // 2)
    return pl.concat([worst, rest.gather_every(-(-rest.height // (most // 2)))])


def spread(marks: pl.DataFrame) -> pl.DataFrame:
    """Marks of `charts.beeswarm` with ``offset`` (-1 to 1), so that marks of an item with equal values do not overlap.

    marks: title, contribution, and any other columns.
    """
    value = pl.col("contribution")
    width = (value.max() - value.min()).clip(1e-12) / BINS
    place = pl.int_range(pl.len()).over("title", (value / width).round())
    side = pl.when(place % 2 == 0).then(1).otherwise(-1)
    offset = side * ((place + 1) // 2)
    return marks.with_columns(offset=offset / pl.max_horizontal(offset.abs().max(), pl.lit(6)))


def paired_cells(test_cases: pl.DataFrame) -> pl.DataFrame:
    """Cells of `charts.paired_heatmap` from `drift.by_test_case`: test_case, service, side (A or B), z, n; n > 0."""
    sides = [
        test_cases.select("test_case", "service", side=pl.lit(side.upper()), z=f"z_{side}", n=f"n_{side}")
        for side in "ab"
    ]
    return pl.concat(sides).filter(pl.col("n") > 0)


def _shared_prefix(runs: Sequence[str]) -> str:
    """The prefix that all names share, up to and including its last separator (- or _)."""
    first, last = min(runs, default=""), max(runs, default="")
    same = next((n for n, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    prefix = first[:same]
    return prefix[: max(prefix.rfind("-"), prefix.rfind("_")) + 1]
