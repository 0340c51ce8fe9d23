"""Names of logs and test cases: the service of a log, the log that a rotated piece belongs to, the normal test case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from lo2core.base.config import NORMAL_TEST_CASE, SERVICES
from lo2core.load.compression import COMPRESSED, LOG_ENDING

_LONGEST_FIRST = sorted(SERVICES, key=len, reverse=True)
_LO2_LOG = re.compile(rf"^(?!\.)(.*[^a-z0-9])?oauth2-({'|'.join(_LONGEST_FIRST)})(?:[-_]([0-9]+))?{LOG_ENDING}", re.I)
"""Hidden files are excluded, since archives made on a Mac contain a `._` file for each file."""

_NEW_LO2_LOG = re.compile(
    rf"^(?!\.)(.*[^a-z0-9])?oauth2-([a-z0-9]+(?:[-_][a-z0-9]+)*?)(?:[-_]([0-9]{{1,3}}))?{LOG_ENDING}", re.I
)
"""As LO2's logs, but of a service that LO2 does not have."""

_DATE = r"[12][0-9]{3}-?[01][0-9]-?[0-3][0-9](?:[-T_.][0-9]{2}[-:.]?[0-9]{2}(?:[-:.]?[0-9]{2})?)?"
_ROTATED = re.compile(
    rf"^(?P<stem>.+?)(?:[-_.](?P<date>{_DATE})(?:[-.](?P<index>[0-9]{{1,3}}))?)?(?P<ending>\.(?:log|out|err|jsonl|ndjson))"
    rf"(?:[-.](?P<later_date>{_DATE}))?(?:\.(?P<number>[0-9]{{1,4}}))?(?:{COMPRESSED})?$",
    re.I,
)
_DATED = re.compile(rf"^(?P<date>{_DATE})(?P<ending>\.(?:log|out|err|jsonl|ndjson))(?:{COMPRESSED})?$", re.I)
"""Names that are only a date; they say nothing of the service."""
_TEXT = re.compile(
    rf"^(?P<stem>(?:.+?(?=\.(?:txt|json))|[^.]+?))(?P<ending>\.(?:txt|json))?(?:[-.](?P<date>{_DATE}))?"
    rf"(?:\.(?P<number>[0-9]{{1,4}}))?(?:{COMPRESSED})?$",
    re.I,
)
"""Other names that logs have: `syslog`, `access_log.1`, `app.txt`, `events.json`."""
_USUAL = re.compile(r".*log|messages|stdout|stderr|secure|dmesg|console|daemon|journal", re.I)
_CONTAINER_FILE = re.compile(r"^[a-z0-9.-]+_[a-z0-9-]+_(?P<service>[a-z0-9-]+)-[0-9a-f]{64}$")
"""Name of a container's log on a Kubernetes node: pod, namespace, container and its id."""
_COMPOSE_1 = re.compile(
    r"^(?P<project>[a-z0-9][a-z0-9.-]*)_(?P<service>[a-z0-9][a-z0-9._-]*)_(?P<replica>[0-9]+)$", re.I
)
_COMPOSE_2 = re.compile(
    r"^(?P<service>[a-z0-9][a-z0-9._-]*-[a-z0-9._-]*[a-z][a-z0-9._]*)-(?P<replica>[0-9]{1,3})$", re.I
)
"""Names of containers, with their project in front: by docker-compose 1 and podman-compose, and by compose 2."""
SAFE = "[bcdfghjklmnpqrstvwxz2456789]"
"""Characters of the random parts of names in Kubernetes."""
_POD = re.compile(rf"^(?P<service>.+?)-(?:(?:{SAFE}{{6,10}}|[0-9]{{8,10}})-{SAFE}{{5}}|(?=[^-]*[0-9]){SAFE}{{5}})$")
"""Names of pods of a Deployment, a CronJob and a DaemonSet."""
_REPLICA = re.compile(r"^(?P<service>.*[a-z].*?)[-_](?P<replica>[0-9]{1,3})$", re.I)
GENERIC = frozenset(
    (
        *("app", "application", "console", "current", "error", "info", "log", "logs", "main", "out", "output"),
        *("server", "service", "stderr", "stdout"),
    )
)
"""Names of files that say nothing of the service; the folder above does."""

