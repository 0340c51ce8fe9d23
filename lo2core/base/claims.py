"""Temporary files and folders that their process has claimed, so that those of killed processes can be told apart.

A claim is a file lock on the temporary file or folder itself. It ends with its process, however that ends. What nobody
claims was left behind by a killed process, and `remove_unclaimed` removes it. On a file system without file locks there
are no claims, and nothing is removed.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import lock_descriptor

SUFFIX = ".tmp"
_TEMPORARY = re.compile(rf"\..+\.[0-9a-f]{{8}}{re.escape(SUFFIX)}", re.DOTALL)
"""Names that `_hidden` gives: other programs have hidden temporary files, too."""
UNPACKED = "lo2-unpacked-"
"""Prefix of the folders that archives are unpacked to."""


class Claim:
    """A new temporary file or folder, claimed until `end`."""

    def __init__(self, name: Callable[[], Path], make: Callable[[Path], int | None]) -> None:
        """make: creates the path that `name` gives, and opens it; None if it was removed in between."""
        while True:
            self.path = name()
            descriptor = make(self.path)
            if descriptor is None:
                continue
            if _is_ours(descriptor, self.path):
                self._descriptor = descriptor
                return
            os.close(descriptor)  # taken for a leftover in the moment before it was claimed: another one

    def end(self, *, keep: bool = False) -> None:
        """Remove the file or folder, unless `keep` is given or it was renamed; then give up the claim."""
        if not keep:
            _remove(self.path)
        os.close(self._descriptor)


def claimed_file(path: Path) -> Claim:
    """A new empty file in the folder of `path`, with a hidden name that is made from its name."""
    return Claim(lambda: _hidden(path), lambda new: os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))


def claimed_folder(path: Path) -> Claim:
    """As `claimed_file`, but a folder."""
    return Claim(lambda: _hidden(path), _made_folder)


class UnpackingFolder(tempfile.TemporaryDirectory[str]):
    """A claimed folder among the temporary files of the system; gone after its `with` block, or with its last use."""

    def __init__(self) -> None:
        while True:
            super().__init__(prefix=UNPACKED)
            descriptor = _opened(Path(self.name))
            if descriptor is None:
                continue
            weakref.finalize(self, os.close, descriptor)
            if _is_ours(descriptor, Path(self.name)):
                return


@contextmanager
def locked(path: Path, patience: float = 30.0) -> Iterator[None]:
    """Hold a lock on the file at `path`, which is made for it and removed afterwards.

    Raises `TimeoutError` if others hold it for `patience` seconds, and OSError if the file cannot be made.
    """
    deadline = time.monotonic() + patience
    while not _is_ours(descriptor := os.open(path, os.O_RDWR | os.O_CREAT, 0o666), path):
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, f"another process holds {path.name}")
        time.sleep(0.005)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def remove_unclaimed(folder: Path, of: str = "", first: Callable[[], object] = lambda: None) -> None:
    """Remove the temporary files and folders in `folder` that killed processes left behind.

    of: only those whose names were made from this name. first: called before one is removed, while nobody else can.
    """
    _remove_all((path for path in folder.glob(f".*{SUFFIX}") if _is_temporary(path.name, of)), first)


def remove_unpacked() -> None:
    """Remove the unpacked archives that killed processes of this user left behind."""
    _remove_all(Path(tempfile.gettempdir()).glob(f"{UNPACKED}*"))


def _hidden(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid4().hex[:8]}{SUFFIX}")


def _is_temporary(name: str, of: str) -> bool:
    """Whether `_hidden` makes such a name, from the name `of` if that is given."""
    return _TEMPORARY.fullmatch(name) is not None and (not of or name[1:].rpartition(SUFFIX)[0][:-9] == of)


def _made_folder(path: Path) -> int | None:
    path.mkdir()
    return _opened(path)


def _opened(folder: Path) -> int | None:
    """A new folder, opened; None if another process took it for a leftover and removed it."""
    try:
        return os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None


def _is_ours(descriptor: int, path: Path) -> bool:
    """Claim an open file or folder; false if another process has claimed or removed it."""
    try:
        return lock_descriptor(descriptor, blocking=False) and os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
    except OSError:  # a file system without file locks
        return True


def _remove_all(paths: Iterable[Path], first: Callable[[], object] = lambda: None) -> None:
    with suppress(OSError):  # a folder that cannot be read
        for path in paths:
            with suppress(OSError):
                _remove_if_unclaimed(path, first)


def _remove_if_unclaimed(path: Path, first: Callable[[], object]) -> None:
    found = path.lstat()
    is_folder = stat.S_ISDIR(found.st_mode)
    if found.st_uid != os.getuid() or not (is_folder or stat.S_ISREG(found.st_mode)):
        return
    descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        if lock_descriptor(descriptor, blocking=False) and os.path.samestat(os.fstat(descriptor), path.lstat()):
            first()
            _remove(path)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):  # it was renamed, or its folder is gone
        path.unlink()
