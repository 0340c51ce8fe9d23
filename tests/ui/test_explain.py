"""Page Explain, run by Streamlit without a browser: links, services, items, lines, the diff, marks, the model."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.pageverbs import commands, dashboard_in, has_button, page, press, raw_texts, texts
from helpers.scored import score_sample
from streamlit.testing.v1 import AppTest

from lo2core.base.config import models_dir
from lo2core.base.schemas import Predictions
from lo2core.cli import commands as cli_commands
from lo2core.detect.incidents import worst_incidents
from lo2core.detect.recipe import Recipe
from lo2core.explain import feedback, model_importance
from lo2core.explain.items import explained_items
from lo2core.pipeline.explain import bundle_of, evidence
from lo2core.pipeline.feedback import add_mark
from lo2core.pipeline.predict import predict_logs
from lo2core.pipeline.train import train_bundle
from lo2core.store.predictions import read_predictions, read_sequence_scores
from lo2core.store.workspace import Workspace
from lo2core.ui.explain import model
from lo2core.ui.shell import address

EXPLAIN = "pages/5_Explain.py"
FAULT = "get_client_404_no_client"


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory, loaded_sample: Path, sample_logs: Path) -> Path:
    return score_sample(loaded_sample, sample_logs, tmp_path_factory.mktemp("explain"))


@pytest.fixture
def workspace(scored: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    return dashboard_in(scored, monkeypatch)


@pytest.fixture
def own(scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy to write into."""
    return dashboard_in(Path(shutil.copytree(scored, tmp_path / "own")), monkeypatch)


@pytest.fixture
def run(workspace: Workspace) -> str:
    return faulty_run(workspace)


def faulty_run(workspace: Workspace) -> str:
    """A run with the fault."""
    return str(workspace.read(Predictions, "nn").filter(pl.col("folder") == FAULT)["run"][0])


def tables(app: AppTest) -> list[pl.DataFrame]:
    return [pl.from_pandas(element.value.reset_index(drop=True)) for element in app.dataframe]


def table_with(app: AppTest, *columns: str) -> pl.DataFrame:
    return next(table for table in tables(app) if set(columns) <= set(table.columns))


def pick(app: AppTest, prefix: str, row: int) -> AppTest:
    """Pick a row of the table whose key begins with `prefix`, as a click in the browser does."""
    keys = [element.proto.id.split("-", 2)[-1] for element in app.dataframe]
    key = next(key for key in keys if key.startswith(prefix))
    app.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    return app.run()


def test_without_scores_the_page_leads_to_predict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dashboard_in(tmp_path, monkeypatch)
    app = page(EXPLAIN)
    assert "There are no scores to explain yet" in texts(app)
    assert has_button(app, "Score logs")
    assert "python -m lo2core explain" in texts(app)


def test_the_worst_incident_is_shown_first_with_items_and_lines(workspace: Workspace) -> None:
    app = page(EXPLAIN, prediction="nn")
    worst = worst_incidents(read_predictions(workspace, "nn"), 1)[0]
    assert not app.exception
    assert f"{worst.run}/{worst.folder}" in texts(app)
    assert table_with(app, "nearest").height == 5
    assert table_with(app, "place")["place"].to_list().count("1") == 1


def test_a_link_opens_its_incident_and_service(workspace: Workspace, run: str) -> None:
    app = page(EXPLAIN, prediction="nn", run=run, folder=FAULT, service="client")
    assert "client has z " in texts(app)
    assert "higher than all 20 normals" in texts(app)
    assert "CLIENT_NOT_FOUND" in " ".join(table_with(app, "place")["text"])


def test_a_link_to_an_incident_that_is_not_there_says_so_and_shows_the_worst(workspace: Workspace) -> None:
    app = page(EXPLAIN, prediction="nn", run="nobody", folder="nothing", window="9" * 5000)
    assert "There is no incident nothing" in texts(app)
    assert "Unexpected error" not in texts(app)


def test_a_link_to_a_prediction_that_is_not_there_says_so_and_shows_no_other(workspace: Workspace) -> None:
    app = page(EXPLAIN, prediction="gone")
    assert "There is no prediction gone in this workspace. Choose another one." in texts(app)
    assert "incidents, worst first" not in texts(app) and not app.exception


def test_next_and_previous_step_through_the_ranking(workspace: Workspace) -> None:
    app = press(page(EXPLAIN, prediction="nn"), "Next")
    assert "2 of 92 incidents" in texts(app)
    assert "1 of 92 incidents" in texts(press(app, "Previous"))


def test_a_picked_item_lists_every_line_that_holds_it_and_a_picked_line_unfolds(workspace: Workspace, run: str) -> None:
    app = page(EXPLAIN, prediction="nn", run=run, folder=FAULT, service="client")
    here = table_with(app, "nearest")["here"][0]
    app = pick(app, "items-nn", 0)
    lines = table_with(app, "place")
    assert lines.height == here
    assert "part" not in lines.columns
    app = pick(app, "lines-nn", 0)
    assert "oauth2-client-1.log, line " in texts(app)


