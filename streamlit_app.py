"""Overview: the chain of artefacts, what is fresh, stale or missing, what to do next."""

from lo2core.ui import frame, widgets

here = frame.page("Overview", "From folders of logs to the lines that went wrong: what is there, and what to do next.")
widgets.empty_state("This workspace is empty. Load a folder of logs to begin.", "pages/1_Load.py", "Load my logs")
frame.terminal("run", "--root", "PATH", "--output-dir", here.workspace.root)
