"""Log lines on pages: a table to pick a line from, and one event in full."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.clock import time_of_day
from lo2core.pipeline import search
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import tables
from lo2core.ui.shell.widgets import raw, say

_COLUMNS = {
    "held": st.column_config.TextColumn("in others", width=75, help="Number of other normals that contain the message"),
    "m_timestamp": st.column_config.DatetimeColumn("time", width=95, format="HH:mm:ss.SSS"),
    "service": st.column_config.TextColumn("service", width=90),
    "m_message": st.column_config.TextColumn("message", width=480),
    "text": st.column_config.TextColumn("text", width=480),
    "level": st.column_config.TextColumn("level", width=60),
    "line_no": st.column_config.NumberColumn("line", width=65, format="localized"),
    "test_case": st.column_config.TextColumn("test case", width=170),
    "source": st.column_config.TextColumn("file", width=160),
}


def pick_line(lines: pl.DataFrame, key: str, most: int = 14) -> int | None:
    """A table of log lines; returns the index of the selected row, None if none is selected.

    It has those columns of `_COLUMNS` that the frame has. Send at most a few thousand rows.
    """
    return tables.pick(lines, {name: look for name, look in _COLUMNS.items() if name in lines.columns}, key, most)


def show_event(logs: Workspace, seq_id: str, line_no: int) -> None:
    """One event in full, with its stack trace, file, line number and, on request, the lines around it."""
    event = search.whole_event(logs, seq_id, line_no)
    say(f"{event['source']}, line {line_no:,}")
    header = " ".join(str(part) for part in _header(event) if part)
    raw(f"{header} - {event['m_message']}")
    around = st.expander("Lines around it", on_change="rerun", key=f"around-{seq_id}-{line_no}")
    if around.open:
        with around:
            raw(_around(logs, seq_id, line_no))


def _around(logs: Workspace, seq_id: str, line_no: int) -> str:
    """The lines around an event over all services of its test case, in time order; the event is marked."""
    near = search.around(logs, seq_id, line_no, k=5)
    texts = search.raw_lines(logs, near).str.splitn("\n", 2).struct.field("field_0")
    widest = max(map(len, near["service"]), default=0)
    rows = zip(near["seq_id"], near["line_no"], near["service"], texts, strict=True)
    return "\n".join(
        f"{'▸' if (seq, line) == (seq_id, line_no) else ' '} {service:<{widest}} {line:>7}  {text}"
        for seq, line, service, text in rows
    )


def _header(event: dict[str, Any]) -> list[Any]:
    moment, thread = event["m_timestamp"], event["thread"]
    where = (event["correlation_id"], event["level"], event["logger"], event["method"])
    return [time_of_day(moment) if moment else None, f"[{thread}]" if thread else None, *where]
