"""What happens to a workspace when processes are killed, start at once, or look on: with real processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lo2core.base.errors import BusyError
from lo2core.pipeline import jobs, lock
from lo2core.pipeline.lock import Work, workspace_lock

MOMENTS = 10

JOB = """
import os, sys, time
from pathlib import Path
workspace = Path(sys.argv[1])
(workspace / "pid").write_text(f"{os.getpid()} ")
from lo2core.pipeline.worker import reporting
with reporting():
    (workspace / "worked").touch()
    while (workspace / "wait").exists():
        time.sleep(0.01)
"""

SERVERS = """
import os, signal, sys, time
from pathlib import Path
from lo2core.pipeline import jobs
from lo2core.base.errors import Lo2Error
from lo2core.pipeline.lock import Work, workspace_lock

def server(workspace, job, gate=None):
    pid = os.fork()
    if pid:
        return pid
    try:
        if gate is not None:
            os.read(gate, 1)
        jobs.start(workspace, Work(("-c", job, str(workspace))))
        answer = "began"
    except Lo2Error as error:
        answer = type(error).__name__
    os.write(1, f"{workspace.name} {answer}\\n".encode())
    os._exit(0)
"""


def script(body: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SERVERS + body, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


@contextmanager
def running(body: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A script that has said its first line, and is killed afterwards."""
    process = script(body, *arguments)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def processes_of(workspace: Path) -> list[int]:
    """Process ids of what was started with this workspace as its last argument."""
    named = f"\0{workspace}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().endswith(named):
                found.append(int(path.parent.name))
        except OSError:  # it has ended
            continue
    return found


def is_usable(workspace: Path) -> bool:
    with workspace_lock(workspace):
        return jobs.status(workspace).running


@pytest.fixture
def workspaces(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"moment-{number}" for number in range(MOMENTS)]
    for workspace in made:
        workspace.mkdir()
    return made


def test_a_server_may_be_killed_at_any_moment_of_a_start(workspaces: list[Path], tmp_path: Path) -> None:
    kill = """
root, job, moments = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
began = time.monotonic()
(root / "first").mkdir()
os.waitpid(server(root / "first", job), 0)
length = time.monotonic() - began
for moment in range(moments):
    pid = server(root / f"moment-{moment}", job)
    time.sleep(length * (moment / moments) ** 2)  # mostly early ones, when the job is about to be launched
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
"""
    script(kill, tmp_path, JOB, MOMENTS).communicate()
    for workspace in workspaces:
        wait_for(lambda workspace=workspace: not processes_of(workspace))
        worked = (workspace / "worked").exists()
        assert jobs.status(workspace).state == ("done" if worked else "idle")
        assert is_usable(workspace)


def test_a_job_may_be_killed_at_any_moment_of_its_start(workspaces: list[Path], tmp_path: Path) -> None:
    kill = """
root, job, moments = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
(root / "first").mkdir()
os.waitpid(server(root / "first", job), 0)
length = (root / "first" / "worked").stat().st_mtime - (root / "first" / "pid").stat().st_mtime
for moment in range(moments):
    workspace = root / f"moment-{moment}"
    (workspace / "wait").touch()
    pid = server(workspace, job)
    while not (workspace / "pid").exists() or not (workspace / "pid").read_text().endswith(" "):
        time.sleep(0.001)
    time.sleep(length * (0.5 + moment / moments))  # most of the first half goes into imports
    os.kill(int((workspace / "pid").read_text()), signal.SIGKILL)
    os.waitpid(pid, 0)
"""
    answers, _ = script(kill, tmp_path, JOB, MOMENTS).communicate()
    begun = {line.split()[0] for line in answers.splitlines() if line.endswith("began")}
    for workspace in workspaces:
        wait_for(lambda workspace=workspace: not processes_of(workspace))
        status = jobs.status(workspace)
        assert status.state in ("failed", "idle")
        assert status.state == "failed" or workspace.name not in begun
        assert status.state == "idle" or "without a word" in status.message
        assert is_usable(workspace)


