"""The trained model: one detector a service, and what a score means among normals that the detector had not seen.

A score is the detector's own number; `z_score` sets it against unseen normals of the same service, which puts
services side by side; the threshold is one z for all, from the number of false alarms that a person accepts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from lo2core.arrays import Floats, Integers
from lo2core.detectors import Detector
from lo2core.errors import InputError

_SELF_TEST_ROWS = 4


@dataclass(frozen=True)
class Calibration:
    """Scores of one service's unseen normals, sorted, how many rows each stands for, and of which sequence it is.

    unseen_z: the z of each by mean and spread of the others, which have not seen it either (`left_out_z`). seq_ids and
    unseen_z are empty where they are not known, as in bundles made by hand or by an earlier version.
    """

    scores: Floats
    weights: Floats
    seq_ids: Sequence[str] = ()
    unseen_z: Sequence[float] = ()

    @property
    def mean(self) -> float:
        return float(np.average(self.scores, weights=self.weights))

    @property
    def spread(self) -> float:
        """Standard deviation plus 5 % of the mean, lest near-constant scores blow up z; 1 where both are 0."""
        variance = float(np.average((self.scores - self.mean) ** 2, weights=self.weights))
        return float(np.sqrt(variance)) + 0.05 * abs(self.mean) or 1.0

    def z(self, scores: Floats) -> Floats:
        return (scores - self.mean) / self.spread

    def p(self, scores: Floats) -> Floats:
        """Share of unseen normals at least as odd, the scored row counted in: (1 + n at least as odd) / (n + 1)."""
        below = np.concatenate([[0.0], np.cumsum(self.weights)])[np.searchsorted(self.scores, scores, side="left")]
        total = self.weights.sum()
        return (1 + total - below) / (total + 1)

    @property
    def normal_z(self) -> Floats:
        """What the z of unseen normals is, sorted by score: `unseen_z`, else as this calibration has it."""
        return np.asarray(self.unseen_z) if len(self.unseen_z) else self.z(self.scores)

    @classmethod
    def of(
        cls, scores: Floats, weights: Floats, seq_ids: Sequence[str] = (), unseen_z: Sequence[float] = ()
    ) -> Calibration:
        order = np.argsort(scores, kind="stable")
        named, others = ([column[row] for row in order] if len(column) else () for column in (seq_ids, unseen_z))
        return cls(scores[order], weights[order], named, others)


def left_out_z(scores: Floats, weights: Floats, folds: Integers) -> Floats:
    """The z of unseen normals of one service: each fold's by mean and spread of the other folds.

    A normal that has a part in the mean and the spread that it is measured by looks less odd than a new one would, the
    more so the fewer there are. With a single fold there are no others, and z is taken by that fold itself.
    """
    z = np.empty(len(scores))
    for fold in np.unique(folds):
        mine = folds == fold
        others = mine if mine.all() else ~mine
        z[mine] = Calibration.of(scores[others], weights[others]).z(scores[mine])
    return z


@dataclass(frozen=True)
class Threshold:
    """One z for all services, from which on a row is an alarm. `estimated`: too few normals for the budget."""

    z: float
    budget: float
    n_normals: int
    estimated: bool


def check_budget(budget: float) -> None:
    """Raises InputError for a budget that is no number from 0 to below 100."""
    if not 0 <= budget < 100:
        raise InputError(
            f"The alert budget is a number of false alarms per 100 normal incidents, 0 or more and below 100; found "
            f"{budget:g}."
        )


def threshold_for(normal_z: Floats, budget: float) -> Threshold:
    """The z that lets at most `budget` of 100 unseen normal incidents pass as alarms.

    normal_z: one z an incident (its worst service). With n incidents, floor((n + 1) * budget / 100) - at most n - 1 -
    may lie at or above it, as in split conformal prediction; of equal ones none passes. Where none may, it is just
    above the largest: odder than every unseen normal, which about one of n + 1 new ones is. Raises InputError for a
    budget that is no number from 0 to below 100.
    """
    check_budget(budget)
    ordered = np.sort(normal_z)[::-1]
    allowed = min(int((len(ordered) + 1) * budget / 100), len(ordered) - 1)
    passing = ordered[ordered > ordered[allowed]]
    if not len(passing):
        return Threshold(float(np.nextafter(ordered[0], np.inf)), budget, len(ordered), True)
    return Threshold(float((passing[-1] + ordered[allowed]) / 2), budget, len(ordered), False)


@dataclass
class Model:
    """Detectors and calibrations by service. `services` says which rows belong together; "" where there is no service.

    normals: seq_ids and matrix of the training rows of each service, for "what would normal have looked like".
    normal_incidents: z of each unseen normal incident (`left_out_z`, its worst service's), from which a new threshold
    can be set without training.
    facts: what the model was made of (detector, items, unit, runs, data fingerprint, time, ...).
    """

    detectors: dict[str, Detector]
    calibrations: dict[str, Calibration]
    threshold: Threshold
    unit: str
    normals: dict[str, tuple[list[str], sparse.csr_matrix]] = field(default_factory=dict)
    normal_incidents: Floats = field(default_factory=lambda: np.zeros(0))
    facts: dict[str, Any] = field(default_factory=dict)

    lo2core_kind = "model"

    def score(self, X: sparse.csr_matrix, services: pl.Series) -> pl.DataFrame:
        """Columns score, z_score, p_value, one row a row of X; null where the service is not known. Higher is worse."""
        out = np.full((3, X.shape[0]), np.nan)
        for service in services.unique():
            if service in self.detectors:
                rows = np.flatnonzero((services == service).to_numpy())
                scores = self.detectors[service].score(X[rows])
                calibration = self.calibrations[service]
                out[:, rows] = scores, calibration.z(scores), calibration.p(scores)
        frame = pl.DataFrame(dict(zip(("score", "z_score", "p_value"), out, strict=True)))
        return frame.with_columns(pl.all().fill_nan(None))

    def unknown_services(self, services: pl.Series) -> list[str]:
        return sorted(set(services.drop_nulls().unique()) - set(self.detectors))

    def threshold_at(self, budget: float) -> Threshold:
        """The threshold for another alert budget, from the same unseen normals."""
        return threshold_for(self.normal_incidents, budget)

    def make_self_test(self, vec: Any) -> list[dict[str, Any]]:
        """Made-up rows with their scores, a few a service, that a loaded bundle must reproduce."""
        rng = np.random.default_rng(0)
        n_columns = len(vec.feature_names_)
        tests = []
        for service in sorted(self.detectors):
            columns = [sorted({int(c) for c in rng.integers(0, n_columns, 6)}) for _ in range(_SELF_TEST_ROWS)]
            counts = [[float(n) for n in rng.integers(1, 50, len(row))] for row in columns]
            scores = self._test_scores(service, columns, counts, n_columns)
            tests.append({"service": service, "columns": columns, "counts": counts, "scores": scores})
        return tests

    def self_test(self, vec: Any, tests: list[dict[str, Any]]) -> str | None:
        """None when the saved rows still get their saved scores, else a sentence saying which do not."""
        if {test["service"] for test in tests} != set(self.detectors):
            return "its self-test does not cover the services it was trained on"
        for test in tests:
            now = self._test_scores(test["service"], test["columns"], test["counts"], len(vec.feature_names_))
            if not np.allclose(now, test["scores"], rtol=1e-9, atol=1e-12):
                was = test["scores"][0]
                return f"its detector for {test['service']!r} scores {now[0]:.6g} where it scored {was:.6g} when saved"
        return None

    def _test_scores(
        self, service: str, columns: list[list[int]], counts: list[list[float]], width: int
    ) -> list[float]:
        indptr = np.cumsum([0, *map(len, columns)])
        X = sparse.csr_matrix((np.concatenate(counts), np.concatenate(columns), indptr), shape=(len(columns), width))
        return [float(score) for score in self.detectors[service].score(X)]
