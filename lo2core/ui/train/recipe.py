"""What to train on page Train: the recipe, and what it learns from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import streamlit as st

from lo2core.base.config import DEFAULT_BUDGET, DEFAULT_DETECTOR, DEFAULT_ITEMS
from lo2core.base.glossary import meaning
from lo2core.base.schemas import INCIDENT_KEY, Counts, Events, Sequences
from lo2core.base.text import plural
from lo2core.detect.detectors import REGISTRY
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import obstacle
from lo2core.detect.units import UNITS
from lo2core.detect.vectorizer import ITEM_KINDS, WEIGHTINGS
from lo2core.pipeline.bundles import default_bundle
from lo2core.pipeline.commands import Train
from lo2core.store import bundles
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import frame, keyboard
from lo2core.ui.shell.boundary import apart, section
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.job_panel import start_job
from lo2core.ui.shell.widgets import empty_state, notice, say

OWN_WEIGHTING = "default"


@dataclass(frozen=True)
class Asked:
    """A recipe, and the path of the bundle."""

    recipe: Recipe
    path: Path

    def command(self, here: Frame, replace: bool = False) -> Train:
        """The command that trains the same."""
        return Train(output_dir=here.workspace.root, recipe=self.recipe, bundle=self.path, replace=replace)


@dataclass(frozen=True)
class Outlook:
    """What a recipe will learn from, in words; `possible` is false if that is not enough."""

    possible: bool
    sentence: str


@section
def ask(here: Frame) -> Asked | None:
    """The fields of a recipe and the button to train it; None while the fields are incomplete or there are no logs."""
    if not here.workspace.has(Counts):
        empty_state("There are no logs to learn from yet. Load logs first.", "pages/1_Load.py", "Load logs")
        return None
    asked = _fields(here)
    if asked:
        _train_button(here, asked)
    return asked


@section
def command(here: Frame, asked: Asked | None) -> Train:
    """The command that trains the same."""
    if asked:
        return asked.command(here)
    return Train(output_dir=here.workspace.root, bundle=default_bundle(here.workspace, Recipe()))


def _fields(here: Frame) -> Asked | None:
    first, second, third = st.columns([3, 4, 2])
    name = first.selectbox("Detector", list(REGISTRY), list(REGISTRY).index(DEFAULT_DETECTOR), _title, key="detector")
    kinds = second.pills("Items", ITEM_KINDS, selection_mode="multi", default=DEFAULT_ITEMS, key="items")
    budget = third.number_input(
        "Alert budget", 0.0, 99.0, DEFAULT_BUDGET, 1.0, help=meaning("Alert budget"), format="%g"
    )
    detector = REGISTRY[name]
    st.caption(detector.about)
    if detector.supervised:
        st.caption(
            "It also learns from labelled faults, and may miss kinds of faults that are not in the training data."
        )
    with st.expander("More"):
        left, middle, right = st.columns(3)
        unit = left.radio(
            "Unit",
            detector.units,
            format_func=lambda name: UNITS[name].title,
            key=f"unit-{name}",
            help=meaning("Sequence"),
        )
        weighting = middle.selectbox(
            "Weighting", (OWN_WEIGHTING, *WEIGHTINGS), help=f"Default of this detector: {detector.weighting}."
        )
        proposed = default_bundle(here.workspace, Recipe(name)).stem
        stem = right.text_input("Name of the model", proposed, key=f"stem-{proposed}")
    if not kinds:
        notice("Choose at least one kind of item.")
        return None
    items = "+".join(kind for kind in ITEM_KINDS if kind in kinds)
    chosen = Recipe(name, items, unit, None if weighting == OWN_WEIGHTING else weighting, budget)
    return Asked(chosen, bundles.bundle_path(stem.strip(), here.models_dir))


def outlook(workspace: Workspace, recipe: Recipe) -> Outlook:
    """What the recipe will learn from: normal incidents, runs, services, labelled faults."""
    columns = [*INCIDENT_KEY, "test_case", "service", "normal", "anomaly"]
    sequences = workspace.read(Sequences, columns=columns)
    if reason := obstacle(sequences, recipe, INCIDENT_KEY, divisible=workspace.has(Events)):
        return Outlook(False, reason)
    normal, faulty = (sequences.filter(label).select(INCIDENT_KEY).unique() for label in ("normal", "anomaly"))
    return Outlook(True, " ".join(_learns_from(sequences, normal, faulty, recipe)))


def _train_button(here: Frame, asked: Asked) -> None:
    """Start the training job; ask first if the model exists. Errors in the logs are shown, and the page continues."""
    found = Outlook(False, "")
    with apart():
        found = remembered(outlook, here.workspace, asked.recipe)
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            "Train",
            type="primary",
            shortcut=keyboard.RUN,
            icon=":material/model_training:",
            disabled=not found.possible,
        )
        say(found.sentence)
    if not pressed:
        return
    with apart():
        if asked.path.exists():
            question = f"{asked.path} already exists. If it is replaced, its predictions can no longer be explained."
            frame.confirm_replace(question, lambda: start_job(here.workspace.root, asked.command(here, replace=True)))
        else:
            start_job(here.workspace.root, asked.command(here))


def _title(name: str) -> str:
    return (
        f"{REGISTRY[name].title}  ·  learns from labelled faults" if REGISTRY[name].supervised else REGISTRY[name].title
    )


def _learns_from(sequences: pl.DataFrame, normal: pl.DataFrame, faulty: pl.DataFrame, recipe: Recipe) -> list[str]:
    runs, services = normal["run"].n_unique(), sequences.filter("normal")["service"].unique().sort()
    sentences = [
        f"Learns from {plural(normal.height, 'normal incident')} of {plural(runs, 'run')}, "
        f"{plural(len(services), 'service')}: {', '.join(services)}."
    ]
    if recipe.make().supervised:
        sentences.append(f"Also learns from {plural(faulty.height, 'faulty incident')}.")
    if normal.height == 1:
        sentences.append("The only normal test case will be cut into parts as long as the other test cases.")
    elif runs == 1:
        sentences.append("With a single run, test cases instead of runs are held out for calibration.")
    return sentences
