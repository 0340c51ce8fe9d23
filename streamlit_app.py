"""Overview: the state of each step, and the worst incidents. Also the app of the server."""

from pathlib import Path

import streamlit as st

from lo2core.pipeline.commands import Run
from lo2core.ui.overview import steps, worst
from lo2core.ui.shell import boundary, frame

PURPOSE = "The state of each step, from log files to explained incidents, and what to do next."

if __name__ != "__main__":  # the server imports this file before it answers requests; as a page it is the main module
    from lo2core.ui import access, serve

    app = st.App(
        __file__, middleware=access.PROTECTION, lifespan=serve.announced, on_script_error=boundary.show_uncaught
    )
else:
    with frame.page("Overview", PURPOSE) as here:
        body = st.container()
        frame.terminal(Run(root=(Path("PATH"),), output_dir=here.workspace.root))
        with body:
            found = steps.read(here)
            if found:
                steps.show(here, found)
                worst.show(here, found)
