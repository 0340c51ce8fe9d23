"""Appending logs to loaded ones: which test case folders are new or have changed, and names that clash.

A test case folder is read again as a whole if one of its files is new, has another size or time of change, or now has
another name or label. Whatever is loaded from another root stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lo2core.base.errors import InputError
from lo2core.base.text import plural
from lo2core.load.log_file import FLATTENED, TABLE, LogFile, by_folder_above, last_parts, order
from lo2core.load.plan import Plan

Case = tuple[str | None, str | None]
"""A test case folder: run and name."""


@dataclass(frozen=True)
class LoadedFile:
    """A file that a load has found, as it was then; `root` is the path that was given, None if it is not recorded."""

    root: str | None
    bytes: int | None
    modified: int | None
    is_read: bool
    run: str | None
    folder: str | None
    service: str | None
    normal: bool | None
    is_part: bool
    """Whether lines of it were left out, because they are outside of the period to read."""


@dataclass(frozen=True)
class Growth:
    """What logs contain that is not loaded yet.

    plan: the files to read; of the other files only those that are new or have changed. found: all files that are as
    the workspace will have them. names: what the roots are called in the workspace, by their own names. replaced:
    loaded test case folders that are read again or are now named differently. new, changed, same: numbers of test case
    folders.
    """

    plan: Plan
    found: Plan
    names: dict[str, str]
    replaced: frozenset[Case]
    new: int
    changed: int
    same: int

    def sentence(self) -> str:
        """What is new, in words."""
        return (
            f"{plural(self.new, 'test case folder')} new, {self.changed} changed since the last load (read again), "
            f"{self.same} loaded already."
        )


def growth(
    plan: Plan,
    roots: Mapping[str, Path],
    loaded: Mapping[str, LoadedFile],
    only: Collection[Case] | None = None,
    same_period: bool = True,
) -> Growth:
    """What the files of a plan add to the loaded ones.

    roots: the paths that were given, by their names in sources. loaded: by source. only: what is new in other test case
    folders than these is left for later. same_period: whether the period to read is that of the last load; otherwise
    what was loaded in part is read again.
    Raises InputError if a run of the plan was loaded from another root.
    """
    names = _names(roots, loaded)
    plan = plan.each(lambda file: _renamed(file, names))
    read = {source: file for source, file in loaded.items() if file.is_read}
    plan = _with_distinct_runs(plan, read, set(names.values()))
    _refuse_other_roots(plan, read)
    cases: dict[Case, list[LogFile]] = defaultdict(list)
    for file in plan.chosen:
        cases[file.run, file.folder].append(file)
    differ = {case for case, files in cases.items() if not all(_is_same(file, loaded, same_period) for file in files)}
    to_read = differ if only is None else differ.intersection(only)
    later = differ - to_read
    again = [file for file in plan.left_out if file.source in read and (file.run, file.folder) in to_read]
    chosen = [file for file in (*plan.chosen, *again) if (file.run, file.folder) in to_read]
    there = {(file.run, file.folder) for file in read.values()}
    before = {(read[file.source].run, read[file.source].folder) for file in chosen if file.source in read}
    replaced = frozenset((to_read & there) | before)
    _refuse_loss(replaced, read, set(names.values()))
    changed = {case for case in to_read if case in there or any(file.source in read for file in cases[case])}
    chosen.sort(key=order)
    others = ([file for file in files if not _is_known(file, loaded)] for files in (plan.left_out, plan.ignored))
    found = [file for file in plan.chosen if (file.run, file.folder) not in later]
    kept = [file for file in plan.left_out if file.source not in read] + again  # others stay as they were read
    return Growth(
        Plan(chosen, *others),
        Plan(found, kept, plan.ignored),
        names,
        replaced,
        new=len(to_read - changed),
        changed=len(changed),
        same=len(cases) - len(differ),
    )


def root_name(source: str) -> str:
    """The name of the root in a source."""
    return source.partition("/")[0]


def _names(roots: Mapping[str, Path], loaded: Mapping[str, LoadedFile]) -> dict[str, str]:
    """The names of the roots in the workspace; a new root whose name is taken gets a number."""
    known = {file.root: root_name(source) for source, file in loaded.items() if file.root is not None}
    taken = set(map(root_name, loaded))
    names: dict[str, str] = {}
    for name, path in roots.items():
        numbered = (f"{name} ({n})" for n in range(2, len(taken) + 3))
        free = (one for one in (name, *numbered) if one not in taken)
        names[name] = known.get(str(path)) or next(free)
        taken.add(names[name])
    return names


def _renamed(file: LogFile, names: Mapping[str, str]) -> LogFile:
    root, slash, rest = file.source.partition("/")
    return replace(file, source=f"{names.get(root, root)}{slash}{rest}")


def _with_distinct_runs(plan: Plan, read: Mapping[str, LoadedFile], names: set[str]) -> Plan:
    """The plan, with runs renamed by `by_folder_above` if flattened test cases of another root are loaded."""
    others = {file.run for source, file in read.items() if root_name(source) not in names}
    flattened = {file.run for file in plan.chosen if file.layout == FLATTENED}
    if not flattened & others or _reloaded(plan, read):
        return plan
    return plan.each(lambda file: by_folder_above(file) if file.layout == FLATTENED else file)


def _reloaded(plan: Plan, read: Mapping[str, LoadedFile]) -> list[str]:
    """Runs of flattened test cases that are loaded from another root.

    Since these runs are only numbers, they are recognised by their folders (the last parts of `source`).
    """
    paths, roots = set(map(last_parts, read)), set(map(root_name, read))

    def is_loaded(file: LogFile) -> bool:
        parts = last_parts(file.path)
        return parts in paths or parts[-2:] in paths  # the latter if a test case folder was the root

    strangers = (file for file in plan.chosen if file.layout == FLATTENED and root_name(file.source) not in roots)
    return [str(file.run) for file in strangers if is_loaded(file)]


def _refuse_other_roots(plan: Plan, read: Mapping[str, LoadedFile]) -> None:
    owners: dict[str | None, set[str]] = defaultdict(set)
    for source, file in read.items():
        if file.root is not None:
            owners[file.run].add(root_name(source))
    loaded = {file.run for file in read.values()}
    twice = [
        file.run
        for file in plan.chosen
        if file.run in loaded and root_name(file.source) not in owners[file.run] and not _is_moved(file, read)
    ]
    _refuse([*_reloaded(plan, read), *map(str, twice)])


def _is_moved(file: LogFile, read: Mapping[str, LoadedFile]) -> bool:
    """Whether the log itself is loaded, though with the name of another run."""
    return file.source in read and read[file.source].root is not None


def _refuse_loss(replaced: frozenset[Case], read: Mapping[str, LoadedFile], names: set[str]) -> None:
    """Raises InputError if a test case folder that is read again also contains logs of another root."""
    strangers = (file for source, file in read.items() if root_name(source) not in names)
    _refuse([str(file.run) for file in strangers if (file.run, file.folder) in replaced])


def _refuse(runs: Iterable[str]) -> None:
    if run := next(iter(runs), None):
        raise InputError(
            f"The run {run} is loaded already, from another folder: append other runs, or load all with --replace."
        )


def _is_same(file: LogFile, loaded: Mapping[str, LoadedFile], same_period: bool) -> bool:
    """Whether a log is loaded as it is now, under the same names, or was outside of the same period."""
    before = loaded.get(file.source)
    if before is None or not _is_known(file, loaded) or not (before.is_read or before.is_part):
        return False
    names = (file.run, file.folder, file.service) == (before.run, before.folder, before.service)
    label = file.layout == TABLE or not before.is_read or file.normal == before.normal
    return names and label and (same_period or not before.is_part)


def _is_known(file: LogFile, loaded: Mapping[str, LoadedFile]) -> bool:
    before = loaded.get(file.source)
    return before is not None and (file.bytes, file.modified) == (before.bytes, before.modified)
