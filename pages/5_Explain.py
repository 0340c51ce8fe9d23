"""Explain: See why an incident was flagged, down to the lines, beside what normal looks like."""

from lo2core.ui import explaining, frame, linesview, scores, widgets

here = frame.page("Explain", "See why an incident was flagged, down to the lines, beside what normal looks like.")
with frame.calm():
    chosen = scores.choose(here)
    if chosen is None:
        widgets.empty_state("There is nothing to explain yet: score some logs first.", "pages/4_Predict.py", "Score logs")
    else:
        shown = explaining.choose_incident(chosen)
        explaining.show_services(shown)
        linesview.show_lines(shown, explaining.why(shown))
frame.terminal("explain", "--output-dir", here.workspace.root, "--predictions", "lo2_nn_predictions")
