"""Files of a folder that change together: a reader sees all of the old ones or all of the new ones.

    .lo2-journal.json   the new files under their temporary names, and the files to remove
    .lo2-journal.lock   locked while a change is carried out

A `Change` writes each new file under a temporary name next to the old one. Then it writes the journal, atomically: that
is the moment of the change, for from then on readers find the new files through the journal. Last, the files are
renamed one by one and the journal is removed. If the process is killed before the journal is there, nothing has
changed; if it is killed later, the next change of the folder or `recover` does the rest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from lo2core.base.claims import SUFFIX, Claim, claimed_file, locked, remove_unclaimed
from lo2core.base.errors import ArtefactError
from lo2core.base.untrusted import json_value, open_regular, read_small
from lo2core.store.atomic import already_there, fsync, json_bytes, publish, writable, write_json_atomic

JOURNAL, LOCK = ".lo2-journal.json", ".lo2-journal.lock"
_ATTEMPTS = 1000
"""How often files are opened again because they changed meanwhile."""


class Change:
    """New files of a folder, which replace the old ones together at the end of the `with` block.

    After an error in the block nothing has changed. `id` is new for each change.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.id = folder, uuid4().hex
        self._claims: dict[str, Claim] = {}
        self._new_names: set[str] = set()
        self._removed: set[str] = set()
        self._checks: list[Callable[[], None]] = []
        self._decided = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            if error is None:
                self._commit()
        finally:
            for claim in self._claims.values():
                claim.end(keep=self._decided)

    def write(self, name: str, writer: Callable[[Path], object], *, replace: bool = False, needed: int = 0) -> Path:
        """Let `writer` fill the new file; returns the path that it will have. needed: its size in bytes, if known.

        Raises `ExistsError` if there is such a file and `replace` is false, now or at the end of the block, and
        `ArtefactError` if the file cannot be written.
        """
        path = self.folder / name
        if not replace:
            self._new_names.add(name)
            self._refuse_existing()
        with writable(path, needed):
            self.folder.mkdir(parents=True, exist_ok=True)
            if before := self._claims.pop(name, None):
                before.end()
            claim = self._claims[name] = claimed_file(path)
            writer(claim.path)
            fsync(claim.path)
        return path

    def write_json(self, name: str, value: object, *, replace: bool = False) -> Path:
        """`write` of indented JSON."""
        return self.write(name, lambda to: to.write_bytes(json_bytes(value)), replace=replace)

    def remove(self, name: str) -> None:
        """Remove the file, if it exists."""
        self._removed.add(name)

    def expect(self, check: Callable[[], None]) -> None:
        """Call `check` right before the change, while no other change of the folder is possible; it may raise."""
        self._checks.append(check)

    def _commit(self) -> None:
        if not self._claims and not any(current(self.folder / name) for name in self._removed):
            return
        with writable(self.folder), locked(self.folder / LOCK):
            _finish(self.folder)
            self._refuse_existing()
            for check in self._checks:
                check()
            if len(self._claims) == 1 and not self._removed:
                ((name, claim),) = self._claims.items()
                publish(claim.path, self.folder / name, name not in self._new_names)
                fsync(self.folder)
                return
            renamed = {name: claim.path.name for name, claim in self._claims.items()}
            try:
                journal = {"renamed": renamed, "removed": sorted(self._removed)}
                write_json_atomic(self.folder / JOURNAL, journal, replace=True)
            finally:
                self._decided = (self.folder / JOURNAL).exists()
            _finish(self.folder)

    def _refuse_existing(self) -> None:
        for name in self._new_names:
            if current(self.folder / name):
                raise already_there(self.folder / name)


def part_of(change: Change | None, folder: Path) -> AbstractContextManager[Change]:
    """The change itself, which ends later, or a change of its own for one file."""
    return nullcontext(change) if change else Change(folder)


def current(path: Path) -> Path | None:
    """Where the file that counts as `path` is now: under its temporary name while a change is carried out.

    None if there is none.
    """
    journal = _read_journal(path.parent)
    if path.name in journal.removed:
        return None
    temporary = journal.renamed.get(path.name)
    places = [path.with_name(temporary), path] if temporary else [path]
    return next(filter(_exists, places), None)


