"""Predict: Score logs with a saved model, without training again."""

from lo2core.ui import frame, widgets

here = frame.page("Predict", "Score logs with a saved model, without training again.")
widgets.empty_state("There is no model to score with yet: train one first.", "pages/3_Train.py", "Train a model")
frame.terminal("predict", "--output-dir", here.workspace.root, "--bundle", here.models_dir / "lo2_nn.joblib")
