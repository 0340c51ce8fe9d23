"""The trash of a folder, `<folder>/.trash/<id>/`: what was deleted, and where it was.

entry.json   kind, name, time, and the paths that were moved here; the files are next to it
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from lo2core.base.clock import moment, now
from lo2core.base.errors import InputError, choices
from lo2core.base.untrusted import json_value, printable, read_small
from lo2core.store.atomic import write_json_atomic
from lo2core.store.moves import MOVES, finish_moves, is_below, move_together

TRASH = ".trash"
_ENTRY = "entry.json"


@dataclass(frozen=True)
class Trashed:
    """Something in the trash of `folder`. paths: where it was, relative to `folder`."""

    folder: Path
    id: str
    kind: str
    name: str
    deleted: datetime | None
    paths: tuple[str, ...]

    @property
    def bytes(self) -> int:
        return used_space(self.folder / TRASH / self.id)


def discard(folder: Path, kind: str, name: str, paths: Sequence[str]) -> Trashed:
    """Move paths below `folder` to its trash; raises as `move_together`."""
    entry_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid4().hex[:6]}"
    inside = f"{TRASH}/{entry_id}"
    facts = {"kind": kind, "name": name, "deleted": now(), "paths": list(paths)}
    write_json_atomic(folder / inside / _ENTRY, facts)
    try:
        move_together(folder, [(path, f"{inside}/{path}") for path in paths])
    except BaseException:
        if not (folder / MOVES).exists():  # else it was decided, and the next command completes it
            shutil.rmtree(folder / inside, ignore_errors=True)
        raise
    return Trashed(folder, entry_id, kind, name, moment(facts["deleted"]), tuple(paths))


def trashed(folder: Path) -> list[Trashed]:
    """What is in the trash of `folder`, newest first."""
    finish_moves(folder)
    found = [_entry(folder, path) for path in folder.glob(f"{TRASH}/[!.]*")]
    return sorted(filter(None, found), key=lambda entry: entry.id, reverse=True)


def restore(entry: Trashed) -> None:
    """Move an entry back to where it was; raises `ExistsError` if something else is there now."""
    inside = f"{TRASH}/{entry.id}"
    # What counts for readers was moved first, and comes back last, when all that belongs to it is there.
    back = [(f"{inside}/{path}", path) for path in reversed(entry.paths)]
    move_together(entry.folder, back, removed=[inside])


def chosen(entries: Sequence[Trashed], entry_id: str) -> Trashed:
    """The entry with this id; raises InputError if there is none."""
    by_id = {entry.id: entry for entry in entries}
    if entry_id not in by_id:
        raise InputError(f"There is no {entry_id!r} in the trash. {choices(entry_id, by_id)}")
    return by_id[entry_id]


def used_space(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; links count as nothing."""
    if path.is_dir() and not path.is_symlink():
        return sum(_bytes(Path(folder) / name) for folder, _, names in os.walk(path) for name in names)
    return _bytes(path)


def _bytes(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # it was removed meanwhile
        return 0


def _entry(folder: Path, path: Path) -> Trashed | None:
    """An entry that `discard` made; None for anything else, and for one whose files are not there."""
    try:
        facts = json_value(read_small(path / _ENTRY))
        paths = tuple(facts["paths"])
        kind, name, deleted = str(facts["kind"]), printable(str(facts["name"])), moment(facts["deleted"])
    except (OSError, ValueError, LookupError, TypeError):
        return None
    if not paths or not all(map(is_below, paths)) or not (path / paths[0]).exists():
        return None
    return Trashed(folder, path.name, kind, name, deleted, paths)