def test_scored_events_are_explained_by_the_worst_of_them_and_marks_are_not_applied(own: Workspace) -> None:
    bundle = own.root.parent / "models" / "rare.joblib"
    recipe = Recipe("Rarity", unit="event")
    predict_logs(own, train_bundle(own, recipe, bundle), "rare")
    add_mark(own, feedback.benign("item", 1, "text", "a drill", "me"))
    flagged = read_sequence_scores(own, "rare")
    run = flagged.filter(folder=FAULT)["run"][0]
    app = page(EXPLAIN, prediction="rare", run=run, folder=FAULT, service="client")
    assert "This is the score of its worst event." in texts(app)
    items = table_with(app, "oddness")
    assert "share" not in items.columns
    assert items["oddness"].is_sorted(descending=True)
    services = table_with(app, "pred_ano")
    assert items["oddness"].round(1)[0] == services.filter(service="client")["z_score"][0]
    assert flagged["pred_ano"].equals((flagged["z_score"] >= flagged["threshold"]), check_names=False)
    assert "1 known benign. Not applied to these scores." in app.expander[0].label
    assert "text" in raw_texts(press(pick(app, "marks-", 0), "Undo ..."))


def test_an_unsaved_score_is_explained_by_its_bundle(workspace: Workspace, run: str) -> None:
    app = page(EXPLAIN, bundle="nn", run=run, folder=FAULT)
    assert app.selectbox(key="choice-Prediction").options[0] == "nn, not saved"
    assert "client has z " in texts(app)


def test_a_prediction_of_a_sample_is_explained_from_its_own_logs(workspace: Workspace, run: str) -> None:
    app = page(EXPLAIN, sample="today", prediction="nn")
    assert not app.exception
    assert f"--output-dir {workspace.sample('today').root}" in texts(app)
    assert table_with(app, "place").height


def test_the_diff_sets_the_nearest_normal_beside(workspace: Workspace, run: str) -> None:
    app = page(EXPLAIN, prediction="nn", run=run, folder=FAULT)
    app.session_state["lines-tabs"] = "Nearest normal"
    app.run()
    assert "only in the normal" in texts(app)
    alone = table_with(app, "here_at")["change"].list.first().to_list()
    app = app.segmented_control(key="diff-view").set_value("All differences").run()
    every = table_with(app, "here_at")["change"].list.first().to_list()
    assert alone.count("only here") == every.count("only here") > 0
    assert len(alone) < len(every)
    assert "only normal" in every
    assert "Common parts are folded" in texts(app)
    assert "are folded" not in texts(app.toggle(key="diff-raw").set_value(True).run())


def test_one_request_is_followed_through_the_services(workspace: Workspace, run: str) -> None:
    app = page(EXPLAIN, prediction="nn", run=run, folder=FAULT)
    app.session_state["lines-tabs"] = "One request"
    app.run()
    assert "not found in any of 20 normals" in texts(app)
    assert "events in time order" in texts(app)


def test_what_increased_against_the_normals_is_listed_with_its_lines(workspace: Workspace, run: str) -> None:
    app = page(EXPLAIN, prediction="nn", run=run, folder=FAULT)
    app.session_state["lines-tabs"] = "What increased"
    for scope in ("this test case", "its whole run"):
        app.session_state["increase-of"] = scope
        app.run()
        assert not app.exception
        assert "Compared with the training normals of the service" in texts(app)
        rows = table_with(app, "usual_rate")
        assert rows["change"][0] == "new"
        key = f"increase-nn-{run}__{FAULT}__client-{scope}-{rows.height}"
        app.session_state[key] = {"selection": {"rows": [0], "columns": [], "cells": []}}
        assert table_with(app.run(), "source").height


def test_the_dialog_offers_the_picked_item_first_and_says_what_a_mark_would_do(workspace: Workspace, run: str) -> None:
    app = pick(page(EXPLAIN, prediction="nn", run=run, folder=FAULT, service="client"), "items-nn", 1)
    title = table_with(app, "nearest")["title"][1]
    app = press(app, "This is benign ...")
    offered = app.selectbox(key="mark-target").options
    assert offered[0] == f"item:  {title}"
    assert offered[-1] == f"sequence:  {run}__{FAULT}__client"
    assert "z would " in texts(app)


def test_the_page_counts_what_marks_suppressed(own: Workspace) -> None:
    flagged = own.read(Predictions, "nn").filter("pred_ano").head(1)
    seq_id = flagged["seq_id"][0]
    add_mark(own, feedback.benign("sequence", seq_id, seq_id, "a drill", "me"))
    app = page(EXPLAIN, prediction="nn")
    assert "incidents no longer flagged: 1" in app.expander[0].label
    assert table_with(app, "z_before")["folder"].to_list() == flagged["folder"].to_list()
    assert sorted(table_with(app, "z_after", "words")["z_after"])[-2:] == ["", "not flagged"]
    assert "1 of them only because of known benign items" in texts(app)
    assert "flagged, z " in app.selectbox(key="choice-Incident").options[0]
    app = press(pick(app, "marks-", 0), "Undo ...")
    assert seq_id in raw_texts(app)


