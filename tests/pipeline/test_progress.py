from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from lo2core.detect.recipe import Recipe
from lo2core.pipeline.progress import Progress
from lo2core.pipeline.train import train_bundle
from lo2core.store.workspace import Workspace


def test_progress_without_a_terminal_is_a_few_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(1000, "Load", unit="bytes") as progress:
        for _ in range(1000):
            progress.advance(1)
        progress.stage("Merge")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Load 0%"
    assert lines[-1].startswith("Merge 100%")
    assert len(lines) <= 4


def test_progress_is_written_at_most_five_times_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LO2_PROGRESS_FILE", str(tmp_path / "progress.json"))
    progress = Progress(None, "Count")
    progress.advance(1)
    progress.advance(1)
    first = json.loads((tmp_path / "progress.json").read_text())
    assert (first["done"], first["fraction"], first["eta"]) == (1, None, None)
    progress.stage("Next")
    assert json.loads((tmp_path / "progress.json").read_text())["done"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]


def test_what_an_earlier_process_did_counts_as_done_but_not_as_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    progress = Progress(1000, "Load", "lines", done=500)
    clock[0] = 10.0
    progress.advance(100)
    facts = progress.snapshot()
    assert (facts["fraction"], facts["rate"], facts["eta"]) == (0.6, "10 lines/s", 40)


def test_time_left_is_a_part_of_the_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with Progress(4, "Train") as progress:
        clock[0] = 30.0
        progress.advance(1, "Train: client")
        progress.advance(3, "Train: token")
    assert capsys.readouterr().err.splitlines() == [
        "Train 0%",
        "Train: client 25%, about 1 min 30 s left",
        "Train: token 100%",
    ]


def test_training_says_which_service_it_is_at(
    trained_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LO2_PROGRESS_FILE", str(tmp_path / "progress.json"))
    train_bundle(Workspace(trained_runs / "ws"), Recipe(), tmp_path / "b.joblib")
    last = json.loads((tmp_path / "progress.json").read_text())
    assert last["label"].startswith("Train NearestNormal: ")
    assert last["fraction"] == 1
