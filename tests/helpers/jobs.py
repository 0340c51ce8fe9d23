"""Jobs that run a few lines of Python."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from lo2core.pipeline import jobs
from lo2core.pipeline.lock import Work

PREAMBLE = """
import os, sys, time, subprocess
from pathlib import Path
from lo2core.base.errors import InputError
from lo2core.pipeline import jobs
from lo2core.pipeline.lock import Work, workspace_lock
from lo2core.pipeline.progress import Progress
from lo2core.pipeline.worker import reporting
"""


def start(workspace: Path, body: str) -> jobs.JobStatus:
    return jobs.start(workspace, Work(arguments=("-c", PREAMBLE + body)))


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def ended(workspace: Path) -> jobs.JobStatus:
    wait_for(lambda: not jobs.status(workspace).running)
    return jobs.status(workspace)
