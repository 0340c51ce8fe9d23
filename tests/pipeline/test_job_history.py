"""The jobs of a workspace that are kept: what each did, how it ended, and its log."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.jobs import ended, start

from lo2core.pipeline import job_history, jobs
from lo2core.pipeline.lock import clear, job_folder, workspace_lock
from lo2core.store.atomic import write_json_atomic

JOB = "with reporting():\n    print({said!r})\n    sys.exit({status!r})"


def test_a_job_is_kept_with_its_command_end_and_log_when_another_one_begins(tmp_path: Path) -> None:
    for said, status in (("first", None), ("second", 2)):
        start(tmp_path, JOB.format(said=said, status=status))
        ended(tmp_path)
    with workspace_lock(tmp_path):
        pass  # a command in a terminal sets the last job aside, and leaves nothing of its own
    second, first = jobs.history(tmp_path)
    assert (first.state, first.exit, first.log_tail) == ("done", 0, "first")
    assert (second.state, second.exit, second.log_tail) == ("failed", 2, "second")
    assert first.work.command.startswith("python -c")
    assert first.seconds is not None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a job that was killed."""
    write_json_atomic(
        job_folder(tmp_path) / "job.json", {"detached": True, "stage": "train", "bundle": "models/a.joblib"}
    )
    return job_folder(tmp_path)


def test_only_the_last_ones_are_kept_and_a_killed_one_says_so(folder: Path) -> None:
    job = (folder / "job.json").read_bytes()
    for _ in range(job_history.KEPT + 2):
        (folder / "job.json").write_bytes(job)
        clear(folder)
    assert len(job_history.folders(folder)) == job_history.KEPT
    killed = jobs.history(folder.parent)[0]
    assert (killed.state, killed.exit, killed.work.title, killed.seconds) == ("failed", None, "Train a", None)


def test_what_somebody_put_among_them_is_in_nobodys_way(folder: Path) -> None:
    (folder / job_history.PAST).write_text("a file where a folder should be")
    clear(folder)
    assert jobs.history(folder.parent) == []
    assert not (folder / "job.json").exists()
