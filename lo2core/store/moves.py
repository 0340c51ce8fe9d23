"""Files and folders below one folder that are moved together: renamed, or moved to the trash and back.

    .lo2-moves.json   what is moved where, and what is removed afterwards

The file is written before the first move and removed after the last one, so the next command completes what a killed
process has begun. The first move is the one that counts for readers: what follows belongs to it.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from lo2core.base.claims import locked
from lo2core.base.untrusted import json_value, read_small
from lo2core.store.atomic import already_there, fsync, writable, write_json_atomic
from lo2core.store.changes import LOCK, recover

MOVES = ".lo2-moves.json"

Move = tuple[str, str]
"""Where something is and where it goes, both relative to the folder."""


def move_together(folder: Path, moves: Sequence[Move], removed: Sequence[str] = ()) -> None:
    """Move files and folders below `folder`; then remove the paths `removed`, which need not exist.

    Raises `ExistsError` if there is something at a new place, and `ArtefactError` if the folder cannot be written; then
    nothing was moved.
    """
    finish_moves(folder)
    for name in {str(PurePosixPath(path).parent) for path, _ in moves}:
        recover(folder / name)
    with writable(folder / MOVES), locked(folder / LOCK):
        for _, to in moves:
            if (folder / to).exists():
                raise already_there(folder / to)
        write_json_atomic(folder / MOVES, {"moves": moves, "removed": list(removed)}, replace=True)
        _carry_out(folder)


def finish_moves(folder: Path) -> None:
    """Complete what a killed process has begun to move; a folder that cannot be written stays as it is."""
    with suppress(OSError):
        if (folder / MOVES).exists():
            with locked(folder / LOCK):
                _carry_out(folder)


def _carry_out(folder: Path) -> None:
    moves, removed = _read(folder / MOVES)
    for start, end in moves:
        source, target = folder / start, folder / end
        if source.exists() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
            fsync(target.parent)
    for name in removed:
        path = folder / name
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    (folder / MOVES).unlink(missing_ok=True)
    fsync(folder)


def _read(path: Path) -> tuple[list[Move], list[str]]:
    """The moves and removals; none where the file is not one that `move_together` writes."""
    try:
        found = json_value(read_small(path))
        moves, removed = [(start, end) for start, end in found["moves"]], list(found["removed"])
    except (OSError, ValueError, LookupError, TypeError):
        return [], []
    fits = all(map(is_below, [*(path for move in moves for path in move), *removed]))
    return (moves, removed) if fits else ([], [])


def is_below(path: object) -> bool:
    """Whether a recorded path leads to something below the folder that it is relative to."""
    if not isinstance(path, str) or not path or "\0" in path:
        return False
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and ".." not in parts
