"""The files of a workspace that cannot be read, on the pages that list its predictions."""

from __future__ import annotations

import polars as pl
import streamlit as st

from lo2core.base.text import plural
from lo2core.store.unreadable import Unreadable, unreadable
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import cache, tables
from lo2core.ui.shell.boundary import section


@section
def show_unreadable(workspace: Workspace) -> None:
    """The names of unreadable files and folders, each with the reason; nothing if there are none."""
    found = cache.UNREADABLE.get(_key(workspace), lambda: unreadable(workspace))
    if found:
        with st.expander(f"{plural(len(found), 'file')} cannot be read", icon=":material/warning:"):
            tables.written(pl.DataFrame(found, Unreadable._fields, orient="row"), {"name": "name", "why": "reason"})


def _key(workspace: Workspace) -> tuple[object, ...]:
    homes = (workspace, *workspace.samples())
    return tuple((str(home.root), cache.tables_stamp(home)) for home in homes), str(workspace.misnamed_samples())
