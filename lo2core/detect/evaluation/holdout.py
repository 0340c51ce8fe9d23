"""Scores of held-out rows: each fold is trained and scored as `train` and `predict` do, without its test rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from lo2core.base.types import Floats, Mapped
from lo2core.detect.calibration import Threshold
from lo2core.detect.folds import Fold
from lo2core.detect.incidents import worst_first
from lo2core.detect.instances import CountSource, Rows
from lo2core.detect.model import Model
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import fit_encoded, train


@dataclass(frozen=True)
class LeftOut:
    """Rows of the source with score, z_score and the threshold of the model of their fold."""

    rows: pl.DataFrame
    models: list[Model]

    @property
    def thresholds(self) -> list[Threshold]:
        return [model.threshold for model in self.models]

    def training_z(self, level: str) -> Floats:
        """z of the unseen normals that the models were calibrated with; empty for events."""
        if level == "incident":
            return np.concatenate([model.normal_incidents for model in self.models])
        if level == "event":
            return np.zeros(0)
        calibrations = (calibration for model in self.models for calibration in model.calibrations.values())
        return np.concatenate([calibration.normal_z for calibration in calibrations])


def left_out(
    source: CountSource, recipe: Recipe, folds: list[Fold], advance: Callable[[int], None], mapped: Mapped = map
) -> LeftOut:
    """Score the test rows of each fold with a model trained on its training rows. Calls `advance(1)` after each."""
    scored, models = [], []
    for rows, model in mapped(partial(_by_the_others, source, recipe), folds):
        scored.append(rows)
        models.append(model)
        advance(1)
    return LeftOut(pl.concat(scored), models)


def _by_the_others(source: CountSource, recipe: Recipe, fold: Fold) -> tuple[pl.DataFrame, Model]:
    """The scored test rows of a fold, and the model without what only scoring needs."""
    model, vec = train(source.where(fold.train & source.rows["read"]), recipe)
    rows = source.encode(source.rows.filter(fold.test), vec)
    return _scored(rows, model), replace(model, detectors={}, normals={})


def faults_left_out(
    source: CountSource,
    recipe: Recipe,
    folds: list[Fold],
    by_run: LeftOut,
    groups: list[list[str]],
    advance: Callable[[int], None],
    mapped: Mapped = map,
) -> LeftOut:
    """Like `by_run`, the result of `left_out`, but faulty rows are scored by detectors that never saw their fault.

    The faults are left out group by group; `advance(1)` is called after each. Calibration and threshold are taken from
    the fold with all faults: they come from normals, so computing them for each group would change little.
    """
    halves = [half for half in (groups[::2], groups[1::2]) if half]  # so that processes end at about the same time
    parts = [(fold, model, half) for fold, model in zip(folds, by_run.models, strict=True) for half in halves]
    scored = [by_run.rows.filter("normal")]
    for rows, (_, _, half) in zip(mapped(partial(_by_those_without, source, recipe), parts), parts, strict=True):
        scored += rows
        advance(len(half))
    return LeftOut(pl.concat(scored), by_run.models)


def _by_those_without(
    source: CountSource, recipe: Recipe, part: tuple[Fold, Model, list[list[str]]]
) -> list[pl.DataFrame]:
    """The faulty test rows of a fold, group by group, scored by detectors that were trained without the group.

    All have the vocabulary of the same normals, so the rows are encoded once.
    """
    fold, model, groups = part
    rows = source.rows.filter(fold.train & source.rows["read"])
    vec = source.fit_vectorizer(rows.filter("normal"), **recipe.vectorizer_settings)
    training, test = source.encode(rows, vec), source.encode(source.rows.filter(fold.test), vec)
    scored = []
    for faults in groups:
        held_out = pl.col("test_case").is_in(faults) & ~pl.col("normal")
        concerned = test.take(test.frame.select(held_out).to_series())
        if concerned.frame.height:
            others = training.take(training.frame.select(~held_out).to_series())
            scored.append(_scored(concerned, replace(model, detectors=fit_encoded(others, recipe))))
    return scored


def at_level(rows: pl.DataFrame, level: str) -> pl.DataFrame:
    """The scored rows as events, sequences or incidents; each group is represented by its worst row, with its service.

    A row that no detector could score (z_score null) counts as the least anomalous. Incidents have the column partly:
    whether any of their rows has no score.
    """
    if level == "event":
        equal = ["run", "test_case", "service", "normal", "anomaly", "z_score", "threshold"]
        return rows.group_by(equal, maintain_order=True).agg(pl.col("weight").sum())
    key = "seq_id" if level == "sequence" else "incident"
    rows = rows.with_columns(partly=pl.col("z_score").is_null().any().over("incident"))
    return worst_first(rows).unique(key, keep="first", maintain_order=True).with_columns(weight=pl.lit(1.0))


def fully_scored(incidents: pl.DataFrame) -> pl.DataFrame:
    """The incidents (`at_level`) without those of which nothing is known: one service has no score and none alarms."""
    return incidents.filter(~pl.col("partly") | alarm())


def alarm() -> pl.Expr:
    """Whether the z-score of a row reaches the threshold of its model; false for rows without a score."""
    return (pl.col("z_score") >= pl.col("threshold")).fill_null(False).alias("alarm")


def _scored(rows: Rows, model: Model) -> pl.DataFrame:
    scores = model.score(rows.X, rows.frame["service"]).select(pl.when(rows.frame["read"]).then(pl.all()))
    return pl.concat([rows.frame, scores], how="horizontal").with_columns(threshold=pl.lit(model.threshold.z))
