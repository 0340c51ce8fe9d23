"""Notes of people about files and folders, as text files in `<folder>/.notes/`; they move with what they are about."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from lo2core.base.errors import InputError
from lo2core.base.untrusted import printable, read_small
from lo2core.store.atomic import writable, write_bytes_atomic

MOST_CHARACTERS = 1000


def note_path(path: str) -> str:
    """Where the note about `path` is; both are relative to the same folder."""
    return f".notes/{path}.txt"


def note_of(folder: Path, path: str) -> str:
    """The note about `path` below `folder`; empty if there is none."""
    with suppress(OSError, ValueError):
        return printable(read_small(folder / note_path(path), 8 * MOST_CHARACTERS).decode(errors="replace")).strip()
    return ""


def set_note(folder: Path, path: str, text: str) -> None:
    """Replace the note about `path`; an empty text removes it. Raises InputError if it is too long."""
    file = folder / note_path(path)
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"A note has at most {MOST_CHARACTERS:,} characters, this one has {len(text):,}.")
    if text.strip():
        write_bytes_atomic(file, text.strip().encode(errors="replace"), replace=True)
    elif file.exists():
        with writable(file):
            file.unlink(missing_ok=True)
