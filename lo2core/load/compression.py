"""Files as they are or compressed by gzip, xz or bzip2: their first bytes tell which, not their names."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

from lo2core.base.errors import InputError

MAX_RATIO = 400
"""Decompressed bytes per compressed byte; real logs reach about 30 with xz."""
USUAL_RATIO = 20
"""Of LO2 logs with gzip, which reach 13 to 25."""

CHUNK = 1 << 20
DAMAGED = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError)
_OPENERS: Sequence[tuple[bytes, Any]] = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open))
LOG_ENDING = r"\.log(\.(?:gz|xz|bz2))?$"
_LOG = re.compile(LOG_ENDING, re.I)


def is_log(name: str) -> bool:
    """Whether a file's name says that it is a log, compressed or not."""
    return bool(_LOG.search(name))


def is_compressed_log(name: str) -> bool:
    """Whether a file's name says that it is a compressed log."""
    found = _LOG.search(name)
    return bool(found and found[1])


def opened(path: Path) -> IO[bytes]:
    """The file's content, decompressed while it is read; that may raise one of `DAMAGED`, and bz2 an OSError."""
    with path.open("rb") as file:
        head = file.read(6)
    opener = next((opener for magic, opener in _OPENERS if head.startswith(magic)), Path.open)
    return cast(IO[bytes], opener(path, "rb"))


def most(compressed: int) -> int:
    """Bytes that so many compressed ones may become; small files may be compressed better."""
    return max(64 << 20, compressed * MAX_RATIO)


def content(path: Path) -> bytes:
    """All of a log; raises as `pieces`."""
    return b"".join(pieces(path))


def pieces(path: Path) -> Iterator[bytes]:
    """A log in pieces; raises InputError where it cannot be read, is damaged, or becomes far more than logs do."""
    try:
        budget = most(path.stat().st_size)
        with opened(path) as file:
            while piece := file.read(CHUNK):
                budget -= len(piece)
                if budget < 0:
                    raise InputError(f"{path} unpacks to far more than its size allows; unpack it yourself.")
                yield piece
    except DAMAGED as error:
        raise InputError(f"{path} is damaged ({error}). Copy it again, or move it away.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}. Mend it, or move it away.") from error
