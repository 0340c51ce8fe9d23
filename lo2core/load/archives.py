"""Unpacks .zip and .tar.* archives of logs into a temporary folder, with limits on their size.

Members with an absolute path or a path outside the folder, links and encrypted members are refused. Bytes are counted
while they are written, since the sizes that an archive states can be wrong.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from lo2core.base.errors import InputError
from lo2core.load.compression import CHUNK, DAMAGED, max_decompressed, opened

Members = Iterator[tuple[str, IO[bytes]]]
"""Name and content of each file in an archive."""

MAX_MEMBERS = 200_000
MAX_BYTES = 64 << 30

_ARCHIVE = re.compile(r"\.(zip|tar|tar\.gz|tgz|tar\.xz|txz|tar\.bz2|tbz2)$", re.I)
_DAMAGED = (*DAMAGED, tarfile.TarError, zipfile.BadZipFile, NotImplementedError)


def is_archive(path: Path) -> bool:
    """Whether the file has the name of an archive that `unpack` can read."""
    return path.is_file() and bool(_ARCHIVE.search(path.name))


def unpack(archive: Path, into: Path, advance: Callable[[int], None] = lambda n: None) -> Path:
    """Unpack the regular files of `archive` to `into/<name without ending>` and return that folder.

    `advance` is called with the number of bytes written. Raises InputError for a damaged archive, a path outside the
    folder, a link, an encrypted member, and an archive that exceeds the limits.
    """
    target = into / _ARCHIVE.sub("", archive.name)
    target.mkdir(parents=True)
    members = _zip_members if archive.suffix.lower() == ".zip" else _tar_members
    budget = min(MAX_BYTES, max_decompressed(archive.stat().st_size))
    try:
        for number, (name, stream) in enumerate(members(archive), 1):
            if number > MAX_MEMBERS:
                raise InputError(
                    f"{archive.name} contains more than {MAX_MEMBERS:,} files. Unpack it yourself, then load it."
                )
            with stream:
                budget -= _write(stream, _inside(target, name, archive), budget, archive, advance)
    except _DAMAGED as error:
        raise InputError(f"{archive.name} is damaged or not an archive ({error}). Create or copy it again.") from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"{archive.name} could not be unpacked ({reason}). Unpack it yourself, then load it."
        ) from error
    return target


def _zip_members(archive: Path) -> Members:
    with zipfile.ZipFile(archive) as pack:
        for member in pack.infolist():
            if member.flag_bits & 1:
                raise InputError(
                    f"{archive.name} contains the encrypted file {member.filename!r}. Unpack it yourself, then load it."
                )
            if (member.external_attr >> 16) & 0o170000 == 0o120000:
                raise _refused(archive, member.filename, "a link")
            if not member.is_dir():
                yield member.filename, pack.open(member)


def _tar_members(archive: Path) -> Members:
    with opened(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as pack:
        for member in pack:
            if member.issym() or member.islnk():
                raise _refused(archive, member.name, "a link")
            content = pack.extractfile(member) if member.isfile() else None
            if content:
                yield member.name, content
        # tarfile takes an unreadable header for the end, and checksums are compared only after the last byte.
        while rest := stream.read(CHUNK):
            if rest.strip(b"\0"):
                raise tarfile.ReadError("a header cannot be read")


def _inside(target: Path, name: str, archive: Path) -> Path:
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or re.match(r"^[A-Za-z]:", name) or "\0" in name:
        raise _refused(archive, name, "a path outside the archive")
    path = target / parts
    if path.exists():
        raise _refused(archive, name, "the name of an earlier member")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _write(stream: IO[bytes], path: Path, budget: int, archive: Path, advance: Callable[[int], None]) -> int:
    written = 0
    with path.open("xb") as out:
        while chunk := stream.read(CHUNK):
            written += len(chunk)
            if written > budget:
                raise InputError(
                    f"{archive.name} unpacks to far more bytes than expected from its size. Unpack it yourself if "
                    "this is right, then load it."
                )
            out.write(chunk)
            advance(len(chunk))
    return written


def _refused(archive: Path, member: str, what: str) -> InputError:
    return InputError(
        f"{archive.name} was not unpacked: its member {member!r} is {what}. "
        "Create the archive again from the log folders."
    )
