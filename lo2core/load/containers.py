"""Logs of several containers in one file, as `docker compose logs` and `kubectl logs --prefix` print them.

Each line begins with the name of its container. A line without a name belongs to the container of the line before.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from lo2core.base.errors import InputError
from lo2core.load.compression import content, pieces
from lo2core.load.formats.wrappers import NO_NAME, without_escapes
from lo2core.load.names import lo2_service, own_services

_PREFIX = re.compile(
    r"(?:\[pod/([^\]/]+/[^\]]+)\]|(?:[0-9]+\|)?([A-Za-z][\w.@-]*) +\||\[([A-Za-z][\w.-]*)\] +\|)(?: |$)"
)
_ENOUGH = 0.9
"""The share of lines at the start of a file that have a name, in a file of containers."""


def containers(paths: Sequence[Path]) -> dict[str, int]:
    """The containers in a file (and its rotated pieces), with the bytes of their lines; empty for any other file.

    A file of one container counts as an ordinary log. A file that cannot be read is left to the load.
    """
    try:
        head = next(iter(pieces(paths[-1])), b"")
        if not _has_names(head):
            return {}
        found = {name: len(lines) for name, lines in split(tuple(paths)).items()}
    except InputError:
        return {}
    return found if len(found) > 1 else {}


def services(names: Iterable[str]) -> dict[str, str]:
    """The service of each container. Names of pods contain that of the container if they have several."""
    ordered = sorted(names)
    pods = own_services(name.partition("/")[0] for name in ordered)
    parts = {(pods[pod], container) for pod, _, container in (name.partition("/") for name in ordered)}
    several = {pod for pod, _ in parts if sum(pod == other for other, _ in parts) > 1}
    found: dict[str, str] = {}
    for name in ordered:
        pod, _, container = name.partition("/")
        service = lo2_service(f"{pod}.log") or pods[pod]
        if container and pods[pod] in several and container != service:
            service = f"{service}-{container}"
        numbers = (service if n == 1 else f"{service}-{n}" for n in range(1, len(ordered) + 1))
        found[name] = next(name for name in numbers if name not in found.values())
    return found


def of_container(paths: Sequence[Path], name: str) -> bytes:
    """The lines of one container, with its name in front. Raises InputError as `compression.content`."""
    return split(tuple(paths)).get(name, b"")


def split(paths: tuple[Path, ...]) -> Mapping[str, bytes]:
    """The lines of each container. The last file is kept, since its containers are read one after the other."""
    return _split(paths, tuple(path.stat().st_mtime_ns for path in paths))


@lru_cache(maxsize=1)
def _split(paths: tuple[Path, ...], _stamps: tuple[int, ...]) -> Mapping[str, bytes]:
    lines: dict[str, list[bytes]] = {}
    name = ""
    *older, latest = map(_bytes, paths)
    whole = [piece if piece.endswith(b"\n") else piece + b"\n" for piece in older if piece]
    for line in _LINE.findall(b"".join([*whole, latest])):
        name = _name(line) or name
        lines.setdefault(name, []).append(line)
    if "" in lines and len(lines) > 1:  # what is printed before the first line of a container
        first = next(one for one in lines if one)
        lines[first] = [*lines.pop(""), *lines[first]]
    return {name: b"".join(found) for name, found in lines.items()}


def _bytes(path: Path) -> bytes:
    data = content(path)
    return data.decode("utf-16", errors="replace").encode() if data.startswith(_WIDE) else data


_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


def _name(line: bytes) -> str | None:
    text = without_escapes(line[:300].decode(errors="replace"))
    match = _PREFIX.match(text)
    if not match or (match[2] and NO_NAME.match(match[2])):
        return None
    return match[1] or match[2] or match[3]


def _has_names(head: bytes) -> bool:
    if head.startswith(_WIDE):
        head = head[: len(head) // 2 * 2].decode("utf-16", errors="replace").encode()
    lines = [line for line in head.split(b"\n")[:200] if line.strip()]
    return bool(lines) and sum(_name(line) is not None for line in lines) >= _ENOUGH * len(lines)
