"""Finds service logs in folders and files, and determines the run, test case and service of each.

Known layouts: run folders that contain test case folders (full set, sample archive, newer script, hand-made), test
case folders alone, with the run as a suffix of their name (flattened), one folder of logs, one log file.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePath, PurePosixPath

from lo2core.base.config import NORMAL_TEST_CASE, SERVICES
from lo2core.base.errors import InputError
from lo2core.base.text import plural
from lo2core.base.untrusted import check_regular, is_file
from lo2core.load.compression import LOG_ENDING, USUAL_RATIO, is_compressed_log, is_log

_LONGEST_FIRST = sorted(SERVICES, key=len, reverse=True)
_SERVICE_LOG = re.compile(
    rf"^(?!\.)(?:.*[^a-z0-9])?oauth2-({'|'.join(_LONGEST_FIRST)})(?:-([0-9]+))?{LOG_ENDING}", re.I
)
"""Hidden files are excluded, since archives made on a Mac contain a `._` file for each file."""
_RUN_WITH_EPOCH = re.compile(r"^(?:light-oauth2-data|LO2_run)[-_]([0-9]{9,11})$", re.I)
_RUN = re.compile(r"^run[-_]?[0-9]+$", re.I)
_SUFFIX = re.compile(r"^(.+)_([0-9]{1,10})$")
_LARGEST = 2**31 - 1
_STATUS = re.compile(r"_4[0-9]{2}(?:_|$)")

_MANY = 20_000
"""A folder with more files than this and hardly any logs is refused."""
TABLE = "table of events"
FLATTENED = "flattened"
_TABLES = (".parquet", ".csv")
_ROOTS = "a folder of logs, an archive (.zip, .tar.*) or a log (.log, .log.gz)"


@dataclass(frozen=True)
class LogFile:
    """A file, and for a service log the sequence that it contains."""

    path: Path
    source: str
    """Name in the ledger: the name of the root or archive, and the path of the file in it."""
    bytes: int
    run: str | None = None
    folder: str | None = None
    test_case: str | None = None
    repetition: int | None = None
    service: str | None = None
    labelled: bool = False
    layout: str | None = None

    @property
    def text_bytes(self) -> int:
        """Bytes of text; an estimate for a compressed log."""
        return self.bytes * (USUAL_RATIO if is_compressed_log(self.path.name) else 1)

    @property
    def epoch(self) -> datetime | None:
        """Start of the run in UTC, from the name of its folder; None if the name does not contain it."""
        match = _RUN_WITH_EPOCH.match(self.run or "")
        return datetime.fromtimestamp(int(match[1]), UTC).replace(tzinfo=None) if match else None

    @property
    def seq_id(self) -> str:
        return f"{self.run}__{self.folder}__{self.service}"

    @property
    def normal(self) -> bool | None:
        """Whether the test case is normal; None if the layout does not tell."""
        return self.test_case == NORMAL_TEST_CASE if self.labelled else None


def service_of(file_name: str) -> str | None:
    """Short service name of a log file: `client`, or `client-2` for a second replica; None for other files."""
    match = _SERVICE_LOG.match(file_name)
    if not match:
        return None
    name, replica = match[1].lower(), int(match[2] or 1)
    return name if replica == 1 else f"{name}-{replica}"


def split_repetition(folder: str) -> tuple[str, int | None]:
    """Test case and repetition in the name of a folder. An HTTP status at its end is not a repetition."""
    match = _SUFFIX.match(folder)
    if not match:
        return folder, None
    base, number = match[1], int(match[2])
    is_status = len(match[2]) == 3 and 400 <= number <= 499 and base != NORMAL_TEST_CASE
    return (folder, None) if is_status or number > _LARGEST else (base, number)


def find_logs(roots: Sequence[Path | str], service: str | None = None) -> list[LogFile]:
    """All files in the roots: service logs sorted by run, folder and service, then other files sorted by path.

    service: the service of all `.log` files, used if no file name contains a service. Raises InputError for a root that
    does not exist or cannot be read, if there is no service log, and if two files belong to the same sequence.
    """
    paths = [as_path(root) for root in roots]
    tables = [_table(path) for path in paths if is_file(path) and path.suffix.lower() in _TABLES]
    listed = [_below(path) for path in paths if path not in {table.path for table in tables}]
    fallback = None if any(service_of(path.name) for _, paths in listed for path in paths) else service
    files: list[LogFile] = tables
    for (base, paths), name in zip(listed, _names([base for base, _ in listed]), strict=True):
        files += _with_runs([_named(path, base, name, fallback) for path in paths], base)
    if _same_sequence(files):
        files = [by_folder_above(file) for file in files]
    logs = [file for file in files if file.service]
    if not logs:
        raise InputError(_no_service_log(roots, files))
    _check_distinct(logs)
    return sorted(logs, key=order) + sorted((f for f in files if not f.service), key=lambda f: f.source)


def as_path(root: Path | str) -> Path:
    """The path of a root; raises InputError for anything that is not a path, and for an unknown user (~name)."""
    try:
        return Path(root).expanduser()
    except (TypeError, RuntimeError) as error:
        raise InputError(f"{root!r} is not a path ({error}). Give the path of {_ROOTS}.") from None


def order(file: LogFile) -> tuple[object, ...]:
    """Sort key: runs by epoch, folders and services by name; numbers in names are compared by value."""
    names = [part or "" for part in (file.run, file.folder, file.service)]
    return (file.epoch or datetime.max, *map(natural, names), *names)


def natural(text: str) -> str:
    """Sort key under which `correct_2` comes before `correct_10`."""
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(12), text)


def distinct(names: Iterable[str | None]) -> list[str]:
    """The distinct names in order of first appearance, without None."""
    return [name for name in dict.fromkeys(names) if name is not None]


def _table(path: Path) -> LogFile:
    """A table of events, see `event_tables`; its rows name their sequences."""
    run = _text(path.stem)
    return LogFile(path, _text(path.name), path.stat().st_size, run, run, run, None, run, labelled=True, layout=TABLE)


def _below(root: Path) -> tuple[Path, list[Path]]:
    """The folder that names are relative to, and the files that the root stands for."""
    try:
        check_regular(root)
    except IsADirectoryError:
        base = root.resolve()
        return base, list(_walk(base))
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{root} does not exist. Give the path of {_ROOTS}.") from None
    except OSError as error:
        raise InputError(f"{root} cannot be read: {error.strerror}. Give the path of {_ROOTS}.") from error
    if not is_log(root.name):
        raise InputError(f"{root.name} is not a log, judging by its name. Give {_ROOTS}.")
    return root.resolve().parent, [root.resolve()]


def _walk(base: Path) -> Iterator[Path]:
    """All files in a folder and its subfolders, also special ones. Links are followed, no folder is visited twice.

    Raises InputError for a folder that cannot be read, and for very many files with hardly any log among them.
    """

    def refuse(error: OSError) -> None:
        if isinstance(error, FileNotFoundError):  # removed in the meantime
            return
        raise InputError(
            f"{error.filename} cannot be read: {error.strerror}. Change its permissions, or move it to another folder."
        )

    def is_there(path: Path) -> bool:
        try:
            return path.exists()
        except OSError as error:  # a link into a folder that may not be entered
            refuse(error)
            return False

    seen: set[Path] = set()
    files = logs = 0
    for name, subfolders, names in os.walk(base, followlinks=True, onerror=refuse):
        folder = Path(name)
        if folder.resolve() in seen:
            subfolders.clear()
            continue
        seen.add(folder.resolve())
        subfolders.sort()
        files, logs = files + len(names), logs + sum(map(is_log, names))
        if files > _MANY and logs * 100 < files:
            raise InputError(
                f"{base} contains more than {_MANY:,} files and hardly any logs. Give the folder that contains the "
                "runs."
            )
        yield from (folder / name for name in sorted(names) if is_there(folder / name))


def _names(bases: list[Path]) -> Iterator[str]:
    """The names of the roots; further roots of the same name get a number."""
    times: Counter[str] = Counter()
    for base in bases:
        times[base.name] += 1
        yield base.name if times[base.name] == 1 else f"{base.name} ({times[base.name]})"


def _named(path: Path, base: Path, name: str, fallback: str | None) -> LogFile:
    """The file with its service. A pipe or a device is no log, whatever its name, and has no size."""
    entry = path.stat()
    source = _text(f"{name}/{path.relative_to(base).as_posix()}")
    if not stat.S_ISREG(entry.st_mode):
        return LogFile(path, source, 0)
    service = service_of(path.name) or (fallback if is_log(path.name) else None)
    return LogFile(path, source, entry.st_size, service=service)


def _text(name: str) -> str:
    """A file name with bytes that are not UTF-8 replaced by escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _with_runs(files: list[LogFile], base: Path) -> list[LogFile]:
    """The files with run, folder and test case, determined together for all test case folders in the same folder."""
    siblings: dict[Path, set[str]] = defaultdict(set)
    for file in files:
        if file.service:
            siblings[file.path.parent.parent].add(_text(file.path.parent.name))
    return [_placed(file, siblings[file.path.parent.parent], base) if file.service else file for file in files]


