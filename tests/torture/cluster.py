"""Clusters: a worker or the scheduler is killed with -9 during a load; the tables are those of one process."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from helpers.kills import ROOT
from torture.figures import Figures, reported

from lo2core.load.synthetic import write_sample

TABLES = ("events", "sequences", "ledger", "messages", "counts")
PATIENCE_S = 120.0
_SETTINGS = os.environ | {"PYTHONPATH": str(ROOT)}


def torture(amount: int, seed: int) -> Figures:
    """Disturb `amount` loads; every second one loses its scheduler, the others a worker."""
    figures, draw = Figures(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        write_sample(Path(folder, "logs"), seed=seed)
        ended = _load(Path(folder), "plain")
        assert ended.wait() == 0
        for number in reported("clusters", range(amount), amount):
            _disturb(Path(folder), f"ws{number}", draw, figures, scheduler=bool(number % 2))
    return figures


def _disturb(folder: Path, workspace: str, draw: random.Random, figures: Figures, *, scheduler: bool) -> None:
    said = folder / f"{workspace}.log"
    with _cluster(folder) as (address, central, nanny), said.open("wb") as errors:
        load = _load(folder, workspace, "--cluster", address, errors=errors)
        _until(lambda: bool(list(folder.glob(f"{workspace}/.parts/*/events/*/*.parquet"))) or load.poll() is not None)
        time.sleep(draw.uniform(0, 1))
        os.kill(central.pid if scheduler else draw.choice(_children(nanny.pid)), signal.SIGKILL)
        figures.count("schedulers killed" if scheduler else "workers killed")
        status = load.wait()
    printed = said.read_text()
    if status == 2 and scheduler and f"The scheduler {address} is gone." in printed and "Traceback" not in printed:
        figures.count("loads that another command continued")
        status = _load(folder, workspace).wait()
    if status:
        figures.fail(f"status {status} after the loss of a {'scheduler' if scheduler else 'worker'}: {printed[-600:]}")
        return
    for table in TABLES:
        one, other = (pl.read_parquet(folder / name / f"lo2_{table}.parquet") for name in ("plain", workspace))
        if not one.equals(other):
            figures.fail(f"{table} differs from that of one process")


def _load(folder: Path, workspace: str, *more: str, errors: object = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "lo2core", "load", "--root", "logs", "--output-dir", workspace, *more]
    return subprocess.Popen(command, cwd=folder, env=_SETTINGS, stdout=subprocess.DEVNULL, stderr=errors)


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    """The address of a scheduler, its process, and the one that starts its two workers."""
    known = folder / "scheduler.json"
    known.unlink(missing_ok=True)
    dask = [sys.executable, "-m", "dask"]
    at, quiet = ["--host", "127.0.0.1", "--scheduler-file", str(known), "--no-dashboard"], subprocess.DEVNULL
    parts = (["scheduler", "--port", "0"], ["worker", "--nthreads", "1", "--nworkers", "2"])
    started = [
        subprocess.Popen([*dask, *part, *at], cwd=folder, env=_SETTINGS, stdout=quiet, stderr=quiet) for part in parts
    ]
    try:
        _until(known.exists)
        _until(lambda: len(_children(started[1].pid)) >= 2)
        yield json.loads(known.read_text())["address"], *started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def _children(pid: int) -> list[int]:
    """The worker processes below this one, not those that Python's multiprocessing needs besides."""
    found = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line.split()[0]) for line in found.stdout.splitlines() if "spawn_main" in line]


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
