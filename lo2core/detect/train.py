"""Train: vocabulary, one detector per service, and its calibration on normals that the detector has not seen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from lo2core.base.config import MIN_RUNS
from lo2core.base.errors import InputError
from lo2core.base.types import Floats
from lo2core.detect.calibration import Calibration, left_out_z, threshold_for
from lo2core.detect.detectors import Detector
from lo2core.detect.folds import MAX_FOLDS, folds
from lo2core.detect.instances import CountSource, Rows, Source
from lo2core.detect.model import Model
from lo2core.detect.recipe import Recipe
from lo2core.detect.vectorizer import Vectorizer

Advance = Callable[[str, int], None]
"""Called with a service and the number of `steps` that are done for it."""

MAX_TRAINING_ROWS = 50_000
"""Maximum number of rows to fit a detector on. More rows are thinned evenly, since single events repeat."""


def _ignore(service: str, n: int) -> None:
    pass


def train(source: Source, recipe: Recipe, advance: Advance = _ignore) -> tuple[Model, Vectorizer]:
    """Fit on the normal rows (a supervised detector also on the faulty ones) and calibrate on left-out normals.

    A detector with parts that have each not seen some runs is fitted once for a service with normals of at least
    `MIN_RUNS` runs (`Detector.fit_out_of_bag`). Otherwise another one is fitted for each fold, without its rows.
    `advance(service, n)` is called when a detector is ready, which is n of `steps`.

    If other services have normals from several runs, a service with normals from only one run cannot be calibrated and
    gets no detector. Raises InputError if there are no normal rows, or too few to leave one out.
    """
    rows = training_rows(source.rows, recipe)
    vec, fitted, unseen = _fit_and_hold_out(source, rows, recipe, advance)
    calibrations = calibrate(unseen)
    fitted = {service: detector for service, detector in fitted.items() if service in calibrations}
    incidents = incident_z(unseen.filter(pl.col("service").is_in(list(calibrations))))
    normals = source.encode(rows.filter("normal"), vec)
    model = Model(
        detectors=fitted,
        calibrations=calibrations,
        threshold=threshold_for(incidents, recipe.budget),
        unit=recipe.unit,
        normals={service: _reference(part) for service, part in by_service(normals) if service in fitted},
        normal_incidents=incidents,
        facts={
            "detector": recipe.detector,
            "items": vec.items,
            "unit": recipe.unit,
            "weighting": vec.weighting,
            "params": recipe.params,
            "services": sorted(fitted),
            "runs": sorted(rows["run"].unique()),
            "normal_incidents": len(incidents),
        },
    )
    return model, vec


def _reference(rows: Rows) -> tuple[list[str], sparse.csr_matrix]:
    return _names(rows.frame), rows.X


def _names(rows: pl.DataFrame) -> list[str]:
    """The sequence of each row; rows of a frame have an incident only."""
    return list(rows["seq_id"] if "seq_id" in rows.columns else rows["incident"])


def training_rows(rows: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    """The rows that a detector may learn from: normal ones, and labelled anomalies if it is supervised.

    Raises InputError with the sentence of `obstacle`, if there is one.
    """
    if reason := obstacle(rows, recipe, ["incident"]):
        raise InputError(reason)
    return rows.filter(pl.col("normal").is_not_null()) if recipe.make().supervised else rows.filter("normal")


def obstacle(rows: pl.DataFrame, recipe: Recipe, key: Sequence[str], divisible: bool = False) -> str:
    """Why a recipe cannot be trained on these rows, in a sentence that says what to do; empty if it can.

    rows: columns normal, anomaly, test_case, and those of `key`, which name the incident of a row. divisible: whether
    a single normal test case can be cut into parts, which is possible for sequences whose events were saved.
    """
    if not rows["normal"].count():
        return (
            "None of these logs says whether it is normal. Load them again and take the labels from the names of test "
            "cases (--labels names), or declare all logs normal (--labels normal)."
        )
    normals = rows.filter("normal").select(key).n_unique()
    others = rows.select(key).n_unique() - normals
    if normals < 2 and not (normals and others and divisible):
        names = ", ".join(sorted(rows["test_case"].unique())[:4]) or "none"
        return (
            f"Training needs at least two normal test cases, found {normals} (test cases: {names}). Load logs of "
            "`correct` test cases, or declare all logs normal when loading them (--labels normal)."
        )
    if recipe.make().supervised and not rows["anomaly"].any():
        return (
            f"{recipe.make().title} learns from labelled faults, and these logs contain none. Choose an unsupervised "
            "detector, or load faulty test cases, too."
        )
    return ""


def steps(source: Source, recipe: Recipe) -> int:
    """How many detectors `train` fits if it fits one for each fold."""
    rows = training_rows(source.rows, recipe)
    return int(rows["service"].n_unique()) * _fits(rows)


def _fits(rows: pl.DataFrame) -> int:
    return 1 + sum(1 for _ in folds(rows))


def _fit_and_hold_out(
    source: Source, rows: pl.DataFrame, recipe: Recipe, advance: Advance
) -> tuple[Vectorizer, dict[str, Detector], pl.DataFrame]:
    """The vectorizer, the detector of each service, and all normals with their scores and z when they are unseen."""
    vec = source.fit_vectorizer(rows.filter("normal"), **recipe.vectorizer_settings)
    parts = _taught(source.encode(rows, vec), recipe)
    # Not if the items depend on the normals, as templates do, and not for frames, whose rows can come from anywhere.
    by_run = isinstance(source, CountSource) and vec.templates_ is None
    fitted = {service: recipe.make() for service in parts}
    once = {}
    for service, part in parts.items():
        scored = _fit_out_of_bag(fitted[service], part) if by_run else None
        if scored is None:
            _fit(fitted[service], part)
            advance(service, 1)
        else:
            once[service] = scored
            advance(service, _fits(rows))
    others = fitted.keys() - once.keys()
    unseen = [*once.values(), *(unseen_normals(source, rows, recipe, others, advance) if others else ())]
    if not unseen:
        raise InputError(
            "Training needs a service with two normal test cases (of two runs, if there are several runs), found none. "
            "Load more logs of `correct` test cases."
        )
    return vec, fitted, pl.concat(part.with_columns(z=_left_out_z(part)) for part in unseen)


def fit_detectors(
    source: Source,
    rows: pl.DataFrame,
    recipe: Recipe,
    services: Collection[str] | None = None,
    advance: Advance = _ignore,
) -> tuple[Vectorizer, dict[str, Detector]]:
    """A vectorizer and one detector per service, fitted on these rows only; the vocabulary is that of the normal rows.

    services: those that need a detector; None for all. A service without normal rows (for a supervised detector:
    without faulty ones) gets none. Raises InputError if no service gets one.
    """
    vec = source.fit_vectorizer(rows.filter("normal"), **recipe.vectorizer_settings)
    return vec, fit_encoded(source.encode(rows, vec), recipe, services, advance)


def fit_encoded(
    rows: Rows, recipe: Recipe, services: Collection[str] | None = None, advance: Advance = _ignore
) -> dict[str, Detector]:
    """The detectors of `fit_detectors`, from rows that are encoded already."""
    fitted = {}
    for service, part in _taught(rows, recipe).items():
        if services is None or service in services:
            fitted[service] = _fit(recipe.make(), part)
            advance(service, 1)
    return fitted


def _taught(rows: Rows, recipe: Recipe) -> dict[str, Rows]:
    """The rows of each service that a detector can learn from."""
    parts = dict(by_service(rows))
    return {service: part for service, part in parts.items() if _can_teach(part.frame, recipe)} or parts


def _can_teach(rows: pl.DataFrame, recipe: Recipe) -> bool:
    return bool(rows["normal"].any() and (rows["anomaly"].any() or not recipe.make().supervised))


def _fit(detector: Detector, rows: Rows) -> Detector:
    index = _repeated(rows.frame["weight"].to_numpy())
    y = rows.frame["anomaly"].to_numpy()[index] if detector.supervised else None
    return detector.fit(rows.X[index], y)


def _fit_out_of_bag(detector: Detector, rows: Rows) -> pl.DataFrame | None:
    """The rows with their scores out of bag and their folds; None if the detector has to be fitted for each fold."""
    names, runs = np.unique(rows.frame["run"].to_numpy(), return_inverse=True)
    if len(names) < MIN_RUNS:
        return None
    scores = detector.fit_out_of_bag(rows.X, runs, _repeated(rows.frame["weight"].to_numpy()))
    return None if scores is None else rows.frame.with_columns(score=scores, fold=runs % MAX_FOLDS)


def _repeated(weights: Floats) -> NDArray[np.intp]:
    """Row indices, each repeated by its weight; thinned in proportion to at most `MAX_TRAINING_ROWS`."""
    total = weights.sum()
    if total <= MAX_TRAINING_ROWS:
        return np.repeat(np.arange(len(weights)), weights.astype(int))
    steps = (np.arange(MAX_TRAINING_ROWS) + 0.5) * total / MAX_TRAINING_ROWS
    return np.asarray(np.searchsorted(np.cumsum(weights), steps))


def by_service(rows: Rows) -> Iterator[tuple[str, Rows]]:
    """The rows of each service, services by name."""
    for service in sorted(rows.frame["service"].unique()):
        yield service, rows.take(rows.frame["service"] == service)


def unseen_normals(
    source: Source, rows: pl.DataFrame, recipe: Recipe, services: Collection[str], advance: Advance = _ignore
) -> list[pl.DataFrame]:
    """The normal rows of each service, scored by detectors and vocabularies that had not seen their fold.

    Columns of the source, score and fold, one frame per service; none for a service that cannot be left out.
    """
    scored = []
    for number, (left_out, _) in enumerate(folds(rows)):
        if not (left_out & rows["normal"]).any():
            continue
        _check_faults(rows, left_out, recipe)
        vec, fitted = fit_detectors(source, rows.filter(~left_out), recipe, services, advance)
        test = source.encode(rows.filter(left_out & rows["normal"]), vec)
        for service, part in by_service(test):
            if service in fitted:
                score = pl.Series(fitted[service].score(part.X), dtype=pl.Float64)
                scored.append(part.frame.with_columns(score=score, fold=pl.lit(number, dtype=pl.Int64)))
    return pl.concat(scored).partition_by("service", maintain_order=True) if scored else []


def _left_out_z(part: pl.DataFrame) -> pl.Series:
    return pl.Series(left_out_z(*(part[name].to_numpy() for name in ("score", "weight", "fold"))))


def _check_faults(rows: pl.DataFrame, left_out: pl.Series, recipe: Recipe) -> None:
    """Raises InputError if a fold leaves a supervised detector without a fault to learn from."""
    if recipe.make().supervised and rows["anomaly"].any() and not rows.filter(~left_out)["anomaly"].any():
        group = "run" if rows["run"].n_unique() > 1 else "test case"
        raise InputError(
            f"{recipe.make().title} needs faults in two {group}s or more, for each is left out in turn to calibrate; "
            f"all faults are of {rows.filter('anomaly')['run'][0]}. Load more, or choose an unsupervised detector."
        )


def calibrate(unseen: pl.DataFrame) -> dict[str, Calibration]:
    """A calibration for each service from the scores of unseen normals (`unseen_normals`)."""
    return {
        str(service): Calibration.of(part["score"].to_numpy(), part["weight"].to_numpy(), _names(part), list(part["z"]))
        for (service,), part in unseen.group_by("service", maintain_order=True)
    }


def incident_z(unseen: pl.DataFrame) -> Floats:
    """The z of each incident, that of its worst service, sorted. unseen: the result of `unseen_normals`."""
    return unseen.group_by("incident").agg(pl.col("z").max())["z"].sort().to_numpy()
