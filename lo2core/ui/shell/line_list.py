"""A list of log lines to read: wrapped, coloured by level, with hits marked, values to filter by, traces unfolded.

It is a component of its own, because a table of Streamlit neither wraps lines nor marks parts of a cell. Lines are
data of the component, which shows them as text; what was clicked comes back by the number of the row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.frames import visible_frame
from lo2core.messages.salience import SEVERE

FILTERED = {
    "run": "run",
    "folder": "test case",
    "service": "service",
    "level": "level",
    "logger": "logger",
    "method": "method",
    "thread": "thread",
    "correlation_id": "correlation id",
}
"""Columns whose values can be clicked, and their titles."""
TITLES = {
    "date": "date",
    "time": "time",
    **FILTERED,
    "line_no": "line",
    "source": "file",
    "message": "message",
    "raw": "raw line",
}
"""All columns of the list, in their order, with their titles."""
_FACTS = FILTERED | {"message_id": "message"}
"""What an unfolded event offers to filter by."""
_WIDTHS = {"message": "minmax(20rem, 1fr)", "raw": "minmax(20rem, 1fr)", "logger": "fit-content(16rem)"}
_SEVERITY = dict.fromkeys((*SEVERE, "CRITICAL", "ALERT", "EMERGENCY", "PANIC"), "error")
_SEVERITY |= {"WARN": "warning", "WARNING": "warning", "INFO": "info", "NOTICE": "info"}
_LONGEST = 20_000
"""Characters of an event that are sent to the browser."""

_FOLDER = Path(__file__).parent
_component = st.components.v2.component(
    "lo2core_line_list",
    html='<div class="frame"><div class="lines" role="table" aria-label="Log lines"></div></div>',
    css=(_FOLDER / "line_list.css").read_text(),
    js=(_FOLDER / "line_list.js").read_text(),
)


def line_list(
    events: pl.DataFrame,
    columns: Sequence[str],
    key: str,
    *,
    on_filter: Callable[[str, str, Any], object],
    on_around: Callable[[dict[str, Any]], object] | None = None,
    keys: bool = False,
) -> None:
    """Show events: the columns of `schemas.Events`, message and raw with hits, and marked for rows in another colour.

    columns: what is shown, of `TITLES`. on_filter: called with a sign (+ or -), a column and a value. on_around: called
    with the row of an event whose surroundings are asked for. keys: whether n and N lead to the next and last hit.
    """

    def filtered() -> None:
        asked = st.session_state[key]["filter"]
        row = events.row(int(asked["row"]), named=True)
        on_filter(str(asked["sign"]), str(asked["name"]), row[asked["name"]])

    def asked_around() -> None:
        if on_around:
            on_around(events.row(int(st.session_state[key]["around"]["row"]), named=True))

    titled = {
        name: {"name": name, "title": title, "filter": name in _FACTS, "width": _WIDTHS.get(name, "auto")}
        for name, title in (TITLES | _FACTS).items()
    }
    data = {
        "columns": [titled[name] for name in TITLES if name in columns],
        "facts": [*(titled[name] for name in _FACTS), titled["source"], titled["line_no"]],
        "rows": _rows(events),
        "around": on_around is not None,
        "keys": keys,
    }
    _component(key=key, data=data, on_filter_change=filtered, on_around_change=asked_around)


def _rows(events: pl.DataFrame) -> list[dict[str, Any]]:
    moment = pl.col("m_timestamp")
    shown = visible_frame(
        events.with_columns(
            date=moment.dt.strftime("%Y-%m-%d"),
            time=moment.dt.strftime("%H:%M:%S%.3f"),
            raw=pl.col("raw").str.slice(0, _LONGEST),
        )
    )
    marked = events["marked"] if "marked" in events.columns else [False] * events.height
    names = [name for name in (*TITLES, *_FACTS) if name != "raw"]
    return [
        {
            "values": {name: str(row[name]) for name in names if row[name] is not None},
            "severity": _SEVERITY.get(row["level"], "other"),
            "raw": row["raw"],
            "marked": bool(mark),
        }
        for row, mark in zip(shown.iter_rows(named=True), marked, strict=True)
    ]