def test_an_item_that_is_marked_says_so(own: Workspace) -> None:
    run = faulty_run(own)
    app = page(EXPLAIN, prediction="nn", run=run, folder=FAULT, service="client")
    assert "marked" not in table_with(app, "nearest").columns
    second = explained_items(evidence(own, bundle_of(own, "nn")), f"{run}__{FAULT}__client")[1]
    add_mark(own, feedback.benign("item", second["feature"][0], second["item"][0], "a drill", "me"))
    items = table_with(page(EXPLAIN, prediction="nn", run=run, folder=FAULT, service="client"), "nearest")
    assert items["marked"].to_list() == ["", "yes", "", "", ""]


def test_the_model_is_explained_service_by_service(workspace: Workspace) -> None:
    app = page(EXPLAIN, prediction="forest")
    app.session_state[address.EXPLAINED] = model.MODEL
    app.run()
    assert not app.exception
    assert "forest: IsolationForest on messages" in texts(app)
    assert table_with(app, "importance").height
    assert "CLIENT_NOT_FOUND" in " ".join(table_with(app, "cases")["title"])


def test_what_the_model_has_no_column_for_is_put_into_words(workspace: Workspace) -> None:
    app = page(EXPLAIN, prediction="nn")
    app.session_state[address.EXPLAINED] = model.MODEL
    important = table_with(app.run(), "importance")["title"].to_list()
    app = pick(app, "importance-nn", important.index(model_importance.OUTSIDE))
    assert "never occur in the training data" in texts(app)


def test_false_alarms_of_a_labelled_set_are_listed_at_each_threshold(own: Workspace) -> None:
    """Two predictions of one model: of the first some normals are flagged, of the other none."""
    predict_logs(own, models_dir() / "forest.joblib", "lenient", budget=40.0)
    lenient = own.read(Predictions, "lenient")
    own.write(Predictions, lenient.with_columns(pred_ano=False), name="strict", provenance=own.metadata("lenient"))
    n = lenient.filter("pred_ano", "normal").height
    for name, said in (("lenient", f"{n} of 140 normal sequences are flagged"), ("strict", "None of the 140 normal")):
        app = page(EXPLAIN, prediction=name, **{address.EXPLAINED: model.FALSE_ALARMS})
        assert said in texts(app)
        assert any("logs that the model was trained on" in caption.value for caption in app.caption)


def test_unlabelled_logs_have_no_false_alarms_to_show(workspace: Workspace) -> None:
    app = page(EXPLAIN, sample="today", prediction="nn")
    app.session_state[address.EXPLAINED] = model.FALSE_ALARMS
    assert "These logs have no labels" in texts(app.run())


def test_a_model_that_was_trained_again_is_told_apart_and_predictions_by_hand_ask_for_theirs(own: Workspace) -> None:
    bundle = own.root.parent / "models" / "nn.joblib"
    train_bundle(own, Recipe(items="templates"), bundle, replace=True)
    frame = own.read(Predictions, "nn")
    made = own.metadata("nn") | {"bundle": str(bundle)}
    own.write(Predictions, frame, name="nn", provenance=made, replace=True)
    assert "nn was made by another model than nn.joblib is now" in texts(page(EXPLAIN, prediction="nn"))
    frame.write_parquet(own.path("forest_by_hand"))
    app = page(EXPLAIN, prediction="forest_by_hand")
    assert not app.exception
    made_by = next(box for box in app.selectbox if box.label.startswith("Which model made these scores?"))
    assert made_by.value == "forest"  # the name that the file bears
    assert "client has z " in texts(made_by.set_value("nn").run())


def test_log_text_is_never_markdown(workspace: Workspace, run: str) -> None:
    app = page(EXPLAIN, prediction="nn", run=run, folder=FAULT)
    assert not any("CLIENT_NOT_FOUND" in str(element.value) for element in [*app.markdown, *app.caption])


def test_the_command_works_and_an_explanation_is_saved_with_secrets_only_if_asked_for(
    own: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    app = page(EXPLAIN, prediction="nn")
    assert "--with-secrets" not in commands(app)[-1]
    assert cli_commands.main(commands(app)[-1]) == 0
    reports = list(own.explanations("nn").glob("*/report.html"))
    assert str(reports[0]) in capsys.readouterr().out
    reports[0].unlink()
    app = press(app, "Save")
    assert "Saved in " in texts(app)
    assert list(own.explanations("nn").glob("*/report.html")) == reports
    assert "--with-secrets" in commands(app.toggle(key="with-secrets").set_value(True).run())[-1]
