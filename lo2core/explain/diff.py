"""Two sequences aligned message by message: common, missing and extra stretches.

Messages are compared by their ids, never by their text. The alignment is the longest common subsequence, by rapidfuzz
(bit parallel; Hyyrö 2004), or, where that would take too much memory, the least number of edits (Hirschberg's scheme).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray
from rapidfuzz.distance import Indel, Levenshtein

from lo2core.base.schemas import DiffStretches

_STRETCHES = {
    name: DiffStretches.create_empty().schema[name] for name in ("stretch", "change", "n", "here_from", "normal_from")
}
MAX_CELLS = 4_000_000_000
"""Maximum size of the table of the longest common subsequence, one bit per cell: 500 MB."""


def aligned_diff(here: pl.Series, normal: pl.Series) -> pl.DataFrame:
    """Stretches in order: stretch, change (common, missing, extra), n, here_from, normal_from.

    here, normal: message ids of the two sequences in the order of their events. "missing" is only in the normal,
    "extra" only here. Positions count from 0.
    """
    ids = pl.concat([here, normal]).rank("dense").to_numpy().astype(np.int64)
    stretches = [(number, *stretch) for number, stretch in enumerate(_stretches(ids[: len(here)], ids[len(here) :]))]
    return pl.DataFrame(stretches, schema=_STRETCHES, orient="row")


def _stretches(here: NDArray[np.int64], normal: NDArray[np.int64]) -> Iterator[tuple[str, int, int, int]]:
    """The edits from normal to here; a replacement becomes missing, then extra."""
    align = Indel if len(here) * len(normal) <= MAX_CELLS else Levenshtein
    for edit in align.opcodes(normal.tolist(), here.tolist()):
        if edit.tag == "equal":
            yield "common", edit.src_end - edit.src_start, edit.dest_start, edit.src_start
            continue
        if edit.src_end > edit.src_start:
            yield "missing", edit.src_end - edit.src_start, edit.dest_start, edit.src_start
        if edit.dest_end > edit.dest_start:
            yield "extra", edit.dest_end - edit.dest_start, edit.dest_start, edit.src_end


def summary(here: pl.Series, normal: pl.Series, texts: pl.DataFrame) -> pl.DataFrame:
    """Messages that are missing, extra, more or less frequent here: message_id, text, here, normal, change.

    texts: columns message_id, text. Counts are compared, so order does not matter. The largest ratio comes first.
    """
    counts = [
        side.rename("message_id").to_frame().group_by("message_id").agg(n=pl.len().cast(pl.Int64))
        for side in (here, normal)
    ]
    both = counts[0].join(counts[1], on="message_id", how="full", coalesce=True, suffix="_normal")
    both = both.select("message_id", here=pl.col("n").fill_null(0), normal=pl.col("n_normal").fill_null(0))
    change = (
        pl.when(pl.col("normal") == 0)
        .then(pl.lit("extra"))
        .when(pl.col("here") == 0)
        .then(pl.lit("missing"))
        .when(pl.col("here") > pl.col("normal"))
        .then(pl.lit("more frequent"))
        .otherwise(pl.lit("less frequent"))
    )
    changed = both.filter(pl.col("here") != pl.col("normal")).with_columns(change=change)
    ratio = ((pl.col("here") + 1) / (pl.col("normal") + 1)).log().abs()
    named = changed.join(texts.select("message_id", "text"), on="message_id", how="left")
    return named.sort(ratio, pl.col("message_id"), descending=[True, False]).select(
        "message_id", "text", "here", "normal", "change"
    )


def unfolded(stretches: pl.DataFrame, here: pl.DataFrame, normal: pl.DataFrame, context: int = 2) -> pl.DataFrame:
    """The aligned events line by line; common stretches are folded to `context` lines at both ends.

    here, normal: events in order with the columns line_no and text. Columns: change ("common", "missing", "extra",
    "folded"), here_line, here_text, normal_line, normal_text, n (how many events a fold hides, else 1).
    """
    rows = stretches.with_columns(i=pl.int_ranges(0, "n")).explode("i").with_columns(pl.col("change").cast(pl.String))
    hidden = (pl.col("change") == "common") & (pl.col("n") > 2 * context + 1)
    hidden &= pl.col("i").is_between(context, pl.col("n") - context, closed="left")
    kept = rows.with_columns(hidden=hidden).filter(~pl.col("hidden") | (pl.col("i") == context))
    shown = kept.select(
        change=pl.when("hidden").then(pl.lit("folded")).otherwise("change"),
        n=pl.when("hidden").then(pl.col("n") - 2 * context).otherwise(1),
        here_at=pl.when(~pl.col("hidden") & (pl.col("change") != "missing")).then(pl.col("here_from") + pl.col("i")),
        normal_at=pl.when(~pl.col("hidden") & (pl.col("change") != "extra")).then(pl.col("normal_from") + pl.col("i")),
    )
    for side, events in (("here", here), ("normal", normal)):
        numbered = events.select(pl.int_range(pl.len()).alias(f"{side}_at"), line_no="line_no", text="text")
        numbered = numbered.rename({"line_no": f"{side}_line", "text": f"{side}_text"})
        shown = shown.join(numbered, on=f"{side}_at", how="left", maintain_order="left")
    return shown.select("change", "here_line", "here_text", "normal_line", "normal_text", "n")


def around_extra(rows: pl.DataFrame, context: int = 2) -> pl.DataFrame:
    """The rows of `unfolded` that are only here, with `context` rows on both sides.

    The rows between them become one row: change "left out", n (number of events); a single row is not replaced.
    """
    near = (pl.col("change") == "extra").cast(pl.Int8).rolling_max(2 * context + 1, min_samples=1, center=True) == 1
    edge = ~(pl.col("near").shift(1, fill_value=True) & pl.col("near").shift(-1, fill_value=True))
    folded_too = pl.col("near") & ~((pl.col("change") == "folded") & edge)
    marked = rows.with_columns(near=near).with_columns(near=folded_too).with_columns(stretch=pl.col("near").rle_id())
    marked = marked.with_columns(near=pl.col("near") | (pl.len().over("stretch") == 1))
    cut = ~pl.col("near")
    first = pl.col("stretch") != pl.col("stretch").shift().fill_null(-1)
    return (
        marked.with_columns(
            pl.when(cut).then(pl.lit("left out")).otherwise("change").alias("change"),
            pl.when(cut).then(pl.col("n").sum().over("stretch")).otherwise("n").alias("n"),
            *(
                pl.when(~cut).then(name).alias(name)
                for name in ("here_line", "here_text", "normal_line", "normal_text")
            ),
        )
        .filter(~cut | first)
        .select(rows.columns)
    )
