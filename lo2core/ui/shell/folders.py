"""Choosing a folder or a file on the machine of the dashboard: what was used last, and a look into folders.

A browser tells no page where a chosen folder is, so folders are listed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.errors import reason
from lo2core.base.text import visible
from lo2core.base.untrusted import is_text
from lo2core.store import settings
from lo2core.ui.shell import tables
from lo2core.ui.shell.boundary import dialog
from lo2core.ui.shell.widgets import problem, say

MOST = 1_000
"""Entries of a folder that are listed."""
_COLUMNS = {
    "kind": st.column_config.TextColumn("", width=60),
    "name": st.column_config.TextColumn("name", width=420),
}


def path_field(label: str, key: str, placeholder: str) -> str:
    """A field for the path of logs, with a button that opens a window to choose one; returns the path."""
    if chosen := st.session_state.pop(f"{key}-chosen", None):
        st.session_state[key] = chosen
    with st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(label, key=key, placeholder=placeholder, persist_state="session")
        if st.button("Browse", key=f"{key}-browse", icon=":material/folder_open:"):
            _choose_logs(key)
    return typed.strip()


@dialog("Choose logs", icon=":material/folder_open:", width="medium")
def _choose_logs(key: str) -> None:
    if chosen := browse(f"{key}-window", settings.read().get("logs", []), files=True):
        st.session_state[f"{key}-chosen"] = chosen
        st.rerun()


def browse(key: str, recent: Sequence[str], *, files: bool = False) -> str | None:
    """The last used paths and a list of folders to walk through; returns the path that was chosen just now.

    files: list files, too; a selected file is chosen.
    """
    there = [path for path in recent if _is_there(path)]
    if there:
        last = st.selectbox("Last used", there, None, visible, key=f"{key}-recent", placeholder="Choose")
        if last:
            return last
    here = _here(key)
    with st.container(horizontal=True, vertical_alignment="center"):
        say(str(here), width="stretch")
        st.button("Up", key=f"{key}-up", icon=":material/arrow_upward:", on_click=_go, args=(key, here.parent))
        if st.button("Choose this folder", key=f"{key}-this", type="primary"):
            return str(here)
    return _pick(key, here, files)


def _pick(key: str, here: Path, files: bool) -> str | None:
    """The entries of a folder; a click on a folder enters it, and one on a file returns its path."""
    try:
        found = _entries(here, files)
    except OSError as error:
        problem(f"{here} cannot be read: {reason(error)}.", "Choose another folder.")
        return None
    table = f"{key}-{here}"

    def entered() -> None:
        rows = st.session_state[table]["selection"]["rows"]
        if rows and found["kind"][rows[0]] == "folder":
            _go(key, here / found["name"][rows[0]])

    row = tables.pick(found, _COLUMNS, table, most=10, on_select=entered)
    return None if row is None or found["kind"][row] == "folder" else str(here / found["name"][row])


def _entries(folder: Path, files: bool) -> pl.DataFrame:
    """The entries of a folder that are not hidden: name, kind (folder or file); folders first."""
    shown = [entry for entry in folder.iterdir() if not entry.name.startswith(".") and is_text(entry.name)]
    rows = sorted((not _is_folder(entry), entry.name) for entry in shown)
    kinds = [(name, "file" if is_file else "folder") for is_file, name in rows if files or not is_file]
    return pl.DataFrame(kinds[:MOST], {"name": pl.String, "kind": pl.String}, orient="row")


def _here(key: str) -> Path:
    kept: Any = st.session_state.get(f"{key}-at")
    return Path(kept) if kept else Path.cwd()


def _go(key: str, folder: Path) -> None:
    st.session_state[f"{key}-at"] = str(folder)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
