from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.jobs import PREAMBLE, ended, start, wait_for

from lo2core.base.errors import ArtefactError, BusyError
from lo2core.pipeline import jobs
from lo2core.pipeline.lock import Work, workspace_lock
from lo2core.pipeline.process import identity
from lo2core.store.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    jobs.cancel(tmp_path, grace=0)


def script(body: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", PREAMBLE + body], stdout=subprocess.PIPE, text=True)


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


WORK = """
with reporting(), workspace_lock({root!r}), Progress(100, "Counting", "lines") as progress:
    progress.advance(40)
    progress.stage("Waiting")
    print("a line of output", flush=True)
    while not Path({root!r}, "go").exists():
        time.sleep(0.02)
    progress.advance(60)
"""


def test_a_workspace_without_a_job_is_idle_and_untouched(workspace: Path) -> None:
    assert jobs.status(workspace) == jobs.JobStatus()
    assert list(workspace.iterdir()) == []


def test_a_file_that_somebody_named_as_workspace_is_idle_and_cannot_be_worked_on(workspace: Path) -> None:
    (workspace / "logs.zip").touch()
    assert jobs.status(workspace / "logs.zip") == jobs.JobStatus()
    with pytest.raises(ArtefactError, match=r"logs\.zip cannot be a workspace"):
        start(workspace / "logs.zip", "with reporting(): pass")


def test_a_job_tells_its_progress_and_its_end(workspace: Path) -> None:
    first = start(workspace, WORK.format(root=str(workspace)))
    assert first.running
    assert first.stoppable
    assert first.work.command.startswith("python -c")
    wait_for(lambda: jobs.status(workspace).label == "Waiting")
    now = jobs.status(workspace)
    assert now.fraction == pytest.approx(0.4)
    assert now.rate.endswith("lines/s")
    assert now.eta is not None
    (workspace / "go").touch()
    last = ended(workspace)
    assert (last.state, last.fraction, last.message) == ("done", 1.0, "")
    assert "a line of output" in last.log_tail
    assert last.started is not None and last.ended is not None and last.started <= last.ended


def test_the_facts_of_a_job_are_kept_as_data(workspace: Path) -> None:
    work = Work(("-c", PREAMBLE + "with reporting(): pass"), "predict", "ws/samples/today", "models/a b.joblib", "p")
    assert jobs.start(workspace, work).work == work
    assert ended(workspace).work == work


def test_a_damaged_description_of_a_job_does_no_harm(workspace: Path) -> None:
    start(workspace, "with reporting(): pass")
    ended(workspace)
    (workspace / ".job" / "job.json").write_text('{"detached": true, "stage": 5, "bundle": null, "arguments": null}')
    assert jobs.status(workspace).work == Work()
    (workspace / ".job" / "job.json").write_text("[1, 2]")
    assert jobs.status(workspace) == jobs.JobStatus()


def test_only_one_job_a_workspace_also_across_processes(workspace: Path) -> None:
    start(workspace, "with reporting(): time.sleep(60)")
    with pytest.raises(BusyError, match=r"(?s)is busy: `python -c .* has been running since \d\d:\d\d:\d\d"):
        start(workspace, "with reporting(): pass")
    with pytest.raises(BusyError), workspace_lock(workspace, Work(("-m", "lo2core", "load"))):
        pass


def test_a_command_in_a_terminal_holds_the_workspace_and_is_not_cancelled_from_here(workspace: Path) -> None:
    other = script(f"""
with workspace_lock({str(workspace)!r}, Work(("-m", "lo2core", "load"))):
    print("held", flush=True)
    time.sleep(60)
""")
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match="`python -m lo2core load` has been running since"):
            start(workspace, "with reporting(): pass")
        assert jobs.status(workspace).work.command == "python -m lo2core load"
        assert not jobs.status(workspace).stoppable
        with pytest.raises(BusyError, match="stop it there"):
            jobs.cancel(workspace)
    finally:
        other.kill()
        other.communicate()
    assert jobs.status(workspace).state == "idle"  # the lock died with its process
    with workspace_lock(workspace):
        pass


