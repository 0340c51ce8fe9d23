"""Saved models on page Train: their state, trust in files that are not signed, calibration."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import streamlit as st

from lo2core.base.clock import moment_of
from lo2core.base.frames import visible_frame
from lo2core.base.glossary import meaning
from lo2core.base.text import plural
from lo2core.detect.units import unit_of
from lo2core.pipeline.bundles import LoadedBundle, vouch
from lo2core.store import bundles
from lo2core.store.bundles import BundleInfo
from lo2core.store.signing import BundleState
from lo2core.ui.shell import models, scores, session
from lo2core.ui.shell.boundary import apart, dialog, section
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.widgets import notice, problem, same_workspace, say, when
from lo2core.ui.train import calibration


@section
def show(here: Frame) -> None:
    """All saved models with their state, and the calibration of one of them."""
    found = bundles.bundles(here.models_dir)
    if found:
        _table(found)
    if signed := [info for info in found if info.state is BundleState.SIGNED]:
        st.subheader("Calibration", anchor=False, help=meaning("Calibration"))
        _calibration(here, signed)


@section
def _calibration(here: Frame, signed: list[BundleInfo]) -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = models.choose(signed)
        opened = models.opened_or_none(chosen.path) if chosen else None
        if not opened:
            return
        _facts(opened)
    with right:
        tick = calibration.strip(opened.model, opened.model.threshold.z, "calibration")
    if tick:
        with apart():
            calibration.lines(scores.evidence_of(here.workspace, opened.path), tick)


@section
def _table(found: list[BundleInfo]) -> None:
    """All models with their state; for those that are not trusted, the reason and a button to trust them."""
    st.subheader("Saved models", anchor=False)
    rows = pl.DataFrame([_row(info) for info in found])
    st.dataframe(visible_frame(rows), hide_index=True, row_height=28)
    for info in found:
        if info.state is not BundleState.SIGNED:
            with st.container(horizontal=True, vertical_alignment="center"):
                problem(f"{info.name}.joblib is {info.state.value}. {info.state.sentence}")
                if info.state is BundleState.UNREADABLE:
                    continue
                if st.button("Trust ...", key=f"trust-{info.name}", icon=":material/verified_user:"):
                    _trust(info.path)


def _facts(loaded: LoadedBundle) -> None:
    """How the model was trained, and its threshold."""
    known, threshold = loaded.facts, loaded.model.threshold
    runs, services = known.get("runs", []), known.get("services", [])
    normals = plural(threshold.n_normals, "normal incident")
    say(
        f"{known.get('detector', '?')} on {known.get('items', '?')} ({known.get('weighting', '?')}), "
        f"{unit_of(loaded.model).title}. Learned from {normals} "
        f"of {plural(len(runs), 'run')}: {', '.join(services)}. {known.get('note', '')}".strip()
    )
    st.markdown(f"Incidents with **z ≥ {threshold.z:.2f}** are flagged.")
    if threshold.note:
        notice(threshold.note)
    else:
        st.caption(f"Of {normals} held out in turn, at most {threshold.budget:g} in 100 have a larger z.")
    for warning in loaded.warnings:
        notice(warning)
    query = same_workspace() | {"bundle": loaded.path.stem}
    st.page_link("pages/4_Predict.py", label="Score logs with this model", icon=":material/radar:", query_params=query)


@dialog("Trust this file?", icon=":material/verified_user:")
def _trust(path: Path) -> None:
    say(str(path))
    say(
        "Trust this file only if you created it, or know who did and that nobody has changed it since. It is then "
        "opened, checked and signed with your key. The dashboard reads only known types of objects from it, but other "
        "programs that load it run any code that it contains."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Cancel"):
            st.rerun()
        if st.button("Trust it", type="primary"):
            vouch(path)
            session.flash(f"{path.name} is now signed.")
            st.rerun()


def _row(info: BundleInfo) -> dict[str, object]:
    """Claims of an unsigned manifest are not shown."""
    known = info.facts if info.state is BundleState.SIGNED else {}
    saved = moment_of(bundles.stamp(info.path)[0] / 1e9)
    return {
        "model": info.name,
        "state": info.state.value,
        "detector": known.get("detector"),
        "items": known.get("items"),
        "unit": known.get("unit"),
        "normals": known.get("normal_incidents"),
        "services": len(known["services"]) if "services" in known else None,
        "saved": when(saved) if saved else None,
        "workspace": known.get("workspace"),
    }
