"""Files as they are or packed by gzip, xz or bzip2: what they are is told by their first bytes, not by their name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from lo2core.errors import InputError

MAX_RATIO = 400
"""Unpacked bytes per packed byte; real logs reach about 30 with xz."""
USUAL_RATIO = 20
"""Of LO2 logs with gzip, which reach 13 to 25."""

CHUNK = 1 << 20
DAMAGED = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError)
_OPENERS: Sequence[tuple[bytes, Any]] = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open))
_LOG = re.compile(r"\.log(\.(gz|xz|bz2))?$", re.I)


def is_log(name: str) -> bool:
    """Whether a file's name says that it is a log, packed or not."""
    return bool(_LOG.search(name))


def is_packed(name: str) -> bool:
    """Whether a log's name says that it is packed."""
    found = _LOG.search(name)
    return bool(found and found[2])


def opened(path: Path) -> IO[bytes]:
    """The file's content, unpacked while it is read; reading it may raise one of `DAMAGED`, and bz2 an OSError."""
    return (_opener(path) or Path.open)(path, "rb")


def _opener(path: Path) -> Callable[[Path, str], IO[bytes]] | None:
    """What opens a packed file; None where it is not packed."""
    with path.open("rb") as file:
        head = file.read(6)
    return next((opener for magic, opener in _OPENERS if head.startswith(magic)), None)


def most(packed: int) -> int:
    """Bytes that so many packed ones may become; small files may be packed better."""
    return max(64 << 20, packed * MAX_RATIO)


def content(path: Path) -> bytes:
    """All of a log; raises InputError where it cannot be read, is damaged, or becomes far more than logs do."""
    try:
        return b"".join(_unpacked(path)) if _opener(path) else path.read_bytes()
    except DAMAGED as error:
        raise InputError(f"{path} is damaged ({error}). Copy it again, or move it away.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}. Mend it, or move it away.") from error


def _unpacked(path: Path) -> Iterator[bytes]:
    budget = most(path.stat().st_size)
    with opened(path) as file:
        while piece := file.read(CHUNK):
            budget -= len(piece)
            if budget < 0:
                raise InputError(f"{path} unpacks to far more than its size allows; unpack it yourself.")
            yield piece
