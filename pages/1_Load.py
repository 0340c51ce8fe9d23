"""Load: Read folders, archives or single log files; every line is accounted for."""

import streamlit as st

from lo2core.tables import Sequences
from lo2core.ui import frame, loaded, loading

here = frame.page("Load", "Read folders, archives or single log files; every line is accounted for.")

request = loading.ask(here.workspace)
results = st.container()
frame.terminal(*(request.arguments() if request else loading.example(here.workspace)))

with results, frame.calm():
    shown = loading.shown(here.workspace)
    if shown.has(Sequences):
        loaded.account(shown)
        wanted = loaded.over_time(shown)
        loaded.lines(shown, wanted)
