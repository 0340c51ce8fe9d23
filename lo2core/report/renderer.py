"""Charts as SVG, drawn by vl-convert in processes of their own, because vl-convert can abort or hang.

Such a process takes no lock and opens no file. It waits for the next chart, and ends with the process that started it.
A chart that takes longer than `LIMIT` ends it.
"""

from __future__ import annotations

import atexit
import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Timer
from typing import Any

from lo2core.base.errors import ReportError

LIMIT = 30.0
"""Seconds for one chart, the start of its process included. Usual are 0.05 s, and 0.5 s for the first chart."""
_PROGRAM = Path(__file__).with_name("renderer_process.py")
_ENDED = (-signal.SIGKILL, -signal.SIGALRM)
_idle: list[subprocess.Popen[bytes]] = []
"""Processes that wait for a chart."""
_MOST_IDLE = 2


def svg(spec: Mapping[str, Any]) -> str:
    """A Vega-Lite specification as SVG. Raises `ReportError` if the renderer refuses it, aborts or exceeds `LIMIT`."""
    process = _running() or _start()
    answer = b""
    try:
        answer = _ask(process, json.dumps(spec).encode() + b"\n")
    finally:
        if not answer:  # also when this thread is interrupted
            process.kill()
    if not answer:
        raise ReportError(_why_not(process.wait()))
    if len(_idle) < _MOST_IDLE:
        _idle.append(process)
    else:
        process.kill()
    drawn = json.loads(answer)
    if "error" in drawn:
        raise ReportError(f"The report was not made, because one of its charts cannot be drawn: {drawn['error']}.")
    return str(drawn["svg"])


def _why_not(status: int) -> str:
    what = f"took more than {LIMIT:g} seconds" if status in _ENDED else f"stopped with status {status}"
    return f"The report was not made, because the program that draws its charts {what}. Nothing else is affected."


def _running() -> subprocess.Popen[bytes] | None:
    while _idle:
        process = _idle.pop()
        if process.poll() is None:
            return process
    return None


def _start() -> subprocess.Popen[bytes]:
    # -P: the program's folder contains a module `html`, which must not replace Python's.
    command = [sys.executable, "-P", str(_PROGRAM), str(LIMIT)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )


def _ask(process: subprocess.Popen[bytes], request: bytes) -> bytes:
    """The line that the process answers; empty if it ended, or was ended after `LIMIT`."""
    assert process.stdin is not None and process.stdout is not None
    limit = Timer(LIMIT, process.kill)
    limit.start()
    try:
        process.stdin.write(request)
        process.stdin.flush()
        return process.stdout.readline()
    except OSError:
        return b""
    finally:
        limit.cancel()


@atexit.register
def _end() -> None:
    while process := _running():
        process.kill()
        process.wait()
