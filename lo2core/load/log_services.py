"""Which service each log belongs to: by its name, its folder, or the containers whose lines it contains."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from lo2core.load.compression import is_log
from lo2core.load.log_file import LogFile, layout_of_run, log_name, log_stem
from lo2core.load.names import (
    GENERIC,
    lo2_service,
    may_be_log,
    new_lo2_service,
    normal_form,
    own_service,
    piece_of,
    tells_labels,
)


def readable(listed: Sequence[tuple[Path, list[Path]]], roots: Sequence[Path]) -> set[Path]:
    """The files that are logs by their names; where there are none, those that could be. A given file is one.

    listed: folders and the files below them. In hidden folders, such as that of the jobs of a workspace, no file could
    be a log.
    """
    found = {path for _, files in listed for path in files}
    given = {root.resolve() for root in roots} & found
    return given | (
        {path for path in found if is_log(path.name)}
        or {path for base, files in listed for path in files if may_be_log(path.name) and not _hidden(path, base)}
    )


def _hidden(path: Path, base: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(base).parts)


def named_by_file(file: LogFile, service: str | None, names: Mapping[str, str]) -> LogFile:
    """The log with the given service, or that of its name (without ending) in `names`; unchanged for another file."""
    if not file.regular or not piece_of(file.path.name):
        return file
    return replace(file, service=service or names[log_stem(file.path)])


def named_as_in_lo2(file: LogFile, prefixes: Collection[str]) -> LogFile:
    """The log with its service if it is named as LO2's logs are; unchanged for another file.

    prefixes: those of LO2's logs, see `names.lo2_prefix`; without them, services that LO2 does not have are unknown.
    """
    name = log_name(file.path)
    new = new_lo2_service(name, prefixes) if prefixes else None
    return replace(file, service=lo2_service(name) or new) if file.regular else file


def named_by_folder(files: list[LogFile], base: Path) -> list[LogFile]:
    """Logs in a folder of their service, which is no test case: those called `app.log` or the like take its name.

    A folder is one of a service if its logs have the name of the service, or if the name of a log says nothing.
    """
    beside: dict[Path, set[str]] = defaultdict(set)
    inside: dict[Path, set[str]] = defaultdict(set)
    for file in files:
        if file.service:
            beside[file.case_folder.parent].add(normal_form(file.case_folder.name))
            inside[file.case_folder].add(file.service)

    def renamed(file: LogFile) -> LogFile:
        folder = file.case_folder
        says_nothing = file.service is not None and _says_nothing(file.service)
        while says_nothing and _says_nothing(folder.name) and folder != base:
            folder = folder.parent
        service = own_service(normal_form(folder.name))
        names = {service, _REPLICA.sub("", service)}
        of_service = says_nothing or all(name in names or _says_nothing(name) for name in inside[folder])
        if not file.service or not of_service or folder == base or layout_of_run(folder.name):
            return file
        if any(map(tells_labels, beside[folder.parent])):
            return file
        above = folder.parent
        is_pod = above != base and _POD_FOLDER.match(above.name)
        return replace(file, service=service, home=above.parent if is_pod else above)

    return [renamed(file) for file in files]


_REPLICA = re.compile(r"-[0-9]+$")
_POD_FOLDER = re.compile(r"[a-z0-9-]+_[a-z0-9.-]+_[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$")
"""The folder of a pod on a Kubernetes node: namespace, name and id."""


def above_folders_of_logs(file: LogFile, base: Path) -> LogFile:
    """The log with the folder of its test case as home, if it is in a folder `logs` or the like below that."""
    folder = file.path.parent
    while folder != base and folder.name.lower() in _FOLDERS_OF_LOGS:
        folder = folder.parent
    return file if folder == file.path.parent else replace(file, home=folder)


_FOLDERS_OF_LOGS = ("log", "logs", "output")


def _says_nothing(name: str) -> bool:
    return name.lower() in GENERIC or name.isdigit()


def distinct_services(files: list[LogFile]) -> list[LogFile]:
    """Logs of one folder that belong to services of the same name, such as two pods, or `cart.log` and `cart.err`.

    The first one keeps the name; others get the ending of their file if that differs, or the name of the file with the
    lines of their container, else a number.
    """
    used: dict[Path, dict[str, LogFile]] = defaultdict(dict)
    for file in sorted(files, key=lambda file: (bool(file.container), not log_name(file.path).endswith(".log"))):
        if file.service:
            used[file.case_folder].setdefault(file.service, file)
    return [_distinct(file, used[file.case_folder]) if file.service else file for file in files]


def _distinct(file: LogFile, used: dict[str, LogFile]) -> LogFile:
    """The log with a name that is its own among those that are used in its folder."""
    first = used[str(file.service)]
    if first is file:
        return file
    ending = Path(log_name(file.path)).suffix.replace(".", "-")
    by_ending = [f"{file.service}{ending}"] if log_stem(file.path) == log_stem(first.path) and ending != "-log" else []
    by_file = [f"{file.service}-{log_stem(file.path)}"] if file.container else []
    names = chain(by_ending, by_file, (f"{file.service}-{number}" for number in range(2, len(used) + 3)))
    name = next(name for name in names if name not in used)
    used[name] = file
    return replace(file, service=name)


def by_container(file: LogFile) -> list[LogFile]:
    """A log for each container in a file; the file itself if it holds the lines of one."""
    from lo2core.load.containers import containers, services  # takes a while, and `--help` needs this module

    found = containers((*file.older, file.path)) if file.service else {}
    names = services(found)
    return [
        replace(file, source=f"{file.source} [{name}]", service=names[name], bytes=size, container=name)
        for name, size in sorted(found.items())
    ] or [file]
