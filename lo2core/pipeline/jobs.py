"""Long work as subprocesses whose state lives on disk, under `<workspace>/.job/`.

    lock, job.json  who works on the workspace: see `lock`
    progress.json   how far it is, replaced at most five times a second: see `progress`
    outcome.json    how it ended: done, failed or cancelled, and a sentence
    output.log, errors.log

The server that started a job may go away: nothing of the state is in its memory. `start` locks the workspace and hands
the open lock to the child, so there is no moment between the two in which another job could slip in.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lo2core.base.config import now
from lo2core.base.errors import BusyError, Lo2Error
from lo2core.pipeline import lock
from lo2core.pipeline.lock import FOLDER_VARIABLE, job_folder, local_time, read_json
from lo2core.pipeline.progress import PROGRESS_VARIABLE
from lo2core.store.atomic import write_json_atomic

_LOCK_VARIABLE = "LO2_JOB_LOCK"
_LOG_TAIL_BYTES = 8192
_INTERRUPTED = 130
"""Exit status of a command that was stopped from outside."""


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

    The child should wrap its work in `reporting()`. Raises `BusyError` while another job holds the workspace.
    """
    folder = job_folder(workspace)
    descriptor = lock.take(folder)
    try:
        lock.clear(folder)
        environment = {
            **os.environ,
            PROGRESS_VARIABLE: str(folder / "progress.json"),
            FOLDER_VARIABLE: str(folder),
            _LOCK_VARIABLE: str(descriptor),
        }
        with (folder / "output.log").open("wb") as output, (folder / "errors.log").open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, *args],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment,
                pass_fds=[descriptor],
                start_new_session=True,
            )
        lock.describe(folder, shlex.join(["python", *args]), process.pid, detached=True)
    finally:
        os.close(descriptor)  # the child's copy keeps the lock
    threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie
    return status(workspace)


def status(workspace: str | os.PathLike[str]) -> JobStatus:
    """The running or last job of a workspace, derived from disk alone."""
    folder = job_folder(workspace)
    running = lock.is_held(folder)
    job = read_json(folder / "job.json")
    outcome = read_json(folder / "outcome.json")
    detached = bool(job.get("detached"))
    if not running and not detached:
        return JobStatus()  # work in a terminal leaves no state of its own
    progress = read_json(folder / "progress.json")
    log = "\n".join(_tail(folder / name) for name in ("output.log", "errors.log")).strip() if detached else ""
    common = {"command": job.get("command", ""), "started": local_time(job.get("started")), "log_tail": log}
    label, fraction = progress.get("label", ""), progress.get("fraction")
    if running:
        rate, eta = progress.get("rate", ""), progress.get("eta")
        return JobStatus("running", label=label, fraction=fraction, rate=rate, eta=eta, stoppable=detached, **common)
    ended = local_time(outcome.get("ended"))
    message = outcome.get("message", "") if outcome else _last_words(folder)
    return JobStatus(
        outcome.get("state", "failed"), label=label, fraction=fraction, message=message, ended=ended, **common
    )


def cancel(workspace: str | os.PathLike[str], grace: float = 2.0) -> JobStatus:
    """End the running job and all its processes: politely, and after `grace` seconds by force.

    Without a running job nothing happens. Raises `BusyError` when what runs was started by hand in a terminal.
    """
    folder = job_folder(workspace)
    if not lock.is_held(folder):
        return status(workspace)
    job = read_json(folder / "job.json")
    if not job.get("detached"):
        raise BusyError(f"{lock.busy_with(folder)} It was started in a terminal: stop it there.")
    _end(folder, "cancelled", "Cancelled.")
    for sent, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):  # the latter also for helpers left behind
        with suppress(ProcessLookupError):
            os.killpg(job["pid"], sent)
        lock.wait_until_free(folder, patience)
    if read_json(folder / "outcome.json").get("state") != "done":
        _end(folder, "cancelled", "Cancelled.")  # an interrupted child may have called it a failure
    return status(workspace)


@contextmanager
def reporting() -> Iterator[None]:
    """Around the whole of a command: when it runs as a job, its end and its sentence are written to disk.

    SIGTERM becomes KeyboardInterrupt here, so that a cancelled job can remove its temporary files.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named is None:
        yield
        return
    folder = Path(named)
    with suppress(KeyError, OSError):
        os.set_inheritable(int(os.environ[_LOCK_VARIABLE]), False)  # the job's own helpers do not prolong the lock
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        _end(folder, "cancelled", "Cancelled.")
        raise SystemExit(_INTERRUPTED) from None
    except SystemExit as stop:
        _end(folder, *_meaning(stop, folder))
        raise
    except BaseException as error:
        _end(folder, "failed", str(error) if isinstance(error, Lo2Error) else f"{type(error).__name__}: {error}")
        raise
    _end(folder, "done", "")


def _end(folder: Path, state: str, message: str) -> None:
    write_json_atomic(folder / "outcome.json", {"state": state, "message": message, "ended": now()}, replace=True)


def _meaning(stop: SystemExit, folder: Path) -> tuple[str, str]:
    if stop.code in (None, 0):
        return "done", ""
    if stop.code == _INTERRUPTED:
        return "cancelled", "Cancelled."
    sys.stderr.flush()
    return "failed", stop.code if isinstance(stop.code, str) else _last_line(folder)


def _last_words(folder: Path) -> str:
    return f"The process ended without a word (killed, or out of memory). Its last line: {_last_line(folder) or '-'}"


def _last_line(folder: Path) -> str:
    return _tail(folder / "errors.log").rpartition("\n")[2]


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LOG_TAIL_BYTES))
            return file.read().decode(errors="replace").strip()
    except FileNotFoundError:
        return ""
