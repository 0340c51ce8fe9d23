"""Explain: why an incident was flagged, down to its log lines."""

import streamlit as st

from lo2core.ui.explain import choice, export, lines, marks, why
from lo2core.ui.explain.model import NAMES, show_false_alarms, show_model
from lo2core.ui.shell import address, frame, scores
from lo2core.ui.shell.boundary import fragment


@fragment
def show_service(shown: choice.Chosen) -> None:
    """The score of the chosen service and its lines; a click inside redraws only this part."""
    picked = why.why(shown, marks.items(here.workspace, shown))
    with st.container(horizontal=True):
        if st.button("This is benign ...", icon=":material/verified_user:", disabled=not shown.scored):
            marks.mark(here.workspace, shown, picked)
        export.actions(shown)
    lines.show_lines(shown, picked)


with frame.page("Explain", "Why an incident was flagged, down to its log lines, compared with normal runs.") as here:
    chosen = scores.choose(here)
    shown = None
    if chosen:
        after = marks.show(here.workspace, chosen)
        incident, alarms, model = st.tabs(NAMES, on_change="rerun", key=address.EXPLAINED, bind="query-params")
        with incident:
            if incident.open:
                shown = choice.choose_incident(chosen, after)
                if shown:
                    lines.most_telling(shown)
                    why.show_services(shown, after)
                    show_service(shown)
        with alarms:
            if alarms.open:
                show_false_alarms(chosen)
        with model:
            if model.open:
                show_model(chosen)
    frame.terminal(export.command(here, chosen, shown and shown.incident))
