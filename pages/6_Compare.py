"""Compare: Set two saved predictions side by side: another model, or another day."""

from lo2core.ui import frame, widgets

here = frame.page("Compare", "Set two saved predictions side by side: another model, or another day.")
widgets.empty_state("Comparing takes two saved predictions: score some logs first.", "pages/4_Predict.py", "Score logs")
frame.terminal("compare", "A", "B", "--output-dir", here.workspace.root)
