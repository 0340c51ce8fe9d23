"""Finding service logs in folders, archives and single files, and naming what they belong to.

The layouts are those met in the wild: a level of runs above the test case folders (full set, sample archive, newer
script, hand-made), test case folders alone whose suffix is the run (flattened), one folder of logs, one log file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from lo2core.config import NORMAL_TEST_CASE, SERVICES
from lo2core.errors import InputError

_SERVICE_LOG = re.compile(
    rf"(?:^|[^a-z0-9])oauth2-({'|'.join(sorted(SERVICES, key=len, reverse=True))})(?:-(\d+))?\.log$", re.I
)
_RUN_WITH_EPOCH = re.compile(r"^(?:light-oauth2-data|LO2_run)[-_](\d{9,11})$", re.I)
_RUN = re.compile(r"^run[-_]?\d+$", re.I)
_SUFFIX = re.compile(r"^(.+)_(\d+)$")
_STATUS = re.compile(r"_4\d\d(?:_|$)")


@dataclass(frozen=True)
class LogFile:
    """One file found, and the sequence it holds when it is a service log."""

    path: Path
    source: str
    """Name in the ledger: the path below the root, after the name of the archive or root it came from."""
    bytes: int
    run: str | None = None
    folder: str | None = None
    test_case: str | None = None
    repetition: int | None = None
    service: str | None = None
    labelled: bool = False
    layout: str | None = None

    @property
    def epoch(self) -> datetime | None:
        """Start of the run in UTC, from its folder's name."""
        found = _RUN_WITH_EPOCH.match(self.run or "")
        return datetime.fromtimestamp(int(found[1]), UTC).replace(tzinfo=None) if found else None

    @property
    def normal(self) -> bool | None:
        return self.test_case == NORMAL_TEST_CASE if self.labelled else None


def service_of(file_name: str) -> str | None:
    """Short service name of a log file (`client`, a second replica `client-2`), or None."""
    found = _SERVICE_LOG.search(file_name)
    if not found:
        return None
    name, replica = found[1].lower(), int(found[2] or 1)
    return name if replica == 1 else f"{name}-{replica}"


def split_repetition(folder: str) -> tuple[str, int | None]:
    """Test case and repetition of a folder's name; an HTTP status at its end is not a repetition."""
    found = _SUFFIX.match(folder)
    if not found:
        return folder, None
    base, number = found[1], int(found[2])
    is_status = len(found[2]) == 3 and 400 <= number <= 499 and base != NORMAL_TEST_CASE
    return (folder, None) if is_status else (base, number)


def find_logs(roots: Sequence[Path | str], service: str | None = None) -> list[LogFile]:
    """All files below the roots, the service logs among them named; sorted by run, folder, service.

    `service` names the service of log files whose name does not say it. Raises InputError when a root does not
    exist, when no service log is found, or when two files claim the same sequence.
    """
    found = [file for root in roots for file in _below(Path(root), service, prefix=len(roots) > 1)]
    logs = [file for file in found if file.service]
    if not logs:
        raise InputError(_nothing_found(roots, found))
    _check_distinct(logs)
    return sorted(logs, key=order) + sorted((f for f in found if not f.service), key=lambda f: f.source)


def order(file: LogFile) -> tuple[str, ...]:
    """Sort key: runs in time, folders and services by name, numbers inside names by value."""
    return tuple(natural(part or "") for part in (file.run, file.folder, file.service))


def natural(text: str) -> str:
    """Sort key under which `correct_2` comes before `correct_10`."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(12), text)


def _below(root: Path, service: str | None, prefix: bool) -> list[LogFile]:
    root = root.expanduser()
    if not root.exists():
        raise InputError(f"{root} does not exist. Give a folder of logs, an archive (.zip, .tar.*) or a .log file.")
    if root.is_file():
        return _single(root, service)
    base = root.resolve()
    files = [path for path in sorted(base.rglob("*")) if path.is_file() and not path.is_symlink()]
    found = [_named(path, base, service, prefix) for path in files]
    return _with_runs(found, base)


def _single(path: Path, service: str | None) -> list[LogFile]:
    if path.suffix.lower() != ".log":
        raise InputError(f"{path.name} is not a log: found a file ending in {path.suffix or 'nothing'!r}, expected .log.")
    base = path.resolve().parent
    return _with_runs([_named(path.resolve(), base, service or service_of(path.name), prefix=False)], base)


def _named(path: Path, base: Path, service: str | None, prefix: bool) -> LogFile:
    source = path.relative_to(base.parent if prefix else base).as_posix()
    known = service_of(path.name)
    if not known and service and path.suffix == ".log":
        known = service
    return LogFile(path, source, path.stat().st_size, service=known)


def _with_runs(files: list[LogFile], base: Path) -> list[LogFile]:
    """The files with run, folder and test case filled in; each parent of test case folders is judged as a whole."""
    siblings: dict[Path, set[str]] = defaultdict(set)
    for file in files:
        if file.service:
            siblings[file.path.parent.parent].add(file.path.parent.name)
    return [_placed(file, siblings[file.path.parent.parent], base) if file.service else file for file in files]


def _placed(file: LogFile, siblings: set[str], base: Path) -> LogFile:
    folder, above = file.path.parent, file.path.parent.parent
    test_case, repetition = split_repetition(folder.name)
    run, layout = above.name, "folders by run"
    if _RUN_WITH_EPOCH.match(above.name):
        layout = "full set" if above.name.startswith("light") else "newer script"
    elif _RUN.match(above.name):
        layout = "hand-made"
    elif all(split_repetition(name)[1] is not None for name in siblings):
        run, repetition, layout = f"run_{repetition}", None, "flattened"
    elif folder == base:
        run, layout = folder.name, "one folder"
    labelled = any(split_repetition(name)[0] == NORMAL_TEST_CASE or _STATUS.search(name) for name in siblings)
    return replace(
        file, run=run, folder=folder.name, test_case=test_case, repetition=repetition, labelled=labelled, layout=layout
    )


def _check_distinct(logs: Iterable[LogFile]) -> None:
    seen: dict[tuple[str | None, ...], LogFile] = {}
    for file in logs:
        other = seen.setdefault((file.run, file.folder, file.service), file)
        if other is not file:
            raise InputError(
                f"Two files claim the same sequence (run {file.run}, {file.folder}, {file.service}): {other.path} and "
                f"{file.path}. Load them into separate workspaces, or rename one of the run folders."
            )


def _nothing_found(roots: Sequence[Path | str], found: list[LogFile]) -> str:
    names = sorted({file.path.name for file in found})
    seen = f"{len(found)} files ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})" if found else "no file"
    return (
        f"No service log below {', '.join(str(root) for root in roots)}: looked for names like oauth2-client-1.log "
        f"(services: {', '.join(SERVICES)}), found {seen}. Name the service if the file name does not say it."
    )
