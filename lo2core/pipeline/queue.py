"""The command that runs next: at most one waits for a workspace, in `<workspace>/.job/next.json`.

It begins when the running job ends. If that was killed together with its guard (see `signals`), or was a command in a
terminal, it begins as soon as a page of the workspace is open. Its ticket makes sure that it runs once, whoever starts
it: the process that takes the lock with the ticket removes the file. It is sealed with the user's key: a file that came
with a workspace from elsewhere counts as nothing, so that no command in it runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

from lo2core.base.errors import BusyError, ExistsError
from lo2core.pipeline import job_files, lock
from lo2core.pipeline.job_files import Next
from lo2core.pipeline.lock import Work, job_folder
from lo2core.pipeline.progress import PROGRESS_VARIABLE
from lo2core.store import signing
from lo2core.store.atomic import write_json_atomic

JOB_VARIABLE = "LO2_JOB"
"""Tells a process that it is a job: which folder is its job folder, and what it does."""


def launched(folder: Path, work: Work, stdout: int, ticket: str = "") -> subprocess.Popen[bytes]:
    """The process of a job, detached from this one. It takes the lock of `folder`, or ends."""
    job = {"folder": str(folder), "work": asdict(work), "ticket": ticket}
    return subprocess.Popen(
        [sys.executable, *work.arguments],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        env={**os.environ, JOB_VARIABLE: json.dumps(job), PROGRESS_VARIABLE: str(folder / "progress.json")},
        start_new_session=True,
    )


def enqueue(workspace: str | os.PathLike[str], work: Work) -> None:
    """Let `work` run next. Raises `BusyError` if another command waits already."""
    folder = job_folder(workspace)
    ticket = uuid4().hex
    entry = {"work": asdict(work), "ticket": ticket, "seal": signing.seal(_text(folder, work, ticket))}
    try:
        write_json_atomic(folder / lock.NEXT, entry, replace=_entry(folder) is None)
    except ExistsError:
        earlier = waiting(workspace) or Work()
        raise BusyError(f"{earlier.title} is waiting already: remove it first.") from None


def waiting(workspace: str | os.PathLike[str]) -> Work | None:
    """What runs next; None if nothing waits."""
    entry = _entry(job_folder(workspace))
    return Work.recorded(entry["work"]) if entry else None


def remove(workspace: str | os.PathLike[str]) -> None:
    """Nothing runs next."""
    (job_folder(workspace) / lock.NEXT).unlink(missing_ok=True)


def begin_next(folder: Path, stdout: int = subprocess.DEVNULL) -> subprocess.Popen[bytes] | None:
    """Start what waits for the workspace of this job folder, if anything does; it ends if the workspace is busy."""
    entry = _entry(folder)
    if not entry:
        return None
    return launched(folder, Work.recorded(entry["work"]), stdout, entry["ticket"])


def begin_after_kill(pid: int) -> None:
    """In the guard of a job with this number, which has ended: start what waits, if the job could not do that."""
    folder = Path(json.loads(os.environ[JOB_VARIABLE])["folder"]) if JOB_VARIABLE in os.environ else None
    if folder and lock.read_job(folder).get("pid") == pid and not (folder / "outcome.json").exists():
        begin_next(folder)


def _entry(folder: Path) -> Next | None:
    entry = job_files.read(folder / lock.NEXT, Next)
    if not entry.keys() >= {"work", "ticket", "seal"}:
        return None
    text = _text(folder, Work.recorded(entry["work"]), entry["ticket"])
    return entry if signing.is_sealed(text, entry["seal"]) else None


def _text(folder: Path, work: Work, ticket: str) -> str:
    """What is sealed: the command, for this workspace."""
    return json.dumps([str(folder), asdict(work), ticket])
