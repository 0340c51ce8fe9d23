"""Overview: the chain of artefacts, what is fresh, stale or missing, what to do next."""

from pathlib import Path

import streamlit as st

from lo2core.pipeline.commands import Run
from lo2core.ui.overview import page as overview
from lo2core.ui.shell import frame

here = frame.page("Overview", "From folders of logs to the lines that went wrong: what is there, and what to do next.")
body = st.container()
frame.terminal(Run(root=(Path("PATH"),), output_dir=here.workspace.root))

with body, frame.calm():
    steps = overview.steps(here)
    if overview.is_empty(steps):
        overview.start(here)
    else:
        overview.show_chain(steps)
        overview.what_needs_a_look(here, steps)
