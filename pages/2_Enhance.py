"""Enhance: Mask what changes from line to line, and find the templates behind the messages."""

import streamlit as st

from lo2core.base.schemas import Messages
from lo2core.ui.enhance import page as enhance
from lo2core.ui.shell import frame, widgets

here = frame.page("Enhance", "Mask what changes from line to line, and find the templates behind the messages.")
body = st.container()
frame.terminal(enhance.command(here.workspace))

with body, frame.calm():
    if here.workspace.has(Messages):
        enhance.headline(here.workspace)
        enhance.rules(here.workspace)
        enhance.template_table(here.workspace)
    else:
        widgets.empty_state("There are no events to enrich yet: load logs first.", "pages/1_Load.py", "Load logs")
