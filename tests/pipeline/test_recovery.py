"""Commands that were killed, then repeated; other commands in between. `make torture` kills at each operation."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from helpers.kills import Commands
from helpers.loglines import write_runs

RUN = ("run", "--root", "logs.zip", "--output-dir", "ws", "--bundle", "models/m.joblib")


@pytest.fixture(scope="module")
def run() -> Iterator[Commands]:
    with Commands() as commands:
        yield commands


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.make_archive(str(tmp_path / "logs"), "zip", write_runs(tmp_path / "logs"))
    return tmp_path


def left_behind(folder: Path) -> list[str]:
    hidden = [path for path in folder.rglob(".*") if path.suffix == ".tmp" or path.name.startswith(".lo2")]
    return [path.name for path in (*hidden, *folder.glob("tmp/*"))]


def test_a_killed_run_continues_where_it_stopped_and_a_complete_one_is_not_overwritten(
    folder: Path, run: Commands
) -> None:
    assert run(folder, *RUN, kill_on="lo2_messages.parquet").killed
    assert run(folder, *RUN, kill_on="m.joblib").killed
    loaded = (folder / "ws" / "lo2_counts.parquet").stat()
    assert run(folder, *RUN, kill_on="m_predictions.parquet").killed
    assert run(folder, "compare", "m_predictions", "none", "--output-dir", "ws").status == 2
    assert left_behind(folder) == []
    ended = run(folder, *RUN)
    assert ended.status == 0, ended.output
    assert (folder / "ws" / "lo2_counts.parquet").stat() == loaded
    assert pl.read_parquet(folder / "ws" / "m_predictions.parquet").height == 12
    again = run(folder, *RUN)
    assert again.status == 2
    assert "already exists and was not changed" in again.output


def test_what_other_commands_made_meanwhile_is_not_taken_for_that_of_a_killed_run(folder: Path, run: Commands) -> None:
    assert run(folder, *RUN, kill_on="m.joblib").killed
    assert run(folder, "load", "--root", "logs", "--output-dir", "ws", "--runs", "1", "--replace").status == 0
    again = run(folder, *RUN)
    assert again.status == 2
    assert "already exists and was not changed" in again.output
    assert pl.read_parquet(folder / "ws" / "lo2_sequences.parquet")["run"].n_unique() == 1
