"""Commands that were killed, then repeated; other commands in between. `make torture` kills at each operation."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from helpers.kills import Commands, Ended
from helpers.loglines import write_runs

RUN = ("run", "--root", "logs.zip", "--output-dir", "ws", "--bundle", "models/m.joblib")


@pytest.fixture(scope="module")
def run() -> Iterator[Commands]:
    with Commands() as commands:
        yield commands


def left_behind(folder: Path) -> list[str]:
    hidden = [path for path in folder.rglob(".*") if path.suffix == ".tmp" or path.name.startswith(".lo2")]
    return [path.name for path in (*hidden, *folder.glob("tmp/*"))]


def refuses(ended: Ended) -> bool:
    return ended.status == 2 and "already exists and was not changed" in ended.output


def test_a_killed_run_continues_where_it_stopped_but_takes_nothing_of_other_commands_for_its_own(
    tmp_path: Path, run: Commands
) -> None:
    folder, other = tmp_path / "project", tmp_path / "other"
    shutil.make_archive(str(folder / "logs"), "zip", write_runs(folder / "logs"))
    assert run(folder, *RUN, kill_on="m.joblib").killed
    assert left_behind(folder)
    shutil.copytree(folder, other)
    loaded = (folder / "ws" / "lo2_counts.parquet").stat()
    assert run(folder, *RUN, kill_on="m_predictions.parquet").killed
    ended = run(folder, *RUN)
    assert ended.status == 0, ended.output
    assert (folder / "ws" / "lo2_counts.parquet").stat() == loaded
    assert pl.read_parquet(folder / "ws" / "m_predictions.parquet").height == 12
    assert left_behind(folder) == []
    assert refuses(run(folder, *RUN)), "it was complete"

    assert run(other, "load", "--root", "logs", "--output-dir", "ws", "--runs", "1", "--replace").status == 0
    assert refuses(run(other, *RUN))
    assert pl.read_parquet(other / "ws" / "lo2_sequences.parquet")["run"].n_unique() == 1


def test_a_killed_evaluation_continues_with_the_next_detector(tmp_path: Path, run: Commands) -> None:
    folder, whole = tmp_path / "project", tmp_path / "whole"
    evaluate = ("evaluate", "--output-dir", "ws", "--detector", "OutOfVocabulary", "Rarity")
    write_runs(folder / "logs")
    assert run(folder, "load", "--root", "logs", "--output-dir", "ws", "--no-save-events").status == 0
    shutil.copytree(folder, whole)
    expected = run(whole, *evaluate)
    assert run(folder, *evaluate, kill_at=round(0.6 * len(expected.kinds))).killed
    ended = run(folder, *evaluate)
    assert ended.status == 0, ended.output
    assert "Evaluate OutOfVocabulary" in expected.output
    assert "Evaluate OutOfVocabulary" not in ended.output
    assert "\nRarity, messages: AUROC" in ended.output
    tables = [pl.read_parquet(one / "ws" / "lo2_evaluation.parquet").drop("evaluated_at") for one in (folder, whole)]
    assert tables[0].equals(tables[1])
