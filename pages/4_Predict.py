"""Predict: score logs with a saved model."""

import streamlit as st

from lo2core.ui.predict import incidents, inputs, listing, new_logs, saved
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

        below = st.container()
        saved.save(found)
        with below:
            listing.show(found)
        with news:  # this may take longer the first time
            new_logs.summary(found)
    saved.saved_table(here)
    frame.terminal(inputs.command(here, choice))
