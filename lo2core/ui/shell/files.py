"""The window *Files*: what the workspace holds, with the space it uses; rename, delete, restore and notes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import streamlit as st

from lo2core.base.errors import Lo2Error
from lo2core.base.text import size, visible
from lo2core.pipeline import manage
from lo2core.pipeline.manage import Entry
from lo2core.store.trash import Trashed
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import session, tables
from lo2core.ui.shell.boundary import dialog
from lo2core.ui.shell.widgets import notice, problem, say

_SAID, _REFUSED = "files-said", "files-refused"
_COLUMNS = {
    "kind": st.column_config.TextColumn("kind", width=90),
    "name": st.column_config.TextColumn("name", width=260),
    "size": st.column_config.TextColumn("size", width=80),
    "note": st.column_config.TextColumn("note", width=260),
}


@dialog("Files", icon=":material/folder_managed:", width="large", on_dismiss="rerun")
def files(path: str) -> None:
    """All that can be renamed and deleted, and what is in the trash."""
    workspace = Workspace(path)
    st.caption("This workspace, what it contains, and all models. What you delete goes to a trash: restore it here.")
    if said := st.session_state.pop(_SAID, None):
        notice(said)
    if refused := st.session_state.pop(_REFUSED, None):
        problem(refused)
    found = {f"{one.kind} {one.name}": one for one in manage.entries(workspace)}
    rows = [(one.kind, one.name, size(one.bytes), one.note) for one in found.values()]
    tables.show(pl.DataFrame(rows, list(_COLUMNS), orient="row"), _COLUMNS, most=8)
    choose = "Rename, delete or write a note about"
    picked = st.selectbox(choose, list(found), index=None, placeholder="Choose", format_func=visible)
    if picked:
        _fields(workspace, found[picked])
    for gone in manage.trashed(workspace):
        _in_trash(workspace, gone)


def _fields(workspace: Workspace, entry: Entry) -> None:
    about = f"{entry.kind}-{entry.name}"
    st.text_input("Name", Path(entry.name).name, key=f"name-{about}")
    st.text_input("Note", entry.note, key=f"note-{about}", max_chars=1000)
    needed_by = manage.dependents(workspace, entry)
    for sentence in needed_by:
        problem(sentence)
    with st.container(horizontal=True):
        st.button("Save", type="primary", key="files-save", on_click=_save, args=(workspace, entry, about))
        label = "Delete anyway" if needed_by else "Delete"
        st.button(label, icon=":material/delete:", key="files-delete", on_click=_delete, args=(workspace, entry))


def _in_trash(workspace: Workspace, gone: Trashed) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        say(f"In the trash: {gone.kind} {gone.name}, {size(gone.bytes)}", width="stretch")
        st.button(
            "Restore", key=f"restore-{gone.id}", icon=":material/undo:", on_click=_restore, args=(workspace, gone)
        )


def _save(workspace: Workspace, entry: Entry, about: str) -> None:
    name, note = st.session_state[f"name-{about}"], st.session_state[f"note-{about}"]

    def saved() -> str:
        if note != entry.note:
            manage.annotate(entry, note)
        if name == Path(entry.name).name:
            return f"Saved: {entry.kind} {entry.name}."
        new = manage.rename(workspace, entry, name)
        if entry.kind == manage.WORKSPACE:
            session.open_another(new)
        return f"The {entry.kind} {entry.name} is called {new} now."

    _say_what(saved)


def _delete(workspace: Workspace, entry: Entry) -> None:
    def deleted() -> str:
        manage.delete(workspace, entry, even_if_used=True)
        return f"The {entry.kind} {entry.name} is in the trash. Restore it below to undo this."

    _say_what(deleted)


def _restore(workspace: Workspace, gone: Trashed) -> None:
    def restored() -> str:
        manage.restore(workspace, gone.id)
        return f"The {gone.kind} {gone.name} is back."

    _say_what(restored)


def _say_what(act: Callable[[], str]) -> None:
    """Do something in a callback, and let the window say how it ended."""
    try:
        st.session_state[_SAID] = act()
    except Lo2Error as error:
        st.session_state[_REFUSED] = str(error)
