"""Long work as subprocesses whose state lives on disk, under `<workspace>/.job/`.

    lock           held (flock) by whoever works on the workspace; it dies with its process
    job.json       what holds or last held the lock: command, process id, start
    progress.json  how far it is, replaced at most five times a second
    outcome.json   how it ended: done, failed or cancelled, and a sentence
    output.log, errors.log

The server that started a job may go away: nothing of the state is in its memory. `start` locks the workspace and hands
the open lock to the child, so there is no moment between the two in which another job could slip in.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import Progress as ProgressBar

from lo2core.atomic import remove_leftovers, write_json_atomic
from lo2core.errors import ArtefactError, BusyError, Lo2Error
from lo2core.parquet import now

PROGRESS_VARIABLE = "LO2_PROGRESS_FILE"
_FOLDER_VARIABLE, _LOCK_VARIABLE = "LO2_JOB_FOLDER", "LO2_JOB_LOCK"
_PATIENCE_S = 0.5
"""How long taking the lock is tried: somebody may just be looking whether it is free."""
_PROGRESS_EVERY_S, _LINE_EVERY_S = 0.2, 10.0
_LOG_TAIL_BYTES = 8192
_INTERRUPTED = 130
"""Exit status of a command that was stopped from outside."""

_held: ContextVar[frozenset[Path]] = ContextVar("held", default=frozenset())


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
    folder = _folder(workspace)
    descriptor = _take_lock(folder)
    try:
        _clear(folder)
        environment = {
            **os.environ,
            PROGRESS_VARIABLE: str(folder / "progress.json"),
            _FOLDER_VARIABLE: str(folder),
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
        _describe(folder, shlex.join(["python", *args]), process.pid, detached=True)
    finally:
        os.close(descriptor)  # the child's copy keeps the lock
    threading.Thread(target=process.wait, daemon=True).start()  # so that it leaves no zombie
    return status(workspace)


def status(workspace: str | os.PathLike[str]) -> JobStatus:
    """The running or last job of a workspace, derived from disk alone."""
    folder = _folder(workspace)
    running = _is_locked(folder)
    job = _read(folder / "job.json")
    outcome = _read(folder / "outcome.json")
    detached = bool(job.get("detached"))
    if not running and not detached:
        return JobStatus()  # work in a terminal leaves no state of its own
    progress = _read(folder / "progress.json")
    log = "\n".join(_tail(folder / name) for name in ("output.log", "errors.log")).strip() if detached else ""
    common = {"command": job.get("command", ""), "started": _time(job.get("started")), "log_tail": log}
    label, fraction = progress.get("label", ""), progress.get("fraction")
    if running:
        rate, eta = progress.get("rate", ""), progress.get("eta")
        return JobStatus("running", label=label, fraction=fraction, rate=rate, eta=eta, stoppable=detached, **common)
    ended = _time(outcome.get("ended"))
    message = outcome.get("message", "") if outcome else _last_words(folder)
    return JobStatus(
        outcome.get("state", "failed"), label=label, fraction=fraction, message=message, ended=ended, **common
    )


def cancel(workspace: str | os.PathLike[str], grace: float = 2.0) -> JobStatus:
    """End the running job and all its processes: politely, and after `grace` seconds by force.

    Without a running job nothing happens. Raises `BusyError` when what runs was started by hand in a terminal.
    """
    folder = _folder(workspace)
    if not _is_locked(folder):
        return status(workspace)
    job = _read(folder / "job.json")
    if not job.get("detached"):
        raise BusyError(f"{_who(folder)} It was started in a terminal: stop it there.")
    _end(folder, "cancelled", "Cancelled.")
    for sent, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):  # the latter also for helpers left behind
        with suppress(ProcessLookupError):
            os.killpg(job["pid"], sent)
        _wait_until_free(folder, patience)
    if _read(folder / "outcome.json").get("state") != "done":
        _end(folder, "cancelled", "Cancelled.")  # an interrupted child may have called it a failure
    return status(workspace)


@contextmanager
def workspace_lock(workspace: str | os.PathLike[str], command: str = "") -> Iterator[None]:
    """Hold the workspace while writing to it; in a job, and within another such block, it is held already.

    Raises `BusyError` naming what runs and since when.
    """
    folder = _folder(workspace)
    if folder in _held.get() or os.environ.get(_FOLDER_VARIABLE) == str(folder):
        yield
        return
    descriptor = _take_lock(folder)
    token = _held.set(_held.get() | {folder})
    try:
        _clear(folder)
        _describe(folder, command or shlex.join(["python", *sys.argv]), os.getpid(), detached=False)
        yield
    finally:
        _held.reset(token)
        os.close(descriptor)


@contextmanager
def reporting() -> Iterator[None]:
    """Around the whole of a command: when it runs as a job, its end and its sentence are written to disk.

    SIGTERM becomes KeyboardInterrupt here, so that a cancelled job can remove its temporary files.
    """
    named = os.environ.get(_FOLDER_VARIABLE)
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


class Progress:
    """How far a command is: a bar on a terminal, else a few plain lines, and `progress.json` where a job runs.

    `total` counts in `unit` ("bytes" is shown as MB); without a total only the amount and rate are told. Use as a
    context manager, so that the bar is taken down.
    """

    def __init__(self, total: float | None, label: str, unit: str = "") -> None:
        self.total, self.label, self.unit = total, label, unit
        self.done = 0.0
        self._turn = threading.Lock()
        self._began = time.monotonic()
        self._written = self._told = float("-inf")
        self._line = ""
        named = os.environ.get(PROGRESS_VARIABLE)
        self._file = Path(named) if named else None
        self._bar = ProgressBar(console=Console(stderr=True)) if sys.stderr.isatty() else None
        self._task = self._bar.add_task(label, total=total) if self._bar else None

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        self._tell(force=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._tell(force=True)
        if self._bar:
            self._bar.stop()

    def advance(self, amount: float) -> None:
        """So much more is done; threads may call it."""
        with self._turn:
            self.done += amount
            self._tell()

    def stage(self, label: str) -> None:
        """What is done from now on; the total stays that of all stages."""
        with self._turn:
            self.label = label
            self._tell(force=True)

    def snapshot(self) -> dict[str, Any]:
        """What `progress.json` says: label, done, total, fraction (0 to 1 or null), rate, eta in seconds."""
        elapsed = time.monotonic() - self._began
        speed = self.done / elapsed if elapsed > 0 else 0.0
        fraction = min(1.0, self.done / self.total) if self.total else None
        eta = (self.total - self.done) / speed if self.total and speed else None
        return {
            "label": self.label,
            "done": self.done,
            "total": self.total,
            "fraction": fraction,
            "rate": _rate(speed, self.unit),
            "eta": None if eta is None else max(0.0, eta),
        }

    def _tell(self, force: bool = False) -> None:
        moment = time.monotonic()
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=self.label, completed=self.done)
        elif force or moment - self._told >= _LINE_EVERY_S:
            self._told = moment
            self._print_line()
        if self._file and (force or moment - self._written >= _PROGRESS_EVERY_S):
            self._written = moment
            _replace_json(self._file, self.snapshot())

    def _print_line(self) -> None:
        facts = self.snapshot()
        share = "" if facts["fraction"] is None else f" {facts['fraction']:.0%}"
        line = f"{self.label}{share} {facts['rate']}".rstrip()
        if line != self._line:
            self._line = line
            print(line, file=sys.stderr, flush=True)


def _rate(speed: float, unit: str) -> str:
    if not speed:
        return ""
    if unit == "bytes":
        return f"{speed / 1e6:,.1f} MB/s"
    return f"{speed:,.0f} {unit}/s" if speed >= 10 else f"{speed:.2g} {unit}/s"


def _replace_json(path: Path, value: object) -> None:
    """Without fsync, unlike the store, and without a word on failure: no work should end for its progress."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with suppress(OSError):
        temporary.write_text(json.dumps(value))
        temporary.replace(path)


