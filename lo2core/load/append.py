"""Appending logs to loaded ones: finds runs that are loaded already, and renames runs and files whose names clash."""

from __future__ import annotations

from dataclasses import replace

from lo2core.load.log_file import FLATTENED, LogFile, by_folder_above, last_parts
from lo2core.load.plan import Plan


def with_distinct_sources(plan: Plan, loaded_sources: set[str]) -> Plan:
    """The plan, with a number added to the name of each root that has a file whose `source` is loaded already."""
    roots = {source.partition("/")[0] for source in loaded_sources}
    clashing = {file.source.partition("/")[0] for file in plan.chosen if file.source in loaded_sources}
    renamed: dict[str, str] = {}
    for root in sorted(clashing):
        numbered = (f"{root} ({n})" for n in range(2, len(roots) + 3))
        renamed[root] = next(name for name in numbered if name not in roots and name not in renamed.values())

    def rename(file: LogFile) -> LogFile:
        root, slash, rest = file.source.partition("/")
        return replace(file, source=f"{renamed.get(root, root)}{slash}{rest}")

    return Plan(*([rename(file) for file in files] for files in (plan.chosen, plan.left_out, plan.ignored)))


def already_loaded(plan: Plan, loaded_runs: set[str], loaded_sources: set[str]) -> list[str]:
    """The runs of the plan that are loaded already.

    Flattened test cases, whose runs are only numbers, are recognised by their folders (the last parts of `source`).
    """
    loaded_paths = {last_parts(source) for source in loaded_sources}

    def is_loaded(file: LogFile) -> bool:
        parts = last_parts(file.path)
        return parts in loaded_paths or parts[-2:] in loaded_paths  # the latter if a test case folder was the root

    reloaded = {str(file.run) for file in plan.chosen if file.layout == FLATTENED and is_loaded(file)}
    return [run for run in plan.runs if run in reloaded or run in loaded_runs]


def with_distinct_runs(plan: Plan, loaded_runs: set[str], loaded_sources: set[str]) -> Plan:
    """The plan, with runs renamed by `by_folder_above` if flattened test cases of another folder are loaded."""
    flattened = {str(file.run) for file in plan.chosen if file.layout == FLATTENED}
    if not flattened & loaded_runs or already_loaded(plan, set(), loaded_sources):
        return plan
    return Plan(*([by_folder_above(file) for file in files] for files in (plan.chosen, plan.left_out, plan.ignored)))
