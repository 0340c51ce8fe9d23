"""Atomic writes: a temporary file in the same folder is flushed, then renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lo2core.base.claims import claimed_file
from lo2core.base.disk import writing
from lo2core.base.errors import ArtefactError, ExistsError


def write_atomic(path: Path, writer: Callable[[Path], object], *, replace: bool = False, needed: int = 0) -> None:
    """Let `writer` fill a temporary file in the same folder, then rename it to `path`. Missing folders are made.

    needed: the size of the file in bytes, if known. Raises `ExistsError` if `path` exists and `replace` is false, even
    if it appears meanwhile, `DiskError` if the disk is full or broken, and `ArtefactError` if the file cannot be
    written for another reason. After any error, the previous file is unchanged.
    """
    path = Path(path)
    if not replace and path.exists():
        raise already_there(path)
    with writable(path, needed):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_in_folder(path, writer, replace=replace, needed=needed)


def write_in_folder(path: Path, writer: Callable[[Path], object], *, replace: bool = False, needed: int = 0) -> None:
    """`write_atomic` in a folder that must be there; raises `ArtefactError` if it is not."""
    with writable(path, needed):
        claim = claimed_file(path)
        try:
            with writing(path, needed):  # while what was written takes its place on the disk
                writer(claim.path)
                fsync(claim.path)
            publish(claim.path, path, replace)
            fsync(path.parent)
        finally:
            claim.end()


@contextmanager
def writable(path: Path, needed: int = 0) -> Iterator[None]:
    """Raise what goes wrong while `path` is written as `DiskError` or another `ArtefactError`."""
    try:
        with writing(path, needed):
            yield
    except OSError as error:
        raise ArtefactError(f"{path} could not be written: {error.strerror or error}.") from error


def write_bytes_atomic(path: Path, data: bytes, *, replace: bool = False) -> None:
    """`write_atomic` of bytes."""
    write_atomic(path, lambda file: file.write_bytes(data), replace=replace, needed=len(data))


def write_json_atomic(path: Path, value: object, *, replace: bool = False) -> None:
    """`write_atomic` of indented JSON."""
    write_bytes_atomic(path, json_bytes(value), replace=replace)


def json_bytes(value: object) -> bytes:
    """Indented JSON with a line break at the end."""
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def publish(temporary: Path, path: Path, replace: bool) -> None:
    """Rename a complete file to its final name; raises `ExistsError` as `write_atomic`."""
    if replace:
        temporary.replace(path)
        return
    try:
        os.link(temporary, path)  # unlike a rename it fails if the file exists meanwhile
    except FileExistsError:
        raise already_there(path) from None
    except OSError:  # a file system without hard links
        if path.exists():
            raise already_there(path) from None
        temporary.replace(path)


def already_there(path: Path) -> ExistsError:
    return ExistsError(f"{path} already exists and was not changed: use --replace to overwrite it, or another name.")


def fsync(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on the disk; Windows cannot do the latter."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
