"""Enhance: Mask what changes from line to line, and find the templates behind the messages."""

import streamlit as st

from lo2core.tables import Messages
from lo2core.ui import enhancing, frame, widgets

here = frame.page("Enhance", "Mask what changes from line to line, and find the templates behind the messages.")
body = st.container()
frame.terminal(*enhancing.command(here.workspace))

with body, frame.calm():
    if here.workspace.has(Messages):
        enhancing.headline(here.workspace)
        enhancing.rules(here.workspace)
        enhancing.template_table(here.workspace)
    else:
        widgets.empty_state("There are no events to enrich yet: load logs first.", "pages/1_Load.py", "Load logs")