def _placed(file: LogFile, siblings: set[str], base: Path) -> LogFile:
    folder, above = _text(file.path.parent.name), _text(file.path.parent.parent.name)
    test_case, repetition = split_repetition(folder)
    run, layout = above, "folders by run"
    if _RUN_WITH_EPOCH.match(above):
        layout = "full set" if above.startswith("light") else "newer script"
    elif _RUN.match(above):
        layout = "hand-made"
    elif all(split_repetition(name)[1] is not None for name in siblings):
        run, repetition, layout = f"run_{repetition}", None, FLATTENED
    elif file.path.parent == base:
        run, layout = folder, "one folder"
    labelled = any(split_repetition(name)[0] == NORMAL_TEST_CASE or _STATUS.search(name) for name in siblings)
    return replace(
        file, run=run, folder=folder, test_case=test_case, repetition=repetition, labelled=labelled, layout=layout
    )


def by_folder_above(file: LogFile) -> LogFile:
    """The log; in the flattened layout, the name of the folder that contains the test cases is added to its run."""
    above = _text(file.path.parent.parent.name)
    return replace(file, run=f"{above}_{file.run}") if file.layout == FLATTENED and above else file


def last_parts(path: PurePath | str) -> tuple[str, ...]:
    """The last three parts of a path or source: folder of the test cases, test case, log."""
    return PurePosixPath(_text(str(path))).parts[-3:]


def _same_sequence(files: Iterable[LogFile]) -> tuple[LogFile, LogFile] | None:
    """The first two logs that belong to the same sequence, if there are any."""
    seen: dict[str, LogFile] = {}
    for file in files:
        if file.service and (other := seen.setdefault(file.seq_id, file)) is not file:
            return other, file
    return None


def _check_distinct(logs: Iterable[LogFile]) -> None:
    if pair := _same_sequence(logs):
        other, file = pair
        raise InputError(
            f"{other.path} and {file.path} belong to the same sequence (run {file.run}, {file.folder}, "
            f"{file.service}). Load them into separate workspaces, or rename one of their folders."
        )


def _no_service_log(roots: Sequence[Path | str], files: list[LogFile]) -> str:
    names = sorted({Path(file.source).name for file in files})
    found = f"{plural(len(files), 'file')} ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})"
    return (
        f"No service log in {', '.join(str(root) for root in roots)}: expected names such as oauth2-client-1.log "
        f"(services: {', '.join(SERVICES)}), found {found if files else 'no file'}. If file names do not contain the "
        "service, name it with --service."
    )
