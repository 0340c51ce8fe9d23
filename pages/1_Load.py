"""Load: Read folders, archives or single log files; every line is accounted for."""

from lo2core.ui import frame, widgets

here = frame.page("Load", "Read folders, archives or single log files; every line is accounted for.")
widgets.empty_state("No logs are loaded in this workspace yet.", "streamlit_app.py", "Back to the overview")
frame.terminal("load", "--root", "PATH", "--output-dir", here.workspace.root)
