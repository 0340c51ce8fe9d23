"""The text of events (first line, stack trace) and its tokens (words, trigrams)."""

from __future__ import annotations

import polars as pl

from lo2core.base.calls import check_column


def check_texts(frame: pl.DataFrame) -> None:
    """Raises InputError for columns of `event_lines`, and normalised texts, that do not contain texts."""
    for name in ("m_message", "level", "logger", "method", "e_message_normalized"):
        check_column(frame, name, lambda dtype: dtype in (pl.String, pl.Categorical, pl.Enum), "texts")


def words(text: pl.Expr) -> pl.Expr:
    """Words of a message. It is split at white space, brackets, quotes, commas, `=`, `:` and `;`."""
    return text.str.extract_all(r"[^\s\[\](){}\",;=:]+")


def trigrams(text: pl.Expr) -> pl.Expr:
    """Character trigrams of a message; an empty list for texts with fewer than three characters."""
    return text.str.extract_all(r"(?s).").list.eval(
        (pl.element() + pl.element().shift(-1) + pl.element().shift(-2)).drop_nulls()
    )


def event_lines(frame: pl.DataFrame) -> pl.Series:
    """The first lines of events as `LEVEL logger method - text`, without the parts that are null.

    frame: column m_message; level, logger and method are used if all three exist.
    """
    text = pl.col("m_message").str.splitn("\n", 2).struct.field("field_0")
    if not {"level", "logger", "method"} <= set(frame.columns):
        return frame.select(text).to_series()
    return frame.select(first_line(text)).to_series()


def first_line(text: pl.Expr) -> pl.Expr:
    """`LEVEL logger method - text` of the columns level, logger and method; a logger without a level is left out."""
    whole = pl.format("{} {} {} - {}", "level", "logger", "method", text)
    short = pl.format("{} {} - {}", "level", "logger", text)
    return pl.coalesce(whole, short, pl.format("{} {}", "level", text), text)


def trace() -> pl.Expr:
    """The lines of events after the first one; null for events with one line."""
    return pl.col("m_message").str.splitn("\n", 2).struct.field("field_1")
