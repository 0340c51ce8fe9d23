"""Load: Read folders, archives or single log files; every line is accounted for."""

import streamlit as st

from lo2core.base.schemas import Sequences
from lo2core.ui.load import form
from lo2core.ui.load import results as load_results
from lo2core.ui.shell import frame

here = frame.page("Load", "Read folders, archives or single log files; every line is accounted for.")

request = form.ask(here.workspace)
results = st.container()
frame.terminal(request.command if request else form.example(here.workspace))

with results, frame.calm():
    shown = form.shown(here.workspace)
    if shown.has(Sequences):
        load_results.account(shown)
        wanted = load_results.over_time(shown)
        load_results.lines(shown, wanted)
