"""Two predictions of different logs: test cases side by side, new and gone incidents, new and vanished items."""

from __future__ import annotations

import polars as pl
import streamlit as st

from lo2core.base.frames import as_saved
from lo2core.base.glossary import meaning
from lo2core.base.schemas import Events
from lo2core.base.text import plural, visible
from lo2core.compare import drift
from lo2core.detect.logs import NO_EVENTS
from lo2core.explain.increase import VANISHED, increased, over_time
from lo2core.explain.raw_lines import MOST_LINES
from lo2core.pipeline.explain import lines_with
from lo2core.report import charts
from lo2core.report.chart_data import paired_cells
from lo2core.store.workspace import Workspace
from lo2core.ui.compare.pair import Pair, cache_key, open_worst
from lo2core.ui.explain import increase
from lo2core.ui.shell import cache, tables
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.log_table import pick_line, show_event
from lo2core.ui.shell.widgets import downloads, notice, raw, say


@section
def show_test_cases(pair: Pair) -> None:
    """Test case x service, the median z of A (left) and B (right) in each column; a click explains the worst."""
    found = pair.found.by_test_case
    cells = paired_cells(found).head(charts.MAX_MARKS)
    event = st.altair_chart(charts.paired_heatmap(cells), on_select="rerun", key=f"cases-{pair.key}")
    said = "In each column A is on the left and B on the right. Click a field to explain its worst sequence."
    st.caption(said, help=meaning("z-score"))
    for pick in event["selection"].get("pick") or []:
        open_worst(pair.found.saved["AB".index(pick["side"])], as_saved(pick, cells))
    tables.beside_chart(found, "test_cases", "cases", _CASES)


@section
def show_incidents(pair: Pair) -> None:
    """Test cases and services that are flagged in one prediction only; a selected one can be explained."""
    found = pair.found.incident_changes
    if not found.height:
        notice("Both predictions flag the same services of the same test cases.")
        return
    n = dict(found["change"].value_counts().iter_rows())
    new, gone = n.get(drift.NEW, 0), n.get(drift.GONE, 0)
    say(f"In both logs: {new:,} flagged only in B (new), {gone:,} only in A (gone).")
    if absent := n.get(drift.NOT_IN_A, 0) + n.get(drift.NOT_IN_B, 0):
        st.caption(f"{absent:,} more are flagged in logs that the other prediction does not include, listed last.")
    row = tables.pick(found.head(tables.MAX_ROWS), _INCIDENTS, f"incidents-{pair.key}")
    if st.button("Explain", icon=":material/lightbulb:", disabled=row is None, key="incidents-explain"):
        picked = found.row(row or 0, named=True)
        open_worst(pair.found.saved[1 if picked["change"] in (drift.NEW, drift.NOT_IN_A) else 0], picked)
    downloads(found, "incidents_new_and_gone", key="incidents")


@section
def show_items(pair: Pair) -> None:
    """Messages, stack trace lines and request kinds that only one of the logs contains."""
    if pair.found.why_no_items:
        notice(pair.found.why_no_items)
        return
    found = pair.found.item_changes
    if not found.height:
        notice("Both logs contain the same messages and request kinds.")
        return
    left, right = st.columns(2)
    first, kinds = found.row(0, named=True), found["kind"].unique().sort().to_list()
    changes = [drift.NEW, drift.VANISHED]
    change = left.segmented_control("Which", changes, default=first["change"], required=True, key="items-change")
    kind = right.segmented_control("Kind", kinds, default=first["kind"], required=True, key="items-kind")
    shown = found.filter(pl.col("change") == change, pl.col("kind") == kind)
    say(f"{plural(shown.height, 'item')} of kind {kind} only in {'B' if change == 'new' else 'A'}.")
    row = tables.pick(shown.head(tables.MAX_ROWS), _ITEMS, f"items-{pair.key}-{change}-{kind}")
    downloads(found, "items_new_and_vanished", key="item-changes")
    if row is not None:
        raw(shown["item"][row].strip())
        _lines_with(pair.home(1 if change == drift.NEW else 0), shown["message_id"][row])


@section
def show_increase(pair: Pair) -> None:
    """The messages whose rate in B differs most from that in A, of all services or of one."""
    a, b = pair.found.saved[:2]
    if pair.found.why_no_items:
        notice(pair.found.why_no_items)
        return
    names = [drift.ALL_SERVICES, *sorted({*a.frame["service"], *b.frame["service"]})]
    service = st.selectbox("Service", names, format_func=visible, key="increase-service", width=300)
    key = ("increase", service, *(cache_key(pair.workspace, name) for name in (pair.a, pair.b)))
    found = cache.TABLES.get(key, lambda: _increased(pair, service))
    row = increase.table(found, f"increase-{pair.key}-{service}", f"A ({pair.a})")
    if row is not None:
        raw(row["item"].strip())
        _lines_with(pair.home(0 if row["change"] == VANISHED else 1), row["message_id"])


def _increased(pair: Pair, service: str) -> pl.DataFrame:
    """`schemas.Increased` of B compared with A, with counts over the time of B."""
    a, b = pair.found.saved[:2]
    assert a.items is not None and b.items is not None
    wanted = pl.lit(True) if service == drift.ALL_SERVICES else pl.col("service") == service
    ids_a, ids_b = (one.frame.filter(wanted)["seq_id"].unique() for one in (a, b))
    found = increased(b.items, ids_b, a.items, ids_a)
    logs = pair.home(1)
    if not logs.has(Events):
        return found
    timed = over_time(logs.scan(Events), found["message_id"], ids_b)
    return found.join(timed, on="message_id", how="left", maintain_order="left")


def _lines_with(logs: Workspace, item: int) -> None:
    """The raw lines that contain an item; a selected one is shown in full."""
    if not logs.has(Events):
        notice(NO_EVENTS)
        return
    found = remembered(lines_with, logs, item)
    first = "The first " if found.height == MOST_LINES else ""
    st.caption(f"{first}{plural(found.height, 'line')}. Select one to see it in full.")
    row = pick_line(found, f"item-lines-{logs.root}-{item}", most=8)
    if row is not None:
        show_event(logs, found["seq_id"][row], found["event_line"][row])


_CASES = {
    "test_case": st.column_config.TextColumn("test case", width=300),
    "service": st.column_config.TextColumn("service", width=110),
    "z_a": st.column_config.NumberColumn("median z in A", width=100, format="%.1f"),
    "n_a": st.column_config.NumberColumn("sequences in A", width=105),
    "z_b": st.column_config.NumberColumn("median z in B", width=100, format="%.1f"),
    "n_b": st.column_config.NumberColumn("sequences in B", width=105),
    "difference": st.column_config.NumberColumn("B − A", width=80, format="%.1f"),
}
_INCIDENTS = {
    "change": st.column_config.TextColumn("", width=75),
    "z": st.column_config.NumberColumn("z", width=65, format="%.1f"),
    "service": st.column_config.TextColumn("service", width=110),
    "test_case": st.column_config.TextColumn("test case", width=420),
    "n": st.column_config.NumberColumn("sequences", width=85, format="localized"),
}
_ITEMS = {
    "n": st.column_config.NumberColumn("times", width=70, format="localized"),
    "sequences": st.column_config.NumberColumn("sequences", width=85, format="localized"),
    "title": st.column_config.TextColumn("item", width=720),
}
