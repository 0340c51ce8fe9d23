"""Explain: why an incident was flagged, down to its log lines."""

import streamlit as st

from lo2core.pipeline.commands import Explain
from lo2core.ui.explain import choice, export, lines, marks, why
from lo2core.ui.explain.model import NAMES, show_false_alarms, show_model
from lo2core.ui.shell import address, frame, scores, widgets


@st.fragment
def show_service(shown: choice.Chosen) -> None:
    """The score of the chosen service and its lines; a click inside redraws only this part."""
    with frame.calm():
        picked = why.why(shown, marks.items(here.workspace, shown))
        with st.container(horizontal=True):
            if st.button("This is benign ...", icon=":material/verified_user:", disabled=not shown.scored):
                marks.mark(here.workspace, shown, picked)
            export.actions(shown)
        lines.show_lines(shown, picked)


here = frame.page("Explain", "Why an incident was flagged, down to its log lines, compared with normal runs.")
with frame.calm():
    chosen = scores.choose(here)
    if chosen is None:
        widgets.empty_state("There are no scores to explain yet. Score logs first.", "pages/4_Predict.py", "Score logs")
        frame.terminal(Explain(output_dir=here.workspace.root, predictions="lo2_nn_predictions"))
        st.stop()
    after = marks.show(here.workspace, chosen)
    incident, alarms, model = st.tabs(NAMES, on_change="rerun", key=address.EXPLAINED, bind="query-params")
    shown = None
    with incident:
        if incident.open:
            shown = choice.choose_incident(chosen, after)
            why.show_services(shown, after)
            show_service(shown)
    with alarms:
        if alarms.open:
            show_false_alarms(chosen)
    with model:
        if model.open:
            show_model(chosen)
    frame.terminal(export.command(chosen, shown and shown.incident))
