"""Atomic writes: a temporary file in the same folder is flushed, then renamed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from lo2core.base.errors import ArtefactError, ExistsError


def write_atomic(path: Path, writer: Callable[[Path], object], *, replace: bool = False) -> None:
    """Let `writer` fill a temporary file in the same folder, then rename it to `path`.

    Raises `ExistsError` if `path` exists and `replace` is false, even if it appears meanwhile, and `ArtefactError` if
    the file cannot be written. After any error, the previous file is unchanged.
    """
    path = Path(path)
    if not replace and path.exists():
        raise already_there(path)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer(temporary)
        fsync(temporary)
        _publish(temporary, path, replace)
        fsync(path.parent)
    except OSError as error:
        raise ArtefactError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        _forget(temporary)


def write_bytes_atomic(path: Path, data: bytes, *, replace: bool = False) -> None:
    """`write_atomic` of bytes."""
    write_atomic(path, lambda temporary: temporary.write_bytes(data), replace=replace)


def write_json_atomic(path: Path, value: object, *, replace: bool = False) -> None:
    """`write_atomic` of indented JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write_bytes_atomic(path, text.encode(), replace=replace)


def _publish(temporary: Path, path: Path, replace: bool) -> None:
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


def _forget(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:  # no such folder, or no permission: then there is no temporary file either
        return


def remove_leftovers(folder: Path, older_than: float = 3600) -> None:
    """Remove temporary files in `folder` that a killed process left behind more than `older_than` seconds ago."""
    for path in folder.glob(".*.tmp"):
        if path.is_file() and time.time() - path.stat().st_mtime > older_than:
            _forget(path)