_SUFFIX = re.compile(r"^(.+)_([0-9]{1,10})$")
_LARGEST = 2**31 - 1
_STATUS = re.compile(r"(?:_[1-5]|[- ][45])[0-9]{2}(?:[-_ ]|$)")
_FAULT = re.compile(r"[-_ ][45][0-9]{2}(?:[-_ ]|$)")
_STATUSES = frozenset([*range(100, 104), *range(200, 209), 226, *range(300, 309), *range(400, 600)])
_COPY = re.compile(
    rf"^(?:cop(?:y|ie) (?:\([0-9]+\) )?(?:of|de) |kopie (?:\([0-9]+\) )?von )?{NORMAL_TEST_CASE}"
    r"(?:[ _.-]*\(?(?:copy|copie|kopie|copia|another copy|[0-9]+(?:st|nd|rd|th) copy|bak|backup|old|orig)"
    r"(?= ?[0-9()]|$)\)?)?"
    r"(?:[ .-]*\(?(?P<number>[0-9]{1,9})\)?)?$",
    re.I,
)
"""The normal test case, also as file managers name a copy of it: `correct 2`, `correct (1)`, `correct - Copy`."""
_NORMAL_PERHAPS = re.compile(rf"{NORMAL_TEST_CASE}(?![a-z])", re.I)


@dataclass(frozen=True)
class Piece:
    """A log file, or a rotated piece of one: the name of the log that it belongs to, and its place in time."""

    log: str
    order: tuple[int, str, int]


def piece_of(file_name: str) -> Piece | None:
    """Which log a file belongs to: `client.log.2.gz` and `client-2024-06-28.log` to `client.log`; None if it is no log.

    Pieces in the order of `Piece.order` are in the order of time; the current log is the last one.
    """
    if match := _DATED.match(file_name):
        return Piece(f"log{match['ending']}", (0, match["date"], 0))
    match = _ROTATED.match(file_name) or _TEXT.match(file_name)
    if not match or file_name.startswith("."):
        return None
    parts = match.groupdict("")
    date = parts["date"] or parts.get("later_date", "")
    number = -int(parts["number"]) if parts["number"] else int(parts.get("index") or 0)
    is_current = not date and not parts["number"]
    return Piece(parts["stem"] + parts["ending"], (int(is_current), date, number))


def may_be_log(file_name: str) -> bool:
    """Whether a file could be a log by its name, where no other one says so: `syslog`, `app.txt`, `events.json`."""
    match = _TEXT.match(file_name)
    if not match or file_name.startswith("."):
        return False
    return bool(match["ending"] or _USUAL.fullmatch(match["stem"]))


def stem_of(log: str) -> str:
    """The name of a log (`Piece.log`) without its ending."""
    return log.rpartition(".")[0] or log


def lo2_service(file_name: str) -> str | None:
    """Short name of LO2's service: `client`, or `client-2` for a second replica; None for other files."""
    match = _LO2_LOG.match(file_name)
    return _replica(match[2].lower(), int(match[3] or 1)) if match else None


def lo2_prefix(file_name: str) -> str | None:
    """What is in front of `oauth2-` in the name of a log of LO2, which may be nothing; None for other files."""
    match = _LO2_LOG.match(file_name)
    return None if match is None else match[1] or ""


def new_lo2_service(file_name: str, prefixes: Collection[str]) -> str | None:
    """Short name of a service that LO2 does not have, of a log that is named as its logs are; None for other files.

    prefixes: those of LO2's logs next to it (see `lo2_prefix`).
    """
    match = _NEW_LO2_LOG.match(file_name)
    return _replica(match[2].lower(), int(match[3] or 1)) if match and (match[1] or "") in {"", *prefixes} else None


