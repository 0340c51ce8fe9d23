"""Names of logs and test cases: the service of a log, the log that a rotated piece belongs to, the normal test case."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from lo2core.base.config import NORMAL_TEST_CASE, SERVICES
from lo2core.load.compression import COMPRESSED, LOG_ENDING

_LONGEST_FIRST = sorted(SERVICES, key=len, reverse=True)
_LO2_LOG = re.compile(rf"^(?!\.)(?:.*[^a-z0-9])?oauth2-({'|'.join(_LONGEST_FIRST)})(?:[-_]([0-9]+))?{LOG_ENDING}", re.I)
"""Hidden files are excluded, since archives made on a Mac contain a `._` file for each file."""

_DATE = r"[12][0-9]{3}-?[01][0-9]-?[0-3][0-9](?:[-T_.][0-9]{2}[-:.]?[0-9]{2}(?:[-:.]?[0-9]{2})?)?"
_ROTATED = re.compile(
    rf"^(?P<stem>.+?)(?:[-_.](?P<date>{_DATE})(?:[-.](?P<index>[0-9]{{1,3}}))?)?(?P<ending>\.(?:log|out|err|jsonl|ndjson))"
    rf"(?:[-.](?P<later_date>{_DATE}))?(?:\.(?P<number>[0-9]{{1,4}}))?(?:{COMPRESSED})?$",
    re.I,
)
_CONTAINER_FILE = re.compile(r"^[a-z0-9.-]+_[a-z0-9-]+_(?P<service>[a-z0-9-]+)-[0-9a-f]{64}$")
"""Name of a container's log on a Kubernetes node: pod, namespace, container and its id."""
_COMPOSE_1 = re.compile(r"^[a-z0-9][a-z0-9.-]*_(?P<service>[a-z0-9][a-z0-9.-]*)_(?P<replica>[0-9]+)$", re.I)
_POD = re.compile(r"^(?P<service>.+?)-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$")
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
_STATUS = re.compile(r"_[1-5][0-9]{2}(?:_|$)")
_STATUSES = frozenset([*range(100, 104), *range(200, 209), 226, *range(300, 309), *range(400, 500), *range(500, 512)])
_COPY = re.compile(rf"^{NORMAL_TEST_CASE}(?:[ _.-]*copy)?(?:[ .-]*\(?(?P<number>[0-9]{{1,9}})\)?)?$", re.I)
"""The normal test case, also as file managers name a copy of it: `correct 2`, `correct (1)`, `correct - Copy`."""


@dataclass(frozen=True)
class Piece:
    """A log file, or a rotated piece of one: the name of the log that it belongs to, and its place in time."""

    log: str
    order: tuple[int, str, int]


def piece_of(file_name: str) -> Piece | None:
    """Which log a file belongs to: `client.log.2.gz` and `client-2024-06-28.log` to `client.log`; None if it is no log.

    Pieces in the order of `Piece.order` are in the order of time; the current log is the last one.
    """
    match = _ROTATED.match(file_name)
    if not match or file_name.startswith("."):
        return None
    date = match["date"] or match["later_date"] or ""
    number = -int(match["number"]) if match["number"] else int(match["index"] or 0)
    is_current = not date and not match["number"]
    return Piece(match["stem"] + match["ending"], (int(is_current), date, number))


def lo2_service(file_name: str) -> str | None:
    """Short name of LO2's service: `client`, or `client-2` for a second replica; None for other files."""
    match = _LO2_LOG.match(file_name)
    return _replica(match[1].lower(), match[2]) if match else None


def own_service(stem: str) -> str:
    """Name of any service, from the name of its log without endings; names of containers and pods are understood."""
    for pattern in (_CONTAINER_FILE, _COMPOSE_1, _POD, _REPLICA):
        if match := pattern.match(stem):
            return _replica(match["service"], match.groupdict().get("replica"))
    return stem


def _replica(service: str, number: str | None) -> str:
    return service if int(number or 1) <= 1 else f"{service}-{int(number or 1)}"


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
    return split_repetition(folder)[0] == NORMAL_TEST_CASE or bool(_STATUS.search(folder))
