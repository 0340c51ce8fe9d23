"""Train: Learn what normal looks like, service by service, for as many false alarms as you accept."""

from lo2core.ui import frame, widgets

here = frame.page("Train", "Learn what normal looks like, service by service, for as many false alarms as you accept.")
widgets.empty_state("There are no logs to learn from yet: load some first.", "pages/1_Load.py", "Load logs")
frame.terminal("train", "--output-dir", here.workspace.root, "--bundle", here.models_dir / "lo2_nn.joblib")
