"""Compare: Set two saved predictions side by side: another model, or another day."""

import streamlit as st

from lo2core.ui import alike, comparing, frame, unlike

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
    "Recall by fault": comparing.show_faults,
    "Shift": comparing.show_shifts,
    "Over time": comparing.show_over_time,
}

here = frame.page("Compare", "Set two saved predictions side by side: another model, or another day.")
with frame.calm():
    pair = comparing.choose(here)
    if pair:
        comparing.show_making(pair)
        comparing.show_rates(pair)
        views = (SAME if pair.found.same_sequences else OTHER) | BOTH
        for tab, view in zip(st.tabs(list(views), on_change="rerun", key="compare-tabs"), views.values(), strict=True):
            with tab:
                if tab.open:
                    view(pair)
        comparing.keep(pair)
frame.terminal(*comparing.command(pair, here))
