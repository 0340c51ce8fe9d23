"""A table of raw log lines with search, level, service and pages; a selected row unfolds in full."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from lo2core.base.schemas import Events
from lo2core.detect.logs import NO_EVENTS
from lo2core.pipeline import summary
from lo2core.pipeline.summary import LineFilter
from lo2core.store.workspace import Workspace
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.widgets import count, downloads, log_lines, notice, raw

PAGE = 500
"""Rows sent to the browser at a time."""


def lines_view(workspace: Workspace, wanted: LineFilter, key: str) -> None:
    """The events of `workspace` that `wanted` and the filters typed here let pass. `key` tells several views apart."""
    if not workspace.has(Events):
        notice(NO_EVENTS)
        return
    wanted = _typed(workspace, wanted, key)
    found = remembered(summary.count_lines, workspace, wanted)
    pages = max(1, -(-found // PAGE))
    asked = f"{key}-{hash(wanted)}"  # a table or pager of another filter must not keep its place
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{count(found)} events", width="content")
        page = st.pagination(pages, key=f"{asked}-page") if pages > 1 else 1
    shown = remembered(summary.find_lines, workspace, wanted, (page - 1) * PAGE, PAGE)
    picked = log_lines(shown, key=f"{asked}-{page}-lines")
    if picked:
        row = shown.row(picked[0], named=True)
        _unfolded(workspace, row["seq_id"], row["line_no"])
    downloads(shown, "lines", key=f"{key}-lines")


def _typed(workspace: Workspace, wanted: LineFilter, key: str) -> LineFilter:
    levels, services = remembered(summary.levels_and_services, workspace)
    search, level, service = st.columns([2, 1, 1])
    return replace(
        wanted,
        search=search.text_input("Search", key=f"{key}-search", icon=":material/search:", placeholder="part of a line"),
        levels=tuple(level.multiselect("Level", levels, key=f"{key}-level", placeholder="all")),
        services=tuple(service.multiselect("Service", services, key=f"{key}-service", placeholder="all")),
    )


def _unfolded(workspace: Workspace, seq_id: str, line_no: int) -> None:
    event = summary.whole_event(workspace, seq_id, line_no)
    facts = {
        "file": f"{event['source']}:{event['line_no']}",
        "test case": event["folder"],
        "thread": event["thread"],
        "correlation id": event["correlation_id"],
    }
    st.text("   ".join(f"{name}: {value}" for name, value in facts.items() if value))
    header = " ".join(str(event[name]) for name in ("m_timestamp", "level", "logger", "method") if event[name])
    raw(f"{header} - {event['m_message']}")
