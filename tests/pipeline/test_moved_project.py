"""A project folder that was moved: the command line and the page find the model of a prediction in the new place."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.pageverbs import dashboard_in, page

from lo2core.base.errors import ArtefactError
from lo2core.base.schemas import Predictions
from lo2core.cli.commands import main
from lo2core.detect.recipe import Recipe
from lo2core.pipeline.explain import bundle_of
from lo2core.pipeline.predict import predict_logs
from lo2core.pipeline.status import chain
from lo2core.pipeline.train import train_bundle
from lo2core.store import predictions
from lo2core.store.workspace import Workspace


@pytest.fixture
def moved(tmp_path: Path, loaded_sample: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace scored by a model next to it, both moved after that."""
    old = tmp_path / "old"
    workspace = Workspace(shutil.copytree(loaded_sample, old / "ws"))
    predict_logs(workspace, train_bundle(workspace, Recipe(), old / "models" / "mine.joblib"), "scores")
    old.rename(tmp_path / "new")
    return dashboard_in(tmp_path / "new", monkeypatch)


def test_command_line_and_page_explain_by_the_moved_model(moved: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    model = moved.root.parent / "models" / "mine.joblib"
    assert predictions.bundle_of(moved, "scores", model.parent) == model
    assert bundle_of(moved, "scores").path == model
    assert main(["explain", "--output-dir", str(moved.root), "--predictions", "scores"]) == 0
    assert "was made by another model" not in capsys.readouterr().err

    app = page("pages/5_Explain.py", prediction="scores")
    assert not app.exception and not app.error
    assert not [warning.value for warning in app.warning]

    steps = {step.name: step for step in chain(moved, model.parent)}
    assert steps["Predictions"].why == ""


def test_a_renamed_model_is_found_by_its_hash_also_if_another_one_has_its_name(moved: Workspace) -> None:
    models = moved.root.parent / "models"
    for ending in ("joblib", "json"):
        (models / f"mine.{ending}").rename(models / f"renamed.{ending}")
    assert predictions.bundle_of(moved, "scores", models) == models / "renamed.joblib"
    train_bundle(moved, Recipe(budget=1.0), models / "mine.joblib")
    assert bundle_of(moved, "scores").path == models / "renamed.joblib"


def test_of_which_model_nothing_is_recorded_a_person_must_say(moved: Workspace) -> None:
    scores = moved.read(Predictions, "scores").select("seq_id", pl.col("score"))
    scores.write_parquet(moved.path("by_hand"))
    assert predictions.bundle_of(moved, "by_hand", moved.root.parent / "models") is None
    with pytest.raises(ArtefactError, match="name the bundle with --bundle"):
        bundle_of(moved, "by_hand")


def test_the_prediction_of_a_bundle_is_found_by_its_hash(moved: Workspace) -> None:
    made_by = moved.metadata("scores").get("bundle_sha256")
    assert predictions.scored_by(moved, made_by) == "scores"
    assert predictions.scored_by(moved, "0" * 64) is None
    assert predictions.newest_by(moved, "NearestNormal") == predictions.newest_by(moved, "KMeans") == "scores"
