"""Adding logs to those loaded before: which runs are known already, and names for runs and files that would clash."""

from __future__ import annotations

from dataclasses import replace

from lo2core.load.layouts import FLATTENED, LogFile, by_folder_above, last_parts
from lo2core.load.plan import Plan


def with_distinct_sources(found: Plan, taken: set[str]) -> Plan:
    """The plan with other names for roots whose files would have names (`source`) that are taken."""
    roots = {source.partition("/")[0] for source in taken}
    clashing = {file.source.partition("/")[0] for file in found.chosen if file.source in taken}
    renamed: dict[str, str] = {}
    for root in sorted(clashing):
        numbered = (f"{root} ({n})" for n in range(2, len(roots) + 3))
        renamed[root] = next(name for name in numbered if name not in roots and name not in renamed.values())

    def named(file: LogFile) -> LogFile:
        root, slash, rest = file.source.partition("/")
        return replace(file, source=f"{renamed.get(root, root)}{slash}{rest}")

    return Plan(*([named(file) for file in files] for files in (found.chosen, found.left_out, found.ignored)))


def already_loaded(found: Plan, runs: set[str], sources: set[str]) -> list[str]:
    """The runs of a plan that were loaded before, from files that were called `sources`.

    Flattened test cases, whose runs are mere numbers, are known by the names of the folders that they lie in.
    """
    there = {last_parts(source) for source in sources}

    def lies_there(file: LogFile) -> bool:
        parts = last_parts(file.path)
        return parts in there or parts[-2:] in there  # the latter where the root was the test case's folder

    again = {str(file.run) for file in found.chosen if file.layout == FLATTENED and lies_there(file)}
    return [run for run in found.runs if run in again or run in runs]


def with_distinct_runs(found: Plan, runs: set[str], sources: set[str]) -> Plan:
    """The plan with runs named after the folder above, too, where flattened test cases of another folder are loaded."""
    flattened = {str(file.run) for file in found.chosen if file.layout == FLATTENED}
    if not flattened & runs or already_loaded(found, set(), sources):
        return found
    return Plan(*([by_folder_above(file) for file in files] for files in (found.chosen, found.left_out, found.ignored)))
