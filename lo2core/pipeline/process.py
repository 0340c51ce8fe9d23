"""Which process a number means: numbers are used again after a process has ended, after a restart, in a container."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


def identity(pid: int) -> str:
    """A text that no other process has, on any machine at any time; empty if there is none or it cannot be known."""
    return _from_proc(pid) if (_PROC / "self" / "stat").exists() else _from_ps(pid)


def _from_proc(pid: int) -> str:
    """Boot id of the machine, namespace of the number, and start in ticks since the boot, which no clock can change."""
    try:
        boot = (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
        namespace = (_PROC / str(pid) / "ns" / "pid").readlink()
        after_name = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return f"{boot} {namespace} {after_name[19]}"
    except (OSError, IndexError):  # it has ended, or it is another user's
        return ""


def _from_ps(pid: int) -> str:
    """The moment at which the process started, as `ps` of macOS and BSD knows it."""
    settings = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    try:
        found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, env=settings)
    except OSError:  # Windows
        return ""
    return found.stdout.strip()


def end_group(pid: int, by_force: bool) -> None:
    """Ask a process and the helpers in its group to end, or end them by force; nothing happens if it has ended."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL if by_force else signal.SIGTERM)


def end_own_group() -> None:
    """End this process by force, and with it the helpers that it left behind, if it leads a group of its own."""
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
