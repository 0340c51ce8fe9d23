"""Logs of several containers in one file, as `docker compose logs`, `kubectl logs --prefix` and stern print them.

Each line begins with the name of its container (on Heroku: its dyno), or is an object that contains it, as collectors
of logs write; or the lines of each one are below its name, as `tail` and `minikube logs` print them. A line without a
name belongs to the container of the line before.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from lo2core.base.errors import InputError
from lo2core.load.compression import log_pieces
from lo2core.load.formats.documents import as_lines, is_json_document
from lo2core.load.formats.wrappers import NO_NAME, without_escapes
from lo2core.load.names import SAFE, lo2_service, normal_form, own_services, piece_of, stem_of
from lo2core.load.whole import check_whole

_PREFIX = re.compile(
    r"(?:\[pod/([^\]/]+/[^\]]+)\]|(?:[0-9]+\|)?([A-Za-z][\w.@-]*) +\||\[([A-Za-z][\w.-]*)\] +\|)(?: |$)"
)
_EXIT = re.compile(rb"([A-Za-z][\w.@-]*) exited with code [0-9]+\s*$")
_ATTACHING = re.compile(rb"Attaching to [\w.@, -]+\s*$")
"""What docker compose prints between the lines of its containers, without the name in front."""
_STERN = re.compile(
    rf"(?:[a-z0-9-]+ )?(?P<pod>[a-z0-9][a-z0-9.-]*-{SAFE}{{5}}|(?P<set>[a-z][a-z0-9-]*)-[0-9]{{1,3}}(?= (?P=set) )) "
    r"(?P<container>[a-z0-9][a-z0-9-]*) "
)
"""Pod and container, perhaps behind a namespace; a pod of a StatefulSet only if its container has the same name."""
_DYNO = re.compile(
    r"(?:(?:[0-9]+ )?<[0-9]{1,3}>1 )?[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:?[0-9]{2}) "
    r"(?:\S+ )?(?:app|heroku)[\[ ]([a-z][\w-]*(?:\.[0-9]+)?)(?:\]:| -)(?: |$)"
)
"""A dyno of Heroku, or its router."""
_TITLE = re.compile(r"(?:\* )?==> (.+?)(?: \[[0-9a-f]+\])? <==\s*$")
_IN_OBJECTS = (
    ("kubernetes.pod_name", "kubernetes.container_name"),
    ("podName", "containerName"),
    ("resource.labels.pod_name", "resource.labels.container_name"),
    ("labels.pod", "labels.container"),
    ("", "container_name"),
    ("", "labels.service_name"),
    ("", "labels.app"),
    ("", "service.name"),
)
"""Where objects name the pod and the container."""
_HINTS = (b'container_name"', b'containerName"', b'"labels"', b'"service.name"')
"""What a line with such an object contains."""
_ENOUGH = 0.9
"""The share of lines at the start of a file that have a name, in a file of containers."""


def containers(paths: Sequence[Path]) -> dict[str, int]:
    """The containers in a file (and its rotated pieces), with the bytes of their lines; empty for any other file.

    A file of one container counts as an ordinary log. A file that cannot be read is left to the load. Raises InputError
    if there is not enough memory for a file of containers.
    """
    try:
        if not _has_names(_start(paths[-1])):
            return {}
    except InputError:
        return {}
    check_whole(paths[-1].name, sum(path.stat().st_size for path in paths))
    try:
        found = {name: len(lines) for name, lines in split(tuple(paths))[0].items()}
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


def of_container(paths: Sequence[Path], name: str) -> tuple[bytes, str | None]:
    """The lines of one container, with its name in front, and a text about the damage of the file.

    Raises InputError as `compression.pieces`.
    """
    lines, damage = split(tuple(paths))
    return lines.get(name, b""), damage


def split(paths: tuple[Path, ...]) -> tuple[Mapping[str, bytes], str | None]:
    """The lines of each container, and a text about the damage of the file.

    The last file is kept, since its containers are read one after the other.
    """
    return _split(paths, tuple(path.stat().st_mtime_ns for path in paths))


@lru_cache(maxsize=1)
def _split(paths: tuple[Path, ...], _stamps: tuple[int, ...]) -> tuple[Mapping[str, bytes], str | None]:
    lines: dict[str, list[bytes]] = {}
    name = ""
    damages: list[str] = []
    *older, latest = [_bytes(path, damages) for path in paths]
    whole = [piece if piece.endswith(b"\n") else piece + b"\n" for piece in older if piece]
    for line in _LINE.findall(b"".join([*whole, latest])):
        name = _name(line) or name
        lines.setdefault(name, []).append(_with_name(line, name))
    if "" in lines and len(lines) > 1:  # what is printed before the first line of a container
        first = next(one for one in lines if one)
        lines[first] = [*(_with_name(line, first) for line in lines.pop("")), *lines[first]]
    return {name: b"".join(found) for name, found in lines.items()}, "; ".join(damages) or None


def _with_name(line: bytes, name: str) -> bytes:
    """A line with the name of its container in front, if docker compose printed it without."""
    bare = name and (_ATTACHING.match(line) or _EXIT.match(line))
    return f"{name} | ".encode() + line if bare else line


def _bytes(path: Path, damages: list[str]) -> bytes:
    data = b"".join(log_pieces([path], damages))
    if data.startswith(_WIDE):
        data = data.decode("utf-16", errors="replace").encode()
    return _with_lines(data)


def _with_lines(data: bytes) -> bytes:
    if not data[:100].lstrip().startswith((b"[", b"{")):
        return data
    return as_lines(data.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _start(path: Path) -> bytes:
    """The first lines of a file, or all of it if it is JSON of another form."""
    read = log_pieces([path], [])
    head = next(filter(None, read), b"")
    return head + b"".join(read) if is_json_document(head.decode(errors="replace")) else head


_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


def _name(line: bytes) -> str | None:
    if line.startswith(b"{"):
        return _name_in_object(line)
    text = without_escapes(line[:300].decode(errors="replace"))
    if title := _TITLE.match(text):
        return _of_title(title[1])
    if dyno := _DYNO.match(text):
        return dyno[1].replace(".", "-")
    if pod := _STERN.match(text):
        return f"{pod['pod']}/{pod['container']}"
    if ended := _EXIT.match(line):
        return ended[1].decode()
    match = _PREFIX.match(text)
    if not match or (match[2] and NO_NAME.match(match[2])):
        return None
    return match[1] or match[2] or match[3]


def _of_title(text: str) -> str:
    """The name of a file without its folder and ending, or of a section."""
    file = text.rpartition("/")[2]
    piece = piece_of(file)
    return re.sub(r"[^\w.-]+", "-", stem_of(piece.log) if piece and "." in file else text).strip("-")


def _name_in_object(line: bytes) -> str | None:
    if not any(hint in line for hint in _HINTS):
        return None
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    for pod, container in _IN_OBJECTS:
        names = [_at(entry, path) for path in (pod, container) if path]
        if all(names):
            return normal_form("/".join(str(name).strip("/") for name in names))
    return None


def _at(entry: object, path: str) -> object:
    """The value at a path of keys, which may be one key with dots."""
    if isinstance(entry, dict) and path in entry:
        return entry[path]
    for key in path.split("."):
        entry = entry.get(key) if isinstance(entry, dict) else None
    return entry if isinstance(entry, str) else None


def _has_names(head: bytes) -> bool:
    if head.startswith(_WIDE):
        head = head[: len(head) // 2 * 2].decode("utf-16", errors="replace").encode()
    head = _with_lines(head)
    lines = [line for line in head.split(b"\n")[:200] if line.strip() and not _ATTACHING.match(line)]
    if lines and _TITLE.match(lines[0].decode(errors="replace")):
        return True
    return bool(lines) and sum(_name(line) is not None for line in lines) >= _ENOUGH * len(lines)
