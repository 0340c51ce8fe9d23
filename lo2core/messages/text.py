"""The text of an event and its tokens: first line, stack trace, words, trigrams."""

from __future__ import annotations

import polars as pl


def words(text: pl.Expr) -> pl.Expr:
    """Tokens of a message: what stands between blanks and brackets, quotes, commas, `=`, `:` and `;`."""
    return text.str.extract_all(r"[^\s\[\](){}\",;=:]+")


def trigrams(text: pl.Expr) -> pl.Expr:
    """Character trigrams of a message; none for texts of less than three characters."""
    return text.str.extract_all(r"(?s).").list.eval(
        (pl.element() + pl.element().shift(-1) + pl.element().shift(-2)).drop_nulls()
    )


def event_lines(frame: pl.DataFrame) -> pl.Series:
    """`LEVEL logger method - text` of events, from the columns that are there."""
    text = pl.col("m_message").str.splitn("\n", 2).struct.field("field_0")
    if not {"level", "logger", "method"} <= set(frame.columns):
        return frame.select(text).to_series()
    whole = pl.format("{} {} {} - {}", "level", "logger", "method", text)
    short = pl.format("{} {} - {}", "level", "logger", text)
    return frame.select(pl.coalesce(whole, short, text)).to_series()


def trace() -> pl.Expr:
    """The lines of events below their first, or null."""
    return pl.col("m_message").str.splitn("\n", 2).struct.field("field_1")
