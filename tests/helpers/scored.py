"""The sample, scored by two models, beside it a sample of other logs: what pages Explain and Compare are tried on."""

from __future__ import annotations

import shutil
from pathlib import Path

from filelock import FileLock

from lo2core.detect.recipe import Recipe
from lo2core.load.plan import LoadOptions
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.predict import predict_logs
from lo2core.pipeline.train import train_bundle
from lo2core.store.workspace import Workspace

MODELS = {"nn": "NearestNormal", "forest": "IsolationForest"}
"""Predictions, and bundles of the same name, with their detector."""


TODAY = "light-oauth2-data-1767225600"
"""The run of the sample `today`."""


def score_sample(loaded: Path, logs: Path, folder: Path) -> Path:
    """Fills `folder`: `ws` (the loaded sample) scored by `MODELS`, in it the sample `today`, one new run; `models`.

    Made once in a test run and copied: what is recorded of a bundle's path leads to the one all share.
    """
    made = loaded.parent / "scored-sample"
    with FileLock(f"{made}.lock"):
        if not made.exists():
            _score(loaded, logs, made)
    return Path(shutil.copytree(made, folder, dirs_exist_ok=True))


def _score(loaded: Path, logs: Path, folder: Path) -> None:
    workspace = Workspace(shutil.copytree(loaded, folder / "ws"))
    for name, detector in MODELS.items():
        bundle = train_bundle(workspace, Recipe(detector), folder / "models" / f"{name}.joblib")
        predict_logs(workspace, bundle, name)
    today = workspace.sample("today")
    new = shutil.copytree(min(path for path in logs.iterdir() if path.is_dir()), folder / "logs" / TODAY)
    load_logs(today, [new], LoadOptions(labels="none"), jobs=1)
    predict_logs(today, folder / "models" / "nn.joblib", "nn")