def names(folder: Path, ending: str) -> list[str]:
    """Sorted names with this ending of what is in `folder`, without hidden ones."""
    journal = _read_journal(folder)
    there = {path.name for path in folder.glob(f"[!.]*{ending}")}
    new = {name for name in journal.renamed if name.endswith(ending)}
    return sorted((there | new) - journal.removed)


def opened(path: Path) -> BufferedReader | None:
    """The file that counts as `path`, open for reading; None if there is none. Raises OSError as `open_regular`."""
    return opened_together([path])[0]


def opened_together(paths: Sequence[Path]) -> list[BufferedReader | None]:
    """The files that count as `paths`, all at one moment, open for reading; None for those that do not exist.

    A file that is replaced later stays readable through the open one. Raises OSError as `open_regular`.
    """
    for _ in range(_ATTEMPTS):
        with ExitStack() as stack:
            files = [_open(path) for path in paths]
            for file in filter(None, files):
                stack.enter_context(file)
            if all(_is_current(file, path) for file, path in zip(files, paths, strict=True)):
                stack.pop_all()
                return files
    raise ArtefactError(f"{paths[0].parent} is written to all the time: try again when that has ended.")


def _open(path: Path) -> BufferedReader | None:
    place = current(path)
    with suppress(FileNotFoundError):  # renamed or removed in this moment, which `_is_current` will see
        return open_regular(place) if place else None
    return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True
    except (OSError, ValueError):  # such as a name that is too long
        return False


def _is_current(file: BufferedReader | None, path: Path) -> bool:
    place = current(path)
    if file is None or place is None:
        return file is None and place is None
    try:
        return os.path.samestat(os.fstat(file.fileno()), place.stat())
    except FileNotFoundError:
        return False


def recover(folder: Path) -> None:
    """Finish what a killed process had decided to change in the folder, and remove what killed processes left there.

    A folder that cannot be written stays as it is: readers do not depend on it.
    """
    with suppress(OSError):
        hidden = [path.name for path in folder.glob(".*")]
        if any(name.endswith(SUFFIX) or name in (JOURNAL, LOCK) for name in hidden):
            with locked(folder / LOCK):
                _finish(folder)
                remove_unclaimed(folder)


def _finish(folder: Path) -> None:
    """Carry out the journal; the lock must be held."""
    path = folder / JOURNAL
    if not path.exists():
        return
    journal = _read_journal(folder)
    for name, temporary in journal.renamed.items():
        with suppress(FileNotFoundError):  # renamed already
            (folder / temporary).replace(folder / name)
    for name in journal.removed:
        (folder / name).unlink(missing_ok=True)
    fsync(folder)
    path.unlink(missing_ok=True)
    fsync(folder)


@dataclass(frozen=True)
class _Journal:
    renamed: Mapping[str, str] = field(default_factory=dict)
    """The temporary names of new files, by their final names."""
    removed: frozenset[str] = frozenset()


def _read_journal(folder: Path) -> _Journal:
    """The journal of a folder; empty if there is none, or what is there was not written by a `Change`."""
    try:
        found = json_value(read_small(folder / JOURNAL))
        renamed, removed = dict(found["renamed"]), frozenset(found["removed"])
    except (OSError, ValueError, LookupError, TypeError):
        return _Journal()
    fits = all(_is_temporary_of(name, temporary) for name, temporary in renamed.items())
    return _Journal(renamed, removed) if fits and all(map(_is_name, removed)) else _Journal()


def _is_name(name: object) -> bool:
    return isinstance(name, str) and bool(name) and name == Path(name).name and name[0] != "." and "\0" not in name


def _is_temporary_of(name: object, temporary: object) -> bool:
    """Whether a pair of a journal is one that `claimed_file` makes: no other file may be touched."""
    pattern = rf"\.{re.escape(str(name))}\.[0-9a-f]{{8}}{re.escape(SUFFIX)}"
    return _is_name(name) and isinstance(temporary, str) and re.fullmatch(pattern, temporary) is not None
