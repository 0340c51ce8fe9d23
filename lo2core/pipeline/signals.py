"""Ends a command within two seconds of SIGTERM or Ctrl-C, also while it waits or while compiled code runs.

Python handles a signal when the main thread is back in Python code. Until then the work gets some time to end tidily:
temporary files are removed, and locks released. A thread that learns of the signal at once ends the process after that.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time

INTERRUPTED = 130
"""Exit status of a command that was stopped by SIGTERM or Ctrl-C."""
STOPPED = "lo2core: stopped; what was finished is kept."
_PATIENCE_S = 0.8


def end_on_signals() -> None:
    """From now on, SIGTERM raises KeyboardInterrupt, as Ctrl-C does, and neither can be waited out."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_end_after, args=(reader,), daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def _end_after(reader: int) -> None:
    while os.read(reader, 1)[0] not in (signal.SIGINT, signal.SIGTERM):
        pass
    time.sleep(_PATIENCE_S)
    try:
        if select.select([], [2], [], 0)[1]:  # nobody may read it, and then a write would wait
            os.write(2, f"{STOPPED}\n".encode())
    finally:
        os._exit(INTERRUPTED)
