"""The process of a job: it takes the lock, reports to the server that started it, and writes down how it ends.

The server waits for the report, so nothing slow is imported here.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from lo2core.base.clock import now
from lo2core.base.disk import writing
from lo2core.base.errors import ArtefactError, DiskError, Lo2Error
from lo2core.pipeline import lock, queue
from lo2core.pipeline.job_files import Job, tail
from lo2core.pipeline.lock import Work
from lo2core.pipeline.process import end_own_group
from lo2core.pipeline.queue import JOB_VARIABLE
from lo2core.pipeline.signals import INTERRUPTED, interrupt_on_signals, is_stopped
from lo2core.store.atomic import json_bytes, write_in_folder

CANCELLED = "Cancelled."


@contextmanager
def reporting() -> Iterator[None]:
    """Around the whole of a command: when it runs as a job, it holds the workspace, and its end is written to disk.

    SIGTERM becomes KeyboardInterrupt here, so that a cancelled job can remove its temporary files.
    """
    named = os.environ.pop(JOB_VARIABLE, None)
    if named is None:
        yield
        return
    described = json.loads(named)
    folder = Path(described["folder"])
    try:
        with _holding(folder, described) as job:
            interrupt_on_signals()
            with _ending(folder, job):
                yield
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            end_own_group()  # helpers may not have listened
        raise


@contextmanager
def _holding(folder: Path, described: dict[str, Any]) -> Iterator[Job]:
    """Hold the workspace, tell `start` so, and write to the logs from then on; at the end, begin what waits."""
    begun = False
    try:
        with _begun(folder, Work.recorded(described["work"]), described["ticket"]) as job:
            begun = True
            yield job
    finally:
        if begun:
            queue.begin_next(folder)


@contextmanager
def _begun(folder: Path, work: Work, ticket: str) -> Iterator[Job]:
    with ExitStack() as stack:
        try:
            job = stack.enter_context(lock.held(folder, work, detached=True, ticket=ticket))
            logs = [stack.enter_context(_opened(folder / name)) for name in ("output.log", "errors.log")]
        except Lo2Error as error:
            _report(type(error).__name__, str(error))
            raise SystemExit(2) from None
        _report()
        for descriptor, log in enumerate(logs, 1):
            os.dup2(log.fileno(), descriptor)
        yield job


def _opened(log: Path) -> IO[bytes]:
    with writing(log):
        return log.open("wb")


def _report(error: str = "", message: str = "") -> None:
    """Tell `start` that the workspace is held, or what prevented it; on a line of its own."""
    with suppress(OSError):  # the server that started this job was killed: the job goes on
        os.write(1, f"\n{json.dumps({'error': error, 'message': message})}".encode())


@contextmanager
def _ending(folder: Path, job: Job) -> Iterator[None]:
    """Write how the work ends to disk."""

    def end(state: str, message: str, status: int = 1) -> None:
        if lock.describes(folder, job):
            outcome = json_bytes({"state": state, "message": message, "ended": now(), "exit": status})
            # What ended the work says more than that this cannot be written, as in a workspace that was removed.
            with suppress(DiskError, ArtefactError):
                write_in_folder(folder / "outcome.json", lambda file: file.write_bytes(outcome), replace=True)

    try:
        yield
    except SystemExit as stop:
        end(*_meaning(stop, folder))
        raise
    except BaseException as error:
        if is_stopped() or isinstance(error, KeyboardInterrupt):
            end("cancelled", CANCELLED, INTERRUPTED)
            raise SystemExit(INTERRUPTED) from None
        end("failed", str(error) if isinstance(error, Lo2Error) else f"{type(error).__name__}: {error}")
        raise
    end("done", "", 0)


def _meaning(stop: SystemExit, folder: Path) -> tuple[str, str, int]:
    """State, sentence and exit status."""
    if stop.code in (None, 0):
        return "done", "", 0
    if stop.code == INTERRUPTED:
        return "cancelled", CANCELLED, INTERRUPTED
    sys.stderr.flush()
    if isinstance(stop.code, str):
        return "failed", stop.code, 1
    return "failed", last_line(folder), int(stop.code or 1)


def last_line(folder: Path) -> str:
    return tail(folder / "errors.log").rpartition("\n")[2]
