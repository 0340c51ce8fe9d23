"""Scores of left-out rows: every fold is what `train` and then `predict` would do, without the fold in training."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lo2core.config import SEED
from lo2core.errors import InputError
from lo2core.model import Floats, Model, Threshold
from lo2core.rows import CountSource
from lo2core.train import MAX_FOLDS, Recipe, fit_detectors, folds, left_out_by, train
from lo2core.vectorizer import Vectorizer

BY_RUN, FAULT_LEFT_OUT, LONG_NORMALS = "by run", "fault left out", "long normals"

_LONG = 2.0
"""A normal incident is a long one when it holds more than this many times the events of the median one."""


@dataclass(frozen=True)
class Fold:
    """Which rows of the source to train on and which to score."""

    train: pl.Series
    test: pl.Series


@dataclass(frozen=True)
class LeftOut:
    """Rows of the source with score, z_score and the threshold of the model that scored them; one model a fold."""

    rows: pl.DataFrame
    models: list[Model]

    @property
    def thresholds(self) -> list[Threshold]:
        return [model.threshold for model in self.models]

    def training_z(self, level: str) -> Floats:
        """z of the unseen normals that the models were calibrated by; none for events."""
        if level == "incident":
            return np.concatenate([model.normal_incidents for model in self.models])
        if level == "event":
            return np.zeros(0)
        calibrations = (calibration for model in self.models for calibration in model.calibrations.values())
        return np.concatenate([calibration.normal_z for calibration in calibrations])


def run_folds(rows: pl.DataFrame, share: float | None = None) -> list[Fold]:
    """Whole runs left out in turn (see `train.folds`), or once: a seeded `share` of them is for training.

    At least one run is for training, and one left out; with normals in a single run test cases stand for runs, with a
    single normal test case its windows.
    """
    if share is None:
        return [Fold(~test, test) for test, _ in folds(rows)]
    if not 0 < share < 1:
        raise InputError(f"The share to train on lies between 0 and 1, found {share}.")
    group = left_out_by(rows)
    names = rows[group].unique().sort()
    chosen = rows[group].is_in(names.sample(max(1, int(share * len(names))), seed=SEED).implode())
    return [Fold(chosen, ~chosen)]


def long_normal_folds(folds: list[Fold], rows: pl.DataFrame, length: pl.DataFrame) -> list[Fold]:
    """The same folds with the long normals out of training and nothing but them to score; empty where there are none.

    length: columns incident, length. What is long is said by the events of normal incidents alone.
    """
    joined = rows.join(length, on="incident", how="left", maintain_order="left")
    per_incident = joined.filter("normal").unique("incident")
    usual = per_incident.select(pl.col("length").median()).item() or 0.0
    long = (rows["normal"] & (joined["length"] > _LONG * usual)).fill_null(False)
    found = [Fold(fold.train & ~long, fold.test & long) for fold in folds]
    return [fold for fold in found if fold.test.any()]


def left_out(source: CountSource, recipe: Recipe, folds: list[Fold], advance: Callable[[int], None]) -> LeftOut:
    """Score the test rows of each fold by a model trained on its training rows; `advance(1)` after each."""
    scored, models = [], []
    for fold in folds:
        model, vec = train(_restricted(source, fold.train), recipe)
        scored.append(_scored(source, source.rows.filter(fold.test), model, vec))
        models.append(model)
        advance(1)
    return LeftOut(pl.concat(scored), models)


def faults_left_out(
    source: CountSource,
    recipe: Recipe,
    folds: list[Fold],
    known: LeftOut,
    groups: list[list[str]],
    advance: Callable[[int], None],
) -> LeftOut:
    """As `known`, the result of `left_out`, but faulty rows are scored by detectors that never met their fault.

    The faults are left out group by group; `advance(1)` after each. Calibration and threshold stay those of the fold
    with all faults: they are made of normals, and making them anew for each group would change little but the time.
    """
    scored = [known.rows.filter("normal")]
    for fold, model in zip(folds, known.models, strict=True):
        for faults in groups:
            concerned = source.rows["test_case"].is_in(faults) & ~source.rows["normal"]
            test = source.rows.filter(fold.test & concerned)
            if test.height:
                vec, fitted = fit_detectors(source, source.rows.filter(fold.train & ~concerned), recipe)
                scored.append(_scored(source, test, replace(model, detectors=fitted), vec))
            advance(1)
    return LeftOut(pl.concat(scored), known.models)


def fault_groups(rows: pl.DataFrame, groups: int = MAX_FOLDS) -> list[list[str]]:
    """The faulty test cases in at most `groups` groups; neighbours by name are kept apart, as they may be alike."""
    faults = rows.filter(~pl.col("normal"))["test_case"].unique().sort().to_list()
    n = min(len(faults), groups)
    return [faults[number::n] for number in range(n)]


def at_level(rows: pl.DataFrame, level: str) -> pl.DataFrame:
    """The scored rows as events, sequences or incidents; the worst row stands for all, its service is named.

    A row that no detector could score (z_score null) counts as the least anomalous.
    """
    if level == "event":
        equal = ["run", "test_case", "service", "normal", "anomaly", "z_score", "threshold"]
        return rows.group_by(equal, maintain_order=True).agg(pl.col("weight").sum())
    key = "seq_id" if level == "sequence" else "incident"
    ordered = rows.sort("z_score", descending=True, nulls_last=True, maintain_order=True)
    return ordered.unique(key, keep="first", maintain_order=True).with_columns(weight=pl.lit(1.0))


def alarm() -> pl.Expr:
    """Whether a scored row lies at or above the threshold of its own model; what could not be scored does not."""
    return (pl.col("z_score") >= pl.col("threshold")).fill_null(False).alias("alarm")


def _restricted(source: CountSource, mask: pl.Series) -> CountSource:
    part = copy(source)
    part.rows = source.rows.filter(mask)
    return part


def _scored(source: CountSource, rows: pl.DataFrame, model: Model, vec: Vectorizer) -> pl.DataFrame:
    encoded = source.encode(rows, vec)
    scores = model.score(encoded.X, encoded.frame["service"])
    return pl.concat([encoded.frame, scores], how="horizontal").with_columns(threshold=pl.lit(model.threshold.z))
