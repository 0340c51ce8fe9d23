"""Changes to all texts of a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import polars.selectors as cs

from lo2core.base.text import UNPRINTABLE, visible

_UNPRINTABLE = UNPRINTABLE.pattern.replace("\ud800-\udfff", "")  # UTF-8 contains no surrogates


def map_texts(frame: pl.DataFrame, change: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
    """The frame with `change` applied to its texts: to columns of text, and to the elements of lists of text.

    change: gets and returns a series of texts. Categories become texts only where one of them changes.
    """
    return frame.with_columns(_changed(column, change) for column in frame)


def _changed(column: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    if column.dtype == pl.String:
        return change(column)
    if column.dtype == pl.List(pl.String):
        return _changed_elements(column, change)
    if column.dtype in (pl.Categorical, pl.Enum):
        texts = column.cast(pl.String)
        changed = change(texts)
        return column if changed.equals(texts) else changed
    return column


def _changed_elements(lists: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """`change` applied to the elements of all lists, outside of polars' threads (docs/architecture.md)."""
    rows = lists.to_frame("given").with_row_index("row")
    long = rows.filter(pl.col("given").list.len() > 0).explode("given")
    changed = change(long["given"])
    if changed.equals(long["given"]):
        return lists
    nested = long.select("row", changed.alias("changed")).group_by("row").agg("changed")
    return rows.join(nested, on="row", how="left", maintain_order="left").select(
        pl.coalesce("changed", "given").alias(lists.name)
    )[lists.name]


def with_separators(numbers: pl.Series) -> pl.Series:
    """Whole numbers as text: 12345 -> 12,345."""
    return pl.Series(numbers.name, [n if n is None else f"{n:,}" for n in numbers], dtype=pl.String)


def visible_texts(texts: pl.Series) -> pl.Series:
    """`text.visible` of each text; the series itself where nothing has to be replaced."""
    if not texts.str.contains(_UNPRINTABLE).any():
        return texts
    return pl.Series(texts.name, [text if text is None else visible(text) for text in texts], dtype=pl.String)


def as_saved(shown: Mapping[str, Any], frame: pl.DataFrame) -> dict[str, Any]:
    """Values of a row of `visible_frame(frame)`, as they are in `frame`; columns of other names keep their value."""
    return {name: _as_saved(value, frame[name]) if name in frame.columns else value for name, value in shown.items()}


def _as_saved(value: Any, column: pl.Series) -> Any:
    if column.dtype != pl.String or (column == value).any():
        return value
    return next((text for text in column.unique() if text and visible(text) == value), value)


def visible_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """`text.visible` of all texts and column names, for a chart, a table on a page or an export."""
    names = {name: visible(name) for name in frame.columns}
    return map_texts(frame, visible_texts).rename({name: new for name, new in names.items() if new not in names})


def compact(frame: pl.DataFrame) -> pl.DataFrame:
    """The same frame with texts of its own.

    Texts that polars takes from a longer column share its memory, which is not freed as long as one of them is kept.
    """
    return frame.with_columns(cs.string() + "")  # a new text is written, even if nothing is added
