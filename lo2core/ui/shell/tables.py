"""Tables on pages: with rows to select, to read only, or as the data of a chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any, Literal

import polars as pl
import streamlit as st

from lo2core.base.frames import visible_frame
from lo2core.base.glossary import meaning
from lo2core.report import html
from lo2core.ui.shell.widgets import downloads

ROW = 28
"""Height of a row, in pixels."""
MAX_ROWS = 1_000
"""Rows of a long list that are sent to the browser; downloads contain all."""

MARKED = "background-color: #c2990f40"
"""The background of a marked row, on light and dark pages."""

INCIDENT: dict[str, Any] = {
    "rank": st.column_config.NumberColumn("rank", width=50),
    "run": st.column_config.TextColumn("run", width=230),
    "folder": st.column_config.TextColumn("test case", width=280),
    "window": st.column_config.NumberColumn("window", width=60),
    "service": st.column_config.TextColumn("worst service", width=95),
    "z_score": st.column_config.NumberColumn("z", width=50, format="%.1f", help=meaning("z-score")),
    "pred_ano": st.column_config.CheckboxColumn("flagged", width=60),
}
"""How the columns of incidents are shown; a page with less space makes one narrower."""


def pick(
    frame: pl.DataFrame,
    columns: Mapping[str, Any],
    key: str,
    most: int = 15,
    on_select: Callable[[], None] | Literal["rerun"] = "rerun",
    marked: pl.Series | None = None,
) -> int | None:
    """Show the named columns of a frame, without empty ones; returns the index of the selected row, or None.

    Tables with more than `most` rows scroll. All rows are sent to the browser: pass at most a few thousand. Rows that
    are true in `marked` have another background.
    """
    shown = visible_frame(frame.select(_telling(frame, columns)))
    event = st.dataframe(
        shown if marked is None else _with_background(shown, marked),
        column_config=dict(columns),
        hide_index=True,
        height=height(frame.height, most),
        row_height=ROW,
        placeholder="",
        key=key,
        on_select=on_select,
        selection_mode="single-row",
    )
    rows = event["selection"]["rows"]
    return rows[0] if rows and rows[0] < frame.height else None


def _with_background(shown: pl.DataFrame, marked: pl.Series) -> Any:
    backgrounds = [MARKED if mark else "" for mark in marked]
    return shown.to_pandas().style.apply(lambda column: backgrounds, axis=0)


def show(frame: pl.DataFrame, columns: Mapping[str, Any] | None = None, most: int = 15) -> None:
    """Show a frame, or its named columns without empty ones, without selection."""
    shown = frame.select(_telling(frame, columns)) if columns else frame
    config = dict(columns) if columns else None
    st.dataframe(
        visible_frame(shown),
        column_config=config,
        hide_index=True,
        height=height(frame.height, most),
        row_height=ROW,
        placeholder="",
    )


def written(frame: pl.DataFrame, titles: dict[str, str]) -> None:
    """Show a few rows with long values wrapped; `titles` gives the columns and their titles."""
    st.html(html.table_html(frame, titles))


def beside_chart(frame: pl.DataFrame, stem: str, key: str, columns: Mapping[str, Any] | None = None) -> None:
    """The data of a chart as a table with downloads, folded."""
    with st.expander("Show as a table"):
        show(frame, columns)
        downloads(frame, stem, key=key, what="Table")


def _telling(frame: pl.DataFrame, columns: Mapping[str, Any]) -> list[str]:
    """The columns that are not empty: `window`, for example, only if there are windows."""
    return [name for name in columns if not frame.height or frame[name].null_count() < frame.height]


def height(rows: int, most: int) -> int | Literal["content"]:
    """Height of a table that shows all its rows, or `most` of them at a time."""
    return "content" if rows <= most else 38 + ROW * most


def percent(title: str, width: int = 110) -> Any:
    """A column of bars for shares in percent."""
    return st.column_config.ProgressColumn(title, width=width, format="%.0f %%", min_value=0, max_value=100)


def on_local_clock(moments: pl.Series) -> pl.Series:
    """Time stamps in UTC, aware or naive, converted to local time."""
    aware = [moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC) for moment in moments]
    local = [None if moment is None else moment.astimezone().replace(tzinfo=None) for moment in aware]
    return pl.Series(moments.name, local, dtype=pl.Datetime("ms"))
