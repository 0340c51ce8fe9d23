"""Log lines on pages: a table to pick a line from, with or without filters, and one event in full."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.clock import time_of_day
from lo2core.base.schemas import Events
from lo2core.base.text import visible
from lo2core.detect.logs import NO_EVENTS
from lo2core.messages.patterns import LONGEST_SEARCH
from lo2core.pipeline import summary
from lo2core.pipeline.summary import LineFilter
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import tables
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.widgets import count, downloads, notice, raw, say

PAGE = 500
"""Rows sent to the browser at a time."""
_COLUMNS = {
    "held": st.column_config.TextColumn("in others", width=75, help="Number of other normals that contain the message"),
    "line_no": st.column_config.NumberColumn("line", width=70, format="localized"),
    "m_timestamp": st.column_config.DatetimeColumn("time", width=110, format="HH:mm:ss.SSS"),
    "service": st.column_config.TextColumn("service", width=100),
    "level": st.column_config.TextColumn("level", width=70),
    "test_case": st.column_config.TextColumn("test case", width=200),
    "m_message": st.column_config.TextColumn("message", width=None),
    "text": st.column_config.TextColumn("text", width=None),
    "source": st.column_config.TextColumn("file", width=160),
}


def pick_line(lines: pl.DataFrame, key: str, most: int = 14) -> int | None:
    """A table of log lines; returns the index of the selected row, None if none is selected.

    It has those columns of `_COLUMNS` that the frame has. Send at most a few thousand rows.
    """
    return tables.pick(lines, {name: look for name, look in _COLUMNS.items() if name in lines.columns}, key, most)


def lines_view(workspace: Workspace, wanted: LineFilter, key: str) -> None:
    """The events of `workspace` that match `wanted` and the filters entered here. `key` distinguishes several views."""
    if not workspace.has(Events):
        notice(NO_EVENTS)
        return
    wanted = _filters(workspace, wanted, key)
    found = remembered(summary.count_lines, workspace, wanted)
    pages = max(1, -(-found // PAGE))
    asked = f"{key}-{hash(wanted)}"  # with another filter, table and pager start from the top
    with st.container(horizontal=True, vertical_alignment="center"):
        say(f"{count(found)} events", width="content")
        page = st.pagination(pages, key=f"{asked}-page") if pages > 1 else 1
    shown = remembered(summary.find_lines, workspace, wanted, (page - 1) * PAGE, PAGE)
    row = pick_line(shown, f"{asked}-{page}-lines")
    if row is not None:
        show_event(workspace, shown["seq_id"][row], shown["line_no"][row])
    downloads(shown, "lines", key=f"{key}-lines")


def show_event(logs: Workspace, seq_id: str, line_no: int) -> None:
    """One event in full, with its stack trace, file, line number and, on request, the lines around it."""
    event = summary.whole_event(logs, seq_id, line_no)
    say(f"{event['source']}, line {line_no:,}")
    header = " ".join(str(part) for part in _header(event) if part)
    raw(f"{header} - {event['m_message']}")
    around = st.expander("Lines around it", on_change="rerun", key=f"around-{seq_id}-{line_no}")
    if around.open:
        near = summary.events_around(logs, seq_id, line_no)
        with around:
            raw("\n".join(f"{'▸' if n == line_no else ' '} {n:>7}  {text}" for n, text in near.iter_rows()))


def _header(event: dict[str, Any]) -> list[Any]:
    moment, thread = event["m_timestamp"], event["thread"]
    where = (event["correlation_id"], event["level"], event["logger"], event["method"])
    return [time_of_day(moment) if moment else None, f"[{thread}]" if thread else None, *where]


def _filters(workspace: Workspace, wanted: LineFilter, key: str) -> LineFilter:
    levels, services = remembered(summary.levels_and_services, workspace)
    search, level, service = st.columns([2, 1, 1])
    return replace(
        wanted,
        search=search.text_input(
            "Search",
            key=f"{key}-search",
            icon=":material/search:",
            placeholder="part of a line",
            max_chars=LONGEST_SEARCH,
        ),
        levels=tuple(level.multiselect("Level", levels, key=f"{key}-level", placeholder="all")),
        services=tuple(
            service.multiselect("Service", services, format_func=visible, key=f"{key}-service", placeholder="all")
        ),
    )
