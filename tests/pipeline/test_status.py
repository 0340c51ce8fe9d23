"""What is fresh, stale or missing in a workspace."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import write_log

from lo2core.base.schemas import Predictions, Sequences
from lo2core.detect.recipe import Recipe
from lo2core.load.plan import LoadOptions
from lo2core.pipeline import compare, status, summary
from lo2core.pipeline.enhance import enhance_events
from lo2core.pipeline.explain import of_other_logs
from lo2core.pipeline.inputs import extended_masker
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.predict import predict_logs
from lo2core.pipeline.run import run
from lo2core.pipeline.status import BROKEN, FRESH, MISSING, OPTIONAL, STALE, Step
from lo2core.pipeline.train import train_bundle
from lo2core.store.predictions import newest_first
from lo2core.store.workspace import Workspace


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, sample_logs: Path) -> Path:
    """A folder with a workspace, in which one run is loaded, trained and scored, and a copy of this folder, `kept`."""
    folder = tmp_path_factory.mktemp("status") / "project"
    options = LoadOptions(n_runs=1, services=("client", "token"))
    run(Workspace(folder / "ws"), [sample_logs], options, Recipe(), folder / "models" / "one.joblib", jobs=1)
    shutil.copytree(folder, folder.with_name("kept"))
    return folder


@pytest.fixture
def made(project: Path) -> tuple[Workspace, Path]:
    """The workspace as it was made, at the path at which it was made, and the folder of its bundle."""
    shutil.rmtree(project)
    shutil.copytree(project.with_name("kept"), project)
    return Workspace(project / "ws"), project / "models"


def states(made: tuple[Workspace, Path]) -> dict[str, Step]:
    return {step.name: step for step in status.chain(*made)}


def keep_now(workspace: Workspace) -> Path:
    """An explanation of `one_predictions`, kept now by the clock that dates predictions; that of files lags behind."""
    kept = workspace.explanations("one_predictions") / "items.csv"
    kept.parent.mkdir(parents=True)
    kept.touch()
    os.utime(kept, (time.time(), time.time()))
    return kept


def test_nothing_is_there_in_an_empty_workspace(tmp_path: Path) -> None:
    steps = status.chain(Workspace(tmp_path / "none"), tmp_path / "models")
    assert [step.state for step in steps] == [MISSING, OPTIONAL, MISSING, MISSING, OPTIONAL, OPTIONAL]
    assert all(step.why for step in steps)


def test_what_was_just_made_is_fresh(made: tuple[Workspace, Path]) -> None:
    steps = states(made)
    assert [steps[name].state for name in ("Loaded", "Model", "Predictions")] == [FRESH] * 3
    assert [steps[name].state for name in ("Enriched", "Explained", "Compared")] == [OPTIONAL] * 3
    assert steps["Loaded"].facts["runs"] == 1
    assert steps["Predictions"].facts["name"] == "one_predictions"


def test_lines_are_those_of_logs_that_were_read(made: tuple[Workspace, Path], sample_logs: Path) -> None:
    assert any("locust.log" in name for name in summary.noteworthy_files(made[0])["source"])
    assert states(made)["Loaded"].facts["lines"] == summary.totals(made[0])["lines"]


def test_predictions_and_model_are_stale_when_other_logs_are_loaded(
    made: tuple[Workspace, Path], sample_logs: Path
) -> None:
    load_logs(made[0], [sample_logs], LoadOptions(n_runs=2, services=("client",)), replace=True, jobs=1)
    steps = states(made)
    assert (steps["Model"].state, steps["Predictions"].state) == (STALE, STALE)
    assert steps["Predictions"].why == "The logs were loaded again since."
    assert "was made from other logs than are loaded now" in of_other_logs(made[0], "one_predictions")


def test_predictions_are_stale_when_the_model_was_trained_anew(made: tuple[Workspace, Path]) -> None:
    train_bundle(made[0], Recipe(budget=1.0), made[1] / "one.joblib", replace=True)
    steps = states(made)
    assert (steps["Model"].state, steps["Predictions"].state) == (FRESH, STALE)
    assert steps["Predictions"].why == "The model was trained again since."


def test_the_model_is_the_one_of_the_predictions_also_if_a_newer_one_was_trained(made: tuple[Workspace, Path]) -> None:
    train_bundle(made[0], Recipe(budget=1.0), made[1] / "two.joblib")
    steps = states(made)
    assert (steps["Model"].facts["name"], steps["Model"].state) == ("one", FRESH)
    assert steps["Model"].why == "Newer: two."


def test_the_newest_prediction_may_be_that_of_a_sample(made: tuple[Workspace, Path], sample_logs: Path) -> None:
    workspace, models = made
    today = workspace.sample("today")
    options = LoadOptions(n_runs=2, services=("client", "token"), labels="none")
    load_logs(today, [sample_logs], options, jobs=1)
    predict_logs(today, models / "one.joblib", "scored")
    steps = states(made)
    assert newest_first(workspace) == ["today/scored", "one_predictions"]
    assert steps["Predictions"].facts["name"] == "today/scored"
    assert steps["Predictions"].state == FRESH
    assert steps["Explained"].why == "No explanation is saved yet."


def test_an_explanation_is_stale_when_the_predictions_are_newer(made: tuple[Workspace, Path]) -> None:
    kept = keep_now(made[0])
    assert states(made)["Explained"].state == FRESH
    os.utime(kept, (0, 0))
    assert states(made)["Explained"].state == STALE


def test_the_newest_explanation_counts_whichever_prediction_it_is_of(made: tuple[Workspace, Path]) -> None:
    keep_now(made[0])
    predict_logs(made[0], made[1] / "one.joblib", "newer")
    step = states(made)["Explained"]
    assert (step.state, step.facts["prediction"]) == (FRESH, "one_predictions")


def test_a_comparison_is_stale_when_one_of_the_two_that_it_is_about_is_newer(made: tuple[Workspace, Path]) -> None:
    workspace, sample = made[0], made[0].sample("today")
    scores = workspace.read(Predictions, "one_predictions")

    def save(home: Workspace, name: str, year: int) -> None:
        home.write(Predictions, scores, name=name, provenance={"created": f"{year}-01-01T00:00:00+00:00"}, replace=True)

    save(workspace, "x_new", 2020)
    save(sample, "x", 2020)
    compare.save_comparison(workspace, compare.compare_predictions(workspace, ["x_new", "today/x"]))
    save(workspace, "x", 2100)
    assert states(made)["Compared"].state == FRESH
    save(sample, "x", 2100)
    assert states(made)["Compared"].state == STALE


def test_a_damaged_file_breaks_its_own_step_alone(made: tuple[Workspace, Path]) -> None:
    made[0].path(Sequences).write_bytes(b"PAR1 nonsense")
    steps = states(made)
    assert steps["Loaded"].state == BROKEN
    assert "lo2_sequences.parquet is damaged" in steps["Loaded"].why
    assert steps["Predictions"].state == FRESH


def test_a_prediction_that_cannot_be_read_gives_way_to_one_that_can(made: tuple[Workspace, Path]) -> None:
    pl.DataFrame({"seq_id": ["a"], "score": ["high"]}).write_parquet(made[0].path("mine"))
    made[0].path("cut").write_bytes(made[0].path("one_predictions").read_bytes()[:2000])
    facts = states(made)["Predictions"].facts
    assert (facts["name"], facts["damaged"]) == ("one_predictions", "cut")
    assert newest_first(made[0]) == ["one_predictions", "mine"]
    made[0].remove("one_predictions")
    assert states(made)["Predictions"].state == BROKEN


def test_enriched_events_are_fresh_until_the_logs_change(made: tuple[Workspace, Path], sample_logs: Path) -> None:
    enhance_events(made[0])
    assert states(made)["Enriched"].state == FRESH
    load_logs(made[0], [sample_logs], LoadOptions(n_runs=1, services=("client",)), replace=True, jobs=1)
    assert states(made)["Enriched"].state == STALE


def test_what_other_masks_made_stale_is_not_said_to_be_loaded_anew(made: tuple[Workspace, Path]) -> None:
    masker = extended_masker(made[0], [("mine", "path", "<P>")])
    enhance_events(made[0], masker=masker, replace=True)
    steps = states(made)
    assert steps["Enriched"].state == FRESH
    for name in ("Model", "Predictions"):
        assert (steps[name].state, steps[name].why) == (STALE, "The logs were enriched with other mask rules since.")


def test_a_model_of_these_very_logs_is_known_in_a_copied_workspace(made: tuple[Workspace, Path]) -> None:
    copy = Workspace(shutil.copytree(made[0].root, made[0].root.parent / "copy"))
    step = next(step for step in status.chain(copy, made[1]) if step.name == "Model")
    assert (step.state, step.why) == (FRESH, "")


def test_a_model_outside_of_the_models_folder_was_trained_on_these_logs_or_on_others(
    made: tuple[Workspace, Path], sample_logs: Path
) -> None:
    bundle = train_bundle(made[0], Recipe(budget=1.0), made[1].parent / "elsewhere" / "two.joblib")
    predict_logs(made[0], bundle, "two")
    assert (states(made)["Model"].facts["name"], states(made)["Model"].why) == ("two", "")
    other = Workspace(made[1].parent / "other")
    load_logs(other, [sample_logs], LoadOptions(n_runs=2, services=("client",)), jobs=1)
    predict_logs(other, bundle, "two")
    (step,) = (step for step in status.chain(other, made[1]) if step.name == "Model")
    assert (step.state, step.why) == (FRESH, "Trained on other logs.")


def test_logs_that_were_not_read_and_predictions_by_a_model_that_does_not_fit_are_doubtful(
    made: tuple[Workspace, Path], tmp_path: Path
) -> None:
    assert not any(step.doubtful for step in states(made).values())
    write_log(tmp_path / "strange" / "correct", "what is\nthat\n")
    strange = Workspace(tmp_path / "strange-ws")
    load_logs(strange, [tmp_path / "strange"], jobs=1)
    predict_logs(strange, made[1] / "one.joblib", "new")
    steps = {step.name: step for step in status.chain(strange, made[1])}
    assert [name for name, step in steps.items() if step.doubtful] == ["Loaded", "Predictions"]
    assert (steps["Predictions"].facts["flagged"], steps["Predictions"].facts["unscored"]) == (0, 1)


def test_a_bundle_changed_by_hand_is_pointed_out(made: tuple[Workspace, Path]) -> None:
    with (made[1] / "one.joblib").open("ab") as file:
        file.write(b"x")
    assert states(made)["Model"].why == "It is changed by hand."
