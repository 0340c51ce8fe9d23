"""The trained model: one detector and one calibration per service, and one threshold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from scipy import sparse

from lo2core.base.provenance import ModelFacts, SelfTest
from lo2core.base.types import Floats, Mapped
from lo2core.detect.calibration import Calibration, Threshold, threshold_for
from lo2core.detect.detectors import Detector
from lo2core.detect.vectorizer import Vectorizer

_SELF_TEST_ROWS = 4
_ABOVE = 0.01
"""How far the z-score of a silent sequence lies above all held-out normals, at least."""


@dataclass
class Model:
    """Detectors and calibrations by service; the service of rows without one is "".

    normals: seq_ids and matrix of the training rows of each service, to show what a normal log would have contained.
    normal_incidents: z of each unseen normal incident (`left_out_z` of its worst service), from which a new threshold
    can be set without training.
    facts: how the model was trained (detector, items, unit, runs, data fingerprint, time, ...).
    """

    __module__ = "lo2core"

    detectors: dict[str, Detector]
    calibrations: dict[str, Calibration]
    threshold: Threshold
    unit: str
    normals: dict[str, tuple[list[str], sparse.csr_matrix]] = field(default_factory=dict)
    normal_incidents: Floats = field(default_factory=lambda: np.zeros(0))
    facts: ModelFacts = field(default_factory=ModelFacts)

    @property
    def by_service(self) -> bool:
        """Whether each service has its own detector; otherwise one detector, called "", scores all rows."""
        return set(self.detectors) != {""}

    def score(self, X: sparse.csr_matrix, services: pl.Series, mapped: Mapped = map) -> pl.DataFrame:
        """score, z_score and p_value of each row of X; null if the model does not know its service. Higher is worse.

        A sequence in which nothing can be counted scores higher than all held-out normals, if no normal of its service
        is that silent: many detectors only see what is there. mapped: `map`, or one that scores services elsewhere.
        """
        out = np.full((3, X.shape[0]), np.nan)
        known = [service for service in services.unique() if service in self.detectors]
        rows = [np.flatnonzero((services == service).to_numpy()) for service in known]
        parts = ((service, X[of_service]) for service, of_service in zip(known, rows, strict=True))
        for of_service, scores in zip(rows, mapped(self._scores_of, parts), strict=True):
            out[:, of_service] = scores
        frame = pl.DataFrame(dict(zip(("score", "z_score", "p_value"), out, strict=True)))
        return frame.with_columns(pl.all().fill_nan(None))

    def _scores_of(self, part: tuple[str, sparse.csr_matrix]) -> tuple[Floats, Floats, Floats]:
        """score, z_score and p_value of the rows of one service."""
        service, X = part
        calibration = self.calibrations[service]
        scores = self._not_below_silence(service, X, self.detectors[service].score(X))
        return scores, calibration.z(scores), calibration.p(scores)

    def _not_below_silence(self, service: str, X: sparse.csr_matrix, scores: Floats) -> Floats:
        silent = X.getnnz(axis=1) == 0
        normals = self.normals.get(service, ([], X))[1]
        if self.unit != "sequence" or not silent.any() or not normals.getnnz(axis=1).all():
            return scores
        calibration = self.calibrations[service]
        largest = max(calibration.z(calibration.scores).max(), *self.normal_incidents[-1:])
        above = calibration.mean + (largest + _ABOVE) * calibration.spread
        return np.where(silent, np.maximum(scores, above), scores)

    def unknown_services(self, services: pl.Series) -> list[str]:
        return sorted(set(services.drop_nulls().unique()) - set(self.detectors))

    def threshold_at(self, budget: float) -> Threshold:
        """The threshold for another alert budget, from the same unseen normals."""
        return threshold_for(self.normal_incidents, budget)

    def make_self_test(self, vec: Vectorizer) -> list[SelfTest]:
        """Artificial rows, a few per service, with the scores that a loaded bundle must reproduce."""
        rng = np.random.default_rng(0)
        n_columns = len(vec.feature_names_)
        tests: list[SelfTest] = []
        for service in sorted(self.detectors):
            columns = [sorted({int(c) for c in rng.integers(0, n_columns, 6)}) for _ in range(_SELF_TEST_ROWS)]
            counts = [[float(n) for n in rng.integers(1, 50, len(row))] for row in columns]
            scores = self._test_scores(service, columns, counts, n_columns)
            tests.append({"service": service, "columns": columns, "counts": counts, "scores": scores})
        return tests

    def self_test(self, vec: Vectorizer, tests: list[SelfTest]) -> str | None:
        """None if the saved rows still get their saved scores, otherwise a sentence that names a row that does not."""
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
