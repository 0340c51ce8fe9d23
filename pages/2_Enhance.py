"""Enhance: mask the variable parts of log lines, and find templates."""

import streamlit as st

from lo2core.base.schemas import Messages
from lo2core.ui.enhance import enrich, rules, templates
from lo2core.ui.shell import frame, widgets

with frame.page("Enhance", "Mask the variable parts of log lines, and find templates of similar messages.") as here:
    body = st.container()
    frame.terminal(enrich.command(here.workspace))
    with body:
        if here.workspace.has(Messages):
            enrich.headline(here.workspace)
            rules.show(here.workspace)
            templates.show(here.workspace)
        else:
            widgets.empty_state("There are no events to enrich yet. Load logs first.", "pages/1_Load.py", "Load logs")
