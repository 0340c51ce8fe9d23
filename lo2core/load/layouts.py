"""Finding service logs in folders and single files, and naming what they belong to.

The layouts are those met in the wild: a level of runs above the test case folders (full set, sample archive, newer
script, hand-made), test case folders alone whose suffix is the run (flattened), one folder of logs, one log file.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePath, PurePosixPath

from lo2core.base.config import NORMAL_TEST_CASE, SERVICES
from lo2core.base.errors import InputError
from lo2core.base.text import plural
from lo2core.load.compression import LOG_ENDING, USUAL_RATIO, is_compressed_log, is_log

_LONGEST_FIRST = sorted(SERVICES, key=len, reverse=True)
_SERVICE_LOG = re.compile(
    rf"^(?!\.)(?:.*[^a-z0-9])?oauth2-({'|'.join(_LONGEST_FIRST)})(?:-([0-9]+))?{LOG_ENDING}", re.I
)
"""Hidden files are no logs: archives packed on a Mac hold a `._` file beside each."""
_RUN_WITH_EPOCH = re.compile(r"^(?:light-oauth2-data|LO2_run)[-_]([0-9]{9,11})$", re.I)
_RUN = re.compile(r"^run[-_]?[0-9]+$", re.I)
_SUFFIX = re.compile(r"^(.+)_([0-9]{1,10})$")
_LARGEST = 2**31 - 1
_STATUS = re.compile(r"_4[0-9]{2}(?:_|$)")


_MANY = 20_000
"""Files that are looked at before a folder may be said to be the wrong one."""
TABLE = "table of events"
FLATTENED = "flattened"
_TABLES = (".parquet", ".csv")


@dataclass(frozen=True)
class LogFile:
    """One file found, and the sequence it holds when it is a service log."""

    path: Path
    source: str
    """Name in the ledger: the name of the root or archive, and the path below it."""
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
        """Bytes of text that it holds, of a compressed log an estimate."""
        return self.bytes * (USUAL_RATIO if is_compressed_log(self.path.name) else 1)

    @property
    def epoch(self) -> datetime | None:
        """Start of the run in UTC, from its folder's name."""
        found = _RUN_WITH_EPOCH.match(self.run or "")
        return datetime.fromtimestamp(int(found[1]), UTC).replace(tzinfo=None) if found else None

    @property
    def seq_id(self) -> str:
        return f"{self.run}__{self.folder}__{self.service}"

    @property
    def normal(self) -> bool | None:
        return self.test_case == NORMAL_TEST_CASE if self.labelled else None


def service_of(file_name: str) -> str | None:
    """Short service name of a log file (`client`, a second replica `client-2`), or None."""
    found = _SERVICE_LOG.match(file_name)
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
    return (folder, None) if is_status or number > _LARGEST else (base, number)


def find_logs(roots: Sequence[Path | str], service: str | None = None) -> list[LogFile]:
    """All files below the roots, the service logs among them named; sorted by run, folder, service.

    `service` names the service of `.log` files where no file's name does. Raises InputError when a root does not exist
    or cannot be read, when no service log is found, or when two files claim the same sequence.
    """
    paths = [Path(root).expanduser() for root in roots]
    tables = [_table(path) for path in paths if path.is_file() and path.suffix.lower() in _TABLES]
    listed = [_below(path) for path in paths if path not in {table.path for table in tables}]
    fallback = None if any(service_of(path.name) for _, paths in listed for path in paths) else service
    found: list[LogFile] = tables
    for (base, paths), name in zip(listed, _names([base for base, _ in listed]), strict=True):
        found += _with_runs([_named(path, base, name, fallback) for path in paths], base)
    if _claimed_twice(found):
        found = [by_folder_above(file) for file in found]
    logs = [file for file in found if file.service]
    if not logs:
        raise InputError(_nothing_found(roots, found))
    _check_distinct(logs)
    return sorted(logs, key=order) + sorted((f for f in found if not f.service), key=lambda f: f.source)


def order(file: LogFile) -> tuple[object, ...]:
    """Sort key: runs by epoch, folders and services by name, numbers inside names by value."""
    names = [part or "" for part in (file.run, file.folder, file.service)]
    return (file.epoch or datetime.max, *map(natural, names), *names)


