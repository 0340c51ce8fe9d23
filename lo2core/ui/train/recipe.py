"""Parts of page Train: the recipe, what it will learn from, the bundles and whether to trust them, their facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
import streamlit as st

from lo2core.base.config import DEFAULT_BUDGET, DEFAULT_DETECTOR, DEFAULT_ITEMS
from lo2core.base.schemas import INCIDENT_KEY, Events, Sequences
from lo2core.base.text import plural
from lo2core.detect.detectors import REGISTRY
from lo2core.detect.recipe import Recipe
from lo2core.detect.units import UNITS, unit_of
from lo2core.detect.vectorizer import ITEM_KINDS, WEIGHTINGS
from lo2core.pipeline import jobs
from lo2core.pipeline.bundles import LoadedBundle, vouch
from lo2core.pipeline.commands import Train
from lo2core.store import bundles
from lo2core.store.bundles import BundleInfo
from lo2core.store.signing import BundleState
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import frame, models, session
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.job_panel import start_job
from lo2core.ui.shell.widgets import notice, problem, same_workspace, when

OWN_WEIGHTING = "the detector's own"


@dataclass(frozen=True)
class Asked:
    """A recipe, and the bundle it shall become."""

    recipe: Recipe
    path: Path

    def command(self, here: Frame, replace: bool = False) -> Train:
        """The command that trains the same."""
        return Train(output_dir=here.workspace.root, recipe=self.recipe, bundle=self.path, replace=replace)


@dataclass(frozen=True)
class Outlook:
    """What a recipe will learn from, in words; `possible` is false where that is not enough."""

    possible: bool
    sentence: str


def recipe(here: Frame) -> Asked | None:
    """The fields of a recipe; None while they do not make one."""
    first, second, third = st.columns([3, 4, 2])
    name = first.selectbox("Detector", list(REGISTRY), list(REGISTRY).index(DEFAULT_DETECTOR), _title, key="detector")
    kinds = second.pills("Items", ITEM_KINDS, selection_mode="multi", default=DEFAULT_ITEMS, key="items")
    budget = third.number_input(
        "Alert budget", 0.0, 99.0, DEFAULT_BUDGET, 1.0, help="False alarms per 100 normal incidents.", format="%g"
    )
    detector = REGISTRY[name]
    st.caption(detector.about)
    if detector.supervised:
        st.caption("It learns from labelled faults too, and may not see a fault of a kind that it never met.")
    with st.expander("More"):
        left, middle, right = st.columns(3)
        unit = left.radio("Unit", detector.units, format_func=lambda name: UNITS[name].title, key=f"unit-{name}")
        weighting = middle.selectbox("Weighting", (OWN_WEIGHTING, *WEIGHTINGS), help=f"Its own: {detector.weighting}.")
        stem = right.text_input("Bundle", f"lo2_{detector.short}", key=f"stem-{name}", help="A name for the file.")
    if not kinds:
        notice("Choose at least one kind of items.")
        return None
    items = "+".join(kind for kind in ITEM_KINDS if kind in kinds)
    chosen = Recipe(name, items, unit, None if weighting == OWN_WEIGHTING else weighting, budget)
    with frame.calm():
        return Asked(chosen, bundles.bundle_path(stem.strip(), here.models_dir))


def outlook(workspace: Workspace, recipe: Recipe) -> Outlook:
    """What the recipe will learn from: normal incidents, runs, services, labelled faults."""
    sequences = workspace.read(Sequences, columns=[*INCIDENT_KEY, "service", "normal", "anomaly"])
    by_label = {label: sequences.filter(label).select(INCIDENT_KEY).unique() for label in ("normal", "anomaly")}
    normal, faulty = by_label["normal"], by_label["anomaly"]
    others = sequences.select(INCIDENT_KEY).n_unique() - normal.height
    if normal.height < 2 and not (normal.height and others and workspace.has(Events)):
        return Outlook(
            False,
            f"Training needs two normal test cases or more, found {normal.height}. Load logs of `correct` test cases, "
            "or say when loading that all logs are normal.",
        )
    if recipe.make().supervised and not faulty.height:
        return Outlook(False, "This detector learns from labelled faults, and there are none here: choose another one.")
    return Outlook(True, " ".join(_learns_from(sequences, normal, faulty, recipe)))


def train_button(here: Frame, asked: Asked) -> None:
    """Start the job that trains; ask first where the bundle exists. Damaged logs are told of, and the page goes on."""
    found = Outlook(False, "")
    with frame.apart():
        found = remembered(outlook, here.workspace, asked.recipe)
    with st.container(horizontal=True, vertical_alignment="center"):
        busy = jobs.status(here.workspace.root).running
        pressed = st.button(
            "Train", type="primary", icon=":material/model_training:", disabled=busy or not found.possible
        )
        st.text(found.sentence)
    if not pressed:
        return
    with frame.calm():
        if asked.path.exists():
            question = f"{asked.path} exists. Predictions that it made stay, but cannot be explained by it any more."
            frame.confirm_replace(question, lambda: start_job(here.workspace.root, asked.command(here, replace=True)))
        else:
            start_job(here.workspace.root, asked.command(here))


def bundle_table(found: list[BundleInfo]) -> None:
    """All bundles with their state; for those that may not be opened why, and a button to vouch."""
    st.subheader("Bundles", anchor=False)
    rows = pl.DataFrame([_bundle_row(info) for info in found])
    st.dataframe(rows, hide_index=True, row_height=28)
    for info in found:
        if info.state is not BundleState.SIGNED:
            with st.container(horizontal=True, vertical_alignment="center"):
                problem(f"{info.path.name} is {info.state.value}. {info.state.sentence}")
                if st.button("Vouch ...", key=f"vouch-{info.path.stem}", icon=":material/verified_user:"):
                    _vouch(info.path)


def facts(loaded: LoadedBundle) -> None:
    """What the bundle was made of, and from which z on it flags an incident."""
    known, threshold = loaded.facts, loaded.model.threshold
    runs, services = known.get("runs", []), known.get("services", [])
    normals = plural(threshold.n_normals, "normal incident")
    st.text(
        f"{known.get('detector', '?')} on {known.get('items', '?')} ({known.get('weighting', '?')}), "
        f"{unit_of(loaded.model).title}. Learned from {normals} "
        f"of {plural(len(runs), 'run')}: {', '.join(services)}. {known.get('note', '')}".strip()
    )
    st.markdown(f"An incident is flagged from **z = {threshold.z:.2f}** on.")
    if threshold.estimated:
        notice(models.estimated(threshold))
    else:
        st.caption(f"Of {normals} that the model had not seen, at most {threshold.budget:g} in 100 lie above.")
    for warning in loaded.warnings:
        notice(warning)
    query = same_workspace() | {"bundle": loaded.path.stem}
    st.page_link("pages/4_Predict.py", label="Score logs with it", icon=":material/radar:", query_params=query)


@st.dialog("Vouch for this bundle?", icon=":material/verified_user:")
def _vouch(path: Path) -> None:
    st.text(str(path))
    st.text(
        "A bundle can hold any program, and opening it runs that program with your rights. Vouch only if you made this "
        "file, or know who did and that nobody changed it on its way. It is then opened, checked, and signed with your "
        "key, so that from now on it is used without asking."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Leave it closed"):
            st.rerun()
        if st.button("I vouch for it", type="primary"):
            with frame.calm():
                vouch(path)
            session.flash(f"{path.name} is signed now.")
            st.rerun()


def _title(name: str) -> str:
    return (
        f"{REGISTRY[name].title}  ·  learns from labelled faults" if REGISTRY[name].supervised else REGISTRY[name].title
    )


def _learns_from(sequences: pl.DataFrame, normal: pl.DataFrame, faulty: pl.DataFrame, recipe: Recipe) -> list[str]:
    runs, services = normal["run"].n_unique(), sequences.filter("normal")["service"].unique().sort()
    said = [
        f"Learns from {plural(normal.height, 'normal incident')} of {plural(runs, 'run')}, "
        f"{plural(len(services), 'service')}: {', '.join(services)}."
    ]
    if recipe.make().supervised:
        said.append(f"And from {faulty.height} that are labelled as faulty.")
    if normal.height == 1:
        said.append("The only normal test case will be cut into parts as long as the others.")
    elif runs == 1:
        said.append("With a single run, test cases are left out to calibrate on instead of runs.")
    return said


def _bundle_row(info: BundleInfo) -> dict[str, object]:
    """What an unsigned manifest claims is not repeated."""
    known = info.facts if info.state is BundleState.SIGNED else {}
    return {
        "bundle": info.path.stem,
        "state": info.state.value,
        "detector": known.get("detector"),
        "items": known.get("items"),
        "unit": known.get("unit"),
        "normals": known.get("normal_incidents"),
        "services": len(known["services"]) if "services" in known else None,
        "saved": when(datetime.fromtimestamp(info.path.stat().st_mtime)),
        "workspace": known.get("workspace"),
    }
