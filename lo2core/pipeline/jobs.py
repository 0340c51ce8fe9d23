"""Long work as subprocesses whose state lives on disk, under `<workspace>/.job/`.

    lock, job.json, alive-<id>  the process that works on the workspace: see `lock`
    progress.json               how far it is, replaced at most five times a second: see `progress`
    outcome.json                how it ended: done, failed or cancelled, and a sentence
    cancelled.json              names the job that somebody cancelled
    output.log, errors.log

The server that started a job may go away: nothing of the state is in its memory. The job writes all files itself: it
takes the lock, then reports to `start`. Only `cancelled.json` is written by the process that cancels.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lo2core.base.config import now
from lo2core.base.errors import ArtefactError, BusyError, Lo2Error
from lo2core.pipeline import lock
from lo2core.pipeline.lock import job_folder, local_time, read_json
from lo2core.pipeline.progress import PROGRESS_VARIABLE
from lo2core.store.atomic import write_json_atomic

_JOB_VARIABLE = "LO2_JOB"
"""Tells a process that it is a job, which folder is its job folder, and how to describe it there."""
_LOG_TAIL_BYTES = 8192
_INTERRUPTED = 130
"""Exit status of a command that was stopped from outside."""
_CANCELLED = "Cancelled."
_KILLED = "The process ended without a word (killed, or out of memory). Its last line: {}"


@dataclass(frozen=True)
class JobStatus:
    """The job of a workspace, as the disk says. `fraction` is null where the total is unknown; times are local."""

    state: str = "idle"
    """idle, running, done, failed or cancelled."""
    command: str = ""
    label: str = ""
    fraction: float | None = None
    rate: str = ""
    eta: float | None = None
    """Seconds left, estimated from the rate so far."""
    message: str = ""
    """Why it failed, as one sentence."""
    started: datetime | None = None
    ended: datetime | None = None
    log_tail: str = ""
    """The last lines of both logs."""
    stoppable: bool = False
    """Whether `cancel` may end it: it runs, and was not started by hand in a terminal."""

    @property
    def running(self) -> bool:
        return self.state == "running"


def start(workspace: str | os.PathLike[str], args: Sequence[str]) -> JobStatus:
    """Run `python <args>` (as in `["-m", "lo2core", "load", ...]`) detached from this process.

    Returns when it holds the workspace. It must do its work inside `reporting()`. Raises `BusyError` while another
    command holds the workspace, and `ArtefactError` if the job could not begin.
    """
    folder = job_folder(workspace)
    job = {"folder": str(folder), "command": shlex.join(["python", *args])}
    process = subprocess.Popen(
        [sys.executable, *args],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, _JOB_VARIABLE: json.dumps(job), PROGRESS_VARIABLE: str(folder / "progress.json")},
        start_new_session=True,
    )
    assert process.stdout is not None
    with process.stdout:
        words = process.stdout.read().decode(errors="replace")  # ends when the job turns to its logs, or dies
    threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie
    _check_begun(words)
    return status(workspace)


def _check_begun(words: str) -> None:
    """Raise what kept a job from beginning, if its report or its last words say so."""
    last = words.strip().rpartition("\n")[2]
    try:
        report = json.loads(last)
        error, message = report["error"], report["message"]
    except (ValueError, TypeError, LookupError):
        raise ArtefactError(f"The job could not be started. {_KILLED.format(last or '-')}") from None
    if error:
        raise {"BusyError": BusyError}.get(error, ArtefactError)(message)


def status(workspace: str | os.PathLike[str]) -> JobStatus:
    """The running or last job of a workspace, derived from disk alone."""
    folder = job_folder(workspace)
    while True:
        job = read_json(folder / "job.json")
        found = _status_of(folder, job)
        if lock.describes(folder, job):  # else another command began while the files were read
            return found


def _status_of(folder: Path, job: dict[str, Any]) -> JobStatus:
    running, detached = lock.is_running(folder, job), bool(job.get("detached"))
    if not running and not detached:
        return JobStatus()  # work in a terminal leaves no state of its own
    progress = read_json(folder / "progress.json")
    log = "\n".join(_tail(folder / name) for name in ("output.log", "errors.log")).strip() if detached else ""
    common = {"command": job.get("command", ""), "started": local_time(job.get("started")), "log_tail": log}
    label, fraction = progress.get("label", ""), progress.get("fraction")
    if running:
        rate, eta = progress.get("rate", ""), progress.get("eta")
        return JobStatus("running", label=label, fraction=fraction, rate=rate, eta=eta, stoppable=detached, **common)
    state, message, ended = _outcome(folder, job)
    return JobStatus(state, label=label, fraction=fraction, message=message, ended=ended, **common)


def _outcome(folder: Path, job: dict[str, Any]) -> tuple[str, str, datetime | None]:
    """How a job ended: state, sentence and time."""
    outcome, cancelled = read_json(folder / "outcome.json"), read_json(folder / "cancelled.json")
    if outcome.get("state") != "done" and cancelled.get("alive") == job["alive"]:
        return "cancelled", _CANCELLED, local_time(outcome.get("ended") or cancelled["at"])
    if not outcome:
        return "failed", _KILLED.format(_last_line(folder) or "-"), None
    return outcome["state"], outcome["message"], local_time(outcome["ended"])


def cancel(workspace: str | os.PathLike[str], grace: float = 2.0) -> JobStatus:
    """End the running job and all its processes: politely, and after `grace` seconds by force.

    Without a running job nothing happens. Raises `BusyError` when what runs was started by hand in a terminal.
    """
    folder = job_folder(workspace)
    job = read_json(folder / "job.json")
    if not lock.is_running(folder, job):
        return status(workspace)
    if not job.get("detached"):
        raise BusyError(f"{lock.busy_with(folder)} It was started in a terminal: stop it there.")
    write_json_atomic(folder / "cancelled.json", {"alive": job["alive"], "at": now()}, replace=True)
    for sent, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):  # the latter also for helpers left behind
        with suppress(ProcessLookupError):
            os.killpg(job["pid"], sent)
        _wait_for_end(folder, job, patience)
    return status(workspace)


def _wait_for_end(folder: Path, job: dict[str, Any], patience: float) -> None:
    deadline = time.monotonic() + patience
    while lock.is_running(folder, job) and time.monotonic() < deadline:
        time.sleep(0.02)


@contextmanager
def reporting() -> Iterator[None]:
    """Around the whole of a command: when it runs as a job, it holds the workspace, and its end is written to disk.

    SIGTERM becomes KeyboardInterrupt here, so that a cancelled job can remove its temporary files.
    """
    named = os.environ.pop(_JOB_VARIABLE, None)
    if named is None:
        yield
        return
    described = json.loads(named)
    folder = Path(described["folder"])
    with _begun(folder, described["command"]) as job:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with _ending(folder, job):
            yield


@contextmanager
def _begun(folder: Path, command: str) -> Iterator[dict[str, Any]]:
    """Hold the workspace, tell `start` so, and write to the logs from then on."""
    with ExitStack() as stack:
        try:
            job = stack.enter_context(lock.held(folder, command, detached=True))
        except Lo2Error as error:
            _report(type(error).__name__, str(error))
            raise SystemExit(2) from None
        with (folder / "output.log").open("wb") as output, (folder / "errors.log").open("wb") as errors:
            _report()
            os.dup2(output.fileno(), 1)
            os.dup2(errors.fileno(), 2)
        yield job


def _report(error: str = "", message: str = "") -> None:
    """Tell `start` that the workspace is held, or what prevented it; on a line of its own."""
    with suppress(OSError):  # the server that started this job was killed: the job goes on
        os.write(1, f"\n{json.dumps({'error': error, 'message': message})}".encode())


@contextmanager
def _ending(folder: Path, job: dict[str, Any]) -> Iterator[None]:
    """Write how the work ends to disk."""

    def end(state: str, message: str) -> None:
        if lock.describes(folder, job):
            outcome = {"state": state, "message": message, "ended": now()}
            write_json_atomic(folder / "outcome.json", outcome, replace=True)

    try:
        yield
    except KeyboardInterrupt:
        end("cancelled", _CANCELLED)
        raise SystemExit(_INTERRUPTED) from None
    except SystemExit as stop:
        end(*_meaning(stop, folder))
        raise
    except BaseException as error:
        end("failed", str(error) if isinstance(error, Lo2Error) else f"{type(error).__name__}: {error}")
        raise
    end("done", "")


def _meaning(stop: SystemExit, folder: Path) -> tuple[str, str]:
    if stop.code in (None, 0):
        return "done", ""
    if stop.code == _INTERRUPTED:
        return "cancelled", _CANCELLED
    sys.stderr.flush()
    return "failed", stop.code if isinstance(stop.code, str) else _last_line(folder)


def _last_line(folder: Path) -> str:
    return _tail(folder / "errors.log").rpartition("\n")[2]


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LOG_TAIL_BYTES))
            return file.read().decode(errors="replace").strip()
    except FileNotFoundError:
        return ""
