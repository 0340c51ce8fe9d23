"""Reads plain and compressed files (gzip, xz, bzip2, Zstandard), recognised by their first bytes, not by name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, BinaryIO

from lo2core.base.errors import InputError, reason
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
            return int(self._content.readinto1(buffer))
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
def opened(path: Path) -> Iterator[Any]:
    """The content of a regular file as a binary file, decompressed while it is read.

    Raises OSError as `open_regular`. Reading may raise `DAMAGED`, and OSError for bz2.
    """
    with open_regular(path) as file:
        head = file.read(6)
        file.seek(0)
        opener = next((opener for magic, opener in _OPENERS if head.startswith(magic)), nullcontext)
        with opener(file) as content:
            yield content


class UpToDamage:
    """The content of a compressed file, read forwards: all bytes in front of a damage, and then the error."""

    def __init__(self, path: Path, content: IO[bytes]) -> None:
        self._path, self._content = path, content
        self._done, self._rest = 0, b""
        self.error: Exception | None = None

    def read(self, size: int) -> bytes:
        """At most `size` bytes, up to `CHUNK` of them at once. Raises as the file does."""
        if self.error is None:
            try:
                data = self._content.read(size)
                self._done += len(data)
                return data
            except (*DAMAGED, OSError) as error:
                if not _is_damage(error):
                    raise
                self.error = error
                self._rest = b"" if _is_damage_of_a_block(error) else _up_to_damage(self._path, self._done)
        data, self._rest = self._rest[:size], self._rest[size:]
        if not data and size:
            raise self.error
        return data


def max_decompressed(compressed: int) -> int:
    """The limit of decompressed bytes for so many compressed ones; for small files the ratio may be higher."""
    return max(64 << 20, compressed * MAX_RATIO)


class DamagedError(InputError):
    """A compressed file is damaged; the message says how far it was read."""


def log_pieces(paths: Sequence[Path], damages: list[str]) -> Iterator[bytes]:
    """The content of a log in pieces that end with a line: of its rotated files first, then of the last one.

    Of a damaged file all whole lines in front of the damage are given, and a text about it is added to `damages`.
    Raises InputError as `pieces` for any other file that cannot be read.
    """
    for path in paths:
        last = b"\n"
        try:
            for data in pieces(path):
                yield data
                last = data[-1:] or last
        except DamagedError as error:
            damages.append(str(error))
        if last != b"\n" and path != paths[-1]:
            yield b"\n"


def pieces(path: Path) -> Iterator[bytes]:
    """The content of a file in pieces that end with a line.

    Raises InputError for a file that cannot be read or decompresses to far more than logs do, and DamagedError for a
    damaged one, after the last whole line in front of the damage.
    """
    kept: list[bytes] = []
    for data in _decompressed(path):
        end = data.rfind(b"\n") + 1
        if end:
            yield b"".join([*kept, data[:end]])
            kept = []
        kept.append(data[end:])
    yield b"".join(kept)


def _decompressed(path: Path) -> Iterator[bytes]:
    done, last = 0, b""
    try:
        most = max_decompressed(path.stat().st_size)
        with opened(path) as file:
            while data := file.read(CHUNK):
                yield last
                done, last = done + len(last), data
                if done + len(data) > most:
                    raise InputError(
                        f"{path} decompresses to far more bytes than expected from its size. Decompress it yourself if "
                        "this is right, then load it."
                    )
        yield last
    except (*DAMAGED, OSError) as error:
        if not _is_damage(error):
            why = getattr(error, "strerror", None) or error
            raise InputError(f"{path} cannot be read: {why}. Repair it, or move it to another folder.") from error
        rest = b"" if _is_damage_of_a_block(error) else _up_to_damage(path, done)
        yield rest
        doubt = "" if isinstance(error, EOFError) else ", and some of them may be wrong"
        raise DamagedError(
            f"{path.name} is damaged: only the first {done + len(rest):,} bytes of its text could be read{doubt}: "
            f"{reason(error)}"
        ) from error


def _is_damage(error: Exception) -> bool:
    return isinstance(error, DAMAGED) or _is_damage_of_a_block(error)


def _is_damage_of_a_block(error: Exception) -> bool:
    """Whether a block of bzip2 is damaged, of which each byte is then wrong; it is smaller than `CHUNK`."""
    return isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile) and error.errno is None


def _up_to_damage(path: Path, done: int) -> bytes:
    """What a damaged file contains behind the first `done` bytes of text.

    It is read in small steps, since a step that meets the damage returns nothing.
    """
    found = bytearray()
    with suppress(*DAMAGED, OSError), opened(path) as file:
        while done > 0:
            done -= len(file.read(min(CHUNK, done)))
        while len(found) < CHUNK and (step := file.read1(STEP)):
            found += step
    return bytes(found)


STEP = 128
