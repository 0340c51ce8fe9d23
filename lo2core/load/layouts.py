"""Finds the logs of services in folders and files, and determines the run, test case and service of each.

Known layouts: run folders that contain test case folders (LO2's full set, sample archive, newer script, hand-made, or
any other), test case folders alone, with the run as a suffix of their name (flattened) or without, folders of services,
one folder of logs, one log file; and any layout that a person describes by a template.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path, PurePath, PurePosixPath

from lo2core.base.errors import InputError
from lo2core.base.text import plural
from lo2core.base.untrusted import check_regular, is_file
from lo2core.load.compression import USUAL_RATIO, is_compressed_log, is_log
from lo2core.load.names import (
    GENERIC,
    is_normal,
    lo2_service,
    may_be_log,
    normal_form,
    own_service,
    own_services,
    piece_of,
    split_repetition,
    stem_of,
    tells_labels,
)
from lo2core.load.template import Template

_RUN_WITH_EPOCH = re.compile(r"^(?:light-oauth2-data|LO2_run)[-_]([0-9]{9,11})$", re.I)
_RUN = re.compile(r"^run[-_]?[0-9]+$", re.I)

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
    normal: bool | None = None
    """Whether the test case is normal; None if that is not known."""
    layout: str | None = None
    home: Path | None = None
    """The folder of the test case, if it is not the one that contains the file."""
    older: tuple[Path, ...] = ()
    """Rotated pieces of the same log, oldest first; they are read before it."""
    container: str | None = None
    """The container whose lines are read, of a file that holds those of several."""
    regular: bool = True
    """False for a pipe or a device, which is never read."""

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
    def case_folder(self) -> Path:
        """The folder of the test case."""
        return self.home or self.path.parent


def find_logs(
    roots: Sequence[Path | str], service: str | None = None, template: Template | None = None
) -> list[LogFile]:
    """All files in the roots: service logs sorted by run, folder and service, then other files sorted by path.

    Logs of LO2's services are recognised by their names. Where there are none, each log is one of a service of its own,
    named by its file, or by its folder if the file is called `app.log` or the like. service: the service of all logs,
    used if no file is of a service of LO2. template: where names of runs, test cases and services are in the paths.
    Raises InputError for a root that does not exist or cannot be read, if there is no log, and if two files belong to
    the same sequence.
    """
    paths = [as_path(root) for root in roots]
    tables = [_table(path) for path in paths if is_file(path) and path.suffix.lower() in _TABLES]
    listed = [_below(path) for path in paths if path not in {table.path for table in tables}]
    is_lo2 = any(lo2_service(_log_name(path)) for _, found in listed for path in found)
    readable = _readable([path for _, found in listed for path in found], paths)
    names = {} if is_lo2 else own_services(_stem(path) for path in sorted(readable))
    files: list[LogFile] = tables
    for (base, found), name in zip(listed, _names([base for base, _ in listed]), strict=True):
        logs = _whole_logs([_as_file(path, base, name) for path in found])
        if template:
            files += _by_template(logs, base, template)
        else:
            named = [_named(file, is_lo2 or file.path not in readable, service, names) for file in logs]
            named = named if is_lo2 or service else _distinct_services(_by_folder(named, base))
            placed = _with_runs(named, base)
            if not is_lo2 and not service:
                placed = _distinct_services(list(chain.from_iterable(map(_by_container, placed))))
            files += placed
    if _same_sequence(files):
        files = [by_folder_above(file) for file in files]
    if service and not is_lo2 and _same_sequence(files):
        files = [_by_file(file) for file in files]
    logs = [file for file in files if file.service]
    if not logs:
        raise InputError(_no_service_log(roots, files, template))
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
    run = normal_form(path.stem)
    size = path.stat().st_size
    return LogFile(path, normal_form(path.name), size, run, run, run, None, run, normal=False, layout=TABLE)


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
    if not piece_of(root.name):
        raise InputError(f"{root.name} is not a log, judging by its name. Give {_ROOTS}.")
    return root.resolve().parent, [root.resolve()]


def _walk(base: Path) -> Iterator[Path]:
    """All files in a folder and its subfolders, also special ones. Links are followed, no folder is visited twice.

    A link to a folder that contains one of the visited folders, such as `/`, is not followed. Raises InputError for a
    folder that cannot be read, and for very many files with hardly any log among them.
    """

    def refuse(error: OSError) -> None:
        if isinstance(error, FileNotFoundError):  # removed in the meantime
            return
        advice = _without_link(base, Path(error.filename)) or "Change its permissions, or move it to another folder."
        raise InputError(f"{error.filename} cannot be read: {error.strerror}. {advice}")

    def is_there(path: Path) -> bool:
        try:
            return path.exists()
        except OSError as error:  # a link into a folder that may not be entered
            refuse(error)
            return False

    seen: set[Path] = set()
    above: set[Path] = set()
    files = logs = 0
    for name, subfolders, names in os.walk(base, followlinks=True, onerror=refuse):
        folder, real = Path(name), Path(name).resolve()
        if real in seen or (real in above and folder.is_symlink()):
            subfolders.clear()
            continue
        seen.add(real)
        above.update(real.parents)
        subfolders.sort()
        files, logs = files + len(names), logs + sum(map(is_log, names))
        if files > _MANY and logs * 100 < files:
            advice = _without_link(base, folder) or "Give the folder that contains the runs."
            raise InputError(f"{base} contains more than {_MANY:,} files and hardly any logs. {advice}")
        yield from (folder / name for name in sorted(names) if is_there(folder / name))


def _without_link(base: Path, path: Path) -> str:
    """What to do about a path below `base` that a link leads to; empty if no link does."""
    links = (
        folder for folder in (*reversed(path.parents), path) if folder.is_relative_to(base) and folder.is_symlink()
    )
    link = next((link for link in links if not link.resolve().is_relative_to(base)), None)
    return f"Remove the link {link}, which leads to {link.resolve()}." if link else ""


def _names(bases: list[Path]) -> Iterator[str]:
    """The names of the roots; further roots of the same name get a number."""
    times: Counter[str] = Counter()
    for base in bases:
        times[base.name] += 1
        yield base.name if times[base.name] == 1 else f"{base.name} ({times[base.name]})"


def _as_file(path: Path, base: Path, name: str) -> LogFile:
    """A pipe or a device is no log, whatever its name, and has no size."""
    entry = path.stat()
    source = normal_form(f"{name}/{path.relative_to(base).as_posix()}")
    regular = stat.S_ISREG(entry.st_mode)
    return LogFile(path, source, entry.st_size if regular else 0, regular=regular)


def _log_name(path: Path) -> str:
    """The name of the log that a file belongs to; the file's own name if it is no log."""
    piece = piece_of(path.name)
    return piece.log if piece else path.name


