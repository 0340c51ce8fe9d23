"""Folds: which sequences are held out together, to calibrate a model or to evaluate a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from lo2core.base.config import SEED
from lo2core.base.errors import InputError

MAX_FOLDS = 10

BY_RUN, FAULT_LEFT_OUT, LONG_NORMALS = "by run", "fault left out", "long normals"

_LONG = 2.0
"""A normal incident is long if it has more than this many times the events of the median normal incident."""


def folds(rows: pl.DataFrame) -> Iterator[tuple[pl.Series, str]]:
    """The rows to leave out and the name of the fold, for each fold.

    Whole runs are left out (in groups if there are more than ten); test cases if all normals are from one run (also in
    groups); and the windows of the test case if there is only one normal test case (in blocks of consecutive ones).
    """
    group = left_out_by(rows)
    names = rows[group].unique().sort().to_list()
    n_folds = min(len(names), MAX_FOLDS)
    if group == "incident" and names:
        parts = [part.tolist() for part in np.array_split(np.array(names), n_folds)]
    else:
        parts = [names[number::n_folds] for number in range(n_folds)]
    for number, chosen in enumerate(parts):
        yield rows[group].is_in(chosen), chosen[0] if len(chosen) == 1 else f"fold {number + 1}"


def left_out_by(rows: pl.DataFrame) -> str:
    """The column whose values are left out together: the coarsest one of which the normals have two values."""
    normal = rows.filter("normal")
    return next((column for column in ("run", "case") if normal[column].n_unique() > 1), "incident")


@dataclass(frozen=True)
class Fold:
    """Which rows of the source to train on and which to score."""

    train: pl.Series
    test: pl.Series


def run_folds(rows: pl.DataFrame, share: float | None = None) -> list[Fold]:
    """Whole runs left out in turn (see `folds`), or once: then a seeded random `share` of them is trained on.

    At least one run is trained on and one is left out. If all normals are from one run, test cases are left out
    instead of runs; if there is only one normal test case, its windows.
    """
    if share is None:
        return [Fold(~test, test) for test, _ in folds(rows)]
    if not 0 < share < 1:
        raise InputError(f"The share to train on lies between 0 and 1, found {share}.")
    group = left_out_by(rows)
    names = rows[group].unique().sort()
    training = rows[group].is_in(names.sample(max(1, int(share * len(names))), seed=SEED).implode())
    return [Fold(training, ~training)]


def long_normal_folds(folds: list[Fold], rows: pl.DataFrame, length: pl.DataFrame) -> list[Fold]:
    """The same folds, but long normals are excluded from training, and only they are scored. Empty if there are none.

    length: columns incident, length. Only the lengths of normal incidents determine what is long.
    """
    joined = rows.join(length, on="incident", how="left", maintain_order="left")
    per_incident = joined.filter("normal").unique("incident")
    usual = per_incident.select(pl.col("length").median()).item() or 0.0
    long = (rows["normal"] & (joined["length"] > _LONG * usual)).fill_null(False)
    limited = [Fold(fold.train & ~long, fold.test & long) for fold in folds]
    return [fold for fold in limited if fold.test.any()]


def fault_groups(rows: pl.DataFrame, groups: int = MAX_FOLDS) -> list[list[str]]:
    """The faulty test cases in at most `groups` groups; similar names, often similar faults, are in different ones."""
    faults = rows.filter(~pl.col("normal"))["test_case"].unique().sort().to_list()
    n = min(len(faults), groups)
    return [faults[number::n] for number in range(n)]
