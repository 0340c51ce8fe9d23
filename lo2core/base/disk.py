"""Trouble with a disk in one sentence: it is full, read-only or broken. Also a check of its space beforehand.

The libraries report the same trouble in different ways: Python by an OSError with a number, polars and pyarrow by
errors of their own with the number in their text.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from lo2core.base.errors import DiskError, Lo2Error
from lo2core.base.text import size

_FULL = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota of your account is used up",
}
_OTHER = {
    errno.EFBIG: "it is larger than a file may be there (see `ulimit -f`). Choose another folder, or raise the limit.",
    errno.EROFS: "the disk is read-only. Choose another folder.",
    errno.EIO: "the disk reports an error. Check the disk, or choose a folder on another one.",
}
_NO_TEMPORARY = (
    "There is no folder for temporary files that can be written to: make room in /tmp, or set TMPDIR to another folder."
)
_NUMBER = re.compile(r"(?:os error |Errno )(\d+)")


@contextmanager
def writing(path: str | os.PathLike[str] | None = None, needed: int = 0) -> Iterator[None]:
    """Raises `DiskError` instead of any error within the block that a full, read-only or broken disk causes.

    path: the file that is being written; None where only the error can know it. needed: its size in bytes, if known.
    """
    try:
        yield
    except Exception as error:
        if found := disk_error(error, path, needed):
            raise found from error
        raise


def disk_error(error: BaseException, path: str | os.PathLike[str] | None = None, needed: int = 0) -> DiskError | None:
    """The same error as a sentence, if a full, read-only or broken disk caused it; see `writing`."""
    if "No usable temporary directory" in str(error):
        return DiskError(_NO_TEMPORARY)
    number = _number(error)
    if number is None and path and type(error).__module__.startswith(("polars", "pyarrow")):
        number = _refusal(Path(path).parent)  # some of their errors do not contain what the system said
    if number not in (*_FULL, *_OTHER):
        return None
    named = path or getattr(error, "filename", None)
    return DiskError(_sentence(number, Path(os.fsdecode(named)) if named else None, needed))


def check_space(folder: str | os.PathLike[str], needed: int, what: str) -> None:
    """Raises `DiskError` if the disk of `folder`, which need not exist yet, has less than `needed` free bytes.

    what: the start of the sentence, such as "Loading these logs".
    """
    place, free = _free(Path(folder))
    if free < needed:
        raise DiskError(
            f"{what} needs about {size(needed)} in {place}, but only {size(free)} are free there. Make room, or choose "
            "a folder on another disk."
        )


def _number(error: BaseException) -> int | None:
    if isinstance(error, Lo2Error):  # it is a sentence already
        return None
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _NUMBER.search(str(error))
    return int(found[1]) if found else None


def _refusal(folder: Path) -> int | None:
    """The number of the error with which a folder refuses a small file; None if it takes one."""
    try:
        with TemporaryFile(dir=folder) as file:
            file.write(bytes(1 << 16))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno
    return None


def _sentence(number: int, path: Path | None, needed: int) -> str:
    what = f"{path} was not written" if path else "Nothing more can be written"
    if number in _OTHER:
        return f"{what}: {_OTHER[number]}"
    where = f"{_space(path, needed)}. Make room there" if path else ". Make room"
    return f"{what}: {_FULL[number]}{where}, then repeat what you did."


def _space(path: Path, needed: int) -> str:
    folder, free = _free(path.parent)
    facts = [f"{size(needed)} needed"] if needed else []
    facts.append(f"{size(free)} free in {folder}")
    if hasattr(os, "statvfs") and (entries := os.statvfs(folder)).f_files and not entries.f_favail:
        facts.append("no further file can be made there")
    return f" ({', '.join(facts)})"


def _free(folder: Path) -> tuple[Path, int]:
    """The nearest folder that exists, and its free bytes."""
    for place in (folder.absolute(), *folder.absolute().parents):
        with suppress(OSError):
            return place, shutil.disk_usage(place).free
    return folder, 0
