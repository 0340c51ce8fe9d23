"""What is read as a whole: a test case in windows, a file of several containers, records that are no lines, a table."""

from __future__ import annotations

from lo2core.base.memory import check_memory

LARGE = 32 << 20
"""Bytes of text from which on a log is read in pieces, if it can be."""
TIMES, TIMES_RECORDS = 10, 17
"""Bytes of memory for each byte of text, and of records that are no lines; measured, see docs/files.md."""


def check_whole(name: str, n_bytes: int, times: int = TIMES) -> None:
    """Raises InputError if there is not enough memory to read so many bytes of text as a whole. name: of the file."""
    if n_bytes > LARGE:
        advice = "Divide it, or load it on a machine with more memory: docs/files.md says what is read as a whole."
        check_memory(n_bytes * times, f"Reading {name} as a whole", advice)