def own_service(stem: str) -> str:
    """Name of any service, from the name of its log without endings; names of containers and pods are understood.

    Examples:
        >>> from lo2core.load.names import own_service
        >>> [own_service(name) for name in ("cart-1", "cart-2", "shop_cart_1", "cart-7d9f8b6c5d-x2x7z")]
        ['cart', 'cart-2', 'cart', 'cart']
    """
    return own_services([stem])[stem]


def own_services(stems: Iterable[str]) -> dict[str, str]:
    """The services of logs, by their names without endings.

    Names of containers contain the name of their project only if it is in front of all of them. Replicas that are
    counted from 0 are numbered from 1.
    """
    named = {stem: _named(stem) for stem in dict.fromkeys(stems)}
    of_containers = [one for one in named.values() if one.kind in (_COMPOSE_2, _REPLICA)]
    prefix = "" if any(one.kind is _REPLICA for one in of_containers) else _prefix({one.name for one in of_containers})
    projects = {one.project.lower() for one in named.values() if one.project}
    services = {
        stem: f"{one.project}_{one.name}" if one.project and len(projects) > 1 else one.name.removeprefix(prefix)
        for stem, one in named.items()
    }
    from_zero = {services[stem] for stem, one in named.items() if one.replica and not int(one.replica)}
    return {
        stem: _replica(
            services[stem], int(one.replica or 1) + (services[stem] in from_zero and one.replica is not None)
        )
        for stem, one in named.items()
    }


class _Name(NamedTuple):
    """The parts of a log's name, and the pattern that it is of."""

    name: str
    kind: re.Pattern[str] | None = None
    replica: str | None = None
    project: str = ""


def _named(stem: str) -> _Name:
    for pattern in (_CONTAINER_FILE, _COMPOSE_1, _POD, _COMPOSE_2, _REPLICA):
        if match := pattern.match(stem):
            parts = match.groupdict()
            return _Name(parts["service"], pattern, parts.get("replica"), parts.get("project", ""))
    return _Name(stem)


def _prefix(names: set[str]) -> str:
    """What all names of containers begin with, up to a hyphen; empty for fewer than two names."""
    if len(names) < 2:
        return ""
    first, last = min(names), max(names)  # what these share, all names between them share
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    return first[: first.rfind("-", 0, shared) + 1]


def _replica(service: str, number: int) -> str:
    return service if number <= 1 else f"{service}-{number}"


def normal_form(name: str) -> str:
    """A name in Unicode's composed form, with bytes that are not UTF-8 replaced by escapes."""
    return unicodedata.normalize("NFC", name.encode("utf-8", "backslashreplace").decode())


def split_repetition(folder: str) -> tuple[str, int | None]:
    """Test case and repetition in the name of a folder. An HTTP status at its end is not a repetition.

    Copies of the normal test case are repetitions of it, however a file manager named them.
    """
    if copy := _COPY.match(folder):
        return NORMAL_TEST_CASE, int(copy["number"]) if copy["number"] else None
    match = _SUFFIX.match(folder)
    if not match:
        return folder, None
    base, number = match[1], int(match[2])
    if base.lower() == NORMAL_TEST_CASE:
        return NORMAL_TEST_CASE, number if number <= _LARGEST else None
    return (folder, None) if _is_status(base, match[2]) or number > _LARGEST else (base, number)


def _is_status(base: str, digits: str) -> bool:
    """Whether digits at the end of a name are an HTTP status; after another status only 4xx is, as in LO2."""
    if len(digits) != 3 or int(digits) not in _STATUSES:
        return False
    return digits[0] == "4" or not _STATUS.search(f"{base}_")


def tells_labels(folder: str) -> bool:
    """Whether the name of a folder is one of a test case: the normal one, or one with an HTTP status."""
    return split_repetition(folder)[0] == NORMAL_TEST_CASE or bool(_FAULT.search(folder))


def is_normal(folder: str) -> bool | None:
    """Whether a test case is normal, by the name of its folder; None for one that begins as the normal one does."""
    if split_repetition(folder)[0] == NORMAL_TEST_CASE:
        return True
    return None if _NORMAL_PERHAPS.match(folder) and not _STATUS.search(folder) else False
