"""Predict: Score logs with a saved model, without training again."""

import streamlit as st

from lo2core.ui import frame, incidents, predicting, saving

here = frame.page("Predict", "Score logs with a saved model, without training again.")
choice = predicting.choose(here)
with frame.calm():
    found = predicting.scored(choice) if choice else None

if found:
    left, right = st.columns([2, 3], gap="large")
    with left:
        found, threshold = predicting.judge(found)
        ranked = incidents.ranked(found.scores)
        predicting.summary(found, ranked, threshold)
        predicting.remarks(found)
    with right:
        incidents.strip(found.scores, found.open_row, "predict")

    st.subheader("Incidents, worst first", anchor=False)
    looked_for = st.text_input("Look for", placeholder="run, test case or service", key="look_for", width=400)
    shown = incidents.matching(ranked, looked_for)
    tops = predicting.top_items(found, ranked)
    incidents.heatmap(found.scores, shown, tops, found.open_row, looked_for)
    incidents.table(shown, tops, found.n_normals, found.open_row, looked_for)
    saving.save(found)

saving.saved_table(here)
frame.terminal(*predicting.command(here, choice))
