"""Page Predict, run by Streamlit without a browser: scores from a cached bundle, the alert budget, saving, links."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.pageverbs import commands, dashboard_in, has_button, page, press, texts, wait_for_job
from streamlit.testing.v1 import AppTest

from lo2core.base.schemas import INCIDENT_KEY, Predictions, Sequences
from lo2core.cli.options import parse
from lo2core.detect.fitness import FITS
from lo2core.detect.recipe import Recipe
from lo2core.explain.top_items import top_items
from lo2core.load.plan import LoadOptions
from lo2core.load.plan import plan as find_plan
from lo2core.pipeline import score as new_scores
from lo2core.pipeline.bundles import open_bundle
from lo2core.pipeline.commands import Predict
from lo2core.pipeline.inputs import read_items
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.predict import predict_logs, score
from lo2core.pipeline.train import train_bundle
from lo2core.store.workspace import Workspace
from lo2core.ui.predict.inputs import LOADED
from lo2core.ui.shell import models
from lo2core.ui.shell.scores import live_scores

PREDICT = "pages/4_Predict.py"


@pytest.fixture
def workspace(trained_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of `trained_runs` that the pages work on; the models lie beside it."""
    shutil.copytree(trained_runs, tmp_path, dirs_exist_ok=True)
    return dashboard_in(tmp_path, monkeypatch)


@pytest.fixture
def model(workspace: Workspace) -> Path:
    return workspace.root.parent / "models" / "lo2_nn.joblib"


def flagged(app: AppTest) -> str:
    return next(element.value for element in app.markdown if "incidents flagged" in element.value)


