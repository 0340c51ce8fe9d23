"""Long work as subprocesses whose state lives on disk, under `<workspace>/.job/`.

    lock, job.json, alive-<id>  the process that works on the workspace: see `lock`
    progress.json               how far it is, replaced at most five times a second: see `progress`
    outcome.json                how it ended: done, failed or cancelled, and a sentence
    next.json                   the command that runs next: see `queue`
    past/                       earlier jobs: see `job_history`
    cancelled.json              names the job that somebody cancelled
    output.log, errors.log

The server that started a job may go away: nothing of the state is in its memory. The job writes all files itself: it
takes the lock, then reports to `start` (see `worker`). Only `cancelled.json` is written by the process that cancels.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from lo2core.base.clock import local, now
from lo2core.base.errors import ArtefactError, BusyError
from lo2core.pipeline import job_files, job_history, lock, process, queue
from lo2core.pipeline.job_files import Cancelled, Job, Outcome, Progress, tail
from lo2core.pipeline.lock import Work, job_folder
from lo2core.pipeline.worker import CANCELLED, last_line
from lo2core.store.atomic import write_json_atomic

_KILLED = "The process ended without a word (killed, or out of memory). Its last line: {}"


@dataclass(frozen=True)
class JobStatus:
    """The job of a workspace, as the disk says. `fraction` is null where the total is unknown; times are local."""

    state: str = "idle"
    """idle, running, done, failed or cancelled."""
    work: Work = field(default_factory=Work)
    """What the job does: stage, arguments and facts."""
    label: str = ""
    amount: str = ""
    """How much is done, with its unit."""
    fraction: float | None = None
    rate: str = ""
    eta: float | None = None
    """Seconds left, estimated from the rate so far."""
    message: str = ""
    """Why it failed, as one sentence."""
    started: datetime | None = None
    ended: datetime | None = None
    exit: int | None = None
    """The exit status; null while it runs, and if it was killed."""
    log_tail: str = ""
    """The last lines of both logs."""
    before: str = ""
    """Why the job before it failed, as one sentence; empty if it did not."""
    stoppable: bool = False
    """Whether `cancel` may end it: it runs, and was not started by hand in a terminal."""

    @property
    def running(self) -> bool:
        return self.state == "running"

    @property
    def seconds(self) -> float | None:
        """How long it took, or has taken so far; null if that is not known."""
        until = local(now()) if self.running else self.ended
        return (until - self.started).total_seconds() if self.started and until else None


def start(workspace: str | os.PathLike[str], work: Work) -> JobStatus:
    """Run `python <work.arguments>` (as in `-m lo2core load ...`) detached from this process.

    Returns when it holds the workspace. It must do its work inside `worker.reporting()`.

    Raises `BusyError` while another command holds the workspace, and `ArtefactError` if the job could not begin.
    """
    folder = job_folder(workspace)
    _check_begun(queue.launched(folder, work, subprocess.PIPE))
    return status(workspace)


def start_next(workspace: str | os.PathLike[str]) -> None:
    """Start the command that waits for the workspace, if one does and the workspace is free."""
    child = queue.begin_next(job_folder(workspace), subprocess.PIPE)
    if child:
        with suppress(BusyError):
            _check_begun(child)


def _check_begun(child: subprocess.Popen[bytes]) -> None:
    """Wait until a job holds the workspace; raise what kept it from beginning, by its report or its last words."""
    assert child.stdout is not None
    with child.stdout:
        words = child.stdout.read().decode(errors="replace")  # ends when the job turns to its logs, or dies
    threading.Thread(target=child.wait, daemon=True).start()  # so that it leaves no zombie
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
        job = lock.read_job(folder)
        found = _status_of(folder, job)
        if lock.describes(folder, job):  # else another command began while the files were read
            return found


def history(workspace: str | os.PathLike[str]) -> list[JobStatus]:
    """The jobs of a workspace that are kept, newest first: the running or last one, then those before it."""
    past = [_status_of(folder, lock.read_job(folder)) for folder in job_history.folders(job_folder(workspace))]
    return [found for found in (status(workspace), *past) if found.state != "idle"]


def _status_of(folder: Path, job: Job) -> JobStatus:
    running, detached = lock.is_running(folder, job), bool(job.get("detached"))
    if not running and not detached:
        return JobStatus()  # work in a terminal leaves no state of its own
    progress = job_files.read(folder / "progress.json", Progress)
    log = "\n".join(tail(folder / name) for name in ("output.log", "errors.log")).strip() if detached else ""
    found = JobStatus(
        "running",
        work=Work.recorded(job),
        started=local(job.get("started")),
        label=progress.get("label", ""),
        amount=progress.get("amount", ""),
        fraction=_share(progress.get("fraction")),
        log_tail=log,
        before=job.get("before", ""),
    )
    if running:
        return replace(found, rate=progress.get("rate", ""), eta=progress.get("eta"), stoppable=detached)
    state, message, ended = _outcome(folder, job)
    status = job_files.read(folder / "outcome.json", Outcome).get("exit")
    return replace(found, state=state, message=message, ended=ended, exit=status)


def _outcome(folder: Path, job: Job) -> tuple[str, str, datetime | None]:
    """How a job ended: state, sentence and time."""
    outcome = job_files.read(folder / "outcome.json", Outcome)
    cancelled = job_files.read(folder / "cancelled.json", Cancelled)
    if outcome.get("state") != "done" and "alive" in cancelled and cancelled["alive"] == job.get("alive"):
        return "cancelled", CANCELLED, local(outcome.get("ended") or cancelled.get("at"))
    if not outcome:
        return "failed", _KILLED.format(last_line(folder) or "-"), None
    state = outcome.get("state")
    known = state if state in ("done", "cancelled") else "failed"
    return known, outcome.get("message", ""), local(outcome.get("ended"))


def _share(fraction: float | None) -> float | None:
    return None if fraction is None else min(1.0, max(0.0, fraction))


def cancel(workspace: str | os.PathLike[str], grace: float = 2.0) -> JobStatus:
    """End the running job and all its processes: politely, and after `grace` seconds by force.

    Without a running job nothing happens. Raises `BusyError` when what runs was started by hand in a terminal.
    """
    folder = job_folder(workspace)
    job = lock.read_job(folder)
    if not lock.is_running(folder, job):
        return status(workspace)
    if not job.get("detached"):
        raise BusyError(f"{lock.busy_with(folder)} It was started in a terminal: stop it there.")
    if not _is_here(job) and lock.is_running(folder, job):
        raise BusyError(f"{lock.busy_with(folder)} It runs on another machine or in another container: stop it there.")
    write_json_atomic(folder / "cancelled.json", {"alive": job["alive"], "at": now()}, replace=True)
    for by_force, patience in ((False, grace), (True, 5.0)):
        if _is_here(job):  # else it has ended, and its number may be that of another process by now
            process.end_group(job["pid"], by_force)
        _wait_for_end(folder, job, patience)
    return status(workspace)


def _is_here(job: Job) -> bool:
    """Whether the process with the number of the job is the job, and not another one that got the number."""
    pid = job.get("pid", 0)
    return pid > 1 and process.identity(pid) == job.get("process", "") != ""


def _wait_for_end(folder: Path, job: Job, patience: float) -> None:
    deadline = time.monotonic() + patience
    while lock.is_running(folder, job) and time.monotonic() < deadline:
        time.sleep(0.02)
