"""Load: read logs from folders, archives or single files."""

import streamlit as st

from lo2core.base.schemas import Sequences
from lo2core.ui.load import explorer, form, results
from lo2core.ui.shell import frame

with frame.page("Load", "Read logs from folders, archives or single files. Every line is accounted for.") as here:
    request = form.ask(here.workspace)
    below = st.container()
    frame.terminal(request.command if request else form.example(here.workspace))
    with below:
        shown = form.shown(here.workspace)
        if shown and shown.has(Sequences):
            results.account(shown)
            results.over_time(shown)
            explorer.show(shown)
