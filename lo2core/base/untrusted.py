"""Files that anybody may have written or damaged, read with limits: small regular files, and JSON.

Reading one never waits, never takes more memory than stated, and fails with OSError or ValueError only.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

LARGEST = 16 << 20
"""Most bytes of a JSON text; manifests and footers of large models have well below a megabyte."""
_DEEPEST = 50
_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)
_NEEDS_CLEANING = re.compile(r"\d{19}|\\u[dD][89a-fA-F]")
"""Numbers that may not fit in 64 bits, and halves of surrogate pairs, which are no text in UTF-8."""


def url_of(path: str | os.PathLike[str]) -> str:
    """The URL that a person gave in place of a path; empty for a path. A folder may have a name such as `s3:`."""
    parts = Path(path).parts
    start = next((n for n, part in enumerate(parts[:-1]) if _SCHEME.fullmatch(part)), None)
    if start is None or Path(*parts[: start + 1]).exists():
        return ""
    return f"{parts[start]}//{'/'.join(parts[start + 1 :])}"


def read_small(path: Path, most: int = LARGEST) -> bytes:
    """The bytes of a regular file; raises OSError for a folder, a pipe or a device, and for more than `most` bytes."""
    with open_regular(path) as file:
        return read_open(file, most)


def read_open(file: BufferedReader, most: int) -> bytes:
    """The bytes of an open file from here on; raises OSError for a file of more than `most` bytes."""
    size = os.fstat(file.fileno()).st_size
    if size > most:
        raise OSError(errno.EFBIG, f"it has {size:,} bytes, at most {most:,} were expected")
    return file.read(most)


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading; raises OSError for anything else, instead of waiting for a pipe's writer.

    What was opened is checked, too, since the file may be exchanged after its name was checked.
    """
    check_regular(path)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        _check_kind(os.fstat(descriptor), path)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def check_regular(path: Path) -> None:
    """Raise OSError for all but a regular file or a link to one; its `strerror` fits into a sentence."""
    try:
        entry = path.stat()
    except ValueError:  # a NUL byte, or text that no file name consists of
        raise OSError(errno.EINVAL, "it is not a valid file name", repr(path)) from None
    _check_kind(entry, path)


def _check_kind(entry: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(entry.st_mode):
        kind = _KINDS.get(stat.S_IFMT(entry.st_mode), "a special file")
        number = errno.EISDIR if stat.S_ISDIR(entry.st_mode) else errno.EINVAL
        raise OSError(number, f"it is {kind}, not a regular file", str(path))


def resolved(path: Path) -> Path:
    """`path.resolve()`; where that is impossible, as in a loop of links, the path itself, which nobody can open."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def is_file(path: Path) -> bool:
    """Whether it is a regular file; False also where that cannot be found out, as for a name that is too long."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_text(name: str) -> bool:
    """Whether a name of a file can be shown and saved: Linux allows bytes that are not UTF-8."""
    return name.isascii() or printable(name) == name


def printable(name: str) -> str:
    """A name of a file with bytes that are not UTF-8 written as \\udc.."""
    return name.encode("utf-8", "backslashreplace").decode()


def json_value(text: bytes | str) -> Any:
    """The value of a JSON text. Raises ValueError if it is no JSON, too large or nested too deeply.

    What other code cannot use becomes null: NaN, infinity, whole numbers of more than 64 bits. Halves of surrogate
    pairs become question marks.
    """
    if len(text) > LARGEST:
        raise ValueError(f"it is longer than {LARGEST:,} bytes")
    decoded = text if isinstance(text, str) else text.decode("utf-8-sig")
    try:
        value = json.loads(decoded, parse_constant=lambda _: None)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    _check_depth(value)
    return _cleaned(value) if _NEEDS_CLEANING.search(decoded) else value


def _check_depth(value: Any) -> None:
    layer = [value]
    for _ in range(_DEEPEST):
        layer = [part for one in layer if isinstance(one, dict | list) for part in _parts(one)]
        if not layer:
            return
    raise ValueError("it is nested too deeply")


def _parts(value: dict[str, Any] | list[Any]) -> Any:
    return value.values() if isinstance(value, dict) else value


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict():
            return {_cleaned(name): _cleaned(part) for name, part in value.items()}
        case list():
            return [_cleaned(part) for part in value]
        case int() if not -(2**63) <= value < 2**63:
            return None
    return value
