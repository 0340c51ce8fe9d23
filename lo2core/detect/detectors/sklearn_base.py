"""What the detectors that wrap scikit-learn share. Imports of scikit-learn and shap are slow, so they wait for use."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lo2core.base.types import Floats, Integers
from lo2core.detect.detectors.base import Detector, content_order, dense, zeros


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

    uses_shap = True
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


class _OneForBlas:
    """One thread for BLAS while anybody is inside. That limit is the whole process's: the first to come sets it, the
    last to go resets it, or of two that overlap one would lift it for the other, which would leave it behind for good.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._limit: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._limit = _one_thread_for("blas")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                with self._limit:  # leaving resets it, and lets other threads set limits again
                    pass


_one_for_blas = _OneForBlas()


@contextmanager
def _one_thread() -> Iterator[None]:
    """The order of a sum must not depend on the number of processors."""
    # OpenMP has a limit for each thread that calls it. Leaving it first gives up this thread's hold on that of BLAS.
    with _one_for_blas, _one_thread_for("openmp"):
        yield


def _one_thread_for(user_api: str) -> Any:
    """The limit of these libraries, set now. Without `select` the others would be reset with them."""
    import sklearn  # noqa: F401  only libraries that are loaded can be limited
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api=user_api).limit(limits=1)
