"""Unpacks .7z archives with py7zr, which is only needed for them; limits are as for other archives."""

from __future__ import annotations

import stat
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NamedTuple

from lo2core.base.errors import InputError, reason
from lo2core.base.untrusted import open_regular
from lo2core.load.archive_headers import MAX_DIRECTORY_BYTES, too_large

_MAX_DICTIONARY = 128 << 20
"""Bytes of memory that one method may ask for; `7z -mx=9` needs 64 MiB."""
_LZMA2, _LZMA, _PPMD = b"\x21", b"\x03\x01\x01", b"\x03\x04\x01"


class Entry(NamedTuple):
    """A member as the list of the archive has it."""

    name: str
    size: int
    is_folder: bool
    is_link: bool
    is_usual: bool


def extract(
    archive: Path, budget: int, most: int, check: Callable[[Entry], None], create: Callable[[str], IO[bytes]]
) -> dict[str, str]:
    """Write each file of an archive to what `create` returns for its name.

    Returns the names of the files that could not be read whole because the archive is damaged, and why.

    budget: maximum number of bytes. most: maximum number of members. check: called with each member before anything is
    unpacked; may raise. Raises InputError for an encrypted archive, for one that unpacks to more than `budget` or needs
    much memory, and without py7zr; and ValueError for one of which no file can be read.
    """
    library = _library(most)
    try:
        with open_regular(archive) as file, library.SevenZipFile(file, max_extract_size=budget) as pack:
            if pack.needs_password():
                raise library.exceptions.PasswordRequired
            entries = [_entry(member) for member in pack.files]
            for entry in entries:
                check(entry)
            if sum(entry.size for entry in entries) > budget:
                raise too_large(archive.name)
            _check_memory(archive, pack)
            return _extracted(library, pack, [entry for entry in entries if not entry.is_folder], create)
    except library.exceptions.PasswordRequired as error:
        raise InputError(f"{archive.name} is encrypted. Unpack it yourself, then load it.") from error
    except library.exceptions.DecompressionBombError as error:
        raise too_large(archive.name) from error
    except (InputError, OSError):
        raise
    except Exception as error:  # headers that make no sense are reported by errors of many kinds
        raise ValueError(reason(error)) from error


def _extracted(library: Any, pack: Any, entries: Sequence[Entry], create: Callable[[str], IO[bytes]]) -> dict[str, str]:
    """Unpack the files of a checked archive; see `extract`."""
    sizes: dict[str, int] = {}
    try:
        pack.extractall(factory=_factory(library, create, sizes))
    except (InputError, OSError, library.exceptions.PasswordRequired, library.exceptions.DecompressionBombError):
        raise
    except Exception as error:
        wrong = str(getattr(error, "filename", ""))
        why = f"the checksum of {wrong} is wrong" if wrong else reason(error)
        broken = [entry.name for entry in entries if sizes.get(entry.name) != entry.size or entry.name == wrong]
        if len(broken) == len(entries) and not any(sizes.values()):
            raise
        for name in broken:
            if name not in sizes:
                create(name).close()
        return dict.fromkeys(broken, why)
    return {}


def _library(most: int) -> Any:
    """py7zr, with limits for the list of members. Raises InputError without it."""
    try:
        library = import_module("py7zr")
    except ModuleNotFoundError as error:
        raise InputError(
            "Archives in .7z need the package py7zr: pip install 'lo2core[7z]', or unpack them yourself."
        ) from error
    headers = import_module("py7zr.archiveinfo")
    headers.MAX_NUMFILES, headers.MAX_HEADER_SIZE = most, MAX_DIRECTORY_BYTES  # type: ignore[attr-defined]  # of a module imported by name
    return library


def _entry(member: Any) -> Entry:
    kind = member.st_fmt or 0
    is_link = bool(member.is_symlink or member.is_junction)
    usual = kind in (0, stat.S_IFREG, stat.S_IFDIR) and not member.is_socket
    return Entry(member.filename, int(member.uncompressed or 0), bool(member.is_directory), is_link, usual)


def _check_memory(archive: Path, pack: Any) -> None:
    streams = getattr(pack.header, "main_streams", None)
    for folder in streams.unpackinfo.folders if streams else []:
        if any(_memory(coder) > _MAX_DICTIONARY for coder in folder.coders):
            raise InputError(
                f"{archive.name} was not unpacked: it needs more than {_MAX_DICTIONARY >> 20} MiB of memory. Create it "
                "again with a smaller dictionary, or unpack it yourself."
            )


def _memory(coder: dict[str, Any]) -> int:
    """Bytes of the dictionary or model of a method, by its properties."""
    method, properties = coder["method"], coder.get("properties") or b""
    if method == _LZMA2 and len(properties) == 1:
        return (2 | (properties[0] & 1)) << (properties[0] // 2 + 11)
    if method in (_LZMA, _PPMD) and len(properties) >= 5:
        return int.from_bytes(properties[1:5], "little")
    return 0


def _factory(library: Any, create: Callable[[str], IO[bytes]], sizes: dict[str, int]) -> Any:
    """What py7zr asks for the file of each member when it begins to unpack it. sizes: bytes written, by name."""

    class File(library.io.Py7zIO):  # type: ignore[misc]  # the package may be missing
        def __init__(self, name: str) -> None:
            self._file, self._name = create(name), name
            sizes[name] = 0

        def write(self, data: bytes | bytearray) -> int:
            sizes[self._name] += len(data)
            return self._file.write(data)

        def read(self, size: int | None = None) -> bytes:
            return b""

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

        def flush(self) -> None:
            self._file.flush()

        def size(self) -> int:
            return sizes[self._name]

        def close(self) -> None:
            self._file.close()

    class Files(library.io.WriterFactory):  # type: ignore[misc]  # the same
        def create(self, filename: str) -> File:
            return File(filename)

    return Files()
