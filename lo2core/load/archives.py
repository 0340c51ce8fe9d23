"""Unpacks .zip, .tar.* and .7z archives of logs into a temporary folder, with limits on their size.

Only files and folders with names below the target are unpacked; anything else is refused. What an archive states about
itself can be wrong, so everything is counted while it is read, and limits are checked before memory is taken. Of a
damaged archive all that is in front of the damage is unpacked, in a zip also what is behind it.
"""

from __future__ import annotations

import gzip
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import IO, Any

from lo2core.base.disk import writing
from lo2core.base.errors import InputError, reason
from lo2core.base.untrusted import is_file, open_regular
from lo2core.load import seven_zip
from lo2core.load.archive_headers import TarStream, ZipStream, too_large, too_many
from lo2core.load.compression import CHUNK, DAMAGED, STEP, UpToDamage, is_compressed_log, max_decompressed, opened

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


def is_archive(path: Path) -> bool:
    """Whether the file has the name of an archive that `unpack` can read."""
    return is_file(path) and bool(_ARCHIVE.search(path.name))


def space(archive: Path) -> int:
    """About how many bytes an archive unpacks to: its size, if it is not compressed, else rather too few than many."""
    return archive.stat().st_size * (1 if archive.suffix.lower() == ".tar" else _LEAST_RATIO)


def unpack(
    archive: Path,
    into: Path,
    advance: Callable[[int], None] = lambda n: None,
    damages: dict[Path, str] | None = None,
) -> Path:
    """Unpack the regular files of `archive` to `into/<name without ending>` and return that folder.

    `advance` is called with the number of bytes written. damages: a text is added for each file that was unpacked in
    part, or may be wrong, because the archive is damaged. Raises InputError for an archive of which nothing can be
    read, a path outside the folder, a link or another special file, an encrypted member, and an archive that exceeds
    the limits.
    """
    target = _Target(archive, into / _ARCHIVE.sub("", archive.name), advance, {} if damages is None else damages)
    unpack_to = {".zip": _unpack_zip, ".7z": _unpack_7z}.get(archive.suffix.lower(), _unpack_tar)
    try:
        with writing(target.folder):
            target.folder.mkdir(parents=True)
            unpack_to(archive, target)
    except UnicodeError as error:
        raise InputError(
            f"{archive.name} was not unpacked: it contains a name that is not UTF-8. Create the archive again."
        ) from error
    except _DAMAGED as error:
        raise InputError(f"{archive.name} is damaged or not an archive ({error}). Create or copy it again.") from error
    except OSError as error:
        why = error.strerror or error
        raise InputError(f"{archive.name} could not be unpacked ({why}). Unpack it yourself, then load it.") from error
    return target.folder


def _unpack_7z(archive: Path, target: _Target) -> None:
    names: set[str] = set()

    def check(entry: seven_zip.Entry) -> None:
        _check_kind(archive, entry.name, entry.is_link, entry.is_usual)
        target.count(entry.name)
        name = entry.name.replace("\\", "/").strip("/")
        if name in names:
            raise _refused(archive, entry.name, "the name of an earlier member")
        names.add(name)

    def create(name: str) -> IO[bytes]:
        return Counted(target.place(name), target.advance)

    for name, why in seven_zip.extract(archive, target.budget, MAX_MEMBERS, check, create).items():
        target.damaged(target.folder / name.replace("\\", "/"), why)


class Counted(FileIO):
    """A new file, whose bytes are reported when they are written."""

    def __init__(self, path: Path, advance: Callable[[int], None]) -> None:
        super().__init__(path, "xb")
        self._advance = advance

    def write(self, data: Any) -> int:
        self._advance(len(data))
        return super().write(data)


def _unpack_zip(archive: Path, target: _Target) -> None:
    """Unpack each member by itself; of a damaged one what is in front of the damage."""
    with open_regular(archive) as file:
        stream = ZipStream(file, archive.name, MAX_MEMBERS)
        pack = zipfile.ZipFile(stream)
        problem: Exception | None = None
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
            target.count(name)
            if name.endswith("/") or (name.endswith("\\") and not member.file_size):  # PowerShell 5 writes them
                continue
            path = target.place(name)
            try:
                with pack.open(member) as content:
                    target.write(path, content.read, member.file_size)
            except UnicodeError:
                raise
            except _DAMAGED as error:
                _write_up_to_damage(partial(pack.open, member), target, path)
                target.damaged(path, reason(error))
                problem = error
        if problem and not target.written:
            raise problem


