"""The loaded logs: an account of all lines, and the runs over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.frames import as_saved, visible_frame
from lo2core.base.glossary import meaning
from lo2core.base.schemas import Events
from lo2core.base.text import size
from lo2core.pipeline import summary
from lo2core.pipeline.line_filter import LineFilter
from lo2core.report import charts
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import address, tables
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.links import LINES
from lo2core.ui.shell.widgets import count, downloads, short


@section
def account(workspace: Workspace) -> None:
    """Totals, the account of all lines, and the files that were not read in full."""
    totals = remembered(summary.totals, workspace)
    with st.container(horizontal=True):
        cases = "test cases" if totals["test cases"] else "sequences"
        for name in ("runs", cases, "services", "files", "lines", "events"):
            st.metric(name, short(totals[name]), width="stretch")
        st.metric("size", size(totals["bytes"]), width="stretch")
    st.subheader("Account of all lines", anchor=False, help=meaning("Ledger"))
    kinds = remembered(summary.line_kinds, workspace)
    st.altair_chart(charts.ledger_bar(kinds))
    _tables(workspace, kinds, totals["lines"])


def _tables(workspace: Workspace, kinds: pl.DataFrame, lines: int) -> None:
    files = remembered(summary.noteworthy_files, workspace)
    table, others = st.columns(2)
    with table.expander(f"Show as a table: {count(lines)} lines"):
        share = st.column_config.NumberColumn("share", format="percent")
        number = st.column_config.NumberColumn("lines", format="localized")
        st.dataframe(kinds, hide_index=True, column_config={"share": share, "lines": number})
        downloads(kinds, "ledger", key="ledger", what="Account")
    with others.expander(_in_words(files), icon=":material/info:"):
        st.dataframe(
            visible_frame(files.head(1_000)),
            hide_index=True,
            column_config={"source": st.column_config.TextColumn(width=260)},
        )
        downloads(files, "files", key="files", what="Files")


def _in_words(files: pl.DataFrame) -> str:
    if not files.height:
        return "All files were read, with dates and valid UTF-8"
    counted = files.group_by("what", maintain_order=True).len()
    return "Files: " + ", ".join(f"{n} {what}" for what, n in counted.iter_rows())


@section
def over_time(workspace: Workspace) -> None:
    """The runs over time; a click on a test case or on errors shows their lines in the explorer."""
    st.subheader("Runs over time", anchor=False, help=meaning("Run"))
    bands = remembered(summary.test_case_bands, workspace)
    if not bands.height:
        st.text("No event has a time stamp, so there is no timeline.")
        return
    ticks = remembered(summary.error_ticks, workspace) if workspace.has(Events) else _NO_TICKS
    key = f"timeline-{workspace.root}"

    def clicked() -> None:
        picked = st.session_state[key]["selection"].get("pick")
        mark = as_saved(as_saved(picked[0], bands), ticks) if picked else {}
        address.write({LINES: filter_of(mark).as_typed(), "at": None})

    st.altair_chart(charts.timeline(bands, ticks), on_select=clicked, key=key)
    tables.beside_chart(bands, "runs_over_time", "timeline-table")


def filter_of(mark: Mapping[str, str]) -> LineFilter:
    """The filter of a mark: bands have a folder, ticks a service."""
    names = {"runs": "run", "test_cases": "folder", "services": "service"}
    places: dict[str, Any] = {field: (mark[name],) for field, name in names.items() if mark.get(name)}
    return LineFilter(levels=summary.ERROR_LEVELS if mark.get("service") else (), **places)


_NO_TICKS = pl.DataFrame(schema={"run": pl.String, "service": pl.String, "errors": pl.Int64, "at": pl.Float64})
