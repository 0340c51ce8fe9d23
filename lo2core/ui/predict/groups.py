"""Flagged incidents grouped by cause, with what people have found out; a selected group unfolds to its incidents."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.errors import Lo2Error
from lo2core.base.schemas import Counts
from lo2core.explain import triage
from lo2core.explain.groups import Grouping
from lo2core.pipeline import groups
from lo2core.pipeline import triage as kept
from lo2core.pipeline.explain import of_other_logs
from lo2core.store.predictions import bundle_of, home_of
from lo2core.store.workspace import Workspace
from lo2core.ui.predict.incidents import Open
from lo2core.ui.shell import cache, models, tables
from lo2core.ui.shell.boundary import dialog, fragment
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.scores import saved_scores
from lo2core.ui.shell.widgets import downloads, problem, say, when

ALL = "all"
NOT_KNOWN = "Groups by cause need the model that made these scores, and the logs."


def grouping(logs: Workspace, bundle: Path, predictions: pl.DataFrame, *scored: object) -> Grouping:
    """`pipeline.groups.group`, kept until logs or model change. scored: tells these predictions from others of them."""
    key = (*cache.logs_key(logs), *cache.bundle_key(bundle), *scored)
    return cache.GROUPS.get(key, lambda: groups.group(logs, models.opened(bundle), predictions))


def of_saved(here: Frame, name: str) -> Grouping | None:
    """The flagged incidents of a saved prediction in groups; None if its model or its logs are no longer there."""
    home, table = home_of(here.workspace, name)
    bundle = bundle_of(home, table, here.models_dir)
    if bundle is None or not models.opens(bundle) or of_other_logs(home, table) or not home.has(Counts):
        return None
    predictions, _ = saved_scores(home, table)
    return grouping(home, bundle, predictions, *cache.prediction_key(home, table))


@fragment
def show(root: Workspace, found: Grouping, open_row: Open, key: str) -> None:
    """The groups as a table, with a filter by state; a selected one shows its incidents and what can be said about it.

    root: the workspace that keeps the triage.
    """
    choose(root, found, open_row, key)


def choose(root: Workspace, found: Grouping, open_row: Open, key: str) -> bool:
    """As `show`, within a fragment; returns whether a group is selected."""
    if not found.groups.height:
        say("There are no flagged incidents to group.")
        return False
    judged = judged_or_new(root, found, tell=True)
    with st.container(horizontal=True, vertical_alignment="center"):
        say(triage.sentence(judged.groups))
        wanted = _wanted(judged.groups["state"], key)
    shown = judged.groups if wanted == ALL else judged.groups.filter(state=wanted)
    local = [tables.on_local_clock(shown[name]) for name in ("first", "last")]
    view = shown.with_columns(*local, known=_known()).head(tables.MAX_ROWS)
    row = tables.pick(view, _GROUPS, f"groups-{key}-{wanted}-{shown.height}", most=12)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Select a group to see its incidents and to note what is known about it.", width="stretch")
        downloads(groups.as_table(shown), "groups", key=f"all-groups-{key}", what="Groups")
    if row is not None:
        _one(root, judged, shown.row(row, named=True), open_row, key)
    return row is not None


def is_selected(key: str) -> bool:
    """Whether a group of the table with this key was selected, as known before it is drawn."""
    state = st.session_state
    return any(state[name]["selection"]["rows"] for name in state if str(name).startswith(f"groups-{key}-"))


def judged_or_new(root: Workspace, found: Grouping, *, tell: bool = False) -> Grouping:
    """`pipeline.triage.judged`; groups of which nothing is known if the triage cannot be read. tell: say so."""
    try:
        return kept.judged(root, found)
    except Lo2Error as error:
        if tell:
            problem(str(error), "All groups are shown as new.")
        return kept.unjudged(found)


def _known() -> pl.Expr:
    """The state of a group as text, with the cause that is offered for a new one."""
    return pl.coalesce("cause", pl.format("perhaps {}", "offer"), "state")


def _when(moment: datetime) -> str:
    """A time of the triage, which is in UTC, as text."""
    return when(moment.replace(tzinfo=UTC))


def _wanted(found: pl.Series, key: str) -> str:
    """The state to show; a filter where there are several."""
    states = [state for state in triage.STATES if (found == state).any()]
    if len(states) < 2:
        return ALL
    chosen = st.segmented_control("State", [ALL, *states], default=ALL, key=f"state-{key}")
    return chosen if chosen in states else ALL


def _one(root: Workspace, judged: Grouping, group: dict[str, Any], open_row: Open, key: str) -> None:
    """A group: its title in full, what is known about it, its incidents, worst first."""
    with st.container(border=True):
        say(f"{group['service']}: {group['title']}")
        _state(root, group, key)
        own = judged.incidents.filter(group=group["group"])
        shown = own.head(tables.MAX_ROWS).with_columns(known=triage.in_words())
        row = tables.pick(shown, _INCIDENTS, f"of-group-{key}-{group['group']}", most=8)
        if shown.height < own.height:
            st.caption(f"The worst {shown.height:,} of {own.height:,}. Downloads contain all.")
        incident = None if row is None else shown.row(row, named=True)
        with st.container(horizontal=True, vertical_alignment="center"):
            open_it = st.button("Explain", icon=":material/lightbulb:", disabled=row is None, key=f"open-{key}")
            note_it = st.button("Note ...", icon=":material/edit_note:", disabled=row is None, key=f"note-{key}")
            if incident and open_it:
                open_row(incident)
            if incident and note_it:
                _judge(root, group, incident)
            downloads(groups.as_table(own), f"group_{group['group']}", key=f"of-group-{key}", what="This group")


def _state(root: Workspace, group: dict[str, Any], key: str) -> None:
    """What is known about a group, and buttons to say more."""
    if group["entry"]:
        said = f"{group['cause'] or group['state']}, says {group['who']}, {_when(group['when'])}."
        say(f"{said} {group['note']}".strip())
    if group["offer"]:
        say(f"A similar group had the cause {group['offer']}, known since {_when(group['offered_since'])}.")
    with st.container(horizontal=True):
        if group["offer"]:
            known = (root, group, triage.KNOWN, group["offer"])
            st.button("Same cause", icon=":material/check:", key=f"offer-{key}", on_click=_set, args=known)
        if group["state"] == triage.NEW:
            seen = (root, group, triage.SEEN)
            st.button("Seen", icon=":material/visibility:", key=f"seen-{key}", on_click=_set, args=seen)
        if st.button("Known cause ...", icon=":material/edit_note:", key=f"cause-{key}"):
            _judge(root, group)
        if group["entry"]:
            st.button("Undo", icon=":material/undo:", key=f"undo-{key}", on_click=_undo, args=(root, group["entry"]))


@dialog("What is known about it", icon=":material/edit_note:")
def _judge(root: Workspace, group: dict[str, Any], incident: dict[str, Any] | None = None) -> None:
    """Ask for the state, the name of the cause and a note, of a group or of one of its incidents."""
    say(f"{incident['run']}/{incident['folder']}" if incident else group["title"])
    states = list(triage.STATES)
    state = st.segmented_control("State", states, default=triage.KNOWN, required=True, key="triage-state")
    cause = None
    if state == triage.KNOWN:
        names = triage.causes(kept.entries(root))
        cause = st.selectbox(
            "Cause", names, index=None, accept_new_options=True, placeholder="a name for it", key="triage-cause"
        )
    note = st.text_area("Note", key="triage-note", max_chars=triage.MOST_CHARACTERS)
    who = st.text_input("Your name", getpass.getuser(), key="triage-who")
    if st.button("Save", type="primary", key="triage-save"):
        said = (state, who, cause, note)
        kept.add(root, triage.of_incident(incident, group, *said) if incident else triage.of_group(group, *said))
        st.rerun()


def _set(root: Workspace, group: dict[str, Any], state: str, cause: str | None = None) -> None:
    kept.add(root, triage.of_group(group, state, getpass.getuser(), cause))


def _undo(root: Workspace, entry: str) -> None:
    kept.take_back(root, entry, getpass.getuser())


_GROUPS = {
    "z_score": tables.INCIDENT["z_score"],
    "incidents": st.column_config.NumberColumn("incidents", width=70, format="localized"),
    "title": st.column_config.TextColumn("what they have in common", width=335),
    "service": st.column_config.TextColumn("service", width=95),
    "known": st.column_config.TextColumn("state", width=100),
    "runs": st.column_config.NumberColumn("runs", width=45, format="localized"),
    "first": st.column_config.DatetimeColumn("first", width=100, format="D MMM HH:mm"),
    "last": st.column_config.DatetimeColumn("last", width=100, format="D MMM HH:mm"),
}
_INCIDENTS = {
    "z_score": tables.INCIDENT["z_score"],
    "folder": tables.INCIDENT["folder"],
    "window": tables.INCIDENT["window"],
    "run": tables.INCIDENT["run"],
    "known": st.column_config.TextColumn("state", width=150),
}
