"""What `tarfile` and `zipfile` read archives from: streams that limit the headers before these make objects of them.

A header can state that its name has gigabytes, point backwards, or be one of millions; both modules would believe it.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from typing import BinaryIO, TypeVar

from lo2core.base.errors import InputError
from lo2core.load.compression import CHUNK, UpToDamage

MAX_HEADER_BYTES = 64 << 10
"""All headers of one member of a tar, with its name and attributes."""
MAX_METADATA_BYTES = 512 << 20
"""All headers of a tar. Its members may have three blocks each."""
MAX_HEADER_SECONDS = 60.0
"""Time to read the headers; 200,000 of them take about five seconds."""
MAX_DIRECTORY_BYTES = 64 << 20
"""The list of members at the end of a zip."""

_LONG_NUMBER = re.compile(rb"[0-9]{256}")
_ZIP_ENTRY = b"PK\x01\x02"
_T = TypeVar("_T")


class TarStream:
    """The decompressed bytes of a tar, read forwards only: at most `budget`, and few of them as headers."""

    def __init__(self, content: UpToDamage, name: str, budget: int) -> None:
        self._content, self._name = content, name
        self._budget = budget + MAX_METADATA_BYTES
        self._position = 0
        self._header_left: int | None = MAX_HEADER_BYTES  # tarfile reads the first header when it opens a file
        self._metadata_left = MAX_METADATA_BYTES
        self._seconds_left = MAX_HEADER_SECONDS

    def header(self, read: Callable[[], _T]) -> _T:
        """What `read` returns; all that it reads meanwhile is the header of one member."""
        began, self._header_left = time.monotonic(), MAX_HEADER_BYTES
        found = read()
        self._header_left = None
        self._seconds_left -= time.monotonic() - began
        if self._seconds_left < 0:
            raise self._refused(f"its headers take more than {MAX_HEADER_SECONDS:g} seconds to read")
        return found

    def read(self, size: int) -> bytes:
        if self._header_left is not None:
            self._count_header(size)
        data = self._content.read(size)
        self._position += len(data)
        if self._position > self._budget:
            raise too_large(self._name)
        if self._header_left is not None and _LONG_NUMBER.search(data):  # tarfile takes quadratic time for them
            raise self._refused("a header contains a number of more than 255 digits")
        return data

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        """Read on to the position."""
        left, self._header_left = self._header_left, None
        while self._position < position and self.read(min(CHUNK, position - self._position)):
            pass
        self._header_left = left
        if self._position > position:
            raise self._refused("a header points backwards")

    def _count_header(self, size: int) -> None:
        """Count what is asked for, since it is allocated before it is known to exist."""
        self._header_left = (self._header_left or 0) - size
        self._metadata_left -= size
        if size < 0 or self._header_left < 0:
            raise self._refused(f"a name or another header is longer than {MAX_HEADER_BYTES >> 10} KiB")
        if self._metadata_left < 0:
            raise self._refused(f"its headers have more than {MAX_METADATA_BYTES >> 20} MiB")

    def _refused(self, why: str) -> InputError:
        return InputError(f"{self._name} was not unpacked: {why}. Create the archive again from the log folders.")


class ZipStream:
    """A zip whose list of members has a limited size and at most `most` members."""

    def __init__(self, file: BinaryIO, name: str, most: int) -> None:
        self._file, self._name, self._most = file, name, most
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > MAX_DIRECTORY_BYTES:
            raise InputError(
                f"{self._name} was not unpacked: its list of members is larger than {MAX_DIRECTORY_BYTES >> 20} MiB. "
                "Create the archive again from the log folders."
            )
        data = self._file.read(size)
        if size > io.DEFAULT_BUFFER_SIZE and data.count(_ZIP_ENTRY) > self._most:
            raise too_many(self._name, self._most)
        return data


def too_large(name: str) -> InputError:
    """The error for an archive that unpacks to too many bytes."""
    return InputError(
        f"{name} unpacks to far more bytes than expected from its size. Unpack it yourself if this is right, then load "
        "it."
    )


def too_many(name: str, most: int) -> InputError:
    """The error for an archive with too many members."""
    return InputError(f"{name} contains more than {most:,} files and folders. Unpack it yourself, then load it.")
