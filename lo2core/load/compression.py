"""Reads plain and compressed files (gzip, xz, bzip2, Zstandard), recognised by their first bytes, not by name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import IO, Any, BinaryIO

from lo2core.base.errors import InputError
from lo2core.base.untrusted import open_regular

MAX_RATIO = 400
"""Maximum of decompressed bytes per compressed byte; real logs reach about 30 with xz."""
USUAL_RATIO = 20
"""Typical ratio for LO2 logs; gzip reaches 13 to 25."""

CHUNK = 1 << 20
DAMAGED = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError)
_XZ_MEMORY = 128 << 20
"""Limit of memory to decompress xz; `xz -9` needs 65 MiB."""
_ZSTD_WINDOW = 27
"""Binary logarithm of the largest window of Zstandard: 128 MiB, which is that of `zstd --ultra -22`."""
COMPRESSED = r"\.(?:gz|xz|bz2|zst)"
LOG_ENDING = rf"\.log({COMPRESSED})?$"
_LOG = re.compile(rf"\.(?:log|out|err|jsonl|ndjson)(?:[-.][0-9][0-9T_.:-]*)?({COMPRESSED})?$", re.I)


def is_log(name: str) -> bool:
    """Whether a file has the name of a log or of a rotated piece of one, compressed or not."""
    return bool(_LOG.search(name))


def is_compressed_log(name: str) -> bool:
    """Whether a file has the name of a compressed log."""
    match = _LOG.search(name)
    return bool(match and match[1])


class _Xz(io.RawIOBase):
    """`lzma.open` with a limit of memory: a file of some kilobytes can ask for a dictionary of gigabytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._packed = b""
        self._stream = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data:
            if self._stream.eof and not self._next_stream():
                return 0
            if self._stream.needs_input and not self._packed:
                self._packed = self._file.read(io.DEFAULT_BUFFER_SIZE)
                if not self._packed:
                    raise EOFError("the compressed file ended before its end-of-stream marker")
            data = self._stream.decompress(self._packed, len(buffer))
            self._packed = b""
        buffer[: len(data)] = data
        return len(data)

    def _next_stream(self) -> bool:
        """Begin the stream behind the one that ended, if there is one; they may have zero bytes between them."""
        self._packed = self._stream.unused_data.lstrip(b"\0")
        while not self._packed:
            if not (more := self._file.read(io.DEFAULT_BUFFER_SIZE)):
                return False
            self._packed = more.lstrip(b"\0")
        self._stream = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
        return True


class _Zstandard(io.RawIOBase):
    """A file compressed by Zstandard, with a limit of memory. Raises zlib.error for a damaged file."""

    def __init__(self, file: BinaryIO) -> None:
        self._zstd = _zstandard()
        options = {self._zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
        self._content = self._zstd.ZstdFile(file, options=options)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return int(self._content.readinto(buffer))
        except self._zstd.ZstdError as error:
            raise zlib.error(str(error)) from error


def _zstandard() -> Any:
    """The module of Python 3.14, or its backport. Raises InputError without either."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return import_module(name)
        except ModuleNotFoundError:
            continue
    raise InputError(
        "Files compressed by Zstandard need the package backports.zstd: pip install 'lo2core[zstd]', or decompress "
        "them yourself."
    )


_OPENERS: Sequence[tuple[bytes, Any]] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\0", lambda file: io.BufferedReader(_Xz(file), CHUNK)),
    (b"\x28\xb5\x2f\xfd", lambda file: io.BufferedReader(_Zstandard(file), CHUNK)),
)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The content of a regular file, decompressed while it is read.

    Raises OSError as `open_regular`. Reading may raise `DAMAGED`, and OSError for bz2.
    """
    with open_regular(path) as file:
        head = file.read(6)
        file.seek(0)
        opener = next((opener for magic, opener in _OPENERS if head.startswith(magic)), nullcontext)
        with opener(file) as content:
            yield content


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
