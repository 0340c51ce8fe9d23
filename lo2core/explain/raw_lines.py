"""Events as lines of their file, and the lines that contain an item."""

from __future__ import annotations

import polars as pl
from polars.datatypes import DataTypeClass

from lo2core.detect.logs import Logs
from lo2core.explain.requests import all_windows, requests_of
from lo2core.messages.counts import masked
from lo2core.messages.masks import Masker
from lo2core.messages.text import event_lines

MOST_LINES = 200
_FOUND: dict[str, pl.DataType | DataTypeClass] = {
    "seq_id": pl.String,
    "event_line": pl.Int64,
    "line_no": pl.Int64,
    "m_timestamp": pl.Datetime("ms"),
    "level": pl.String,
    "text": pl.String,
}


def raw_lines(events: pl.DataFrame, masker: Masker) -> pl.DataFrame:
    """One row per line of the events: event_line, line_no, level, text, message_id (trace lines have their own)."""
    first = events.select(
        event_line="line_no", line_no="line_no", level="level", text=event_lines(events), message_id="message_id"
    )
    below = (
        events.filter(pl.col("n_lines") > 1)
        .select("level", "line_offsets", event_line="line_no", text=pl.col("m_message").str.split("\n").list.slice(1))
        .with_columns(below=pl.coalesce("line_offsets", pl.int_ranges(1, pl.col("text").list.len() + 1)))
        .explode("text", "below")
        .drop_nulls("text")
        .with_columns(line_no=pl.col("event_line") + pl.col("below"))
    )
    ids = masked(below["text"], masker).select("raw", "message_id")
    traces = below.join(ids, left_on="text", right_on="raw", how="left", maintain_order="left")
    return pl.concat([first, traces.select(first.columns)]).sort("line_no", maintain_order=True)


def lines_with(logs: Logs, masker: Masker, item: int) -> pl.DataFrame:
    """The first raw lines that contain a message or trace, or that begin a request of a kind, by its id.

    Columns seq_id, service, test_case, run, event_line, line_no, m_timestamp, level, text. The sequences with the most
    occurrences come first; at most `MOST_LINES` rows. Raises InputError if no events were saved.
    """
    held = logs.items.counts.filter(pl.col("message_id") == item).sort("n", "seq_id", descending=[True, False])
    found: list[pl.DataFrame] = []
    for seq_id, kind in held.select("seq_id", pl.col("kind").cast(pl.String)).iter_rows():
        if sum(part.height for part in found) >= MOST_LINES:
            break
        find = _request_starts if kind == "request" else _lines_of
        found.append(find(logs, masker, seq_id, item))
    places = logs.sequences.select("seq_id", "service", "test_case", "run")
    lines = pl.concat(found) if found else pl.DataFrame(schema=_FOUND)
    return lines.head(MOST_LINES).join(places, on="seq_id", how="left", maintain_order="left")


def _lines_of(logs: Logs, masker: Masker, seq_id: str, item: int) -> pl.DataFrame:
    events = logs.events_of(seq_id)
    lines = raw_lines(events, masker).filter(pl.col("message_id") == item)
    times = events.select("m_timestamp", event_line="line_no")
    timed = lines.join(times, on="event_line", how="left", maintain_order="left")
    return timed.with_columns(seq_id=pl.lit(seq_id)).select(_FOUND.keys())


def _request_starts(logs: Logs, masker: Masker, seq_id: str, item: int) -> pl.DataFrame:
    events = all_windows(logs, seq_id)
    kinds = requests_of(events, logs.items.messages).filter(pl.col("feature") == item, pl.col("seq_id") == seq_id)
    first = events.join(kinds.select("seq_id", "line_no"), on=["seq_id", "line_no"], how="semi", maintain_order="left")
    lines = first.with_columns(event_lines(first).alias("text"), event_line=pl.col("line_no"))
    return lines.select(_FOUND.keys())
