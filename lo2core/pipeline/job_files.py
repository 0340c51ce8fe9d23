"""The files of a job folder `<workspace>/.job/`, with the types that a reader can rely on: see `jobs` and `lock`.

Anybody can write or damage them. What cannot be read counts as missing, an entry of another type as not recorded.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypedDict, TypeVar

from lo2core.base.provenance import typed
from lo2core.base.untrusted import json_value, open_regular, read_small

_MOST_BYTES = 4 << 20
_TAIL_BYTES = 8192

T = TypeVar("T")


class Job(TypedDict, total=False):
    """`job.json`: what the process does (see `lock.Work`), and which process it is."""

    arguments: list[str]
    stage: str
    output_dir: str
    bundle: str
    predictions: str
    pid: int
    process: str
    started: str
    detached: bool
    alive: str
    before: str


class Next(TypedDict, total=False):
    """`next.json`: the command that waits, the ticket that lets it run once, the seal of the user who asked for it."""

    work: Job
    ticket: str
    seal: str


class Unfinished(TypedDict, total=False):
    """`unfinished.json`: the arguments of commands that were killed, or stopped from outside."""

    commands: list[list[str]]


class Progress(TypedDict, total=False):
    """`progress.json`: see `progress.Progress.snapshot`."""

    label: str
    amount: str
    fraction: float | None
    rate: str
    eta: float | None


class Outcome(TypedDict, total=False):
    """`outcome.json`: how the job ended."""

    state: str
    message: str
    ended: str
    exit: int


class Cancelled(TypedDict, total=False):
    """`cancelled.json`: the job that somebody cancelled, by its `alive` file."""

    alive: str
    at: str


def read(path: Path, kind: type[T]) -> T:
    """A file of the job folder; empty where there is none, or none that can be read."""
    try:
        return typed(kind, json_value(read_small(path, _MOST_BYTES)))
    except (OSError, ValueError):
        return typed(kind, {})


def tail(path: Path) -> str:
    """The last lines of a log; empty where there is none."""
    try:
        with open_regular(path) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
            return file.read(_TAIL_BYTES).decode(errors="replace").strip()
    except OSError:
        return ""