def natural(text: str) -> str:
    """Sort key under which `correct_2` comes before `correct_10`."""
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(12), text)


def distinct(names: Iterable[str | None]) -> list[str]:
    """The names that are there, each once, in the order in which they came."""
    return [name for name in dict.fromkeys(names) if name is not None]


def _table(path: Path) -> LogFile:
    """A table that says itself which sequences it holds, see `foreign`."""
    run = _text(path.stem)
    return LogFile(path, _text(path.name), path.stat().st_size, run, run, run, None, run, labelled=True, layout=TABLE)


def _below(root: Path) -> tuple[Path, list[Path]]:
    """The folder that names are relative to, and the files in it that the root stands for."""
    if root.is_dir():
        base = root.resolve()
        return base, list(_walk(base))
    if not root.exists():
        raise InputError(
            f"{root} does not exist. Give a folder of logs, an archive (.zip, .tar.*), a .log or a .log.gz file."
        )
    if not is_log(root.name):
        ending = root.suffix or "nothing"
        raise InputError(f"{root.name} is not a log: it ends in {ending!r}, expected .log, an archive or a folder.")
    return root.resolve().parent, [root.resolve()]


def _walk(base: Path) -> Iterator[Path]:
    """All files below, also through links to folders; each folder once, so that links cannot lead in circles.

    Raises InputError where a folder cannot be read, and where hardly any of very many files is a log.
    """

    def refuse(error: OSError) -> None:
        if isinstance(error, FileNotFoundError):  # gone since its folder was listed
            return
        raise InputError(f"{error.filename} cannot be read: {error.strerror}. Mend its permissions or move it away.")

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
                f"{base} holds more than {_MANY:,} files and hardly any log: give the folder that holds the runs."
            )
        yield from (folder / name for name in sorted(names) if (folder / name).is_file())


def _names(bases: list[Path]) -> Iterator[str]:
    """The names of the roots; roots of the same name are numbered."""
    times: Counter[str] = Counter()
    for base in bases:
        times[base.name] += 1
        yield base.name if times[base.name] == 1 else f"{base.name} ({times[base.name]})"


def _named(path: Path, base: Path, name: str, fallback: str | None) -> LogFile:
    service = service_of(path.name) or (fallback if is_log(path.name) else None)
    source = _text(f"{name}/{path.relative_to(base).as_posix()}")
    return LogFile(path, source, path.stat().st_size, service=service)


def _text(name: str) -> str:
    """A file's name as text, with bytes that are not UTF-8 written as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


def _with_runs(files: list[LogFile], base: Path) -> list[LogFile]:
    """The files with run, folder and test case filled in; each parent of test case folders is judged as a whole."""
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
    """The log with a run that, in the flattened layout, is also named after the folder that holds the test cases."""
    above = _text(file.path.parent.parent.name)
    return replace(file, run=f"{above}_{file.run}") if file.layout == FLATTENED and above else file


def last_parts(path: PurePath | str) -> tuple[str, ...]:
    """The folder that holds the test cases, the test case and the log, as far as the path or a source has them."""
    return PurePosixPath(_text(str(path))).parts[-3:]


def _claimed_twice(files: Iterable[LogFile]) -> tuple[LogFile, LogFile] | None:
    """The first two logs of the same sequence."""
    seen: dict[str, LogFile] = {}
    for file in files:
        if file.service and (other := seen.setdefault(file.seq_id, file)) is not file:
            return other, file
    return None


def _check_distinct(logs: Iterable[LogFile]) -> None:
    if twins := _claimed_twice(logs):
        other, file = twins
        raise InputError(
            f"Two files claim the same sequence (run {file.run}, {file.folder}, {file.service}): {other.path} and "
            f"{file.path}. Load them into separate workspaces, or rename one of the folders above."
        )


def _nothing_found(roots: Sequence[Path | str], found: list[LogFile]) -> str:
    names = sorted({Path(file.source).name for file in found})
    seen = (
        f"{plural(len(found), 'file')} ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})"
        if found
        else "no file"
    )
    return (
        f"No service log below {', '.join(str(root) for root in roots)}: looked for names like oauth2-client-1.log "
        f"(services: {', '.join(SERVICES)}), found {seen}. Name the service where file names do not (--service)."
    )
