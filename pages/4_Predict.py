"""Predict: score logs with a saved model."""

import streamlit as st

from lo2core.report.chart_data import matching
from lo2core.ui.predict import incidents, inputs, new_logs, saved
from lo2core.ui.shell import frame

with frame.page("Predict", "Score logs with a saved model, without training it again.") as here:
    busy = new_logs.drop_zone(here)
    choice = None if busy else inputs.choose(here)
    if choice:
        inputs.fitness(choice)
    found = inputs.scored(choice) if choice else None
    if found:
        news = st.container()
        left, right = st.columns([2, 3], gap="large")
        with left:
            found = inputs.judge(found) or found
            inputs.summary(found)
            inputs.remarks(found)
        with right:
            incidents.strip(found.scores, found.open_row, "predict")

        causes = st.container()
        st.subheader("Incidents, worst first", anchor=False)
        looked_for = st.text_input("Search", placeholder="run, test case or service", key="look_for", width=400)
        shown = matching(found.ranked, looked_for)
        tops = inputs.top_items_of(found)
        incidents.heatmap(found.scores, shown, tops, found.open_row, looked_for)
        incidents.table(shown, tops, found.n_normals, found.open_row, looked_for)
        saved.save(found)
        with causes:  # these two take longer the first time, so they are drawn last
            inputs.by_cause(found)
        with news:
            new_logs.summary(found)
    saved.saved_table(here)
    frame.terminal(inputs.command(here, choice))
