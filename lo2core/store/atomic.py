"""Atomic writes: a temporary file in the same folder is flushed, then renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lo2core.base.claims import claimed_file
from lo2core.base.errors import ArtefactError, ExistsError


def write_atomic(path: Path, writer: Callable[[Path], object], *, replace: bool = False) -> None:
    """Let `writer` fill a temporary file in the same folder, then rename it to `path`.

    Raises `ExistsError` if `path` exists and `replace` is false, even if it appears meanwhile, and `ArtefactError` if
    the file cannot be written. After any error, the previous file is unchanged.
    """
    path = Path(path)
    if not replace and path.exists():
        raise already_there(path)
    with writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        claim = claimed_file(path)
        try:
            writer(claim.path)
            fsync(claim.path)
            publish(claim.path, path, replace)
            fsync(path.parent)
        finally:
            claim.end()


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Raise what goes wrong while `path` is written as `ArtefactError`."""
    try:
        yield
    except OSError as error:
        raise ArtefactError(f"{path} could not be written: {error.strerror or error}.") from error


def write_bytes_atomic(path: Path, data: bytes, *, replace: bool = False) -> None:
    """`write_atomic` of bytes."""
    write_atomic(path, lambda temporary: temporary.write_bytes(data), replace=replace)


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
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
