"""What the detectors that wrap scikit-learn share. Imports of scikit-learn and shap are slow, so they wait for use."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lo2core.detectors.base import Detector, Floats, Integers, content_order, dense, zeros


class ScikitDetector(Detector):
    """A scikit-learn estimator as a detector: subclasses name the estimator and read its score."""

    estimator_: Any

    @abstractmethod
    def _estimator(self, X: sparse.csr_matrix) -> Any:
        """The estimator, not fitted, for training rows X."""

    @abstractmethod
    def _estimated(self, X: sparse.csr_matrix) -> Floats: ...

    def _fit(self, X: sparse.csr_matrix, y: NDArray[np.bool_]) -> None:
        order = content_order(X, y)
        with _one_thread():
            self.estimator_ = self._estimator(X).fit(self._features(X[order]), y[order])

    def _score(self, X: sparse.csr_matrix) -> Floats:
        with _one_thread():
            return self._estimated(self._features(X))

    def _features(self, X: sparse.csr_matrix) -> Any:
        return X


class TreeDetector(ScikitDetector):
    """A detector made of trees, whose scores are split by SHAP where shap is installed."""

    shap_says: str
    shap_sign = 1
    _used: Integers | slice = slice(None)
    """The columns that the trees look at."""

    @property
    def attribution(self) -> str:
        if find_spec("shap"):
            return self.shap_says
        return f"SHAP is not installed, so another way is taken. {super().attribution}"

    def attribute(self, X: sparse.csr_matrix) -> Floats:
        """SHAP values by the trees' own paths; without shap by leaving one item out. Items that are missing count too.

        Source: Lundberg et al., From local explanations to global understanding with explainable AI for trees, 2020.
        """
        if not find_spec("shap"):
            return super().attribute(X)
        X = self._checked(X)
        out = zeros(X.shape, self.title)
        used = np.arange(X.shape[1])[self._used]
        explainer = _explainer(self.estimator_)
        values = np.asarray(explainer.shap_values(dense(X[:, used], self.title), check_additivity=False))
        # Classifiers with probabilities have one layer a class, the anomaly's last.
        out[:, used] = self.shap_sign * values.reshape(X.shape[0], len(used), -1)[:, :, -1]
        return out


@lru_cache(maxsize=16)
def _explainer(estimator: Any) -> Any:
    """It takes longer to make than to use, and a page asks service by service."""
    import shap

    return shap.TreeExplainer(estimator)


def _one_thread() -> Any:
    """The order of a sum must not depend on the number of processors."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)
