"""Compare: Set two saved predictions side by side: another model, or another day."""

import streamlit as st

from lo2core.ui import address, alike, comparing, either, frame, pairs, unlike

SAME = {
    "Scores": alike.show_scores,
    "Flips": alike.show_flips,
    "Biggest movers": alike.show_movers,
    "Metrics": alike.show_metrics,
}
OTHER = {
    "Test cases": unlike.show_test_cases,
    "Incidents new and gone": unlike.show_incidents,
    "Items new and vanished": unlike.show_items,
}
BOTH = {
    "Recall by fault": either.show_faults,
    "Shift": either.show_shifts,
    "Over time": either.show_over_time,
}


@st.fragment
def show_views(pair: pairs.Pair) -> None:
    """The tabs; a click in one of them draws no more than these again."""
    views = (SAME if pair.found.same_sequences else OTHER) | BOTH
    tabs = st.tabs(list(views), on_change="rerun", key=address.COMPARED, bind="query-params")
    address.remember()
    for tab, view in zip(tabs, views.values(), strict=True):
        with tab, frame.calm():
            if tab.open:
                view(pair)


here = frame.page("Compare", "Set two saved predictions side by side: another model, or another day.")
with frame.calm():
    pair = pairs.choose(here)
    if pair:
        comparing.show_making(pair)
        comparing.show_rates(pair)
        show_views(pair)
        comparing.keep(pair)
frame.terminal(*comparing.command(pair, here))
