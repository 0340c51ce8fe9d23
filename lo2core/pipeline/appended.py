"""Tables to which people add rows from any page or terminal at any time: known benign items, triage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import polars as pl

from lo2core.base.errors import ArtefactError
from lo2core.base.table import Table
from lo2core.pipeline.lock import acquired, job_folder
from lo2core.pipeline.provenance import command_line
from lo2core.store.workspace import Workspace

_PATIENCE_S = 30.0
"""How long adding a row waits while another one is being saved."""


def rows(workspace: Workspace, schema: type[Table]) -> pl.DataFrame:
    """The table of a workspace; empty if nothing was added yet."""
    return workspace.read(schema) if workspace.has(schema) else schema.create_empty()


def append(
    workspace: Workspace, schema: type[Table], new: Callable[[pl.DataFrame], pl.DataFrame], lock: str
) -> pl.DataFrame:
    """Add the rows that `new` makes of the table as it is; returns the whole table. lock: the name of its lock."""
    with _held(workspace, lock):
        before = rows(workspace, schema)
        both = pl.concat([before, new(before)])
        workspace.write(schema, both, provenance={"command": command_line()}, replace=True)
    return both


@contextmanager
def _held(workspace: Workspace, lock: str) -> Iterator[None]:
    """Lock a table, so that two people who add rows at the same time do not overwrite each other.

    This is not the lock of the workspace, which a job may hold for hours.
    """
    try:
        held = acquired(job_folder(workspace) / f"{lock}.lock", patience=_PATIENCE_S)
    except OSError as error:
        raise ArtefactError(f"{workspace.root} cannot save {lock}: {error.strerror or error}.") from error
    try:
        yield
    finally:
        held.release()
