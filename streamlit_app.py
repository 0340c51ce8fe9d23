"""Overview: the state of each step, and the worst incidents. Also the app of the server."""

from pathlib import Path

import streamlit as st

from lo2core.pipeline.commands import Run
from lo2core.ui.overview import steps, worst
from lo2core.ui.shell import frame

if __name__ != "__main__":  # the server imports this file before it answers requests; as a page it is the main module
    from lo2core.ui import access, serve

    app = st.App(__file__, middleware=access.PROTECTION, lifespan=serve.announced)
else:
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