def _folder(workspace: str | os.PathLike[str]) -> Path:
    return Path(workspace).resolve() / ".job"


def _take_lock(folder: Path) -> int:
    """An open descriptor that holds the lock; raises `BusyError`, and `ArtefactError` where nothing can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise ArtefactError(f"{folder.parent} cannot be a workspace: {error.strerror}. Choose another.") from error
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise BusyError(f"{_who(folder)} Wait until it has ended, or cancel it.") from None
            time.sleep(0.02)


def _is_locked(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _wait_until_free(folder: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while _is_locked(folder) and time.monotonic() < deadline:
        time.sleep(0.05)


def _who(folder: Path) -> str:
    job = _read(folder / "job.json")
    since = _time(job.get("started"))
    what = f"`{job['command']}` runs" if "command" in job else "another command runs"
    return f"{folder.parent} is busy: {what}{f' since {since:%H:%M:%S}' if since else ''}."


def _clear(folder: Path) -> None:
    for name in ("job.json", "progress.json", "outcome.json", "output.log", "errors.log"):
        (folder / name).unlink(missing_ok=True)
    remove_leftovers(folder.parent)


def _describe(folder: Path, command: str, pid: int, detached: bool) -> None:
    facts = {"command": command, "pid": pid, "started": now(), "detached": detached}
    write_json_atomic(folder / "job.json", facts, replace=True)


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


def _read(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone() if text else None
