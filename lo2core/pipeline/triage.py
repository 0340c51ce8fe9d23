"""The triage of a workspace: what people have found out about incidents and groups, also about those of its samples.

A sample has no triage of its own: all functions take the sample or the workspace that it belongs to.
"""

from __future__ import annotations

import getpass
from typing import Any

import polars as pl

from lo2core.base.errors import InputError
from lo2core.base.schemas import Triage
from lo2core.detect.incidents import Incident
from lo2core.explain import triage
from lo2core.explain.groups import Grouping
from lo2core.pipeline import commands
from lo2core.pipeline.appended import append, rows
from lo2core.store.workspace import Workspace


def entries(workspace: Workspace) -> pl.DataFrame:
    """`schemas.Triage` of a workspace; empty if nothing was judged."""
    return rows(_keeper(workspace), Triage)


def add(workspace: Workspace, row: pl.DataFrame) -> pl.DataFrame:
    """Append a row of `triage.of_group` or `triage.of_incident`; returns all of them."""
    return append(_keeper(workspace), Triage, lambda _: row, "triage")


def take_back(workspace: Workspace, entry: str, who: str) -> pl.DataFrame:
    """Undo an entry; returns all of them. Raises as `triage.undo`."""
    return append(_keeper(workspace), Triage, lambda before: triage.undo(before, entry, who), "triage")


def _keeper(workspace: Workspace) -> Workspace:
    return workspace.owner or workspace


def judged(workspace: Workspace, grouping: Grouping) -> Grouping:
    """The groups and incidents with what people have found out: `triage.judged_groups`, `triage.judged_incidents`."""
    return _judged(entries(workspace), grouping)


def unjudged(grouping: Grouping) -> Grouping:
    """As `judged`, where nothing is known."""
    return _judged(Triage.create_empty(), grouping)


def _judged(known: pl.DataFrame, grouping: Grouping) -> Grouping:
    groups = triage.judged_groups(known, grouping.groups)
    return Grouping(groups, triage.judged_incidents(known, grouping.incidents, groups))


def note(workspace: Workspace, grouping: Grouping, asked: commands.Triage) -> None:
    """Do what a command asks for: note something about a group or an incident, take it back, or nothing.

    Raises InputError for a group or an incident that is not there, and as `triage.of_group` and `triage.undo`.
    """
    if not (asked.state or asked.cause or asked.undo):
        if asked.note:
            raise InputError("A note needs --state or --cause.")
        return
    found = judged(workspace, grouping)
    row = _subject(found, asked)
    if asked.undo:
        take_back(workspace, _own_entry(row, found), getpass.getuser())
        return
    said = (asked.state or triage.KNOWN, getpass.getuser(), asked.cause, asked.note)
    if asked.incident:
        group = found.groups.row(by_predicate=pl.col("group") == row["group"], named=True)
        add(workspace, triage.of_incident(row, group, *said))
    else:
        add(workspace, triage.of_group(row, *said))


def _subject(found: Grouping, asked: commands.Triage) -> dict[str, Any]:
    """The group or the incident that a command names."""
    if asked.incident:
        incident = Incident.parse(asked.incident)
        window = pl.col("window").eq_missing(pl.lit(incident.window, dtype=pl.Int32))
        rows = found.incidents.filter(window, run=incident.run, folder=incident.folder)
        missing = f"{asked.incident} is not flagged."
    elif asked.group:
        rows = found.groups.filter(group=asked.group)
        missing = f"There is no group {asked.group}: there are {found.groups.height:,}."
    else:
        raise InputError("Name a group with --group, or an incident with --incident.")
    if not rows.height:
        raise InputError(missing)
    return rows.row(0, named=True)


def _own_entry(row: dict[str, Any], found: Grouping) -> str:
    """The entry about a group or an incident; that of its group is none about an incident."""
    entry, is_incident = row["entry"], "folder" in row
    of_group = entry in set(found.groups["entry"].drop_nulls())
    if entry is None or (is_incident and of_group):
        hint = f": --group {row['group']} --undo takes back what is noted about its group" if of_group else ""
        raise InputError(f"Nothing is noted about this {'incident' if is_incident else 'group'} itself{hint}.")
    return str(entry)
