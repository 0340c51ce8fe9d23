"""The side bar of every page, run by Streamlit without a browser: which folders can be worked in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.pageverbs import ROOT, dashboard_in, has_button, page, press, texts
from streamlit.testing.v1 import AppTest

from lo2core.base.config import SAMPLE_MODELS, SAMPLE_WORKSPACE
from lo2core.base.glossary import TERMS
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import session


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    return dashboard_in(tmp_path, monkeypatch)


def offered(app: AppTest) -> list[str]:
    return list(next(box for box in app.selectbox if box.label == "Workspace").options)


@pytest.mark.parametrize(
    "typed", [__file__, f"{__file__}/below", "/proc/x/y", "x" * 300, "/" + "long/" * 1000, "~no body/x"]
)
def test_a_place_where_nothing_can_be_written_is_refused(typed: str) -> None:
    assert session.refusal(typed).startswith("Cannot write to ")


def test_a_folder_that_can_be_made_is_not_refused_and_not_made_yet(tmp_path: Path) -> None:
    assert not session.refusal(str(tmp_path / "a" / "b"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("linked", ["a\0b", "x" * 300, __file__])
def test_a_link_to_what_no_folder_can_be_called_is_not_opened(workspace: Workspace, linked: str) -> None:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)
    app.query_params["ws"] = linked
    app.run()
    assert offered(app) == [str(workspace.root)]
    assert "Unexpected error" not in texts(app)


def test_what_is_not_there_is_offered_only_where_nothing_else_is(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert offered(page()) == [str(workspace.root)]
    monkeypatch.delenv("LO2_WORKSPACE")
    monkeypatch.chdir(tmp_path)
    assert offered(page()) == ["demo/result/sample"]


@pytest.mark.parametrize("script", ["streamlit_app.py", "pages/4_Predict.py"])
def test_the_glossary_opens_on_every_page(workspace: Workspace, script: str) -> None:
    app = press(page(script), "Glossary")
    assert not app.exception
    assert all(f"**{term.name}**" in texts(app) for term in TERMS)


def test_what_is_deleted_in_files_is_restored_there(
    trained_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(trained_runs, tmp_path / "project")
    dashboard_in(folder, monkeypatch)
    assert has_button(page("pages/2_Enhance.py"), "Files")

    def window(path: str) -> None:
        from lo2core.ui.shell.files import files

        files(path)

    app = AppTest.from_function(window, default_timeout=30, args=(str(folder / "ws"),)).run()
    app = press(app.selectbox[0].set_value("model lo2_nn").run(), "Delete")
    assert not (folder / "models" / "lo2_nn.joblib").exists()
    app = press(app, "Restore")
    assert (folder / "models" / "lo2_nn.joblib").exists()
    app = app.selectbox[0].set_value("model lo2_nn").run()
    press(app.text_input[0].set_value("other").run(), "Save")
    assert (folder / "models" / "other.joblib").exists()
    assert not app.exception


def test_a_folder_or_a_file_is_chosen_among_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "runs" / "monday").mkdir(parents=True)
    (tmp_path / "runs" / "logs.zip").touch()

    def window(start: str) -> None:
        import streamlit as st

        from lo2core.ui.shell.folders import browse

        st.session_state.setdefault("window-at", start)
        if chosen := browse("window", [start, f"{start}/gone"], files=True):
            st.text(f"chosen: {chosen}")

    app = AppTest.from_function(window, default_timeout=30, args=(str(tmp_path / "runs"),)).run()
    assert app.dataframe[0].value["name"].to_list() == ["monday", "logs.zip"]
    assert list(app.selectbox[0].options) == [str(tmp_path / "runs")]  # what is gone is not offered
    app.session_state[f"window-{tmp_path / 'runs'}"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    assert f"chosen: {tmp_path / 'runs' / 'logs.zip'}" in texts(app.run())
    app = press(app, "Up")
    assert app.dataframe[0].value["name"].to_list() == ["runs"]
    assert f"chosen: {tmp_path}\n" in f"{texts(press(app, 'Choose this folder'))}\n"
    app.session_state["window-at"] = str(tmp_path / "nothing")
    assert f"{tmp_path / 'nothing'} cannot be read" in texts(app.run())
    assert not app.exception


def test_the_tour_of_the_sample_is_dismissed_for_good(
    sample_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    workspace = dashboard_in(tmp_path, monkeypatch)
    workspace.root.mkdir()
    assert "Tour, 1 of 3" not in texts(page())
    scores = sample_project / SAMPLE_WORKSPACE / f"{SAMPLE_MODELS[0]}_predictions.parquet"
    shutil.copy(scores, workspace.root)
    app = page()
    assert "Tour, 1 of 3" in texts(app)
    assert "Tour, 1 of 3" not in texts(press(app, "Dismiss"))
    assert "Tour, 2 of 3" not in texts(app.switch_page("pages/5_Explain.py").run())
