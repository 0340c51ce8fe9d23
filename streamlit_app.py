"""Overview: the state of each step, and the worst incidents."""

from pathlib import Path

import streamlit as st

from lo2core.pipeline.commands import Run
from lo2core.ui.overview import steps, worst
from lo2core.ui.shell import frame

here = frame.page("Overview", "The state of each step, from log files to explained incidents, and what to do next.")
body = st.container()
frame.terminal(Run(root=(Path("PATH"),), output_dir=here.workspace.root))

with body, frame.calm():
    found = steps.read(here)
    if steps.is_empty(found):
        steps.start(here)
    else:
        steps.show(found)
        worst.show(here, found)