def test_of_two_starts_at_once_one_wins(workspaces: list[Path], tmp_path: Path) -> None:
    race = """
root, job, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
gate, opened = os.pipe()
pids = [server(root / f"moment-{number}", job, gate) for number in range(rounds) for _ in range(2)]
os.write(opened, b"x" * len(pids))
for pid in pids:
    os.waitpid(pid, 0)
"""
    rounds = workspaces[:3]
    for workspace in rounds:
        (workspace / "wait").touch()
    answers, _ = script(race, tmp_path, JOB, len(rounds)).communicate()
    wanted = [f"{workspace.name} {answer}" for workspace in rounds for answer in ("BusyError", "began")]
    assert sorted(answers.splitlines()) == wanted
    for workspace in rounds:
        assert jobs.status(workspace).running
        (workspace / "wait").unlink()
        wait_for(lambda workspace=workspace: not jobs.status(workspace).running)
        assert jobs.status(workspace).state == "done"


LOOK = """
workspace = Path(sys.argv[1])
states = [jobs.status(workspace).state]
print("looking", flush=True)
while not (workspace / "enough").exists():
    state = jobs.status(workspace).state
    if state != states[-1]:
        states.append(state)
        (workspace / f"seen-{os.getpid()}").write_text(" ".join(states))
"""


def test_pages_that_look_all_the_time_make_no_command_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_PATIENCE_S", 0.0)
    with running(LOOK, tmp_path), running(LOOK, tmp_path):
        for _ in range(20):
            with workspace_lock(tmp_path):
                pass
        for _ in range(1000):
            lock.acquired(tmp_path / ".job" / "lock", patience=0).release()
        assert jobs.start(tmp_path, Work(("-c", JOB, str(tmp_path)))).state in ("running", "done")
        wait_for(lambda: jobs.status(tmp_path).state == "done")
        wait_for(lambda: len([*tmp_path.glob("seen-*")]) == 2)
        wait_for(lambda: all(path.read_text().endswith("done") for path in tmp_path.glob("seen-*")))
        (tmp_path / "enough").touch()
    seen = {state for path in tmp_path.glob("seen-*") for state in path.read_text().split()}
    assert seen == {"idle", "running", "done"}


def test_pages_that_look_at_a_killed_job_agree_that_it_failed(tmp_path: Path) -> None:
    (tmp_path / "wait").touch()
    jobs.start(tmp_path, Work(("-c", JOB, str(tmp_path))))
    with running(LOOK, tmp_path), running(LOOK, tmp_path):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        wait_for(lambda: len([*tmp_path.glob("seen-*")]) == 2)
        time.sleep(0.2)
        (tmp_path / "enough").touch()
    assert [path.read_text() for path in tmp_path.glob("seen-*")] == ["running failed"] * 2


HOLD = """
workspace = Path(sys.argv[1])
with workspace_lock(workspace, Work(("old",))):
    print("held", flush=True)
    sys.stdin.readline()
print("free", flush=True)
time.sleep(60)
"""


def test_a_workspace_that_was_removed_while_held_is_free_again(tmp_path: Path) -> None:
    workspace = tmp_path / "logs"
    with running(HOLD, workspace) as old:
        with pytest.raises(BusyError, match="`python old` has been running since"), workspace_lock(workspace):
            pass
        shutil.rmtree(workspace)
        assert not jobs.status(workspace).running
        workspace.mkdir()
        with workspace_lock(workspace, Work(("new",))):
            old.stdin.write("\n")
            old.stdin.flush()
            assert old.stdout.readline() == "free\n"
            assert workspace.exists()
            assert jobs.status(workspace).work.command == "python new"
            with pytest.raises(BusyError, match="`python new` has been running since"):
                jobs.start(workspace, Work(("-c", JOB, str(workspace))))


def test_who_waits_for_a_lock_that_is_replaced_gets_the_new_one(tmp_path: Path) -> None:
    wait = """
from lo2core.pipeline import lock
lock._PATIENCE_S = 30.0
print("waiting", flush=True)
with workspace_lock(sys.argv[1], Work(("new",))):
    print("held", flush=True)
    sys.stdin.readline()
"""
    with running(HOLD, tmp_path), running(wait, tmp_path) as new:
        (tmp_path / ".job").rename(tmp_path / "old")
        assert new.stdout.readline() == "held\n"
        assert jobs.status(tmp_path).work.command == "python new"


def test_a_lock_can_be_taken_while_its_folder_is_removed_again_and_again(tmp_path: Path) -> None:
    remove = """
import shutil
print("removing", flush=True)
while True:
    shutil.rmtree(sys.argv[1], ignore_errors=True)
"""
    with running(remove, tmp_path / "ws"):
        for _ in range(200):
            lock.acquired(tmp_path / "ws" / ".job" / "lock", patience=30).release()


