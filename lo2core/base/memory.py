"""The memory of the machine: whether there is enough of it for what is read as a whole."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from lo2core.base.errors import InputError
from lo2core.base.text import size

_MEMINFO = Path("/proc/meminfo")


def available() -> int | None:
    """Bytes that a process can take without swapping; None on systems that do not tell."""
    with suppress(OSError):
        if found := re.search(r"^MemAvailable: +(\d+) kB$", _MEMINFO.read_text(), re.MULTILINE):
            return int(found[1]) << 10
    return None


def check_memory(needed: int, what: str, advice: str) -> None:
    """Raises InputError if less than `needed` bytes are available.

    what: the start of the sentence, such as "Reading cart.log". advice: what to do, as a sentence.
    """
    free = available()
    if free is not None and free < needed:
        raise InputError(f"{what} needs about {size(needed)} of memory, but only {size(free)} are available. {advice}")
