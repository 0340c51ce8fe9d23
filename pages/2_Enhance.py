"""Enhance: Mask what changes from line to line, and find the templates behind the messages."""

from lo2core.ui import frame, widgets

here = frame.page("Enhance", "Mask what changes from line to line, and find the templates behind the messages.")
widgets.empty_state("There are no events to enrich yet: load logs first.", "pages/1_Load.py", "Load logs")
frame.terminal("enhance", "--output-dir", here.workspace.root)
