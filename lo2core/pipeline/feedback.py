"""The known benign items of a workspace: reading them, adding one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from lo2core.base.errors import ArtefactError
from lo2core.base.schemas import Feedback
from lo2core.pipeline.lock import acquired, job_folder
from lo2core.pipeline.provenance import command_line
from lo2core.store.workspace import Workspace

_PATIENCE_S = 30.0
"""How long adding a mark waits while another one is being saved."""


def marks(workspace: Workspace) -> pl.DataFrame:
    """`schemas.Feedback` of a workspace; empty if nothing was marked."""
    return workspace.read(Feedback) if workspace.has(Feedback) else Feedback.create_empty()


def add_mark(workspace: Workspace, row: pl.DataFrame) -> pl.DataFrame:
    """Append a row of `feedback.benign` or `feedback.undo` to the marks; returns all of them."""
    with _marks_held(workspace):
        both = pl.concat([marks(workspace), row])
        workspace.write(Feedback, both, provenance={"command": command_line()}, replace=True)
    return both


@contextmanager
def _marks_held(workspace: Workspace) -> Iterator[None]:
    """Lock the file of marks, so that two people who add marks at the same time do not overwrite each other.

    This is not the lock of the workspace, which a job may hold for hours.
    """
    try:
        lock = acquired(job_folder(workspace) / "marks.lock", patience=_PATIENCE_S)
    except OSError as error:
        raise ArtefactError(f"{workspace.root} cannot save marks: {error.strerror or error}.") from error
    try:
        yield
    finally:
        lock.release()
