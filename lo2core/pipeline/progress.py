"""How far a command is: a bar on a terminal, a few plain lines elsewhere, a file for whoever watches the job."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lo2core.base.text import duration, size, visible

if TYPE_CHECKING:
    from rich.progress import Progress as ProgressBar

PROGRESS_VARIABLE = "LO2_PROGRESS_FILE"
"""Names the file that a job writes its progress to."""

_PROGRESS_EVERY_S, _LINE_EVERY_S = 0.2, 10.0


class Progress:
    """How far a command is: a bar on a terminal, else a few plain lines, and `progress.json` where a job runs.

    `total` counts in `unit` ("bytes" is shown as MB); without a total only the amount and rate are told. `done` is what
    an earlier process did, which says nothing of this one's speed. Use as a context manager, so that the bar is taken
    down.
    """

    def __init__(self, total: float | None, label: str, unit: str = "", done: float = 0.0) -> None:
        self.total, self.label, self.unit = total, label, unit
        self.done = self._before = done
        self._turn = threading.Lock()
        self._began = time.monotonic()
        self._written = self._told = float("-inf")
        self._line = ""
        named = os.environ.get(PROGRESS_VARIABLE)
        self._file = Path(named) if named else None
        self._bar = _terminal_bar() if sys.stderr.isatty() else None
        self._task = self._bar.add_task(label, total=total, completed=int(done)) if self._bar else None

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        self._tell(force=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._tell(force=True)
        if self._bar:
            self._bar.stop()

    def advance(self, amount: float, label: str = "") -> None:
        """So much more is done, and what is done now if that has changed; threads may call it."""
        with self._turn:
            self.done += amount
            self.label = label or self.label
            self._tell()

    def stage(self, label: str) -> None:
        """What is done from now on; the total stays that of all stages."""
        with self._turn:
            self.label = label
            self._tell(force=True)

    def say(self, line: str) -> None:
        """Print a line to standard error; a bar stays below it."""
        with self._turn:
            if self._bar:
                self._bar.console.print(visible(line), markup=False, highlight=False)
            else:
                tell(line)

    def snapshot(self) -> dict[str, Any]:
        """What `progress.json` says: label, done, total, amount, fraction (0 to 1 or null), rate, eta in seconds."""
        elapsed = time.monotonic() - self._began
        speed = (self.done - self._before) / elapsed if elapsed > 0 else 0.0
        fraction = min(1.0, self.done / self.total) if self.total else None
        eta = (self.total - self.done) / speed if self.total and speed else None
        return {
            "label": self.label,
            "done": self.done,
            "total": self.total,
            "amount": _amount(self.done, self.unit),
            "fraction": fraction,
            "rate": _rate(speed, self.unit),
            "eta": None if eta is None else max(0.0, eta),
        }

    def _tell(self, force: bool = False) -> None:
        moment = time.monotonic()
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=visible(self.label), completed=self.done)
        elif force or moment - self._told >= _LINE_EVERY_S:
            self._told = moment
            self._print_line()
        if self._file and (force or moment - self._written >= _PROGRESS_EVERY_S):
            self._written = moment
            _replace_json(self._file, self.snapshot())

    def _print_line(self) -> None:
        facts = self.snapshot()
        share = "" if facts["fraction"] is None else f" {facts['fraction']:.0%}"
        left = f", about {duration(facts['eta'])} left" if facts["eta"] else ""
        line = f"{self.label}{share} {facts['rate']}".rstrip() + left
        if line != self._line:
            self._line = line
            tell(line)


def tell(line: str) -> None:
    """Print a line to standard error; where that is a file on a full disk, nothing is printed from then on."""
    try:
        print(visible(line), file=sys.stderr, flush=True)
    except BrokenPipeError:
        raise
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _terminal_bar() -> ProgressBar:
    from rich.console import Console  # a job has no terminal, and should not wait for this import
    from rich.progress import Progress as ProgressBar

    return ProgressBar(console=Console(stderr=True))


def _amount(done: float, unit: str) -> str:
    return size(done) if unit == "bytes" else f"{done:,.0f} {unit}".rstrip()


def _rate(speed: float, unit: str) -> str:
    if not speed or not unit:
        return ""
    if unit == "bytes":
        return f"{speed / 1e6:,.1f} MB/s"
    return f"{speed:,.0f} {unit}/s" if speed >= 10 else f"{speed:.2g} {unit}/s"


def _replace_json(path: Path, value: object) -> None:
    """Without fsync, unlike the store, and without a word on failure: no work should end for its progress."""
    temporary = path.with_name(f".{path.name}.{os.getpid():08x}.tmp")
    try:
        temporary.write_text(json.dumps(value))
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
