"""Cuts test cases into windows of equal length, the same for all services."""

from __future__ import annotations

import polars as pl

from lo2core.base.errors import InputError
from lo2core.base.schemas import INCIDENT_KEY, Sequences
from lo2core.messages.counts import MessageCounts, as_messages, combine, count_items, masked, request_kinds
from lo2core.messages.masks import Masker

MOST_PARTS = 100_000
"""Maximum number of windows of a test case; more are the result of a wrong date in its logs."""


def slots(stamps: pl.Series, window: float | None) -> tuple[pl.Series, int | None]:
    """The window of each event (Int32, from 0), and the number of windows (None if `window` is None).

    The time from the first to the last stamp is cut into n = max(1, round(duration / window)) equal windows. window:
    length in seconds. Raises InputError for more than `MOST_PARTS` windows.
    """
    none = pl.Series("slot", [0], dtype=pl.Int32).new_from_index(0, len(stamps))
    if window is None:
        return none, None
    since = stamps.to_physical()
    since = (since - (since.min() or 0)).fill_null(0)
    duration: int = since.max() or 0  # type: ignore[assignment]  # `max` of a Series may be anything
    if not duration:
        return none, 1
    n = max(1, round(duration / (window * 1000)))
    if n > MOST_PARTS:
        raise InputError(
            f"The time stamps of a test case span {duration / 86_400_000:,.1f} days, which is {n:,} windows of "
            f"{window:g} s. Look for a wrong date in its logs, or choose longer windows."
        )
    return (since * n // duration).clip(0, n - 1).cast(pl.Int32).alias("slot"), n


def cut_single_normal(
    items: MessageCounts, sequences: pl.DataFrame, events: pl.LazyFrame, masker: Masker
) -> tuple[MessageCounts, pl.DataFrame, str]:
    """Training data if there is only one normal test case: items, sequences, and a sentence that says what was done.

    A single test case cannot be held out for calibration, so it is cut into windows of the median length of the other
    test cases. With more normal test cases, without time stamps or without other test cases, the data are returned
    unchanged, with an empty sentence.
    """
    length = (pl.col("end_time").max() - pl.col("start_time").min()).dt.total_milliseconds() / 1000
    cases = sequences.group_by(*INCIDENT_KEY).agg(pl.col("normal").first(), seconds=length)
    normal, others = cases.filter("normal"), cases.filter(~pl.col("normal"))
    seconds, usual = normal["seconds"].sum(), others.select(pl.col("seconds").median()).item()
    if normal.height != 1 or not seconds or usual is None:
        return items, sequences, ""
    parts = max(2, round(seconds / max(usual, 1e-3)))
    window = seconds / parts
    mine = sequences.join(normal, on=["run", "folder"], how="semi")
    rest = sequences.join(mine, on="seq_id", how="anti")
    of_mine = events.filter(pl.col("seq_id").is_in(mine["seq_id"].to_list())).collect()
    found, cut = cut_loaded(of_mine, mine, window, masker)
    kept = MessageCounts(items.messages, items.counts.join(mine, on="seq_id", how="anti"))
    note = f"The only normal test case, {mine['folder'][0]}, was cut into {parts} parts of {window:.0f} s."
    return combine([kept, found]), pl.concat([rest, cut]), note


def cut_loaded(
    events: pl.DataFrame, sequences: pl.DataFrame, window: float, masker: Masker
) -> tuple[MessageCounts, pl.DataFrame]:
    """Items and sequences of a loaded test case, as if it had been loaded with windows of about `window` seconds.

    events: `schemas.Events` of all its services. sequences: its rows of `schemas.Sequences`. Orphan lines are missing
    from the counts, since they are not part of events.
    """
    slot, n = slots(events["m_timestamp"], window)
    parts = pl.DataFrame({"slot": range(n or 1)}, schema={"slot": pl.Int32})
    named = pl.format("{}__w{}", "seq_id", pl.col("slot").cast(pl.String).str.zfill(3))
    events = events.with_columns(slot, file="service").with_columns(seq_id=named)
    lines = events.select("seq_id", text=pl.col("m_message").str.split("\n").list.slice(1)).explode("text").drop_nulls()
    texts = masked(lines["text"], masker)
    traces = lines.join(texts, left_on="text", right_on="raw").select("seq_id", "message_id")
    kinds = request_kinds(events)
    found = MessageCounts(
        pl.concat([as_messages(texts, "trace"), kinds.messages]), pl.concat([count_items(events, traces), kinds.counts])
    )
    facts = events.group_by("seq_id").agg(
        start_time=pl.col("m_timestamp").min(),
        end_time=pl.col("m_timestamp").max(),
        events=pl.len().cast(pl.Int64),
        lines=pl.col("n_lines").sum().cast(pl.Int64),
    )
    identity = sequences.drop("start_time", "end_time", "events", "lines").join(parts, how="cross")
    identity = identity.with_columns(seq_id=named, window="slot", bytes=pl.col("bytes") // len(parts))
    cut = identity.join(facts, on="seq_id", how="left").with_columns(pl.col("events", "lines").fill_null(0))
    return found, cut.select(Sequences.column_names())
