"""Page Train, run by Streamlit without a browser: the recipe, the job, trust in bundles, the saved evaluation."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.pageverbs import commands, dashboard_in, has_button, page, press, texts, wait_for_job
from streamlit.testing.v1 import AppTest

from lo2core.base.schemas import Evaluation, Sequences
from lo2core.cli.options import parse
from lo2core.detect.evaluation.evaluate import EvaluationProtocol
from lo2core.detect.recipe import Recipe
from lo2core.load.plan import LoadOptions
from lo2core.pipeline.bundles import open_bundle
from lo2core.pipeline.commands import Evaluate, Train
from lo2core.pipeline.evaluate import evaluate_recipes
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.predict import predict_logs
from lo2core.pipeline.train import train_bundle
from lo2core.store import bundles, signing
from lo2core.store.signing import BundleState
from lo2core.store.workspace import Workspace
from lo2core.ui.shell.models import trained_on
from lo2core.ui.train.recipe import outlook

TRAIN = "pages/3_Train.py"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    return dashboard_in(tmp_path, monkeypatch)


@pytest.fixture
def workspace(empty: Workspace, trained_runs: Path) -> Workspace:
    shutil.copytree(trained_runs / "ws", empty.root)
    return empty


@pytest.fixture
def model(workspace: Workspace, trained_runs: Path) -> Path:
    models = shutil.copytree(trained_runs / "models", workspace.root.parent / "models")
    return Path(models, "lo2_nn.joblib")


def relabelled(workspace: Workspace, normal: pl.Expr) -> None:
    """Change who is known to be normal."""
    sequences = workspace.read(Sequences).with_columns(normal=normal, anomaly=~normal)
    workspace.write(Sequences, sequences, provenance=workspace.metadata(Sequences), replace=True)


def choose(app: AppTest, detector: str) -> AppTest:
    return app.selectbox(key="detector").set_value(detector).run()


def test_without_logs_the_page_leads_to_loading(empty: Workspace) -> None:
    assert has_button(page(TRAIN), "Load logs")


def test_damaged_logs_are_told_and_the_page_goes_on(workspace: Workspace, model: Path) -> None:
    workspace.path(Sequences).write_bytes(b"PAR1 nonsense")
    app = page(TRAIN)
    assert not app.exception
    assert "lo2_sequences.parquet is damaged" in texts(app)
    assert {"Saved models", "Calibration"} <= {heading.value for heading in app.subheader}


def test_the_page_says_what_it_will_learn_from(workspace: Workspace) -> None:
    app = page(TRAIN)
    assert not app.exception
    assert "of 2 runs, 7 services: client, code, key," in texts(app)
    assert "also learns from labelled faults" in texts(choose(app, "RandomForest"))


def test_the_command_is_one_that_the_command_line_takes(workspace: Workspace) -> None:
    app = choose(page(TRAIN), "Rarity")
    app = app.button_group(key="items").set_value(["words", "messages"]).run()
    command = parse(commands(app)[-1])
    assert isinstance(command, Train)
    assert command.recipe == Recipe("Rarity", "messages+words", "sequence")
    assert command.bundle is not None and command.bundle.name == "lo2_rarity.joblib"


def test_the_weighting_chosen_is_the_one_trained_and_evaluated(workspace: Workspace) -> None:
    app = page(TRAIN)
    next(box for box in app.selectbox if box.label == "Weighting").set_value("binary").run()
    evaluate, train = sorted((parse(command) for command in commands(app)), key=lambda one: one.stage())
    assert isinstance(evaluate, Evaluate) and isinstance(train, Train)
    assert (train.recipe.weighting, evaluate.weighting) == ("binary", "binary")


def test_without_items_nothing_can_be_trained(workspace: Workspace) -> None:
    app = page(TRAIN).button_group(key="items").set_value([]).run()
    assert "Choose at least one kind of item." in texts(app)
    assert not has_button(app, "Train")


def test_only_units_that_the_detector_scores_are_offered(workspace: Workspace) -> None:
    app = page(TRAIN)
    assert len(app.radio[0].options) == 1
    assert len(choose(app, "IsolationForest").radio[0].options) == 2


def test_training_is_a_job_that_leaves_a_signed_bundle(workspace: Workspace) -> None:
    app = press(page(TRAIN), "Train")
    wait_for_job(workspace)
    app = app.run()
    assert not app.exception
    assert "** are flagged." in texts(app)
    assert bundles.state(workspace.root.parent / "models" / "lo2_nn.joblib") is BundleState.SIGNED


def test_a_bundle_is_replaced_only_after_a_question(workspace: Workspace, model: Path) -> None:
    before = model.read_bytes()
    app = page(TRAIN)
    app = press(app.text_input(key="stem-ws_nn").set_value(model.stem).run(), "Train")
    assert has_button(app, "Replace")
    assert model.read_bytes() == before


def test_a_bundle_without_a_manifest_is_not_opened_and_vouching_is_explained(workspace: Workspace, model: Path) -> None:
    signing.manifest_path(model).unlink()
    app = page(TRAIN)
    assert "without manifest" in texts(app)
    assert "** are flagged." not in texts(app)
    app = press(app, "Trust ...")
    assert "run any code that it contains" in texts(app)
    assert bundles.state(model) is BundleState.NO_MANIFEST


def test_a_signed_bundle_that_does_not_open_says_why_and_the_page_goes_on(workspace: Workspace, model: Path) -> None:
    opened = open_bundle(model)
    service = next(iter(opened.model.detectors))
    wrong = opened.model.make_self_test(opened.vec)
    next(test for test in wrong if test["service"] == service)["scores"] = [1e9] * 4
    signed = signing.signed(opened.manifest | {"selftest": wrong})
    signing.manifest_path(model).write_text(json.dumps(signed))
    app = page(TRAIN)
    assert "does not score as when it was saved" in texts(app)
    assert has_button(app, "Evaluate")


def test_a_saved_evaluation_is_shown_beside_the_shortcuts_and_marked_when_other_logs_are_loaded(
    workspace: Workspace, sample_logs: Path
) -> None:
    evaluate_recipes(workspace, [Recipe("OutOfVocabulary")], EvaluationProtocol())
    app = page(TRAIN)
    assert not app.exception
    assert {"AUROC", "False alarms per 100", "Recall at budget 5"} <= {metric.label for metric in app.metric}
    assert {"Trivial baselines", "Recall by fault and service"} <= {e.value for e in app.subheader}
    load_logs(workspace, [sample_logs], LoadOptions(n_runs=1), jobs=1, replace=True)
    assert "Evaluate again" in texts(page(TRAIN))


def test_the_best_shortcut_and_a_prediction_by_the_evaluated_detector_are_named(
    workspace: Workspace, model: Path
) -> None:
    evaluate_recipes(workspace, [Recipe()], EvaluationProtocol())
    close = pl.when(kind="detector").then(0.7).when(detector="length alone").then(0.69).otherwise(0.5)
    figures = workspace.read(Evaluation).with_columns(auroc=close)
    workspace.write(Evaluation, figures, provenance=workspace.metadata(Evaluation), replace=True)
    predict_logs(workspace, model, "older")
    rarity = train_bundle(workspace, Recipe("Rarity"), model.with_name("rarity.joblib"))
    predict_logs(workspace, rarity, "newer")
    shown = texts(page(TRAIN))
    assert "length alone, has an AUROC of 0.690" in shown
    assert "comes near" not in shown
    assert "Click a field to explain its worst incident in older." in shown


def test_runs_left_out_once_are_not_said_to_be_left_out_in_turn(workspace: Workspace) -> None:
    evaluate_recipes(workspace, [Recipe("OutOfVocabulary")], EvaluationProtocol(share=0.5))
    app = page(TRAIN)
    assert "incidents of 1 run, scored by models that were trained without them" in texts(app)


def test_a_click_on_a_fault_leads_to_its_worst_sequence(workspace: Workspace, model: Path) -> None:
    evaluate_recipes(workspace, [Recipe("OutOfVocabulary")], EvaluationProtocol())
    evaluation = workspace.read(Evaluation)["evaluation"][0]
    picks = [{"test_case": "get_client_404_no_client", "service": service} for service in ("client", "(any)")]

    def clicked(pick: dict[str, str]) -> AppTest:
        app = page(TRAIN)
        app.session_state[f"faults-{evaluation}"] = {"selection": {"pick": [pick]}}
        return app.run()

    assert "These logs are not scored yet" in texts(clicked(picks[0]))
    predict_logs(workspace, model)
    for pick in picks:
        app = clicked(pick)
        assert app.title[0].value == "Explain"
        assert "get_client_404_no_client" in texts(app)
        assert "client has z " in texts(app)


def test_runs_loaded_after_training_do_not_hide_that_the_others_were_trained_on(
    workspace: Workspace, model: Path, sample_logs: Path
) -> None:
    loaded = open_bundle(model)
    assert "the logs that the model was trained on" in trained_on(loaded, workspace)
    new = next(path for path in sorted(sample_logs.iterdir()) if path.name not in loaded.model.facts["runs"])
    load_logs(workspace, [new], append=True, jobs=1)
    assert "runs with the same names as training runs (2 of 3)" in trained_on(loaded, workspace)


def test_evaluating_is_a_job(workspace: Workspace) -> None:
    app = press(choose(page(TRAIN), "OutOfVocabulary"), "Evaluate")
    wait_for_job(workspace)
    app = app.run()
    assert not app.exception
    assert app.metric


def test_too_few_normals_are_said_before_training(workspace: Workspace) -> None:
    relabelled(workspace, pl.lit(False))
    found = outlook(workspace, Recipe())
    assert not found.possible
    assert "found 0" in found.sentence
    assert next(button for button in page(TRAIN).button if button.label == "Train").disabled


def test_one_normal_test_case_is_said_to_be_cut(workspace: Workspace) -> None:
    first = workspace.read(Sequences).filter("normal").row(0, named=True)
    relabelled(workspace, (pl.col("run") == first["run"]) & (pl.col("folder") == first["folder"]))
    found = outlook(workspace, Recipe())
    assert found.possible
    assert "will be cut into parts" in found.sentence


def test_supervised_detectors_need_labelled_faults(workspace: Workspace) -> None:
    relabelled(workspace, pl.lit(True))
    assert outlook(workspace, Recipe()).possible
    assert not outlook(workspace, Recipe("RandomForest")).possible
