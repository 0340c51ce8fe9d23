"""Stops: SIGTERM at a random moment ends every command within two seconds, while other processes keep cores busy."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.kills import ROOT
from torture.figures import Figures, reported
from torture.project import STAGES, Project, project

LIMIT_S = 2.0
BUSY = 6
COMMANDS = STAGES | {"dashboard": "dashboard --output-dir ws --no-browser"}
KNOWN = (0, 130, -signal.SIGINT, -signal.SIGKILL, -signal.SIGTERM)
"""It ended by itself; tidily, which Python may turn into its own SIGINT; by force; or while Python started."""


def torture(amount: int, seed: int) -> Figures:
    """Stop `amount` commands, one after the other."""
    figures, draw = Figures(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="torture-") as folder, project(Path(folder), cores=1) as tried, _busy():
        chosen = draw.choices(list(COMMANDS), k=amount)
        longest = max(reported("stops", (_stopped(tried, one, draw, figures) for one in chosen), amount), default=0.0)
    return Figures({**figures.counts, "longest until the end": f"{longest:.1f} s"}, figures.failures)


def _stopped(tried: Project, stage: str, draw: random.Random, figures: Figures) -> float:
    """How many seconds a command takes to end after SIGTERM."""
    settings = os.environ | {"PYTHONPATH": str(ROOT), "LO2_MODELS": "models"}
    command = [sys.executable, "-m", "lo2core", *COMMANDS[stage].split()]
    with tried.copy() as folder, tempfile.TemporaryFile() as said:
        with subprocess.Popen(command, cwd=folder, env=settings, stdout=said, stderr=said) as process:
            time.sleep(draw.uniform(0.05, 7))
            figures.count("commands that ran" if process.poll() is None else "commands that had ended before")
            began = time.monotonic()
            process.terminate()
            status = process.wait()
            took = time.monotonic() - began
        said.seek(0)
        printed = said.read().decode(errors="replace")
    if took > LIMIT_S or status not in KNOWN or "Traceback" in printed:
        figures.fail(f"{stage} ended {took:.1f} s after SIGTERM with status {status}: {printed[-600:]}")
    return took


@contextmanager
def _busy() -> Iterator[None]:
    """`BUSY` processes that keep the cores busy."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BUSY)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
