"""Compare: two saved predictions side by side."""

import streamlit as st

from lo2core.ui.compare import any_logs, other_logs, overview, same_logs
from lo2core.ui.compare.pair import Pair, choose
from lo2core.ui.shell import address, frame
from lo2core.ui.shell.boundary import fragment

SAME = {
    "Scores": same_logs.show_scores,
    "Flips": same_logs.show_flips,
    "Biggest movers": same_logs.show_movers,
    "Metrics": same_logs.show_metrics,
}
OTHER = {
    "Test cases": other_logs.show_test_cases,
    "New and gone incidents": other_logs.show_incidents,
    "New and vanished items": other_logs.show_items,
    "What increased": other_logs.show_increase,
}
BOTH = {
    "Causes": any_logs.show_causes,
    "Recall by fault": any_logs.show_faults,
    "Shift": any_logs.show_shifts,
    "Over time": any_logs.show_over_time,
}


@fragment
def show_views(pair: Pair) -> None:
    """The tabs; a click inside redraws only this part."""
    views = (SAME if pair.found.same_sequences else OTHER) | BOTH
    tabs = st.tabs(list(views), on_change="rerun", key=address.COMPARED, bind="query-params")
    address.remember()
    for tab, view in zip(tabs, views.values(), strict=True):
        with tab:
            if tab.open:
                view(pair)


with frame.page("Compare", "Compare two saved predictions, of different models or of different logs.") as here:
    pair = choose(here)
    if pair:
        overview.show_provenance(pair)
        overview.show_rates(pair)
        show_views(pair)
        overview.keep(pair)
    frame.terminal(overview.command(pair, here))
