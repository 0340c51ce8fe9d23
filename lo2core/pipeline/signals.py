"""Ends a command within two seconds of SIGTERM or Ctrl-C, also while it waits or while compiled code runs.

Python handles a signal when the main thread is back in Python code. Until then the work gets some time to end tidily:
temporary files are removed, and locks released. After that, a thread that learns of the signal at once ends the
process. But a thread needs Python's interpreter lock, which compiled code may hold, as may a thread that gets no time
on a busy machine. Therefore a process of its own, the guard, passes the signal on to the thread, and ends the command
by force if it has not ended soon after. It also does what the command can do no more when it was killed.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

INTERRUPTED = 130
"""Exit status of a command that was stopped by SIGTERM or Ctrl-C."""
STOPPED = "lo2core: stopped; what was finished is kept."
_PATIENCE_S, _LONGEST_S = 0.8, 1.2
"""Seconds after a signal at which the thread and the guard end the command."""


_stopped = threading.Event()


def interrupt_on_signals() -> None:
    """From now on, SIGTERM and Ctrl-C raise KeyboardInterrupt, and `is_stopped` tells so."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)


def is_stopped() -> bool:
    """Whether such a signal has arrived. What is raised then may be anything: some code wraps a KeyboardInterrupt."""
    return _stopped.is_set()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    _stopped.set()
    raise KeyboardInterrupt


def end_on_signals(when_ended: Callable[[int], None] = lambda pid: None) -> None:
    """From now on, SIGTERM raises KeyboardInterrupt, as Ctrl-C does, and neither can be waited out.

    when_ended: is called with the number of this process in another one when it has ended, in whatever way, unless
    both are killed. Call it before other threads run.
    """
    numbers, noted = os.pipe()  # the numbers of signals
    passed_on, passes_on = os.pipe()
    os.set_blocking(noted, False)
    signal.set_wakeup_fd(noted, warn_on_full_buffer=False)
    interrupt_on_signals()
    command = os.getpid()
    if hasattr(os, "fork") and not os.fork():
        try:
            _guard(command, numbers, passes_on)
            when_ended(command)
        finally:
            os._exit(0)
    os.close(passes_on)
    threading.Thread(target=_end_after, args=(passed_on, numbers), daemon=True).start()


def _guard(command: int, numbers: int, passes_on: int) -> None:
    """In a process of its own: end the command by force some time after a signal; returns when it has ended."""
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_IGN)
    os.dup2(numbers, 0)
    os.dup2(passes_on, 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.closerange(3, 1024)  # whoever reads what the command prints does not wait for this process
    if number := _signal(0):
        with suppress(OSError):  # the command has ended already
            os.write(1, bytes([number]))
        time.sleep(_LONGEST_S)
        while os.getppid() == command:
            os.kill(command, signal.SIGKILL)
            time.sleep(0.01)
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, signal.SIG_DFL)  # what is started from here must not ignore them, too


def _end_after(passed_on: int, numbers: int) -> None:
    """Wait for a signal, which the guard passes on as long as it lives, and end this process some time later."""
    _signal(passed_on) or _signal(numbers)
    time.sleep(_PATIENCE_S)
    try:
        if select.select([], [2], [], 0)[1]:  # nobody may read it, and then a write would wait
            os.write(2, f"{STOPPED}\n".encode())
    finally:
        os._exit(INTERRUPTED)


def _signal(source: int) -> int:
    """The number of the next signal that ends a command; 0 if nobody can write one any more."""
    while number := os.read(source, 1):
        if number[0] in (signal.SIGINT, signal.SIGTERM):
            return number[0]
    return 0
