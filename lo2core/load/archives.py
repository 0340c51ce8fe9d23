"""Unpacks .zip, .tar.* and .7z archives of logs into a temporary folder, with limits on their size.

Only files and folders with names below the target are unpacked; anything else is refused. What an archive states about
itself can be wrong, so everything is counted while it is read, and limits are checked before memory is taken.
"""

from __future__ import annotations

import re
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from lo2core.base.disk import writing
from lo2core.base.errors import InputError
from lo2core.base.untrusted import is_file, open_regular
from lo2core.load import seven_zip
from lo2core.load.archive_headers import TarStream, ZipStream, too_large, too_many
from lo2core.load.compression import CHUNK, DAMAGED, max_decompressed, opened

MAX_MEMBERS = 200_000
_LEAST_RATIO = 5
"""Bytes of logs for each packed byte, by any method; most reach `compression.USUAL_RATIO`."""
MAX_BYTES = 64 << 30
MAX_NAME_BYTES = 1024
MAX_DEPTH = 32

_ARCHIVE = re.compile(r"\.(zip|tar|tar\.gz|tgz|tar\.xz|txz|tar\.bz2|tbz2|tar\.zst|tzst|7z)$", re.I)
_DAMAGED = (
    *DAMAGED,
    tarfile.TarError,
    zipfile.BadZipFile,
    NotImplementedError,
    ValueError,
    LookupError,
    ArithmeticError,
    RecursionError,
    struct.error,
)
"""What the readers of Python raise for headers that make no sense."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What nearly every zip uses. bzip2 and LZMA are unpacked by zipfile without a limit of memory."""


class Member(NamedTuple):
    """A file in an archive, or a folder: then `content` is None."""

    name: str
    size: int
    content: IO[bytes] | None


def is_archive(path: Path) -> bool:
    """Whether the file has the name of an archive that `unpack` can read."""
    return is_file(path) and bool(_ARCHIVE.search(path.name))


def space(archive: Path) -> int:
    """About how many bytes an archive unpacks to: its size, if it is not compressed, else rather too few than many."""
    return archive.stat().st_size * (1 if archive.suffix.lower() == ".tar" else _LEAST_RATIO)


def unpack(archive: Path, into: Path, advance: Callable[[int], None] = lambda n: None) -> Path:
    """Unpack the regular files of `archive` to `into/<name without ending>` and return that folder.

    `advance` is called with the number of bytes written. Raises InputError for a damaged archive, a path outside the
    folder, a link or another special file, an encrypted member, and an archive that exceeds the limits.
    """
    target = _Target(archive, into / _ARCHIVE.sub("", archive.name))
    unpack_to = _unpack_7z if archive.suffix.lower() == ".7z" else _unpack_members
    try:
        budget = min(MAX_BYTES, max_decompressed(archive.stat().st_size))
        with writing(target.folder):
            target.folder.mkdir(parents=True)
            unpack_to(archive, target, budget, advance)
    except UnicodeError as error:
        raise InputError(
            f"{archive.name} was not unpacked: it contains a name that is not UTF-8. Create the archive again."
        ) from error
    except _DAMAGED as error:
        raise InputError(f"{archive.name} is damaged or not an archive ({error}). Create or copy it again.") from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"{archive.name} could not be unpacked ({reason}). Unpack it yourself, then load it."
        ) from error
    return target.folder


def _unpack_members(archive: Path, target: _Target, budget: int, advance: Callable[[int], None]) -> None:
    members = _zip_members if archive.suffix.lower() == ".zip" else _tar_members
    for member in members(archive, budget):
        target.count(member.name)
        if member.content:
            path = target.place(member.name)
            with member.content:
                budget -= _write(member, path, budget, archive, advance)


def _unpack_7z(archive: Path, target: _Target, budget: int, advance: Callable[[int], None]) -> None:
    names: set[str] = set()

    def check(entry: seven_zip.Entry) -> None:
        _check_kind(archive, entry.name, entry.is_link, entry.is_usual)
        target.count(entry.name)
        name = entry.name.replace("\\", "/").strip("/")
        if name in names:
            raise _refused(archive, entry.name, "the name of an earlier member")
        names.add(name)

    def create(name: str) -> IO[bytes]:
        return Counted(target.place(name), advance)

    seven_zip.extract(archive, budget, MAX_MEMBERS, check, create)