def _write_up_to_damage(opened: Callable[[], IO[bytes]], target: _Target, path: Path) -> None:
    """Write a damaged member again in small steps, since a step that meets the damage returns nothing."""
    path.unlink(missing_ok=True)
    path.touch()
    with suppress(*_DAMAGED), opened() as content:
        target.write(path, lambda _: content.read1(STEP))  # type: ignore[attr-defined]  # of zipfile


def _unpack_tar(archive: Path, target: _Target) -> None:
    """Unpack the members up to a damage: behind it, none can be found."""
    files: list[Path] = []
    with opened(archive) as content:
        whole = UpToDamage(archive, content)
        try:
            for member, stream in _tar_members(archive, whole, target):
                files.append(target.place(member.name))
                target.write(files[-1], stream.read, member.size)
        except UnicodeError:
            raise
        except _DAMAGED as error:
            if not target.written:
                raise
            cause = whole.error or error
            first = f"first {len(files):,} files" if len(files) > 1 else "first file"
            read = f"only its {first} could be read, up to byte {files[-1].stat().st_size:,}"
            is_doubtful = isinstance(cause, (zlib.error, lzma.LZMAError, gzip.BadGzipFile))
            doubt = ", and some bytes of them may be wrong" if is_doubtful else ""
            for path in files if is_doubtful else files[-1:]:
                target.damaged(path, f"{read}{doubt}: {reason(cause)}", whole=True)


def _tar_members(archive: Path, content: UpToDamage, target: _Target) -> Iterator[tuple[tarfile.TarInfo, TarStream]]:
    """The regular files of a tar, each with the stream at its first byte."""
    stream = TarStream(content, archive.name, target.budget)
    with tarfile.open(fileobj=stream, mode="r:") as pack:  # type: ignore[call-overload]  # a stream that only reads
        while member := stream.header(pack.next):
            pack.members.clear()  # tarfile keeps every header
            is_usual = (member.isfile() and not member.issparse()) or member.isdir()
            _check_kind(archive, member.name, member.issym() or member.islnk(), is_usual)
            target.count(member.name)
            if member.size < 0:
                raise tarfile.ReadError("a header points backwards")
            if not member.isdir():
                yield member, stream
    # tarfile takes an unreadable header for the end, and checksums are compared only after the last byte.
    if stream.tell() % tarfile.BLOCKSIZE:
        raise tarfile.ReadError("a header was cut")
    while rest := stream.read(CHUNK):
        if rest.strip(b"\0"):
            raise tarfile.ReadError("a header cannot be read")


def _check_kind(archive: Path, name: str, is_link: bool, is_usual: bool) -> None:
    if is_link or not is_usual:
        raise _refused(archive, name, "a link" if is_link else "neither a regular file nor a folder")


class _Target:
    """Where the members of an archive go: each to a place of its own below a folder."""

    def __init__(self, archive: Path, folder: Path, advance: Callable[[int], None], damages: dict[Path, str]) -> None:
        self.archive, self.folder, self.advance, self.damages = archive, folder, advance, damages
        self.budget = min(MAX_BYTES, max_decompressed(archive.stat().st_size))
        self._entries = 0
        self.written = 0

    def write(self, path: Path, read: Callable[[int], bytes], size: int | None = None) -> None:
        """Write a member of this size, or up to its end. Raises BadZipFile if it has another one."""
        written = 0
        with path.open("wb") as out:
            while chunk := read(CHUNK if size is None else min(CHUNK, size - written)):
                written += len(chunk)
                self.written += len(chunk)
                if self.written > self.budget:
                    raise too_large(self.archive.name)
                out.write(chunk)
                self.advance(len(chunk))
        if size is not None and written != size:
            raise zipfile.BadZipFile(f"it has {written:,} bytes instead of {size:,}")

    def damaged(self, path: Path, why: str, whole: bool = False) -> None:
        """Record that a file was unpacked up to a damage. whole: whether `why` says how much of the archive was read.

        The last line of a log is removed if it was cut.
        """
        size = path.stat().st_size
        read = "" if whole else f"only the first {size:,} bytes of this file could be read: "
        self.damages[path] = f"{self.archive.name} is damaged: {read}{why}"
        if is_compressed_log(path.name):
            return
        with path.open("r+b") as file:
            start = max(0, size - CHUNK)
            file.seek(start)
            file.truncate(start + file.read().rfind(b"\n") + 1)

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


def _refused(archive: Path, member: str, what: str) -> InputError:
    return InputError(
        f"{archive.name} was not unpacked: its member {member!r} is {what}. "
        "Create the archive again from the log folders."
    )
