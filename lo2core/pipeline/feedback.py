"""The benign marks of a workspace: read them, add one."""

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
"""How long adding a mark waits for another one to be saved."""


def marks(workspace: Workspace) -> pl.DataFrame:
    """`schemas.Feedback` of a workspace; empty where nothing was marked."""
    return workspace.read(Feedback) if workspace.has(Feedback) else Feedback.create_empty()


def add_mark(workspace: Workspace, row: pl.DataFrame) -> pl.DataFrame:
    """Append a row of `feedback.benign` or `feedback.undo` to the marks; returns all of them."""
    with _marks_held(workspace):
        both = pl.concat([marks(workspace), row])
        workspace.write(Feedback, both, provenance={"command": command_line()}, replace=True)
    return both


@contextmanager
def _marks_held(workspace: Workspace) -> Iterator[None]:
    """Wait for, then hold the marks: what two people add at once must not overwrite each other.

    Not the lock of the workspace: a job may hold that one for hours, and marks are set meanwhile.
    """
    try:
        lock = acquired(job_folder(workspace) / "marks.lock", patience=_PATIENCE_S)
    except OSError as error:
        raise ArtefactError(f"{workspace.root} takes no marks: {error.strerror or error}.") from error
    try:
        yield
    finally:
        lock.release()
