"""Groups and triage by the command line and in a workspace."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from helpers.commands import call, sentence

from lo2core.base.schemas import Groups, Predictions
from lo2core.pipeline import groups, triage
from lo2core.store.workspace import Workspace


@pytest.fixture
def project(sample_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of the scored sample with its model."""
    shutil.copytree(sample_project, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    return Workspace("demo/result/sample")


NAMED = ("--output-dir", "demo/result/sample", "--predictions", "sample_nn_predictions")


def test_the_incidents_of_the_sample_are_a_dozen_groups_and_none_is_lost(project: Workspace) -> None:
    found = groups.groups_of(project, "sample_nn_predictions")
    flagged = project.read(Predictions, "sample_nn_predictions").filter("pred_ano").select("run", "folder").unique()
    assert found.incidents.height == flagged.height
    assert found.groups["incidents"].sum() == flagged.height
    assert found.groups.height < 15


def test_the_command_prints_and_saves_the_groups(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("groups", *NAMED) == 0
    printed = capsys.readouterr().out
    assert "flagged incidents in" in printed
    folder = project.explanations("sample_nn_predictions") / "groups"
    saved = Workspace(folder).read(Groups, "groups")
    assert saved.height == len([line for line in printed.splitlines() if "  new  " in line])
    assert (folder / "grouped_incidents.csv").is_file()


def test_a_cause_is_noted_offered_exported_and_taken_back(
    project: Workspace, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = project.read(Predictions, "sample_nn_predictions")
    assert call("triage", *NAMED, "--group", 1, "--cause", "no such client", "--note", "ticket 7") == 0
    assert "1 with a known cause" in capsys.readouterr().out
    assert call("triage", *NAMED, "--csv", tmp_path / "groups.csv") == 0
    assert pl.read_csv(tmp_path / "groups.csv").filter(cause="no such client")["note"].to_list() == ["ticket 7"]
    assert call("triage", *NAMED, "--group", 1, "--undo") == 0
    assert triage.entries(project.sample("today")).equals(triage.entries(project)), "a sample has none of its own"
    judged = triage.judged(project, groups.groups_of(project, "sample_nn_predictions"))
    assert set(judged.groups["state"]) == {"new"}
    assert project.read(Predictions, "sample_nn_predictions").equals(before)


WRONG = {
    ("--group", 99, "--state", "seen"): "There is no group 99",
    ("--incident", "a/b", "--state", "seen"): "a/b is not flagged.",
    ("--state", "seen"): "Name a group with --group",
    ("--group", 1, "--note", "x"): "A note needs --state or --cause.",
    ("--group", 1, "--undo"): "Nothing is noted about this group",
}


def test_what_cannot_be_noted_is_told(project: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, said in WRONG.items():
        assert call("triage", *NAMED, *arguments) == 2
        assert said in sentence(capsys)


def test_a_prediction_that_does_not_exist_is_told_as_such(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("groups", *NAMED[:3], "another") == 2
    assert "another.parquet does not exist" in sentence(capsys)


def test_what_is_noted_about_a_group_is_not_taken_back_by_an_incident(
    project: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    one = groups.groups_of(project, "sample_nn_predictions").incidents.row(0, named=True)
    incident = f"{one['run']}/{one['folder']}"
    assert call("triage", *NAMED, "--group", one["group"], "--state", "seen") == 0
    assert call("triage", *NAMED, "--incident", incident, "--undo") == 2
    assert f"--group {one['group']} --undo takes back" in sentence(capsys)
    assert call("triage", *NAMED, "--incident", incident, "--cause", "proxy") == 0
    assert call("triage", *NAMED, "--incident", incident, "--undo") == 0
    assert triage.entries(project).filter(action="undo")["kind"].to_list() == ["incident"]


def test_an_incident_can_be_noted_by_itself(project: Workspace) -> None:
    one = groups.groups_of(project, "sample_nn_predictions").incidents.row(0, named=True)
    assert call("triage", *NAMED, "--incident", f"{one['run']}/{one['folder']}", "--state", "seen") == 0
    judged = triage.judged(project, groups.groups_of(project, "sample_nn_predictions"))
    assert judged.incidents.filter(state="seen").height == 1
    assert set(judged.groups["state"]) == {"new"}
