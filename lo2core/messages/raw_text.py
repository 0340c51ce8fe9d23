"""The text of events as it was in the log: their columns, put together again."""

from __future__ import annotations

import polars as pl

RAW_COLUMNS = ("m_timestamp", "thread", "correlation_id", "level", "logger", "method", "m_message", "source")
"""The columns of `schemas.Events` that `raw_text` and `is_lo2` need."""
CLOCK_FORM, DATE_FORM = "dd:dd:dd.ddd", "dddd-dd-dd"
"""The forms of the parts of time stamps; d is a digit."""


def raw_text(is_lo2: pl.Expr | bool) -> pl.Expr:
    """The text of events (`schemas.Events`), with their stack traces.

    is_lo2: whether an event is a line in the form of LO2's logs. It is then the raw line, to the last character:
    `16:40:52.234 [thread]  id INFO  logger method - text`. A line of another form is put together from what was read of
    it: `2024-06-28 16:40:52.234 [thread] id INFO logger method - text`, without the parts that it lacks.
    """
    if isinstance(is_lo2, bool):
        return _lo2() if is_lo2 else _other()
    return pl.when(is_lo2).then(_lo2()).otherwise(_other())


def _lo2() -> pl.Expr:
    ids = pl.concat_str(pl.lit(" ["), _text("thread"), pl.lit("]  "), _text("correlation_id"), pl.lit(" "))
    has_header = pl.col("thread").is_not_null() | pl.col("level").is_not_null()
    header = (
        pl.when(has_header).then(ids).otherwise(pl.lit(" ")),
        pl.col("level").str.pad_end(5) + " ",
        pl.col("logger") + pl.when(pl.col("method").is_null()).then(pl.lit(" - ")).otherwise(pl.lit(" ")),
        pl.col("method") + " - ",
    )
    return pl.concat_str(pl.col("m_timestamp").dt.strftime("%H:%M:%S%.3f"), *header, "m_message", ignore_nulls=True)


def _other() -> pl.Expr:
    header = (
        pl.col("m_timestamp").dt.strftime("%Y-%m-%d %H:%M:%S%.3f "),
        "[" + pl.col("thread") + "] ",
        *(pl.col(name) + " " for name in ("correlation_id", "level", "logger", "method")),
        pl.when(pl.col("logger").is_not_null()).then(pl.lit("- ")),
    )
    return pl.concat_str(*header, "m_message", ignore_nulls=True)


def _text(name: str) -> pl.Expr:
    return pl.col(name).fill_null("")
