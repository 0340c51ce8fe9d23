"""The command that runs next: once, whoever starts it, also after the job before it was killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from helpers.jobs import ended, start, wait_for

from lo2core.base.errors import BusyError
from lo2core.pipeline import jobs, queue
from lo2core.pipeline.lock import Work, job_folder, read_job

WAIT = """
with reporting():
    while not Path({end!r}).exists():
        time.sleep(0.02)
    sys.exit(Path({end!r}).read_text() or None)
"""
DEAF = """
from lo2core.pipeline.queue import begin_after_kill
from lo2core.pipeline.signals import end_on_signals
end_on_signals(when_ended=begin_after_kill)
with reporting():
    while True:
        try:
            time.sleep(10)
        except KeyboardInterrupt:
            pass
"""
MARK = """
import sys, time
from pathlib import Path
from lo2core.pipeline.worker import reporting
with reporting(), Path({marks!r}).open("a") as file:
    file.write("x")
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "ws"
    queue.remove(tmp_path / "ws")
    jobs.cancel(tmp_path / "ws", grace=0)


@pytest.fixture
def end(workspace: Path) -> Path:
    """A job runs until this file exists; it fails with the text in it."""
    end = workspace.parent / "end"
    start(workspace, WAIT.format(end=str(end)))
    return end


def mark(workspace: Path) -> tuple[Work, Callable[[], str]]:
    """Work that writes a letter each time it runs, and what it wrote."""
    marks = workspace.parent / "marks"
    marks.touch()
    return Work(("-c", MARK.format(marks=str(marks)))), marks.read_text


def test_it_begins_when_the_running_job_ends_and_runs_once(workspace: Path, end: Path) -> None:
    work, marks = mark(workspace)
    queue.enqueue(workspace, work)
    assert queue.waiting(workspace) == work
    jobs.start_next(workspace)
    assert (marks(), queue.waiting(workspace)) == ("", work)
    end.write_text("No log was found.")
    wait_for(lambda: queue.waiting(workspace) is None)
    found = ended(workspace)
    jobs.start_next(workspace)
    assert (found.state, found.work, marks()) == ("done", work, "x")
    assert found.before.endswith("failed: No log was found.")


def test_a_page_begins_it_if_the_running_job_was_killed(workspace: Path, end: Path) -> None:
    work, marks = mark(workspace)
    queue.enqueue(workspace, work)
    os.kill(read_job(job_folder(workspace))["pid"], signal.SIGKILL)
    wait_for(lambda: not jobs.status(workspace).running)
    assert (marks(), queue.waiting(workspace)) == ("", work)
    for _ in range(2):
        jobs.start_next(workspace)
    assert ended(workspace).state == "done"
    assert (marks(), queue.waiting(workspace)) == ("x", None)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_begins_without_a_page_if_the_running_job_was_ended_by_force(
    workspace: Path, number: signal.Signals
) -> None:
    work, marks = mark(workspace)
    start(workspace, DEAF)
    queue.enqueue(workspace, work)
    os.kill(read_job(job_folder(workspace))["pid"], number)
    wait_for(lambda: queue.waiting(workspace) is None)
    assert (ended(workspace).state, marks()) == ("done", "x")


def test_only_one_command_waits_and_it_can_be_removed(workspace: Path, end: Path) -> None:
    work, marks = mark(workspace)
    queue.enqueue(workspace, work)
    with pytest.raises(BusyError, match="is waiting already: remove it first"):
        queue.enqueue(workspace, Work(("-c", "pass")))
    assert queue.waiting(workspace) == work
    queue.remove(workspace)
    end.touch()
    assert ended(workspace).before == ""
    jobs.start_next(workspace)
    assert marks() == ""


def test_a_command_that_came_with_a_workspace_never_runs(workspace: Path, end: Path) -> None:
    work, marks = mark(workspace)
    queue.enqueue(workspace, work)
    entry = (job_folder(workspace) / "next.json").read_text()
    other = workspace.parent / "other"
    job_folder(other).mkdir(parents=True)
    for content in (entry, entry.replace('"x"', '"yy"'), entry.replace('"seal"', '"sign"')):
        (job_folder(other) / "next.json").write_text(content)
        jobs.start_next(other)
        assert (marks(), queue.waiting(other), jobs.status(other).state) == ("", None, "idle")
    queue.enqueue(other, work)
    assert queue.waiting(other) == work


@pytest.mark.parametrize("content", ["", "[]", '{"work": 1, "ticket": "x"}', '{"work": {}}'])
def test_a_damaged_file_counts_as_nothing(workspace: Path, content: str) -> None:
    job_folder(workspace).mkdir(parents=True)
    (job_folder(workspace) / "next.json").write_text(content)
    assert queue.waiting(workspace) is None
    jobs.start_next(workspace)
    assert not jobs.status(workspace).running
