"""Renaming, deleting, restoring and notes: nothing that depends on an artefact breaks, and every step can be undone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lo2core.base.errors import BusyError, ExistsError, InputError
from lo2core.base.schemas import Predictions
from lo2core.cli.commands import main
from lo2core.pipeline import manage
from lo2core.pipeline.bundles import open_bundle
from lo2core.pipeline.lock import workspace_lock
from lo2core.pipeline.predict import predict_logs
from lo2core.store import bundles, moves, signing, trash
from lo2core.store.predictions import bundle_of
from lo2core.store.workspace import Workspace


@pytest.fixture(scope="module")
def scored_runs(trained_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shutil.copytree(trained_runs, tmp_path_factory.mktemp("scored") / "project")
    predict_logs(Workspace(folder / "ws"), folder / "models" / "lo2_nn.joblib", "nn")
    return folder.rename(folder.with_name("moved"))  # so that the recorded path of the model leads nowhere


@pytest.fixture
def project(scored_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with one model, one prediction of its own, an explanation of it, a sample and an upload."""
    folder = shutil.copytree(scored_runs, tmp_path / "project")
    monkeypatch.setenv("LO2_MODELS", str(folder / "models"))
    workspace = Workspace(folder / "ws")
    for below in ("explainability/nn/incident", "samples/today", "uploads/zip"):
        (workspace.root / below).mkdir(parents=True)
        (workspace.root / below / "report.html").write_text("a report")
    return workspace


MODELS = {"model": "lo2_nn", "prediction": "nn", "sample": "today", "upload": "zip", "explanation": "nn"}


def tree(folder: Path) -> dict[str, bytes]:
    """The files of a folder, without those of locks."""
    files = [path for path in folder.rglob("*") if path.is_file() and ".job" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize(("kind", "name"), MODELS.items())
def test_what_is_deleted_comes_back_unchanged(project: Workspace, kind: str, name: str) -> None:
    entry = manage.chosen(project, kind, name)
    manage.annotate(entry, "keep this")
    before = tree(project.root.parent)
    manage.delete(project, entry, even_if_used=True)
    with pytest.raises(InputError, match=f"There is no {kind}"):
        manage.chosen(project, kind, name)
    manage.restore(project)
    assert tree(project.root.parent) == before
    assert manage.trashed(project) == []


@pytest.mark.parametrize(("kind", "name"), MODELS.items())
def test_a_renamed_artefact_keeps_its_note(project: Workspace, kind: str, name: str) -> None:
    manage.annotate(manage.chosen(project, kind, name), "keep this")
    manage.rename(project, manage.chosen(project, kind, name), "other")
    assert manage.chosen(project, kind, "other").note == "keep this"
    with pytest.raises(InputError, match=f"There is no {kind}"):
        manage.chosen(project, kind, name)


def test_a_renamed_signed_model_is_signed_and_found_by_its_predictions(project: Workspace) -> None:
    models = project.root.parent / "models"
    manage.rename(project, manage.chosen(project, "model", "lo2_nn"), "other")
    assert bundle_of(project, "nn", models) == models / "other.joblib"
    assert open_bundle(models / "other.joblib").manifest["bundle"] == "other"
    assert not (models / "lo2_nn.json").exists()


def test_a_model_that_was_not_signed_is_not_signed_by_renaming_it(project: Workspace) -> None:
    models = project.root.parent / "models"
    with (models / "lo2_nn.joblib").open("ab") as file:
        file.write(b"changed")
    manage.rename(project, manage.chosen(project, "model", "lo2_nn"), "other")
    assert bundles.state(models / "other.joblib") is signing.BundleState.CHANGED


def test_explanations_are_renamed_with_their_predictions(project: Workspace) -> None:
    manage.rename(project, manage.chosen(project, "prediction", "nn"), "other")
    assert project.read(Predictions, "other").height > 0
    assert (project.explanations("other") / "incident" / "report.html").exists()


def test_a_workspace_is_deleted_and_comes_back(project: Workspace) -> None:
    entry = manage.chosen(project, "workspace", str(project.root))
    manage.delete(project, entry, even_if_used=True)
    assert not project.root.exists()
    manage.restore(project)
    assert project.predictions() == ["nn"]


def test_a_name_that_is_taken_is_refused(project: Workspace) -> None:
    predict_logs(project, project.root.parent / "models" / "lo2_nn.joblib", "other")
    before = tree(project.root)
    with pytest.raises(ExistsError):
        manage.rename(project, manage.chosen(project, "prediction", "nn"), "other")
    assert tree(project.root) == before


@pytest.mark.parametrize("name", ["../out", "a/b", "", "lo2_events"])
def test_a_new_name_cannot_lead_elsewhere(project: Workspace, name: str) -> None:
    with pytest.raises(InputError):
        manage.rename(project, manage.chosen(project, "prediction", "nn"), name)


def test_nothing_is_deleted_while_a_command_writes(project: Workspace) -> None:
    with workspace_lock(project.root), pytest.raises(BusyError, match="is busy"):
        manage.delete(project, manage.chosen(project, "prediction", "nn"))


def test_the_command_says_what_depends_on_a_model(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--output-dir", str(project.root)]
    assert main(["delete", "model", "lo2_nn", *where]) == 2
    assert "It made nn" in capsys.readouterr().err
    assert main(["delete", "model", "lo2_nn", *where, "--even-if-used"]) == 0
    assert main(["artefacts", *where]) == 0
    listed = capsys.readouterr().out
    assert "trash" in listed and "model lo2_nn" in listed
    assert main(["restore", *where]) == 0
    assert main(["rename", "model", "lo2_nn", "other", *where]) == 0
    assert main(["note", "model", "other", "the good one", *where]) == 0
    assert main(["artefacts", *where]) == 0
    assert "the good one" in capsys.readouterr().out


def test_a_killed_deletion_is_completed(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    class KilledError(BaseException):
        pass

    def killed(folder: Path) -> None:
        raise KilledError

    entry = manage.chosen(project, "prediction", "nn")
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(moves, "_carry_out", killed)
        trash.discard(project.root, entry.kind, entry.name, entry.paths)
    assert (project.root / moves.MOVES).exists()
    moves.finish_moves(project.root)
    assert project.predictions() == []
    assert not project.explanations("nn").exists()
    manage.restore(project)
    assert project.predictions() == ["nn"]
    assert project.explanations("nn").exists()


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "", 3])
def test_a_foreign_list_of_moves_touches_nothing_outside(tmp_path: Path, path: object) -> None:
    folder = tmp_path / "ws"
    folder.mkdir()
    (tmp_path / "x").write_text("mine")
    (folder / moves.MOVES).write_text(json.dumps({"moves": [], "removed": [path]}))
    moves.finish_moves(folder)
    assert (tmp_path / "x").read_text() == "mine"
    assert not (folder / moves.MOVES).exists()
