"""The scores that a page shows: saved predictions of the workspace or of a sample, or live scores of a model.

The address bar names them (`sample`, `prediction` or `bundle`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import streamlit as st

from lo2core.base.errors import ArtefactError, InputError
from lo2core.detect.incidents import NO_SCORES
from lo2core.explain.evidence import Evidence
from lo2core.pipeline import explain
from lo2core.pipeline.explain import made_by_another, of_other_logs
from lo2core.pipeline.predict import score
from lo2core.report.chart_data import ranked_incidents
from lo2core.store import bundles, handwritten
from lo2core.store.predictions import bundle_of, read_sequence_scores, saved_names
from lo2core.store.signing import BundleState
from lo2core.store.unreadable import damaged
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import address, cache, models
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.unreadable import show_unreadable
from lo2core.ui.shell.widgets import asked_or, empty_state, notice

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """Where scores come from: a saved prediction, else the bundle `live`; for the logs of the root or of a sample."""

    sample: str | None = None
    prediction: str | None = None
    live: str | None = None

    @property
    def name(self) -> str:
        """`lo2_nn_predictions`, `today/lo2_nn_predictions` of a sample, or `lo2_nn, not saved`."""
        prefix = f"{self.sample}/" if self.sample else ""
        return f"{prefix}{self.prediction or f'{self.live}, not saved'}"

    def params(self) -> address.Params:
        """As query parameters."""
        return {"sample": self.sample, "prediction": self.prediction, "bundle": self.live}

    @classmethod
    def named(cls, name: str) -> Source:
        """From the name of a saved prediction."""
        sample, _, prediction = name.rpartition("/")
        return cls(sample or None, prediction)


@dataclass(frozen=True)
class Scores:
    """Scored sequences with their logs and model; `incidents` is `report.chart_data.ranked_incidents`."""

    source: Source
    logs: Workspace
    bundle: Path
    predictions: pl.DataFrame
    incidents: pl.DataFrame

    @property
    def threshold(self) -> float:
        return float(self.predictions["threshold"][0])


@section
def choose(here: Frame) -> Scores | None:
    """A field to choose the scores: those in the address bar, else the newest saved ones.

    None, with a hint, if there are none.
    """
    show_unreadable(here.workspace)
    offered = [Source.named(name) for name in saved_names(here.workspace)]
    asked = Source(address.read("sample"), address.read("prediction"), address.read("bundle"))
    if asked.live and not asked.prediction:
        offered.insert(0, asked)
    if not offered:
        empty_state("There are no scores to explain yet. Score logs first.", "pages/4_Predict.py", "Score logs")
        return None
    wanted = asked if asked.prediction or asked.sample or asked.live else None
    chosen = asked_or(wanted, offered[0], offered, _missing(here.workspace, asked))
    chosen = address.choice("Prediction", offered, chosen, Source.params, format_func=lambda source: source.name)
    if chosen is None:
        return None
    found = _read(here, chosen)
    if not found.predictions.height:
        raise InputError(NO_SCORES)
    saved = chosen.prediction
    if saved and (sentence := handwritten.remark(found.logs, saved)):
        notice(sentence)
    if saved and (sentence := of_other_logs(found.logs, saved)):
        notice(sentence, icon=":orange[:material/warning:]")
    if saved and (sentence := made_by_another(found.logs, saved, found.bundle)):
        notice(sentence, icon=":orange[:material/warning:]")
    return found


def saved(here: Frame, name: str) -> Scores:
    """The saved prediction of that name; its metadata must name its bundle."""
    return _read(here, Source.named(name))


def _missing(workspace: Workspace, asked: Source) -> str:
    if asked.name in damaged(workspace):
        return f"The file of prediction {asked.name} is damaged. Score these logs again."
    return f"There is no prediction {asked.name} in this workspace."


def evidence(scores: Scores) -> Evidence:
    """The inputs of explanations. Raises what `models.opened` raises."""
    return evidence_of(scores.logs, scores.bundle)


def evidence_of(logs: Workspace, path: Path) -> Evidence:
    """As `evidence`, for these logs and the bundle at `path`."""
    key = (*cache.logs_key(logs), *cache.bundle_key(path))
    return cache.EVIDENCE.get(key, lambda: explain.evidence(logs, models.opened(path)))


def ask(scores: Scores, compute: Callable[..., T], *arguments: Any, **frames: pl.DataFrame) -> T:
    """`compute(evidence, *arguments, **frames)`, kept until a file changes.

    The arguments are plain values. `frames` are not part of the key: they must follow from the arguments and scores.
    """
    saved = scores.source.prediction
    made = cache.prediction_key(scores.logs, saved) if saved else ()
    key = (cache.name_of(compute), arguments, made, *cache.logs_key(scores.logs), *cache.bundle_key(scores.bundle))
    return cache.EXPLANATIONS.get(key, lambda: compute(evidence(scores), *arguments, **frames))


def live_scores(logs: Workspace, path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`schemas.Predictions` of the sequences of `logs` at the model's own threshold, and their ranked incidents.

    Raises what `pipeline.predict.score` raises.
    """
    key = (*cache.logs_key(logs), *cache.bundle_key(path))
    return cache.LIVE_SCORES.get(key, lambda: _with_incidents(score(logs, models.opened(path))))


def saved_scores(logs: Workspace, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """As `live_scores`, from a saved prediction; where single events were scored, the worst of each sequence."""
    key = cache.prediction_key(logs, name)
    return cache.SAVED_SCORES.get(key, lambda: _with_incidents(read_sequence_scores(logs, name)))


def _read(here: Frame, source: Source) -> Scores:
    logs = here.workspace.sample(source.sample) if source.sample else here.workspace
    if source.prediction is None:
        path = bundles.bundle_path(str(source.live), here.models_dir)
        return Scores(source, logs, path, *live_scores(logs, path))
    path = bundle_of(logs, source.prediction, here.models_dir) or _asked_for(logs, source.prediction, here.models_dir)
    return Scores(source, logs, path, *saved_scores(logs, source.prediction))


def _asked_for(logs: Workspace, prediction: str, models_dir: Path) -> Path:
    """A field to choose the bundle; the default is the one that the predictions are named after."""
    found = {info.name: info.path for info in bundles.bundles(models_dir) if info.state is not BundleState.UNREADABLE}
    if not found:
        raise ArtefactError(
            f"{logs.path(prediction)} does not say which model made it, and there is no saved model to explain it "
            "with. Train one, or copy its files into the models folder."
        )
    names = sorted(found, key=lambda name: (not prediction.startswith(name), name))
    label = "Which model made these scores? The file does not say."
    return found[st.selectbox(label, names, key=f"made-by-{logs.root}-{prediction}")]


def _with_incidents(scores: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    return scores, ranked_incidents(scores)
