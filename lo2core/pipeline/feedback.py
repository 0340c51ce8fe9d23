"""The known benign items of a workspace: reading them, adding one."""

from __future__ import annotations

import polars as pl

from lo2core.base.schemas import Feedback
from lo2core.pipeline.appended import append, rows
from lo2core.store.workspace import Workspace


def marks(workspace: Workspace) -> pl.DataFrame:
    """`schemas.Feedback` of a workspace; empty if nothing was marked."""
    return rows(workspace, Feedback)


def add_mark(workspace: Workspace, row: pl.DataFrame) -> pl.DataFrame:
    """Append a row of `feedback.benign` or `feedback.undo` to the marks; returns all of them."""
    return append(workspace, Feedback, lambda _: row, "marks")
