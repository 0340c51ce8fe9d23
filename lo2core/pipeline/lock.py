"""One command at a time writes to a workspace: the lock in its job folder `<workspace>/.job/`.

    lock        locked by the process that works on the workspace
    alive-<id>  locked by the same process, under a new name each time
    job.json    what that process does or did: its `Work`, number and identity, start, `alive` file, and whether it is a
                job
    unfinished.json  the arguments of commands that were killed: repeated, they continue
    next.json   the command that runs next: see `queue`
    between     exists while the workspace is held between jobs, by `watch`

A file lock ends with its process, however that ends. Only a command that wants to work on the workspace tries `lock`.
To see whether the command in `job.json` still runs, its `alive` file is tried, which no other command needs: so looking
never makes a command busy. The other files of the folder belong to `jobs`.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import cast
from uuid import uuid4

from filelock import FileLock, Timeout, lock_descriptor

from lo2core.base.clock import local, now
from lo2core.base.disk import writing
from lo2core.base.errors import ArtefactError, BusyError, DiskError, Lo2Error
from lo2core.base.untrusted import resolved, url_of
from lo2core.pipeline import job_files, job_history
from lo2core.pipeline.job_files import Job
from lo2core.pipeline.process import identity
from lo2core.store.atomic import write_json_atomic
from lo2core.store.changes import recover

LOCK = "lock"
UNFINISHED = "unfinished.json"
NEXT = "next.json"
BETWEEN = "between"
_MOST_UNFINISHED = 20
_PATIENCE_S = 0.5
"""How long taking the lock is tried: the last command may be about to end."""
_LONG_PATIENCE_S = 60.0
"""The same while the workspace is held between jobs, which takes seconds."""

_ALIVE = re.compile(r"alive-[0-9a-f]{12}")

_held: ContextVar[frozenset[Path]] = ContextVar("held", default=frozenset())
_repeats: ContextVar[bool] = ContextVar("repeats", default=False)


@dataclass(frozen=True)
class Work:
    """What a process does to a workspace: its arguments, to be shown, and the facts in them, empty if there are none.

    arguments: what follows `python`. stage: the command of lo2core. output_dir: the workspace that is written to, which
    may be a sample of the one that is held. bundle: path of the model. predictions: name of the predictions.
    """

    arguments: tuple[str, ...] = ()
    stage: str = ""
    output_dir: str = ""
    bundle: str = ""
    predictions: str = ""

    @property
    def command(self) -> str:
        """The arguments as one would type them; empty where there are none."""
        return shlex.join(["python", *self.arguments]) if self.arguments else ""

    @property
    def title(self) -> str:
        """The command and its artefact, such as "Train lo2_nn"."""
        if self.stage == "demo":
            return "Score the sample"
        model = Path(self.bundle).stem if self.stage in ("train", "run") else ""
        made = model or self.predictions or self.output_dir
        return f"{self.stage.capitalize()} {made}".strip() if self.stage else "Another command"

    @classmethod
    def recorded(cls, job: Job) -> Work:
        """The work that a `job.json` describes; what is damaged there is left out."""
        arguments = tuple(job.get("arguments", ()))
        return cls(arguments, *(str(job.get(one.name, "")) for one in fields(cls)[1:]))


def repeats_a_killed_command() -> bool:
    """Whether this process holds a workspace for a command that was begun before, with equal arguments, and was killed.

    Then it continues: what the killed one has finished already is no reason to refuse.
    """
    return _repeats.get()


@contextmanager
def workspace_lock(workspace: str | os.PathLike[str], work: Work | None = None) -> Iterator[None]:
    """Hold the workspace while writing to it; in its job, and within another such block, it is held already.

    `work` is shown to others meanwhile. Raises `BusyError` naming the running command and its start.
    """
    folder = job_folder(workspace)
    if folder in _held.get():
        yield
        return
    is_new = not _is_there(folder.parent)
    with held(folder, work or Work(arguments=tuple(sys.argv)), detached=False) as job:
        try:
            yield
        finally:
            if is_new and describes(folder, job):
                _remove_unused(folder)  # a mistyped name leaves nothing behind


@contextmanager
def held_between_jobs(workspace: str | os.PathLike[str]) -> Iterator[None]:
    """Hold the workspace for a moment, without becoming its job: the state of its last job stays.

    A command of a person that starts meanwhile waits for the end. Raises `BusyError` if a command runs or waits.
    """
    folder = job_folder(workspace)
    if (folder / NEXT).exists():
        raise BusyError(f"{folder.parent} is busy: a command waits for it.")
    lock = _taken(folder, _PATIENCE_S)
    token = _held.set(_held.get() | {folder})
    try:
        with _marked(folder / BETWEEN):
            recover(folder.parent)
            yield
    finally:
        _held.reset(token)
        lock.release()


@contextmanager
def _marked(path: Path) -> Iterator[None]:
    """While the block runs, the file at `path` exists."""
    with writing(path):
        path.touch()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _remove_unused(folder: Path) -> None:
    """Remove a workspace that contains nothing but its job folder; call it while its lock is held.

    The lock file goes last: as long as it is there, nobody else can begin, so nothing of theirs is removed. Afterwards
    only empty folders are removed.
    """
    with suppress(OSError):  # somebody else needs the folder
        if list(folder.parent.iterdir()) == [folder]:
            for path in sorted(folder.iterdir(), key=lambda path: path.name == LOCK):
                path.unlink()
            folder.rmdir()
            folder.parent.rmdir()


@contextmanager
def held(folder: Path, work: Work, detached: bool, ticket: str = "") -> Iterator[Job]:
    """Hold the lock of a job folder and describe the holder in `job.json`; yields what is written there.

    ticket: of a command that has waited in `next.json`.
    Raises `BusyError`, also if its ticket was used already, and `ArtefactError` if the folder cannot be written.
    """
    lock = _taken(folder)
    if ticket and ticket != job_files.read(folder / NEXT, job_files.Next).get("ticket"):
        lock.release()
        raise BusyError("This command was started already, or is not wanted any more.")
    unfinished, before = _unfinished(folder), _failure(folder)
    repeats = _repeats.set(list(work.arguments) in unfinished)
    alive = FileLock(folder / f"alive-{uuid4().hex[:12]}")
    token = _held.set(_held.get() | {folder})
    try:
        with writing(folder / "job.json"):
            clear(folder)
            alive.acquire(blocking=False)
        pid = os.getpid()
        facts = {
            "pid": pid,
            "process": identity(pid),
            "started": now(),
            "detached": detached,
            "alive": Path(alive.lock_file).name,
            "before": before,
        }
        job = cast(Job, asdict(work) | {"arguments": list(work.arguments)} | facts)
        _keep_unfinished(folder, [*unfinished, list(work.arguments)])
        write_json_atomic(folder / "job.json", job, replace=True)
        if ticket:
            (folder / NEXT).unlink(missing_ok=True)
        with _forgotten_at_the_end(folder, unfinished, work):
            yield job
    finally:
        _repeats.reset(repeats)
        _held.reset(token)
        lock.release()  # first: a workspace without a running command is free
        with suppress(OSError):
            Path(alive.lock_file).unlink()
        alive.release()


def _failure(folder: Path) -> str:
    """Why the last job failed, as a sentence; empty if it did not."""
    outcome, work = job_files.read(folder / "outcome.json", job_files.Outcome), Work.recorded(read_job(folder))
    return f"{work.title} failed: {outcome.get('message', '')}" if outcome.get("state") == "failed" else ""


def _taken(folder: Path, patience: float | None = None) -> FileLock:
    """The lock; without a number of seconds it is tried longer while the workspace is held between jobs."""
    if url := url_of(folder.parent):
        raise ArtefactError(
            f"{url} cannot be a workspace: it is a URL, and a workspace is a folder of this machine or of a disk "
            "that it shares with others. Choose one with --output-dir."
        )
    try:
        with writing(folder / LOCK):
            usual = _LONG_PATIENCE_S if (folder / BETWEEN).exists() else _PATIENCE_S
            return acquired(folder / LOCK, patience or usual)
    except Timeout:
        raise BusyError(f"{busy_with(folder)} Wait until it has ended, or cancel it.") from None
    except OSError as error:
        raise ArtefactError(f"{folder.parent} cannot be a workspace: {error.strerror}. Choose another.") from error


def acquired(path: Path, patience: float) -> FileLock:
    """A lock that is held, on the file that is at this path (a folder may be removed or replaced while one waits).

    Raises `filelock.Timeout` after `patience` seconds, and OSError if the file cannot be opened.
    """
    lock = FileLock(path, poll_interval=0.02, on_acquired=lambda descriptor: _check_in_place(path, descriptor))
    deadline = time.monotonic() + patience
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=max(0.0, deadline - time.monotonic()))
            return lock
        except (FileNotFoundError, FileExistsError):  # the folder was removed or replaced meanwhile
            if time.monotonic() > deadline:
                raise
            time.sleep(0.001)


def _check_in_place(path: Path, descriptor: int) -> None:
    """Raise FileNotFoundError if the open file is no longer the one at `path`: others would lock another file."""
    if not os.path.samestat(os.fstat(descriptor), path.stat()):
        raise FileNotFoundError(errno.ENOENT, "its folder is being replaced")


def job_folder(workspace: str | os.PathLike[str]) -> Path:
    """The folder that keeps the lock of a workspace and the state of its job."""
    return resolved(Path(workspace)) / ".job"


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # it may not be looked at, or its name is too long
        return True


def is_running(folder: Path, job: Job) -> bool:
    """Whether the process that wrote this content of `job.json` still holds the workspace."""
    name = str(job.get("alive"))
    if not _ALIVE.fullmatch(name):  # written by a stranger: no other file may be touched
        return False
    path = folder / name
    try:
        descriptor = os.open(path, (os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY) | os.O_NONBLOCK)
    except OSError:  # it has ended
        return False
    try:
        try:
            if not lock_descriptor(descriptor, blocking=False):
                return True
        except OSError:  # a file system without locks: nobody can hold one
            return False
        with suppress(OSError):
            path.unlink()  # it was killed: now everybody else can see that without trying the lock
        return False
    finally:
        os.close(descriptor)


def read_job(folder: Path) -> Job:
    """What `job.json` says; empty where there is none."""
    return job_files.read(folder / "job.json", Job)


def _unfinished(folder: Path) -> list[list[str]]:
    """The arguments of commands that have begun and did not end by themselves, oldest first."""
    job = job_files.read(folder / "job.json", Job)
    killed = _ALIVE.fullmatch(job.get("alive", "")) and (folder / job["alive"]).exists()
    kept = job_files.read(folder / UNFINISHED, job_files.Unfinished).get("commands", [])
    return [*kept, *([list(job.get("arguments", []))] if killed else [])]


@contextmanager
def _forgotten_at_the_end(folder: Path, unfinished: list[list[str]], work: Work) -> Iterator[None]:
    """Take the command off the list of unfinished ones, unless a full disk or somebody else ends it."""
    try:
        yield
    except Lo2Error as error:
        if not isinstance(error, DiskError):
            _forget(folder, unfinished, work)
        raise
    _forget(folder, unfinished, work)


def _forget(folder: Path, unfinished: list[list[str]], work: Work) -> None:
    with suppress(OSError, DiskError):
        _keep_unfinished(folder, [one for one in unfinished if one != list(work.arguments)])


def _keep_unfinished(folder: Path, commands: list[list[str]]) -> None:
    if commands:
        write_json_atomic(folder / UNFINISHED, {"commands": commands[-_MOST_UNFINISHED:]}, replace=True)
    else:
        (folder / UNFINISHED).unlink(missing_ok=True)


def describes(folder: Path, job: Job) -> bool:
    """Whether a job folder still describes this job: the workspace may have been removed and made again."""
    return read_job(folder) == job


def clear(folder: Path) -> None:
    """Set the state of the last job aside, and remove temporary files that it may have left in the workspace."""
    job_history.set_aside(folder)
    _discard(folder / "job.json")  # first: whoever reads it and then finds a file missing will see why
    for name in ("progress.json", "outcome.json", "cancelled.json", "output.log", "errors.log", BETWEEN):
        _discard(folder / name)
    for path in folder.glob("alive-*"):
        _discard(path)
    recover(folder.parent)


def _discard(path: Path) -> None:
    """Remove a file, or whatever has its name."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        shutil.rmtree(path, ignore_errors=True)


def busy_with(folder: Path) -> str:
    """A sentence naming the command that holds the lock, and its start."""
    job = read_job(folder)
    job = job if is_running(folder, job) else Job()
    since, command = local(job.get("started")), Work.recorded(job).command
    what = f"`{command}`" if command else "another command"
    return f"{folder.parent} is busy: {what} {f'has been running since {since:%H:%M:%S}' if since else 'is running'}."
