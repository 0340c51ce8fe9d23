"""One command at a time writes to a workspace: the lock in its job folder `<workspace>/.job/`.

    lock      held (flock) by whoever works on the workspace; it dies with its process
    job.json  what holds or last held the lock: command, process id, start, and whether it is detached from a terminal

The other files of the folder are those of `jobs`.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

from lo2core.base.config import now
from lo2core.base.errors import ArtefactError, BusyError
from lo2core.store.atomic import remove_leftovers, write_json_atomic

FOLDER_VARIABLE = "LO2_JOB_FOLDER"
"""Names, to a job and its helpers, the job folder whose lock they hold."""

_PATIENCE_S = 0.5
"""How long taking the lock is tried: somebody may just be looking whether it is free."""

_held: ContextVar[frozenset[Path]] = ContextVar("held", default=frozenset())


@contextmanager
def workspace_lock(workspace: str | os.PathLike[str], command: str = "") -> Iterator[None]:
    """Hold the workspace while writing to it; in a job, and within another such block, it is held already.

    Raises `BusyError` naming what runs and since when.
    """
    folder = job_folder(workspace)
    if folder in _held.get() or os.environ.get(FOLDER_VARIABLE) == str(folder):
        yield
        return
    is_new = not folder.parent.exists()
    descriptor = take(folder)
    token = _held.set(_held.get() | {folder})
    try:
        clear(folder)
        describe(folder, command or shlex.join(["python", *sys.argv]), os.getpid(), detached=False)
        yield
    finally:
        _held.reset(token)
        if is_new and set(folder.parent.iterdir()) <= {folder}:
            shutil.rmtree(folder.parent)  # a mistyped name leaves nothing behind
        os.close(descriptor)  # last, lest it be the lock of who waits for it that is removed


def job_folder(workspace: str | os.PathLike[str]) -> Path:
    """The folder that keeps the lock of a workspace and the state of its job."""
    return Path(workspace).resolve() / ".job"


def take(folder: Path) -> int:
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
                raise BusyError(f"{busy_with(folder)} Wait until it has ended, or cancel it.") from None
            time.sleep(0.02)


def is_held(folder: Path) -> bool:
    """Whether somebody holds the lock."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY)
    except OSError:  # none there, or no folder to hold one
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def wait_until_free(folder: Path, patience: float) -> None:
    """Return when nobody holds the lock, or after `patience` seconds."""
    deadline = time.monotonic() + patience
    while is_held(folder) and time.monotonic() < deadline:
        time.sleep(0.05)


def clear(folder: Path) -> None:
    """Forget the last job, and remove temporary files that it may have left in the workspace."""
    for name in ("job.json", "progress.json", "outcome.json", "output.log", "errors.log"):
        (folder / name).unlink(missing_ok=True)
    remove_leftovers(folder.parent)


def describe(folder: Path, command: str, pid: int, detached: bool) -> None:
    """Tell others who holds the lock."""
    facts = {"command": command, "pid": pid, "started": now(), "detached": detached}
    write_json_atomic(folder / "job.json", facts, replace=True)


def busy_with(folder: Path) -> str:
    """A sentence on who holds the lock, and since when."""
    job = read_json(folder / "job.json")
    since = local_time(job.get("started"))
    what = f"`{job['command']}` runs" if "command" in job else "another command runs"
    return f"{folder.parent} is busy: {what}{f' since {since:%H:%M:%S}' if since else ''}."


def read_json(path: Path) -> dict[str, Any]:
    """A file of the job folder; empty where there is none."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}


def local_time(text: str | None) -> datetime | None:
    """A time of such a file, in the time zone of this machine."""
    return datetime.fromisoformat(text).astimezone() if text else None
