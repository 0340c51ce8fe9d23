"""Explain: See why an incident was flagged, down to the lines, beside what normal looks like."""

from lo2core.ui import frame, widgets

here = frame.page("Explain", "See why an incident was flagged, down to the lines, beside what normal looks like.")
widgets.empty_state("There is nothing to explain yet: score some logs first.", "pages/4_Predict.py", "Score logs")
frame.terminal("explain", "--output-dir", here.workspace.root, "--predictions", "lo2_nn_predictions")
