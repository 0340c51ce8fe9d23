"""Finds the logs of services in folders and files, and determines the run, test case and service of each.

Known layouts: run folders that contain test case folders (LO2's full set, sample archive, newer script, hand-made, or
any other), test case folders alone, with the run as a suffix of their name (flattened) or without, folders of services,
one folder of logs, one log file; and any layout that a person describes by a template.
"""

from __future__ import annotations

import stat
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from lo2core.base.errors import InputError
from lo2core.base.text import plural
from lo2core.base.untrusted import is_file
from lo2core.load.log_file import (
    ANY_RUN,
    FLATTENED,
    TABLE,
    LogFile,
    layout_of_run,
    log_name,
    log_stem,
    order,
    same_sequence,
    with_distinct_runs,
)
from lo2core.load.log_services import (
    above_folders_of_logs,
    by_container,
    distinct_services,
    named_as_in_lo2,
    named_by_file,
    named_by_folder,
    readable,
)
from lo2core.load.names import (
    is_normal,
    lo2_prefix,
    normal_form,
    own_services,
    piece_of,
    split_repetition,
    tells_labels,
)
from lo2core.load.template import Template
from lo2core.load.walk import as_path, below

_TABLES = (".parquet", ".csv")


def find_logs(
    roots: Sequence[Path | str], service: str | None = None, template: Template | None = None
) -> list[LogFile]:
    """All files in the roots: service logs sorted by run, folder and service, then other files sorted by path.

    Logs of LO2's services are recognised by their names, and so are those of further services that are named alike.
    Where there are none, each log is one of a service of its own, named by its file, or by its folder if the file is
    called `app.log` or the like. service: the service of all logs,
    used if no file is of a service of LO2. template: where names of runs, test cases and services are in the paths.
    Raises InputError for a root that does not exist or cannot be read, if there is no log, and if two files belong to
    the same sequence.
    """
    paths = [as_path(root) for root in roots]
    tables = [_table(path) for path in paths if _is_table(path)]
    listed = [below(path) for path in paths if path not in {table.path for table in tables}]
    found_prefixes = (lo2_prefix(log_name(path)) for _, found in listed for path in found)
    prefixes = {prefix for prefix in found_prefixes if prefix is not None}
    is_lo2 = bool(prefixes)
    usable = readable(listed, paths)
    names = {} if is_lo2 else own_services(log_stem(path) for path in sorted(usable))
    files: list[LogFile] = tables
    for (base, found), name in zip(listed, _names([base for base, _ in listed]), strict=True):
        logs = _whole_logs([_as_file(path, base, name) for path in found])
        if template:
            files += _by_template(logs, base, template)
        else:
            logs = [above_folders_of_logs(file, base) for file in logs]
            named = [
                named_as_in_lo2(file, prefixes)
                if is_lo2 or file.path not in usable
                else named_by_file(file, service, names)
                for file in logs
            ]
            named = named if is_lo2 or service else distinct_services(named_by_folder(named, base))
            placed = _with_runs(named, base)
            if not is_lo2 and not service:
                placed = distinct_services(list(chain.from_iterable(map(by_container, placed))))
            files += placed
    files = with_distinct_runs(files)
    if service and not is_lo2 and same_sequence(files):
        files = [_by_file(file) for file in files]
    logs = [file for file in files if file.service]
    if not logs:
        raise InputError(_no_service_log(roots, files, template))
    _check_distinct(logs)
    return sorted(logs, key=order) + sorted((f for f in files if not f.service), key=lambda f: f.source)


def names_of_roots(roots: Sequence[Path | str]) -> list[str]:
    """How the `source` of each file in a root begins: the name of the root, up to the first slash."""
    paths = [as_path(root) for root in roots]
    bases = [path.resolve() if path.is_dir() else path.resolve().parent for path in paths if not _is_table(path)]
    names = _names(bases)
    return [normal_form(path.name if _is_table(path) else next(names)) for path in paths]


def _is_table(path: Path) -> bool:
    return is_file(path) and path.suffix.lower() in _TABLES


def _table(path: Path) -> LogFile:
    """A table of events, see `event_tables`; its rows name their sequences."""
    run, name, entry = normal_form(path.stem), normal_form(path.name), path.stat()
    table = LogFile(path, name, entry.st_size, run, run, run, None, run, normal=False, layout=TABLE)
    return replace(table, modified=entry.st_mtime_ns)


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
    return LogFile(path, source, entry.st_size if regular else 0, regular=regular, modified=entry.st_mtime_ns)


def _whole_logs(files: list[LogFile]) -> list[LogFile]:
    """The files, with rotated pieces of a log put together in the latest one."""
    pieces: dict[tuple[Path, str], list[LogFile]] = defaultdict(list)
    for file in files:
        log = log_name(file.path) if file.regular else file.path.name
        pieces[file.path.parent, log].append(file)
    return [_joined(group) if len(group) > 1 else group[0] for group in pieces.values()]


def _joined(group: list[LogFile]) -> LogFile:
    def place(file: LogFile) -> tuple[int, str, int]:
        piece = piece_of(file.path.name)
        return piece.order if piece else (0, "", 0)

    *older, latest = sorted(group, key=place)
    return replace(
        latest,
        bytes=sum(file.bytes for file in group),
        older=tuple(file.path for file in older),
        modified=max(file.modified for file in group),
    )


def _by_file(file: LogFile) -> LogFile:
    """The log as a test case of its own, named by its file."""
    stem = log_stem(file.path)
    test_case, repetition = split_repetition(stem)
    return replace(
        file,
        folder=stem,
        test_case=test_case,
        repetition=repetition,
        normal=is_normal(stem) if tells_labels(stem) else None,
    )


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
    run, layout = above, ANY_RUN
    if known := layout_of_run(above):
        layout = known
    elif tells_labels(above) and (layout_of_run(folder) or folder.isdigit()) and file.case_folder != base:
        return _repeated(file, above, folder)
    elif known := layout_of_run(folder):  # a run without test cases
        return replace(file, run=folder, folder=folder, test_case=folder, layout=known)
    elif around := _run_around(file.case_folder, base):
        run, layout = around.name, str(layout_of_run(around.name))
    elif all(split_repetition(name)[1] is not None for name in siblings):
        run, repetition, layout = f"run_{repetition}", None, FLATTENED
    elif file.case_folder == base:
        run, layout = folder, "one folder"
    normal = is_normal(folder) if any(map(tells_labels, siblings)) else None
    return replace(
        file, run=run, folder=folder, test_case=test_case, repetition=repetition, normal=normal, layout=layout
    )


def _repeated(file: LogFile, above: str, folder: str) -> LogFile:
    """A log in a folder of a run or a repetition, below that of the test case."""
    number = int(folder) if folder.isdigit() else None
    around = normal_form(file.case_folder.parent.parent.name)
    return replace(
        file,
        run=folder if number is None else around,
        folder=above if number is None else f"{above}_{number}",
        test_case=split_repetition(above)[0],
        repetition=split_repetition(above)[1] if number is None else number,
        normal=is_normal(above),
        layout=layout_of_run(folder if number is None else around) or ANY_RUN,
    )


def _run_around(folder: Path, base: Path) -> Path | None:
    """The nearest folder above a test case, down from the base, that has the name of a run."""
    above = (parent for parent in folder.parents if parent.is_relative_to(base))
    return next((parent for parent in above if layout_of_run(normal_form(parent.name))), None)


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


def _check_distinct(logs: Iterable[LogFile]) -> None:
    if pair := same_sequence(logs):
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
