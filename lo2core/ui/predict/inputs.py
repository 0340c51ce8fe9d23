"""Parts of page Predict: what to score with what, the scores, the alert budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.schemas import Counts
from lo2core.detect import predict
from lo2core.detect.calibration import Threshold
from lo2core.detect.predict import labelled
from lo2core.detect.units import unit_of
from lo2core.explain.top_items import top_items
from lo2core.pipeline import jobs
from lo2core.pipeline.bundles import LoadedBundle
from lo2core.pipeline.commands import Predict
from lo2core.pipeline.inputs import items_for
from lo2core.pipeline.provenance import window_of
from lo2core.store import bundles
from lo2core.store.bundles import BundleInfo
from lo2core.store.signing import BundleState
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import address, cache, links, models
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.job_panel import start_job
from lo2core.ui.shell.scores import live_scores, saved_scores
from lo2core.ui.shell.widgets import empty_state, notice, problem, same_workspace

LOADED = "loaded events"
MAX_BUDGET = 20.0
_TOP_ITEMS = 500
_ASKED = "predict_asked"


@dataclass(frozen=True)
class Choice:
    """A bundle, and the logs to score with it: those of the workspace, or one of its samples."""

    here: Frame
    info: BundleInfo
    logs: Workspace

    @property
    def sample(self) -> str | None:
        return None if self.logs.root == self.here.workspace.root else self.logs.root.name

    @property
    def free_name(self) -> str:
        """What the scores may be saved as."""
        return self.logs.free_name(f"{self.info.path.stem}_predictions")

    @property
    def token(self) -> tuple[object, ...]:
        """Changes with whatever the scores depend on."""
        return (*cache.logs_key(self.logs), *cache.bundle_key(self.info.path))

    @property
    def budget_key(self) -> str:
        """Of the slider, which a model trained anew begins afresh."""
        return f"budget-{self.info.path.stem}-{bundles.stamp(self.info.path)[0]}"

    @property
    def command(self) -> Predict:
        """The command that scores and saves the same, as the page stands."""
        name = st.session_state.get(f"name-{self.free_name}", "").strip() or self.free_name
        budget = st.session_state.get(self.budget_key)
        return Predict(output_dir=self.logs.root, bundle=self.info.path, predictions=name, budget=budget)


@dataclass(frozen=True)
class Scored:
    """Scores of whole sequences, as `threshold` judges them; `saved` names a saved prediction that holds the same
    scores.
    """

    choice: Choice
    loaded: LoadedBundle
    scores: pl.DataFrame
    threshold: Threshold
    saved: str | None

    @property
    def n_normals(self) -> dict[str, int]:
        """Unseen normals behind each service's calibration."""
        return {name: round(each.weights.sum()) for name, each in self.loaded.model.calibrations.items()}

    def open_row(self, row: Mapping[str, Any]) -> None:
        """Go to page Explain with this incident."""
        links.open_explain(row, prediction=self.saved, bundle=self.choice.info.path, sample=self.choice.sample)


def choose(here: Frame) -> Choice | None:
    """The inputs; where something is missing, what to do about it, and None."""
    found = bundles.bundles(here.models_dir)
    logs = {ws.root.name: ws for ws in here.workspace.samples() if ws.has(Counts)}
    if here.workspace.has(Counts):
        logs = {LOADED: here.workspace, **logs}
    if not logs:
        empty_state("There are no logs to score yet: load some first.", "pages/1_Load.py", "Load logs")
        return None
    if not found:
        empty_state("There is no model to score with yet: train one first.", "pages/3_Train.py", "Train a model")
        return None
    left, right = st.columns([3, 2])
    with left:
        info = models.choose(found)
    with right:
        name = _which(list(logs))
    return Choice(here, info, logs[name])


def _which(names: list[str]) -> str:
    """A field to choose the logs: the sample that the address bar names, else those loaded."""
    asked = address.said("sample")
    if asked and asked not in names:
        notice(f"There is no sample {asked} in this workspace; this is {names[0]}.")
    chosen = asked if asked in names else names[0]
    told = "A sample is scored, never mixed with the training data."
    return address.choice("On", names, chosen, lambda name: {"sample": None if name == LOADED else name}, help=told)