def _stem(path: Path) -> str:
    """The name of the log that a file belongs to, without its ending, in Unicode's composed form."""
    return normal_form(stem_of(_log_name(path)))


def _whole_logs(files: list[LogFile]) -> list[LogFile]:
    """The files, with rotated pieces of a log put together in the latest one."""
    pieces: dict[tuple[Path, str], list[LogFile]] = defaultdict(list)
    for file in files:
        log = _log_name(file.path) if file.regular else file.path.name
        pieces[file.path.parent, log].append(file)
    return [_joined(group) if len(group) > 1 else group[0] for group in pieces.values()]


def _joined(group: list[LogFile]) -> LogFile:
    def place(file: LogFile) -> tuple[int, str, int]:
        piece = piece_of(file.path.name)
        return piece.order if piece else (0, "", 0)

    *older, latest = sorted(group, key=place)
    return replace(latest, bytes=sum(file.bytes for file in group), older=tuple(file.path for file in older))


def _readable(found: Sequence[Path], roots: Sequence[Path]) -> set[Path]:
    """The files that are logs by their names; where there are none, those that could be. A given file is one."""
    given = {root.resolve() for root in roots} & set(found)
    return given | ({path for path in found if is_log(path.name)} or {p for p in found if may_be_log(p.name)})


def _named(file: LogFile, only_lo2: bool, service: str | None, names: Mapping[str, str]) -> LogFile:
    piece = piece_of(file.path.name)
    if not file.regular:
        return file
    if only_lo2 or not piece:
        return replace(file, service=lo2_service(_log_name(file.path)))
    return replace(file, service=service or names[_stem(file.path)])


def _by_folder(files: list[LogFile], base: Path) -> list[LogFile]:
    """Logs that are called `app.log` or the like take the name of their folder, unless that is a test case."""
    beside: dict[Path, set[str]] = defaultdict(set)
    for file in files:
        if file.service:
            beside[file.path.parent.parent].add(normal_form(file.path.parent.name))

    def renamed(file: LogFile) -> LogFile:
        if not file.service or not _says_nothing(file.service):
            return file
        parent = file.path.parent
        while _says_nothing(parent.name) and parent != base:
            parent = parent.parent
        if parent == base or any(map(tells_labels, beside[parent.parent])):
            return file
        return replace(file, service=own_service(normal_form(parent.name)), home=parent.parent)

    return [renamed(file) for file in files]


def _says_nothing(name: str) -> bool:
    return name.lower() in GENERIC or name.isdigit()


def _distinct_services(files: list[LogFile]) -> list[LogFile]:
    """Logs of one folder that belong to services of the same name, such as two pods, or `cart.log` and `cart.err`.

    The first one keeps the name; others get the ending of their file if that differs, else a number.
    """
    used: dict[Path, dict[str, LogFile]] = defaultdict(dict)
    for file in sorted(files, key=lambda file: not _log_name(file.path).endswith(".log")):
        if file.service:
            used[file.case_folder].setdefault(file.service, file)
    return [_distinct(file, used[file.case_folder]) if file.service else file for file in files]