def test_without_logs_the_page_leads_to_loading(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LO2_WORKSPACE", str(tmp_path / "empty"))
    assert has_button(page(PREDICT), "Load logs")


def test_without_a_bundle_the_page_leads_to_training(workspace: Workspace, model: Path) -> None:
    model.unlink()
    assert has_button(page(PREDICT), "Train a model")


def test_nothing_is_scored_before_it_was_asked_for(workspace: Workspace) -> None:
    app = page(PREDICT)
    assert not app.exception
    assert not app.slider


def test_scores_are_saved_as_they_were_shown_and_not_replaced_unasked(workspace: Workspace, model: Path) -> None:
    app = press(press(page(PREDICT), "Predict"), "Save")
    assert not app.exception
    assert "Saved as lo2_nn_predictions." in texts(app)
    assert any(link.proto.label == "See why" for link in app.main.get("page_link"))
    expected = score(workspace, open_bundle(model))
    assert workspace.read(Predictions, "lo2_nn_predictions").equals(expected)
    app = page(PREDICT)
    assert "incidents flagged" in texts(app)
    name = next(field for field in app.text_input if field.label == "Save as")
    assert name.value == "lo2_nn_predictions_new"
    app = press(name.set_value("lo2_nn_predictions").run(), "Save")
    assert has_button(app, "Replace")


def test_the_alert_budget_moves_the_threshold_without_training_and_no_invalid_name_is_saved(
    workspace: Workspace, model: Path
) -> None:
    before = model.read_bytes()
    app = press(page(PREDICT), "Predict")
    command = parse(commands(app)[-1])
    assert isinstance(command, Predict)
    assert (command.output_dir, command.bundle, command.predictions) == (workspace.root, model, "lo2_nn_predictions")
    shown = flagged(app)
    app = app.slider[0].set_value(0.5).run()
    assert "Estimated threshold:" in texts(app)
    app = app.slider[0].set_value(20.0).run()
    assert flagged(app) != shown
    assert model.read_bytes() == before
    assert "--budget 20" in texts(app)
    for name in ("p" * 300, "a/b"):
        next(field for field in app.text_input if field.label == "Save as").set_value(name)
        app = press(app, "Save")
        assert "is not a valid name: use up to 125 letters" in texts(app)
    assert workspace.predictions() == []
    next(field for field in app.text_input if field.label == "Save as").set_value("p")
    press(app, "Save")
    assert workspace.metadata("p")["budget"] == 20


def test_a_changed_bundle_is_not_opened(workspace: Workspace, model: Path) -> None:
    model.write_bytes(model.read_bytes() + b"x")
    app = page(PREDICT)
    assert "changed by hand and was not opened" in texts(app)
    assert not has_button(app, "Predict")


def test_a_sample_is_opened_by_a_link_and_scored_in_its_own_folder(workspace: Workspace, sample_logs: Path) -> None:
    sample = workspace.sample("today")
    load_logs(sample, [sample_logs], LoadOptions(n_runs=1, single_error_type="delete_token_404"), jobs=1)
    assert page(PREDICT, sample="today").selectbox(key="choice-Logs").value == "today"
    app = page(PREDICT)
    assert app.selectbox(key="choice-Logs").value == LOADED
    app = app.selectbox(key="choice-Logs").set_value("today").run()
    assert app.query_params["sample"] in ("today", ["today"])
    app = press(press(app, "Predict"), "Save")
    assert not app.exception
    assert sample.predictions() == ["lo2_nn_predictions"]
    assert workspace.predictions() == []


@pytest.mark.parametrize(("name", "value"), [("sample", "tomorrow"), ("bundle", "deleted")])
def test_what_no_longer_exists_is_asked_for_and_nothing_else_is_scored_instead(
    workspace: Workspace, name: str, value: str
) -> None:
    app = page(PREDICT, **{name: value})
    assert f"There is no {'model' if name == 'bundle' else name} {value} in this" in texts(app)
    assert not has_button(app, "Predict") and "Threshold z" not in texts(app)
    label = "Model" if name == "bundle" else "Logs"
    assert app.selectbox(key=f"choice-{label}").value is None
    app = app.selectbox(key=f"choice-{label}").select_index(0).run()
    assert not app.exception and has_button(app, "Predict")


def test_services_that_the_bundle_does_not_know_are_named(workspace: Workspace) -> None:
    sequences = workspace.read(Sequences).with_columns(pl.col("service").replace("user", "billing"))
    workspace.write(Sequences, sequences, provenance=workspace.metadata(Sequences), replace=True)
    app = press(page(PREDICT), "Predict")
    assert "does not know billing" in texts(app)


def test_a_model_that_does_not_fit_is_not_preselected_but_can_be_used(workspace: Workspace, sample_logs: Path) -> None:
    load_logs(workspace, [sample_logs], LoadOptions(n_runs=2, window=30), jobs=1, replace=True)
    app = page(PREDICT)
    assert "No saved model fits these logs." in texts(app)
    assert not has_button(app, "Predict")
    app = press(app.selectbox(key="choice-Model").set_value("lo2_nn").run(), "Predict")
    assert "The model does not fit these logs" in texts(app)
    assert "trained on whole test cases, these logs were loaded as windows of 30 s" in texts(app)


def test_each_incident_is_listed_once_and_a_picked_one_opens_on_page_explain(workspace: Workspace) -> None:
    app = press(page(PREDICT), "Predict")
    n = workspace.read(Sequences).select(INCIDENT_KEY).n_unique()
    lists = [table.value for table in app.dataframe if "folder" in table.value.columns]
    assert [len(table) for table in lists] == [n]
    drawn = len(app.get("vega_lite_chart"))
    app = app.segmented_control(key="incidents-as").set_value("heat map").run()
    assert len(app.get("vega_lite_chart")) == drawn + 1
    assert not [table for table in app.dataframe if "folder" in table.value.columns]
    groups = next(table.value for table in app.dataframe if "incidents" in table.value.columns)
    selected = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.session_state[f"groups-predict-all-{len(groups)}"] = selected
    app = app.run()
    assert "Incidents, worst first" not in texts(app)
    (own,) = (table.value for table in app.dataframe if "folder" in table.value.columns)
    assert len(own) == groups["incidents"][0]
    del app.session_state[f"groups-predict-all-{len(groups)}"]
    app.session_state["table-"] = selected
    app.run()
    assert not app.exception
    assert app.title[0].value == "Explain"
    assert app.query_params["bundle"] == "lo2_nn"
    assert {"run", "folder", "service"} <= set(app.query_params)


def test_a_bundle_of_single_events_predicts_in_a_job(workspace: Workspace, model: Path) -> None:
    path = model.with_name("events.joblib")
    train_bundle(workspace, Recipe("OutOfVocabulary", unit="event"), path)
    app = page(PREDICT)
    app = press(app.selectbox(key="choice-Model").set_value("events").run(), "Predict")
    wait_for_job(workspace)
    app = app.run()
    assert not app.exception
    assert workspace.predictions() == ["events_predictions"]
    assert "incidents flagged" in texts(app)


def test_an_opened_bundle_is_kept_until_its_file_changes(workspace: Workspace, model: Path) -> None:
    first = models.opened(model)
    assert models.opened(model) is first
    train_bundle(workspace, Recipe(budget=10), model, replace=True)
    assert models.opened(model).model.threshold.budget == 10


def test_a_headline_names_what_no_normal_holds(workspace: Workspace, model: Path) -> None:
    opened = models.opened(model)
    scores = live_scores(workspace, model)[0].head(1)
    line = top_items(opened.model, opened.vec, read_items(workspace), scores)["top_item"][0]
    assert line.startswith("new: ")
    assert "\n" not in line


def test_new_logs_are_scored_in_one_step_and_what_is_new_is_said_on_top(
    workspace: Workspace, sample_logs: Path, tmp_path: Path
) -> None:
    """The model has scored the loaded logs before; the new ones have one known fault, and one that nobody has seen."""
    predict_logs(workspace, workspace.root.parent / "models" / "lo2_nn.joblib")
    run = max(folder for folder in sample_logs.iterdir() if folder.is_dir())
    new = tmp_path / "new" / "light-oauth2-data-1767225600"
    for case in ("correct_1", "get_client_404_no_client", "delete_token_404"):
        shutil.copytree(run / case, new / case)
    for log in (new / "delete_token_404").rglob("*refresh-token*"):
        log.write_text(log.read_text().replace("ERR12029", "ERR12777").replace("REFRESH_TOKEN_NOT_FOUND", "NO_DISK"))
    app = page(PREDICT, new="logs")
    app = app.text_input(key="score-folder").set_value(str(tmp_path / "new")).run()
    assert "3 test case folders" in texts(app) and "The model fits these logs" in texts(app)
    press(app, "Score")
    wait_for_job(workspace)
    app = page(PREDICT, sample="new", bundle="lo2_nn")
    assert not app.exception
    said = texts(app)
    assert "Today: 2 of 3 incidents flagged; one fault known since earlier today, one new; " in said
    assert " never seen before." in said
    assert "Previous scores, lo2_nn_predictions (today " in said
    link = next(link.proto for link in app.get("page_link") if link.proto.label == "Compare them")
    assert "a=lo2_nn_predictions&b=new%2Flo2_nn_predictions" in link.query_string


def test_the_fitness_of_large_logs_rests_on_some_of_their_test_cases(
    workspace: Workspace, model: Path, sample_logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, loaded = find_plan([sample_logs]), open_bundle(model)
    found = []
    for most in (0, 1_500_000):
        monkeypatch.setattr(new_scores, "MOST_READ", most)
        found.append(new_scores.fitness_of_new([sample_logs], LoadOptions(), loaded, plan))
    assert found[0] is None and found[1] is not None
    fits, cases = found[1]
    assert fits.verdict == FITS and 1 < cases < 20


def test_new_logs_in_which_nothing_is_found_are_told(workspace: Workspace, tmp_path: Path) -> None:
    app = page(PREDICT, new="logs")
    app = app.text_input(key="score-folder").set_value(str(tmp_path / "nowhere")).run()
    assert "nowhere" in texts(app) and not app.exception
    assert next(button for button in app.button if button.label == "Score").disabled
