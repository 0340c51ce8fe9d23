"""Which service each log belongs to: by its name, its folder, or the containers whose lines it contains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from lo2core.load.compression import is_log
from lo2core.load.log_file import LogFile, log_name, log_stem
from lo2core.load.names import GENERIC, lo2_service, may_be_log, normal_form, own_service, piece_of, tells_labels


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


def named_by_file(file: LogFile, only_lo2: bool, service: str | None, names: Mapping[str, str]) -> LogFile:
    piece = piece_of(file.path.name)
    if not file.regular:
        return file
    if only_lo2 or not piece:
        return replace(file, service=lo2_service(log_name(file.path)))
    return replace(file, service=service or names[log_stem(file.path)])


def named_by_folder(files: list[LogFile], base: Path) -> list[LogFile]:
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


def distinct_services(files: list[LogFile]) -> list[LogFile]:
    """Logs of one folder that belong to services of the same name, such as two pods, or `cart.log` and `cart.err`.

    The first one keeps the name; others get the ending of their file if that differs, else a number.
    """
    used: dict[Path, dict[str, LogFile]] = defaultdict(dict)
    for file in sorted(files, key=lambda file: not log_name(file.path).endswith(".log")):
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
    names = chain(by_ending, (f"{file.service}-{number}" for number in range(2, len(used) + 3)))
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
