"""The incidents on page Predict: groups by cause, and below them one list, as a table or as a heat map."""

from __future__ import annotations

import polars as pl
import streamlit as st

from lo2core.base.glossary import meaning
from lo2core.explain.top_items import top_items
from lo2core.pipeline.inputs import items_for
from lo2core.report.chart_data import matching
from lo2core.ui.predict import groups, incidents
from lo2core.ui.predict.inputs import Scored
from lo2core.ui.shell import cache
from lo2core.ui.shell.boundary import fragment, section

TABLE, HEAT_MAP = "table", "heat map"
_TOP_ITEMS = 500
_KEY = "predict"


@fragment
def show(found: Scored) -> None:
    """The groups of the flagged incidents; below them the incidents of the selected group, or all of them."""
    above, below = st.container(), st.container()
    first = not groups.is_selected(_KEY)
    if first:  # grouping takes longer the first time
        with below:
            _all(found)
    with above:
        selected = _by_cause(found)
    if not (first or selected):
        with below:
            _all(found)


@section
def _by_cause(found: Scored) -> bool:
    """The groups; whether one is selected, whose incidents are then listed."""
    st.subheader("Flagged incidents by cause", anchor=False, help=meaning("Group"))
    choice = found.choice
    grouping = groups.grouping(choice.logs, choice.info.path, found.scores, found.threshold.z)
    return groups.choose(choice.here.workspace, grouping, found.open_row, _KEY)


@section
def _all(found: Scored) -> None:
    """All incidents, worst first; those that contain the searched text."""
    st.subheader("Incidents, worst first", anchor=False, help=meaning("Incident"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        looked_for = st.text_input("Search", placeholder="run, test case or service", key="look_for", width=400)
        view = st.segmented_control("Show as", [TABLE, HEAT_MAP], default=TABLE, required=True, key="incidents-as")
    shown, tops = matching(found.ranked, looked_for), _top_items_of(found)
    if view == TABLE:
        incidents.table(shown, tops, found.n_normals, found.open_row, looked_for)
    else:
        incidents.heatmap(found.scores, shown, tops, found.open_row, looked_for)


@section
def _top_items_of(found: Scored) -> pl.DataFrame:
    """seq_id, top_item: the item with the largest share in the worst service of the worst incidents."""
    seq_ids = found.ranked.head(_TOP_ITEMS)["seq_id"]
    return cache.TOP_ITEMS.get((*found.choice.token, *seq_ids), lambda: _top_items(found, seq_ids))


def _top_items(found: Scored, seq_ids: pl.Series) -> pl.DataFrame:
    loaded = found.loaded
    chosen = found.scores.filter(pl.col("seq_id").is_in(seq_ids.implode()))
    return top_items(loaded.model, loaded.vec, items_for(found.choice.logs, loaded.vec), chosen)
