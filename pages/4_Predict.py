"""Predict: score logs with a saved model."""

import streamlit as st

from lo2core.report.chart_data import matching, ranked_incidents
from lo2core.ui.predict import incidents, inputs, saved
from lo2core.ui.shell import frame

here = frame.page("Predict", "Score logs with a saved model, without training it again.")
choice = inputs.choose(here)
with frame.calm():
    found = inputs.scored(choice) if choice else None

if found:
    left, right = st.columns([2, 3], gap="large")
    with left:
        found, threshold = inputs.judge(found)
        ranked = ranked_incidents(found.scores)
        inputs.summary(found, ranked, threshold)
        inputs.remarks(found)
    with right:
        incidents.strip(found.scores, found.open_row, "predict")

    st.subheader("Incidents, worst first", anchor=False)
    looked_for = st.text_input("Search", placeholder="run, test case or service", key="look_for", width=400)
    shown = matching(ranked, looked_for)
    tops = inputs.top_items_of(found, ranked)
    incidents.heatmap(found.scores, shown, tops, found.open_row, looked_for)
    incidents.table(shown, tops, found.n_normals, found.open_row, looked_for)
    saved.save(found)

saved.saved_table(here)
frame.terminal(inputs.command(here, choice))
