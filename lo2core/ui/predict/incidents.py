"""Scored incidents: heat map, strip plot, ranked table; a click opens page Explain.

`scores` is `schemas.Predictions`, one row for each sequence, with the flags of the current threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.frames import as_saved, visible_frame
from lo2core.base.glossary import meaning
from lo2core.detect.incidents import compared_with_normals
from lo2core.report import charts
from lo2core.report.chart_data import heatmap_cells, label, strip_marks
from lo2core.ui.shell import tables
from lo2core.ui.shell.boundary import section

HEAT_HEIGHT = 560

Open = Callable[[Mapping[str, Any]], None]
"""Called with the row (run, folder, window, service) of the clicked incident."""


@section
def heatmap(scores: pl.DataFrame, incidents: pl.DataFrame, tops: pl.DataFrame | None, open_row: Open, key: str) -> None:
    """Incidents x services, worst first, as many as can be drawn; long charts scroll."""
    n_services = max(1, scores["service"].n_unique())
    shown = incidents.head(charts.MAX_MARKS // n_services)
    drawn = heatmap_cells(scores, shown, tops)
    unscored = f" {charts.NO_SCORE} marks a log without a score." if drawn["z_score"].null_count() else ""
    colours = "Stronger colours are larger z-scores; a dot marks flagged services."
    st.caption(f"{colours}{unscored} Click an incident to explain it.", help=meaning("z-score"))
    with st.container(height=HEAT_HEIGHT if shown.height > 20 else "content", border=False):
        chart = charts.incident_heatmap(drawn, float(scores["threshold"][0]))
        event = st.altair_chart(chart, on_select="rerun", key=f"heat-{key}-{shown.height}")
    if shown.height < incidents.height:
        st.caption(f"The worst {shown.height:,} of {incidents.height:,} incidents. Search to see others.")
    _follow(event, drawn, open_row)


@section
def strip(scores: pl.DataFrame, open_row: Open, key: str) -> None:
    """All sequences as ticks on the axis of z, normals and others in separate rows, with the threshold."""
    st.caption("Scores of all logs, by service", help=meaning("z-score"))
    points = strip_marks(scores)
    event = st.altair_chart(
        charts.score_strip(points, float(scores["threshold"][0])), on_select="rerun", key=f"strip-{key}"
    )
    _follow(event, points, open_row)


@section
def table(
    incidents: pl.DataFrame, tops: pl.DataFrame | None, n_normals: Mapping[str, int], open_row: Open, key: str
) -> None:
    """Ranked incidents, the worst `MAX_ROWS`; a selected row opens. n_normals: held-out normals of each service."""
    shown = incidents.head(tables.MAX_ROWS)
    view = shown.with_columns(oddness=compared_with_normals(shown, n_normals), label=label())
    known = pl.DataFrame(schema={"seq_id": pl.String, "top_item": pl.String}) if tops is None else tops
    view = view.join(known.select("seq_id", "top_item"), on="seq_id", how="left", maintain_order="left")
    event = st.dataframe(
        visible_frame(view.select(_shown_columns(view))),
        column_config=_COLUMNS,
        hide_index=True,
        height=420 if view.height > 10 else "content",
        row_height=28,
        placeholder="",
        key=f"table-{key}",
        on_select="rerun",
        selection_mode="single-row",
    )
    if shown.height < incidents.height:
        st.caption(f"The worst {shown.height:,} of {incidents.height:,} incidents.")
    for row in event["selection"]["rows"]:
        open_row(shown.row(row, named=True))


_COLUMNS = {
    "z_score": tables.INCIDENT["z_score"],
    "folder": tables.INCIDENT["folder"] | {"width": 150},
    "top_item": st.column_config.TextColumn("top item"),
    "service": tables.INCIDENT["service"],
    "window": tables.INCIDENT["window"],
    "short_run": tables.INCIDENT["run"] | {"width": 90},
    "pred_ano": tables.INCIDENT["pred_ano"],
    "rank": tables.INCIDENT["rank"],
    "oddness": st.column_config.TextColumn("compared with normals", width=200, help=meaning("p-value")),
    "label": st.column_config.TextColumn("label", width=70),
}


def _shown_columns(view: pl.DataFrame) -> list[str]:
    """The columns that are not empty: no windows for whole test cases, no labels for unlabelled logs."""
    empty = {name for name in ("window", "top_item") if view[name].null_count() == view.height}
    unlabelled = {"label"} if set(view["label"]) <= {charts.UNLABELLED} else set()
    return [name for name in _COLUMNS if name not in empty | unlabelled]


def _follow(event: Any, rows: pl.DataFrame, open_row: Open) -> None:
    picked = event["selection"].get("pick") or []
    ids = [as_saved(pick, rows)["seq_id"] for pick in picked]
    for row in rows.filter(pl.col("seq_id").is_in(ids)).head(1).iter_rows(named=True):
        open_row(row)
