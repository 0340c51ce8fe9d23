"""A folder that all tests share and the first of them fills."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """`folder`, filled by `make` unless another worker has done that already."""
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder
