"""Detectors from the literature that learn from normal rows alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lo2core.config import SEED
from lo2core.detector_base import Detector, Floats, content_order


class IsolationForest(Detector):
    """How quickly random cuts isolate a row: `-score_samples` of scikit-learn's IsolationForest, between 0 and 1.

    Rows are cut only by items whose count varies among the normals: what no normal holds is invisible to it.
    Liu, Ting, Zhou: Isolation Forest, ICDM 2008 (its defaults: 100 trees of 256 rows).
    """

    title = "Isolation forest"
    short = "if"
    about = "How few random cuts set a sequence apart from the normal ones; it is blind to items that no normal holds."
    units = ("sequence", "event")

    estimator_: Any

    def __init__(self, n_estimators: int = 100, max_samples: int | float | str = "auto") -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples

    def _fit(self, X: sparse.csr_matrix, y: NDArray[np.bool_]) -> None:
        from sklearn import ensemble

        forest = ensemble.IsolationForest(n_estimators=self.n_estimators, max_samples=self.max_samples, random_state=SEED)
        self.estimator_ = forest.fit(X[content_order(X, y)])

    def _score(self, X: sparse.csr_matrix) -> Floats:
        return -self.estimator_.score_samples(X)