def test_the_lock_can_be_taken_again_inside(workspace: Path) -> None:
    with workspace_lock(Workspace(workspace)), workspace_lock(workspace):
        assert jobs.status(workspace).running
    assert not jobs.status(workspace).running


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "with reporting(): raise InputError('No logs in X: give another folder.')",
            "No logs in X: give another folder.",
        ),
        ("with reporting(): raise ValueError('odd')", "ValueError: odd"),
        ("with reporting(): print('lo2core: no.', file=sys.stderr); sys.exit(2)", "lo2core: no."),
        (
            "with reporting(): print('half way', file=sys.stderr, flush=True); os.kill(os.getpid(), 9)",
            "without a word.*half way",
        ),
    ],
)
def test_a_failed_job_says_why(workspace: Path, body: str, message: str) -> None:
    start(workspace, body)
    status = ended(workspace)
    assert status.state == "failed"
    assert re.search(message, status.message)


def test_cancel_ends_the_job_and_its_helpers(workspace: Path) -> None:
    start(
        workspace,
        f"""
with reporting():
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    helper = subprocess.Popen([sys.executable, "-c", deaf])
    try:
        Path({str(workspace)!r}, "pids").write_text(f"{{os.getpid()}} {{helper.pid}} ")
        time.sleep(60)
    finally:
        Path({str(workspace)!r}, "cleaned").touch()
""",
    )
    wait_for(lambda: (workspace / "pids").exists() and (workspace / "pids").read_text().endswith(" "))
    pids = [int(pid) for pid in (workspace / "pids").read_text().split()]
    assert all(alive(pid) for pid in pids)
    assert jobs.cancel(workspace).state == "cancelled"
    assert (workspace / "cleaned").exists()
    wait_for(lambda: not any(alive(pid) for pid in pids), 2)


def test_cancel_is_by_force_where_words_do_not_help(workspace: Path) -> None:
    start(
        workspace,
        f"""
import signal
with reporting():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path({str(workspace)!r}, "deaf").touch()
    time.sleep(60)
""",
    )
    wait_for((workspace / "deaf").exists)
    assert jobs.cancel(workspace, grace=0.2).state == "cancelled"
    assert not jobs.status(workspace).running


def test_cancel_signals_no_process_that_only_has_the_number_of_the_job(workspace: Path) -> None:
    """As after a restart, when numbers are given again, or where the job runs in another container."""
    start(workspace, WORK.format(root=str(workspace)))
    described = workspace / ".job" / "job.json"
    job = json.loads(described.read_text())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as other:
        for wrong in ({"pid": other.pid}, {"pid": 1}, {"pid": 0}, {"pid": "7"}, {"process": ""}, {"process": None}):
            described.write_text(json.dumps(job | wrong))
            with pytest.raises(BusyError, match="It runs on another machine or in another container: stop it there"):
                jobs.cancel(workspace)
        assert jobs.status(workspace).running
        other.communicate(b"\n")
        assert other.returncode == 0
    described.write_text(json.dumps(job))
    assert jobs.cancel(workspace).state == "cancelled"


def test_a_process_is_told_from_all_others() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mine, its = identity(os.getpid()), identity(child.pid)
    assert mine == identity(os.getpid()) != its == identity(child.pid) != ""
    child.communicate(b"\n")
    assert identity(child.pid) == ""


def test_without_a_job_cancel_does_nothing(workspace: Path) -> None:
    assert jobs.cancel(workspace).state == "idle"


def test_a_job_survives_the_server_that_started_it(workspace: Path) -> None:
    server = script(f"jobs.start({str(workspace)!r}, Work(('-c', {PREAMBLE + WORK.format(root=str(workspace))!r})))")
    server.communicate()
    assert server.returncode == 0
    wait_for(lambda: jobs.status(workspace).label == "Waiting")
    assert jobs.status(workspace).running
    (workspace / "go").touch()
    assert ended(workspace).state == "done"


def test_a_new_job_begins_with_a_clean_slate(workspace: Path) -> None:
    start(workspace, "with reporting(): sys.exit('first')")
    ended(workspace)
    start(workspace, "with reporting(): pass")
    status = ended(workspace)
    assert (status.state, status.message, status.log_tail) == ("done", "", "")