def scored(choice: Choice) -> Scored | None:
    """The scores, once they were asked for or are saved already; None before that, and for a bundle nobody trusts."""
    if choice.info.state is not BundleState.SIGNED:
        _untrusted(choice.info)
        return None
    loaded = models.opened_or_told(choice.info.path)
    if loaded is None:
        return None
    for warning in loaded.warnings:
        notice(warning)
    asked = _predict_button(choice, loaded)
    saved = _saved_already(choice.logs, loaded)
    if not unit_of(loaded.model).from_counts:
        if saved is None:
            return None
        scores, _ = saved_scores(choice.logs, saved)
    elif asked or saved:
        scores, _ = live_scores(choice.logs, choice.info.path)
    else:
        return None
    return Scored(choice, loaded, scores, loaded.model.threshold, saved)


def judge(found: Scored) -> tuple[Scored, Threshold]:
    """The alert budget as a slider; the scores at the threshold it gives, without training."""
    model = found.loaded.model
    top = max(MAX_BUDGET, float(model.threshold.budget))
    help_text = "How many of 100 normal incidents may raise a false alarm. The model stays as it is."
    budget = st.slider(
        "False alarms per 100 normal incidents",
        0.0,
        top,
        float(model.threshold.budget),
        0.5,
        format="%.1f",
        key=found.choice.budget_key,
        help=help_text,
        persist_state="session",
    )
    threshold = model.threshold_at(budget)
    return replace(found, scores=labelled(found.scores, threshold), threshold=threshold), threshold


def summary(found: Scored, ranked: pl.DataFrame, threshold: Threshold) -> None:
    """How many incidents are flagged, by what is known of them, and what to think of the threshold."""
    flagged = ranked.filter("pred_ano").height
    st.markdown(f"z at least **{threshold.z:.2f}**  →  **{flagged:,} of {ranked.height:,}** incidents flagged")
    for known, name in ((False, "other than normal"), (True, "normal")):
        part = ranked.filter(pl.col("normal") == known)
        if part.height:
            st.caption(f"{part.filter('pred_ano').height:,} of {part.height:,} that are {name}")
    if threshold.estimated:
        notice(models.estimated(threshold))


def remarks(found: Scored) -> None:
    """What a person should know before reading the scores: services nobody scored, normals that were trained on."""
    for sentence in predict.remarks(found.loaded.model, found.scores["service"], window_of(found.choice.logs)):
        notice(sentence)
    if told := models.trained_on(found.loaded, found.choice.logs):
        st.caption(told)


def top_items_of(found: Scored, ranked: pl.DataFrame) -> pl.DataFrame:
    """seq_id, top_item: what weighs most in the worst service of the worst incidents."""
    seq_ids = ranked.head(_TOP_ITEMS)["seq_id"]
    return cache.TOP_ITEMS.get((*found.choice.token, *seq_ids), lambda: _top_items(found, seq_ids))


def command(here: Frame, choice: Choice | None) -> Predict:
    """What `frame.terminal` shows."""
    if choice:
        return choice.command
    return Predict(output_dir=here.workspace.root, bundle=here.models_dir / "lo2_nn.joblib")


def _untrusted(info: BundleInfo) -> None:
    problem(
        f"{info.path.name} is {info.state.value} and was not opened. {info.state.sentence}",
        "Opening a bundle runs what is in it. If you know where it comes from, vouch for it on page Train.",
    )
    st.page_link(
        "pages/3_Train.py", label="Go to page Train", icon=":material/model_training:", query_params=same_workspace()
    )


def _predict_button(choice: Choice, loaded: LoadedBundle) -> bool:
    """Whether the scores of just this choice were asked for in this session; single events become a job."""
    busy = not unit_of(loaded.model).from_counts and jobs.status(choice.here.workspace).running
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button("Predict", type="primary", icon=":material/radar:", disabled=busy)
        st.page_link("pages/1_Load.py", label="Load new logs", icon=":material/upload:", query_params=same_workspace())
    if pressed:
        if not unit_of(loaded.model).from_counts:
            start_job(choice.here.workspace.root, choice.command)
        st.session_state[_ASKED] = choice.token
    return bool(st.session_state.get(_ASKED) == choice.token)


def _saved_already(logs: Workspace, loaded: LoadedBundle) -> str | None:
    """The newest saved prediction of these very logs by this very bundle."""
    data = logs.metadata(Counts).get("data_fingerprint")
    for name in logs.predictions():
        facts = logs.metadata(name)
        same = facts.get("bundle_sha256") == loaded.manifest.get("sha256") and facts.get("data_fingerprint") == data
        if same and data:
            return name
    return None


def _top_items(found: Scored, seq_ids: pl.Series) -> pl.DataFrame:
    loaded = found.loaded
    chosen = found.scores.filter(pl.col("seq_id").is_in(seq_ids.implode()))
    return top_items(loaded.model, loaded.vec, items_for(found.choice.logs, loaded.vec), chosen)