LEAVE = """
workspace = Path(sys.argv[1])
gone = []

def pause(event, arguments):  # after the lock file was removed, before anything else is
    if gone == ["lock"]:
        gone.append("told")
        print("gone", flush=True)
        sys.stdin.readline()
    elif event == "os.remove" and Path(os.fsdecode(arguments[0])).name == "lock":
        gone.append("lock")

with workspace_lock(workspace, Work(("first",))):
    sys.addaudithook(pause)
"""
NEXT = """
from lo2core.pipeline import lock
lock._PATIENCE_S = 30.0
with workspace_lock(sys.argv[1], Work(("second",))):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_whoever_leaves_no_workspace_behind_takes_nothing_from_the_next(tmp_path: Path) -> None:
    workspace = tmp_path / "mistyped"
    with running(LEAVE, workspace) as first, running(NEXT, workspace):
        assert jobs.status(workspace).work.command == "python second"
        first.communicate("\n")
        assert jobs.status(workspace).work.command == "python second"
        with pytest.raises(BusyError, match="`python second` has been running since"), workspace_lock(workspace):
            pass


def test_one_at_a_time_holds_a_workspace_that_each_of_them_removes_again(tmp_path: Path) -> None:
    take_turns = """
from lo2core.pipeline import lock
lock._PATIENCE_S = 60.0
print("ready", flush=True)
for turn in range(25):
    with workspace_lock(Path(sys.argv[1], "ws")):
        os.close(os.open(Path(sys.argv[1], "inside"), os.O_CREAT | os.O_EXCL))
        Path(sys.argv[1], "inside").unlink()
print("done", flush=True)
"""
    with (
        running(take_turns, tmp_path) as one,
        running(take_turns, tmp_path) as two,
        running(take_turns, tmp_path) as third,
    ):
        for process in (one, two, third):
            assert process.stdout is not None
            assert process.stdout.readline() == "done\n"


def test_a_lock_on_a_file_that_was_replaced_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("w") as file:
        lock._check_in_place(path, file.fileno())
        path.unlink()
        with pytest.raises(FileNotFoundError):
            lock._check_in_place(path, file.fileno())
        path.touch()
        with pytest.raises(FileNotFoundError):
            lock._check_in_place(path, file.fileno())


def test_a_helper_that_outlives_its_job_does_not_hold_the_workspace(tmp_path: Path) -> None:
    job = """
import os, sys, time
from pathlib import Path
from lo2core.pipeline.worker import reporting
with reporting():
    helper = os.fork()
    if not helper:
        time.sleep(60)
    Path(sys.argv[1], "helper").write_text(str(helper))
    os.kill(os.getpid(), 9)
"""
    jobs.start(tmp_path, Work(("-c", job, str(tmp_path))))
    wait_for(lambda: not jobs.status(tmp_path).running)
    helper = int((tmp_path / "helper").read_text())
    try:
        assert processes_of(tmp_path) == [helper]
        assert jobs.status(tmp_path).state == "failed"
        assert is_usable(tmp_path)
    finally:
        os.kill(helper, signal.SIGKILL)


def test_a_process_that_has_the_number_of_a_killed_job_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "wait").touch()
    jobs.start(tmp_path, Work(("-c", JOB, str(tmp_path))))
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    wait_for(lambda: not processes_of(tmp_path))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as other:
        described = tmp_path / ".job" / "job.json"
        described.write_text(json.dumps(json.loads(described.read_text()) | {"pid": other.pid}))
        assert jobs.status(tmp_path).state == "failed"
        assert jobs.cancel(tmp_path).state == "failed"
        other.communicate(b"\n")
        assert other.returncode == 0


def test_looking_removes_no_file_that_a_stranger_names(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    (tmp_path / ".job").mkdir()
    (tmp_path / ".job" / "job.json").write_text(json.dumps({"alive": "../precious", "detached": True}))
    assert jobs.status(tmp_path).state == "failed"
    assert (tmp_path / "precious").exists()


def test_a_job_whose_workspace_was_removed_leaves_no_trace_in_the_new_one(tmp_path: Path) -> None:
    workspace = tmp_path / "logs"
    workspace.mkdir()
    (workspace / "wait").touch()
    jobs.start(workspace, Work(("-c", JOB, str(workspace))))
    wait_for((workspace / "worked").exists)
    while workspace.exists():
        shutil.rmtree(workspace, ignore_errors=True)  # the job may write a file while its folder is removed
    wait_for(lambda: not processes_of(workspace))
    assert not workspace.exists()