class Counted(FileIO):
    """A new file, whose bytes are reported when they are written."""

    def __init__(self, path: Path, advance: Callable[[int], None]) -> None:
        super().__init__(path, "xb")
        self._advance = advance

    def write(self, data: Any) -> int:
        self._advance(len(data))
        return super().write(data)


def _zip_members(archive: Path, budget: int) -> Iterator[Member]:
    with open_regular(archive) as file:
        stream = ZipStream(file, archive.name, MAX_MEMBERS)
        pack = zipfile.ZipFile(stream)
        for member in pack.infolist():
            name = member.orig_filename  # zipfile cuts names at the first NUL
            if member.flag_bits & 1:
                raise InputError(
                    f"{archive.name} contains the encrypted file {name!r}. Unpack it yourself, then load it."
                )
            kind = stat.S_IFMT(member.external_attr >> 16)
            _check_kind(archive, name, kind == stat.S_IFLNK, kind in (0, stat.S_IFREG, stat.S_IFDIR))
            if member.compress_type not in _METHODS:
                raise _refused(archive, name, "compressed by a method other than deflate")
            is_folder = name.endswith("/") or (name.endswith("\\") and not member.file_size)  # PowerShell 5 writes them
            yield Member(name, member.file_size, None if is_folder else pack.open(member))


def _tar_members(archive: Path, budget: int) -> Iterator[Member]:
    with opened(archive) as content:
        stream = TarStream(content, archive.name, budget)
        with tarfile.open(fileobj=stream, mode="r:") as pack:  # type: ignore[call-overload]  # a stream that only reads
            while member := stream.header(pack.next):
                pack.members.clear()  # tarfile keeps every header
                is_usual = (member.isfile() and not member.issparse()) or member.isdir()
                _check_kind(archive, member.name, member.issym() or member.islnk(), is_usual)
                yield Member(member.name, member.size, None if member.isdir() else pack.extractfile(member))
        # tarfile takes an unreadable header for the end, and checksums are compared only after the last byte.
        while rest := stream.read(CHUNK):
            if rest.strip(b"\0"):
                raise tarfile.ReadError("a header cannot be read")


def _check_kind(archive: Path, name: str, is_link: bool, is_usual: bool) -> None:
    if is_link or not is_usual:
        raise _refused(archive, name, "a link" if is_link else "neither a regular file nor a folder")


class _Target:
    """Where the members of an archive go: each to a place of its own below a folder."""

    def __init__(self, archive: Path, folder: Path) -> None:
        self.archive, self.folder = archive, folder
        self._entries = 0

    def count(self, name: str) -> None:
        """Count a member, and check that its name is that of something below the folder."""
        self._count()
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match(r"^[A-Za-z]:", name) or "\0" in name:
            raise _refused(self.archive, name, "a path outside the archive")
        if len(path.parts) > MAX_DEPTH or len(name.encode(errors="surrogateescape")) > MAX_NAME_BYTES:
            limits = f"{MAX_DEPTH} folders or {MAX_NAME_BYTES:,} bytes"
            raise _refused(self.archive, f"{name[:60]}...", f"a path of more than {limits}")

    def place(self, name: str) -> Path:
        """The path of a file, in a folder that exists."""
        path = self.folder / name.replace("\\", "/")
        if path == self.folder:
            raise _refused(self.archive, name, "a file without a name")
        if path.exists():
            raise _refused(self.archive, name, "the name of an earlier member")
        self._make(path.parent)
        return path

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self._make(folder.parent)
            self._count()
            folder.mkdir()

    def _count(self) -> None:
        self._entries += 1
        if self._entries > MAX_MEMBERS:
            raise too_many(self.archive.name, MAX_MEMBERS)


def _write(member: Member, path: Path, budget: int, archive: Path, advance: Callable[[int], None]) -> int:
    written = 0
    with path.open("xb") as out:
        while member.content and (chunk := member.content.read(CHUNK)):
            written += len(chunk)
            if written > budget:
                raise too_large(archive.name)
            out.write(chunk)
            advance(len(chunk))
    if written != member.size:
        raise zipfile.BadZipFile(f"{member.name!r} has {written:,} bytes instead of {member.size:,}")
    return written


def _refused(archive: Path, member: str, what: str) -> InputError:
    return InputError(
        f"{archive.name} was not unpacked: its member {member!r} is {what}. "
        "Create the archive again from the log folders."
    )
