"""Which sequences are held out together: for calibrating a model and for evaluating a recipe."""

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
    """Which rows to leave out, fold by fold, and what the fold is called.

    Whole runs are left out (grouped, above ten runs); with normals in a single run, test cases (grouped likewise); with
    a single normal test case its windows, in blocks of neighbours.
    """
    group = left_out_by(rows)
    names = rows[group].unique().sort().to_list()
    n_folds = min(len(names), MAX_FOLDS)
    if group == "incident" and names:
        dealt = [part.tolist() for part in np.array_split(np.array(names), n_folds)]
    else:
        dealt = [names[number::n_folds] for number in range(n_folds)]
    for number, chosen in enumerate(dealt):
        yield rows[group].is_in(chosen), chosen[0] if len(chosen) == 1 else f"fold {number + 1}"


def left_out_by(rows: pl.DataFrame) -> str:
    """The column whose values are left out together: what the normals have two of, the largest part first."""
    normal = rows.filter("normal")
    return next((column for column in ("run", "case") if normal[column].n_unique() > 1), "incident")


@dataclass(frozen=True)
class Fold:
    """Which rows of the source to train on and which to score."""

    train: pl.Series
    test: pl.Series


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


def fault_groups(rows: pl.DataFrame, groups: int = MAX_FOLDS) -> list[list[str]]:
    """The faulty test cases in at most `groups` groups; neighbours by name are kept apart, as they may be alike."""
    faults = rows.filter(~pl.col("normal"))["test_case"].unique().sort().to_list()
    n = min(len(faults), groups)
    return [faults[number::n] for number in range(n)]
