"""Reads plain files and files compressed by gzip, xz or bzip2, recognised by their first bytes, not by name."""

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
"""Maximum of decompressed bytes per compressed byte; real logs reach about 30 with xz."""
USUAL_RATIO = 20
"""Typical ratio for LO2 logs; gzip reaches 13 to 25."""

CHUNK = 1 << 20
DAMAGED = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError)
_OPENERS: Sequence[tuple[bytes, Any]] = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open))
LOG_ENDING = r"\.log(\.(?:gz|xz|bz2))?$"
_LOG = re.compile(LOG_ENDING, re.I)


def is_log(name: str) -> bool:
    """Whether a file has the name of a log, compressed or not."""
    return bool(_LOG.search(name))


def is_compressed_log(name: str) -> bool:
    """Whether a file has the name of a compressed log."""
    match = _LOG.search(name)
    return bool(match and match[1])


def opened(path: Path) -> IO[bytes]:
    """The content of a file, decompressed while it is read. Reading may raise `DAMAGED`, and OSError for bz2."""
    with path.open("rb") as file:
        head = file.read(6)
    opener = next((opener for magic, opener in _OPENERS if head.startswith(magic)), Path.open)
    return cast(IO[bytes], opener(path, "rb"))


def max_decompressed(compressed: int) -> int:
    """The limit of decompressed bytes for so many compressed ones; for small files the ratio may be higher."""
    return max(64 << 20, compressed * MAX_RATIO)


def content(path: Path) -> bytes:
    """The whole content of a log. Raises InputError as `pieces`."""
    return b"".join(pieces(path))


def pieces(path: Path) -> Iterator[bytes]:
    """The content of a log in pieces.

    Raises InputError for a file that cannot be read, is damaged, or decompresses to far more than logs do.
    """
    try:
        remaining = max_decompressed(path.stat().st_size)
        with opened(path) as file:
            while piece := file.read(CHUNK):
                remaining -= len(piece)
                if remaining < 0:
                    raise InputError(
                        f"{path} decompresses to far more bytes than expected from its size. Decompress it yourself if "
                        "this is right, then load it."
                    )
                yield piece
    except DAMAGED as error:
        raise InputError(f"{path} is damaged ({error}). Copy it again, or move it to another folder.") from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path} cannot be read: {reason}. Repair it, or move it to another folder.") from error