def _distinct(file: LogFile, used: dict[str, LogFile]) -> LogFile:
    """The log with a name that is its own among those that are used in its folder."""
    first = used[str(file.service)]
    if first is file:
        return file
    ending = Path(_log_name(file.path)).suffix.replace(".", "-")
    by_ending = [f"{file.service}{ending}"] if _stem(file.path) == _stem(first.path) and ending != "-log" else []
    names = chain(by_ending, (f"{file.service}-{number}" for number in range(2, len(used) + 3)))
    name = next(name for name in names if name not in used)
    used[name] = file
    return replace(file, service=name)


def _by_file(file: LogFile) -> LogFile:
    """The log as a test case of its own, named by its file."""
    stem = _stem(file.path)
    test_case, repetition = split_repetition(stem)
    return replace(
        file,
        folder=stem,
        test_case=test_case,
        repetition=repetition,
        normal=is_normal(stem) if tells_labels(stem) else None,
    )


def _by_container(file: LogFile) -> list[LogFile]:
    """A log for each container in a file; the file itself if it holds the lines of one."""
    from lo2core.load.containers import containers, services  # takes a while, and `--help` needs this module

    found = containers((*file.older, file.path)) if file.service else {}
    names = services(found)
    return [
        replace(file, source=f"{file.source} [{name}]", service=names[name], bytes=size, container=name)
        for name, size in sorted(found.items())
    ] or [file]


def _with_runs(files: list[LogFile], base: Path) -> list[LogFile]:
    """The files with run, folder and test case, determined together for all test case folders in the same folder."""
    siblings: dict[Path, set[str]] = defaultdict(set)
    for file in files:
        if file.service:
            siblings[file.case_folder.parent].add(normal_form(file.case_folder.name))
    return [_placed(file, siblings[file.case_folder.parent], base) if file.service else file for file in files]


def _placed(file: LogFile, siblings: set[str], base: Path) -> LogFile:
    folder, above = normal_form(file.case_folder.name), normal_form(file.case_folder.parent.name)
    test_case, repetition = split_repetition(folder)
    run, layout = above, "folders by run"
    if _RUN_WITH_EPOCH.match(above):
        layout = "full set" if above.startswith("light") else "newer script"
    elif _RUN.match(above):
        layout = "hand-made"
    elif all(split_repetition(name)[1] is not None for name in siblings):
        run, repetition, layout = f"run_{repetition}", None, FLATTENED
    elif file.case_folder == base:
        run, layout = folder, "one folder"
    normal = is_normal(folder) if any(map(tells_labels, siblings)) else None
    return replace(
        file, run=run, folder=folder, test_case=test_case, repetition=repetition, normal=normal, layout=layout
    )


def _by_template(files: list[LogFile], base: Path, template: Template) -> list[LogFile]:
    """The files with the names in their paths; unchanged where the path is of another form than the template."""
    found = template.names([normal_form(file.path.relative_to(base.parent).as_posix()) for file in files])
    root = normal_form(base.name)
    return [
        _in_place(file, root, names, template.text) if names and file.regular else file
        for file, names in zip(files, found, strict=True)
    ]


def _in_place(file: LogFile, root: str, names: dict[str, str], layout: str) -> LogFile:
    folder = names.get("test_case") or root
    test_case, repetition = split_repetition(folder)
    if "repetition" in names:
        folder, repetition = f"{folder}_{names['repetition']}", int(names["repetition"])
    return replace(
        file,
        run=names.get("run") or root,
        folder=folder,
        test_case=test_case,
        repetition=repetition,
        service=names["service"],
        normal=is_normal(folder) if tells_labels(folder) else None,
        layout=layout,
    )


def by_folder_above(file: LogFile) -> LogFile:
    """The log; in the flattened layout, the name of the folder that contains the test cases is added to its run."""
    above = normal_form(file.case_folder.parent.name)
    return replace(file, run=f"{above}_{file.run}") if file.layout == FLATTENED and above else file


def last_parts(path: PurePath | str) -> tuple[str, ...]:
    """The last three parts of a path or source: folder of the test cases, test case, log."""
    return PurePosixPath(normal_form(str(path))).parts[-3:]


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


def _no_service_log(roots: Sequence[Path | str], files: list[LogFile], template: Template | None) -> str:
    names = sorted({Path(file.source).name for file in files})
    found = f"{plural(len(files), 'file')} ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})"
    where = ", ".join(str(root) for root in roots)
    if template:
        return (
            f"No file in {where} is named as the layout {template.text}: found {found if files else 'no file'}. The "
            "layout describes the end of each path, such as {run}/{test_case}/{service}.log."
        )
    return (
        f"No log in {where}: expected files such as payment.log, payment.log.1.gz or oauth2-client-1.log, found "
        f"{found if files else 'no file'}."
    )
