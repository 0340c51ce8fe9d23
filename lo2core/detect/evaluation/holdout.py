"""Scores of held-out rows: each fold is trained and scored as `train` and `predict` do, without its test rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lo2core.base.types import Floats
from lo2core.detect.calibration import Threshold
from lo2core.detect.folds import Fold
from lo2core.detect.incidents import worst_first
from lo2core.detect.instances import CountSource
from lo2core.detect.model import Model
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import fit_detectors, train
from lo2core.detect.vectorizer import Vectorizer


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


def left_out(source: CountSource, recipe: Recipe, folds: list[Fold], advance: Callable[[int], None]) -> LeftOut:
    """Score the test rows of each fold with a model trained on its training rows. Calls `advance(1)` after each."""
    scored, models = [], []
    for fold in folds:
        model, vec = train(source.where(fold.train & source.rows["read"]), recipe)
        scored.append(_scored(source, source.rows.filter(fold.test), model, vec))
        models.append(model)
        advance(1)
    return LeftOut(pl.concat(scored), models)


def faults_left_out(
    source: CountSource,
    recipe: Recipe,
    folds: list[Fold],
    by_run: LeftOut,
    groups: list[list[str]],
    advance: Callable[[int], None],
) -> LeftOut:
    """Like `by_run`, the result of `left_out`, but faulty rows are scored by detectors that never saw their fault.

    The faults are left out group by group; `advance(1)` is called after each. Calibration and threshold are taken from
    the fold with all faults: they come from normals, so computing them for each group would change little.
    """
    scored = [by_run.rows.filter("normal")]
    for fold, model in zip(folds, by_run.models, strict=True):
        for faults in groups:
            concerned = source.rows["test_case"].is_in(faults) & ~source.rows["normal"]
            test = source.rows.filter(fold.test & concerned)
            if test.height:
                vec, fitted = fit_detectors(
                    source, source.rows.filter(fold.train & ~concerned & source.rows["read"]), recipe
                )
                scored.append(_scored(source, test, replace(model, detectors=fitted), vec))
            advance(1)
    return LeftOut(pl.concat(scored), by_run.models)


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


def _scored(source: CountSource, rows: pl.DataFrame, model: Model, vec: Vectorizer) -> pl.DataFrame:
    encoded = source.encode(rows, vec)
    scores = model.score(encoded.X, encoded.frame["service"]).select(pl.when(rows["read"]).then(pl.all()))
    return pl.concat([encoded.frame, scores], how="horizontal").with_columns(threshold=pl.lit(model.threshold.z))
