"""The loaded logs: an account of all lines, the runs over time, the lines themselves."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import streamlit as st

from lo2core.base.frames import as_saved, visible_frame
from lo2core.base.schemas import Events
from lo2core.base.text import size
from lo2core.pipeline import summary
from lo2core.pipeline.summary import LineFilter
from lo2core.report import charts
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import tables
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.log_table import lines_view
from lo2core.ui.shell.widgets import count, downloads, say, short


@section
def account(workspace: Workspace) -> None:
    """Totals, the account of all lines, and the files that were not read in full."""
    totals = remembered(summary.totals, workspace)
    with st.container(horizontal=True):
        cases = "test cases" if totals["test cases"] else "sequences"
        for name in ("runs", cases, "services", "files", "lines", "events"):
            st.metric(name, short(totals[name]), width="stretch")
        st.metric("size", size(totals["bytes"]), width="stretch")
    st.subheader("Account of all lines", anchor=False)
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
        downloads(kinds, "ledger", key="ledger")
    with others.expander(_in_words(files), icon=":material/info:"):
        st.dataframe(
            visible_frame(files.head(1_000)),
            hide_index=True,
            column_config={"source": st.column_config.TextColumn(width=260)},
        )
        downloads(files, "files", key="files")


def _in_words(files: pl.DataFrame) -> str:
    if not files.height:
        return "All files were read, with dates and valid UTF-8"
    counted = files.group_by("what", maintain_order=True).len()
    return "Files: " + ", ".join(f"{n} {what}" for what, n in counted.iter_rows())


@section
def over_time(workspace: Workspace) -> LineFilter:
    """The runs over time; returns the filter of the selected test case or errors, else one that matches everything."""
    st.subheader("Runs over time", anchor=False)
    bands = remembered(summary.test_case_bands, workspace)
    if not bands.height:
        st.text("No event has a time stamp, so there is no timeline.")
        return LineFilter()
    ticks = remembered(summary.error_ticks, workspace) if workspace.has(Events) else _NO_TICKS
    event = st.altair_chart(charts.timeline(bands, ticks), on_select="rerun", key=f"timeline-{workspace.root}")
    picked = event["selection"].get("pick")
    tables.beside_chart(bands, "runs_over_time", "timeline-table")
    return _clicked(as_saved(as_saved(picked[0], bands), ticks)) if picked else LineFilter()


def _clicked(mark: Mapping[str, str]) -> LineFilter:
    """The filter of a mark: bands have a folder, ticks a service."""
    return LineFilter(run=mark.get("run"), folder=mark.get("folder"), errors_of=mark.get("service"))


_NO_TICKS = pl.DataFrame(schema={"run": pl.String, "service": pl.String, "errors": pl.Int64, "at": pl.Float64})


@section
def lines(workspace: Workspace, wanted: LineFilter | None) -> None:
    """The table of lines; `wanted` is the selection in the timeline."""
    st.subheader("Lines", anchor=False)
    wanted = wanted or LineFilter()
    if wanted.run is not None:
        what = f"errors of {wanted.errors_of}" if wanted.folder is None else f"test case {wanted.folder}"
        say(f"Only {what} in run {wanted.run}. Double-click the timeline to see all lines.")
    lines_view(workspace, wanted, key="loaded")
