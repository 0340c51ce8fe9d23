"""Parts of page Predict: model and logs, scores, alert budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.glossary import meaning
from lo2core.base.schemas import Counts
from lo2core.base.text import plural
from lo2core.detect.calibration import Threshold
from lo2core.detect.incidents import not_fully_scored
from lo2core.detect.predict import labelled
from lo2core.detect.recipe import Recipe
from lo2core.detect.units import unit_of
from lo2core.pipeline.bundles import LoadedBundle, default_bundle
from lo2core.pipeline.commands import Predict
from lo2core.pipeline.summary import unclear_logs
from lo2core.report.chart_data import ranked_incidents
from lo2core.store import bundles
from lo2core.store.bundles import BundleInfo
from lo2core.store.predictions import scored_by
from lo2core.store.signing import BundleState
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import address, cache, keyboard, links, models
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.job_panel import start_job
from lo2core.ui.shell.scores import live_scores, saved_scores
from lo2core.ui.shell.session import Lead
from lo2core.ui.shell.widgets import asked_or, empty_state, notice, problem, same_workspace, statement

LOADED = "loaded logs"
MAX_BUDGET = 20.0
_ASKED = "predict_asked"
_TRAIN = Lead("pages/3_Train.py", "Train a model")


@dataclass(frozen=True)
class Choice:
    """A model, and the logs to score: those of the workspace, or of one of its samples."""

    here: Frame
    info: BundleInfo
    logs: Workspace

    @property
    def sample(self) -> str | None:
        return None if self.logs.root == self.here.workspace.root else self.logs.root.name

    @property
    def free_name(self) -> str:
        """An unused name for the scores."""
        return self.logs.free_name(f"{self.info.path.stem}_predictions")

    @property
    def token(self) -> tuple[object, ...]:
        """Changes with everything that the scores depend on."""
        return (*cache.logs_key(self.logs), *cache.bundle_key(self.info.path))

    @property
    def budget_key(self) -> str:
        """Key of the slider, which is reset when the model is trained again."""
        return f"budget-{self.info.path.stem}-{bundles.stamp(self.info.path)[0]}"

    @property
    def command(self) -> Predict:
        """The command that scores and saves the same, with the current inputs."""
        name = st.session_state.get(f"name-{self.free_name}", "").strip() or self.free_name
        budget = st.session_state.get(self.budget_key)
        return Predict(output_dir=self.logs.root, bundle=self.info.path, predictions=name, budget=budget)


@dataclass(frozen=True)
class Scored:
    """Scores of sequences with the flags of `threshold`, and `report.chart_data.ranked_incidents` of them.

    saved: the name of a saved prediction with the same scores.
    """

    choice: Choice
    loaded: LoadedBundle
    scores: pl.DataFrame
    ranked: pl.DataFrame
    threshold: Threshold
    saved: str | None

    @property
    def saved_name(self) -> str | None:
        """`saved` as the whole workspace calls it, `SAMPLE/NAME` for a sample."""
        sample = self.choice.sample
        return f"{sample}/{self.saved}" if self.saved and sample else self.saved

    @property
    def n_normals(self) -> dict[str, int]:
        """Number of held-out normals in the calibration of each service."""
        return {name: round(each.weights.sum()) for name, each in self.loaded.model.calibrations.items()}

    def open_row(self, row: Mapping[str, Any]) -> None:
        """Go to page Explain with this incident."""
        links.open_explain(row, prediction=self.saved, bundle=self.choice.info.path, sample=self.choice.sample)


@section
def choose(here: Frame) -> Choice | None:
    """Fields for model and logs; None, with a hint, if something is missing."""
    found = bundles.bundles(here.models_dir)
    logs = {ws.root.name: ws for ws in here.workspace.samples() if ws.has(Counts)}
    if here.workspace.has(Counts):
        logs = {LOADED: here.workspace, **logs}
    if not logs:
        empty_state("There are no logs to score yet. Load logs first.", "pages/1_Load.py", "Load logs")
        return None
    if not found:
        empty_state("There is no model yet. Train one first.", "pages/3_Train.py", "Train a model")
        return None
    left, right = st.columns([3, 2])
    with right:
        name = _which(list(logs))
    if name is None:
        return None
    with left:
        info = models.choose_for(logs[name], found)
    if unclear := cache.remembered(unclear_logs, logs[name]):
        notice(unclear, icon=":orange[:material/warning:]")
    if info is None:
        if not address.read("bundle"):
            sentence = "No saved model fits these logs. Train one on normal logs of the same services."
            notice(
                f"{sentence} If you choose one anyway, this page says how far its scores can be trusted.", lead=_TRAIN
            )
        return None
    return Choice(here, info, logs[name])


def _which(names: list[str]) -> str | None:
    """A field to choose the logs: the sample in the address bar, else the loaded logs."""
    asked = address.read("sample")
    chosen = asked_or(asked, names[0], names, f"There is no sample {asked} in this workspace.")
    about = "Samples are scored, but never added to the training data."
    return address.choice("Logs", names, chosen, lambda name: {"sample": None if name == LOADED else name}, help=about)


@section
def fitness(choice: Choice) -> None:
    """Whether the model fits the logs, in words."""
    if choice.info.state is BundleState.SIGNED and models.opens(choice.info.path):
        statement(models.fitness_of(choice.logs, choice.info.path))


@section
def scored(choice: Choice) -> Scored | None:
    """The scores, if they were requested or are already saved; else None. None for a model that is not trusted."""
    if choice.info.state is not BundleState.SIGNED:
        _untrusted(choice.info)
        return None
    loaded = models.opened_or_none(choice.info.path)
    if loaded is None:
        return None
    for warning in loaded.warnings:
        notice(warning)
    asked = _predict_button(choice, loaded)
    saved = scored_by(choice.logs, loaded.manifest.get("sha256"))
    if not unit_of(loaded.model).from_counts:
        if saved is None:
            return None
        scores, ranked = saved_scores(choice.logs, saved)
    elif asked or saved:
        scores, ranked = live_scores(choice.logs, choice.info.path)
    else:
        return None
    return Scored(choice, loaded, scores, ranked, loaded.model.threshold, saved)


@section
def judge(found: Scored) -> Scored:
    """The alert budget as a slider; the scores with the flags of its threshold, without training."""
    model = found.loaded.model
    top = max(MAX_BUDGET, float(model.threshold.budget))
    budget = st.slider(
        "Alert budget (false alarms per 100 normal incidents)",
        0.0,
        top,
        float(model.threshold.budget),
        0.5,
        format="%.1f",
        key=found.choice.budget_key,
        help=meaning("Alert budget"),
        persist_state="session",
    )
    threshold = model.threshold_at(budget)
    scores = labelled(found.scores, threshold)
    return replace(found, scores=scores, ranked=ranked_incidents(scores), threshold=threshold)


@section
def summary(found: Scored) -> None:
    """The number of flagged incidents, by label, and a note if the threshold is estimated."""
    ranked, threshold = found.ranked, found.threshold
    flagged, partly = ranked.filter("pred_ano").height, not_fully_scored(ranked["pred_ano"])
    noun = "incident" if ranked.height == 1 else "incidents"
    st.markdown(f"Threshold z = **{threshold.z:.2f}**: **{flagged:,} of {ranked.height:,}** {noun} flagged{partly}")
    for known, name in ((False, "faulty"), (True, "normal")):
        part = ranked.filter(pl.col("normal") == known)
        if part.height:
            st.caption(f"{part.filter('pred_ano').height:,} of {plural(part.height, f'{name} incident')} flagged")
    if threshold.note:
        notice(threshold.note)


@section
def remarks(found: Scored) -> None:
    """A note about normals that were used for training."""
    if note := models.trained_on(found.loaded, found.choice.logs):
        st.caption(note)


@section
def command(here: Frame, choice: Choice | None) -> Predict:
    """The command of the page, for `frame.terminal`."""
    if choice:
        return choice.command
    return Predict(output_dir=here.workspace.root, bundle=default_bundle(here.workspace, Recipe()))


def _untrusted(info: BundleInfo) -> None:
    problem(
        f"{info.path.name} is {info.state.value} and was not opened. {info.state.sentence}",
        "If you know where it comes from, you can trust it on page Train.",
    )
    st.page_link(
        "pages/3_Train.py", label="Go to page Train", icon=":material/model_training:", query_params=same_workspace()
    )


def _predict_button(choice: Choice, loaded: LoadedBundle) -> bool:
    """Whether the scores of this choice were requested in this session; scoring single events starts a job."""
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Predict", type="primary", shortcut=keyboard.RUN, icon=":material/radar:")
        st.page_link("pages/1_Load.py", label="Load new logs", icon=":material/upload:", query_params=same_workspace())
    if pressed:
        if not unit_of(loaded.model).from_counts:
            start_job(choice.here.workspace.root, choice.command)
        st.session_state[_ASKED] = choice.token
    return bool(st.session_state.get(_ASKED) == choice.token)
