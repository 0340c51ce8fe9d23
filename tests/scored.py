"""The sample, scored by two models, beside it a sample of other logs: what pages Explain and Compare are tried on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lo2core import pipeline
from lo2core.load import LoadOptions
from lo2core.store import Workspace
from lo2core.train import Recipe
from pageverbs import ROOT

MODELS = {"nn": "NearestNormal", "forest": "IsolationForest"}
"""Predictions, and bundles of the same name, with their detector."""


TODAY = "light-oauth2-data-1767225600"
"""The run of the sample `today`."""


def score_sample(loaded: Path, logs: Path, folder: Path) -> Path:
    """`ws` (the loaded sample), scored by `MODELS`, and in it the sample `today`, one new run; `models` beside it."""
    workspace = Workspace(shutil.copytree(loaded, folder / "ws"))
    for name, detector in MODELS.items():
        bundle = pipeline.train_bundle(workspace, Recipe(detector), folder / "models" / f"{name}.joblib")
        pipeline.predict_bundle(workspace, bundle, name)
    today = workspace.sample("today")
    run = min(path for path in logs.iterdir() if path.is_dir())
    new = shutil.copytree(run, folder / "logs" / TODAY)
    pipeline.load_logs(today, [new], LoadOptions(labels="none"), jobs=1)
    pipeline.predict_bundle(today, folder / "models" / "nn.joblib", "nn")
    return folder


def work_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Let pages work in `folder/ws`, with the models beside it and nothing remembered."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("LO2_WORKSPACE", str(folder / "ws"))
    monkeypatch.setenv("LO2_MODELS", str(folder / "models"))
    st.cache_data.clear()
    st.cache_resource.clear()
    return Workspace(folder / "ws")


def open_page(script: str, **address: str) -> AppTest:
    """A page as a link with these query parameters opens it."""
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    app.switch_page(script)
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()
