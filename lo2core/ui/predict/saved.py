"""Saved predictions on page Predict: save the scores, list the saved ones."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import streamlit as st

from lo2core.base import text
from lo2core.detect.units import unit_of
from lo2core.pipeline.predict import save_predictions
from lo2core.store import bundles
from lo2core.store.names import given_name
from lo2core.store.predictions import bundle_of
from lo2core.store.workspace import Workspace
from lo2core.ui.predict.inputs import LOADED, Scored
from lo2core.ui.shell import frame, links, models, session, tables
from lo2core.ui.shell.boundary import apart, section
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.job_panel import after
from lo2core.ui.shell.unreadable import show_unreadable
from lo2core.ui.shell.widgets import downloads, when


@section
def save(found: Scored) -> None:
    """A name and a button to save the scores; downloads of the same rows."""
    if not unit_of(found.loaded.model).from_counts:
        st.caption(
            "The page shows the worst event of each sequence; the scores of all events are saved. To save them with "
            "another alert budget, press Predict again."
        )
        downloads(found.scores, str(found.saved), "predict", what="Scores")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        free = found.choice.free_name
        name = st.text_input("Save as", free, key=f"name-{free}", width=360)
        if st.button("Save", type="primary", icon=":material/save:"):
            _save_asked(found, name.strip())
        downloads(found.scores, name.strip() or free, "predict", what="Scores")


@section
def saved_table(here: Frame) -> None:
    """All saved predictions with their models; a selected one opens."""
    show_unreadable(here.workspace)
    saved = [(ws, name) for ws in (here.workspace, *here.workspace.samples()) for name in ws.predictions()]
    if not saved:
        return
    st.subheader("Saved predictions", anchor=False)
    rows = pl.DataFrame([_saved_row(here, ws, name) for ws, name in saved], infer_schema_length=None)
    index = tables.pick(rows, _SAVED, "saved")
    if index is not None:
        ws, name = saved[index]
        links.open_explain({}, prediction=name, sample=None if ws.root == here.workspace.root else ws.root.name)


_SAVED = {
    "name": st.column_config.TextColumn("name", width=190),
    "logs": st.column_config.TextColumn("logs", width=100),
    "saved": st.column_config.TextColumn("saved", width=115),
    "made by": st.column_config.TextColumn("detector and items", width=190),
    "bundle": st.column_config.TextColumn("model", width=150),
    "threshold": st.column_config.NumberColumn("threshold", width=75, format="%.2f"),
    "rows": st.column_config.NumberColumn("rows", width=80, format="localized"),
    "command": st.column_config.TextColumn("command", width=300),
}


def _save_asked(found: Scored, name: str) -> None:
    def write(replace: bool) -> None:
        chosen = found.choice.command
        command = text.command(chosen.arguments())
        logs, judged = found.choice.logs, (found.scores, found.threshold)
        fits = models.fitness_of(logs, found.choice.info.path)
        save_predictions(logs, found.loaded, *judged, name, fits, command=command, replace=replace)
        session.flash(f"Saved as {name}.", after(chosen.work()))

    with apart():
        if found.choice.logs.has(given_name(name)):
            frame.confirm_replace(f"{found.choice.logs.path(name)} already exists.", lambda: write(True))
        else:
            write(False)
            st.rerun()


def _saved_row(here: Frame, logs: Workspace, name: str) -> dict[str, object]:
    artefact = logs.artefact(name)
    facts = artefact.metadata
    model = facts.get("model", {})
    made_by = f"{model.get('detector', '?')} on {model.get('items', '?')}" if model else "written by hand"
    return {
        "name": name,
        "logs": LOADED if logs.root == here.workspace.root else logs.root.name,
        "saved": when(artefact.created) if artefact.created else "",
        "made by": made_by,
        "bundle": _bundle_now(bundle_of(logs, name, here.models_dir), facts.get("bundle_sha256")),
        "threshold": facts.get("threshold"),
        "rows": artefact.rows,
        "command": facts.get("command", ""),
    }


def _bundle_now(path: Path | None, sha256: str | None) -> str:
    """The name of the model, and whether it was replaced or removed since it made the scores."""
    if path is None:
        return ""
    now = bundles.claimed_sha256(path)
    changed = "" if now == sha256 else " (trained again since)" if now else " (missing)"
    return f"{path.stem}{changed}"
