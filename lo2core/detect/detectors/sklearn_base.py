"""Base classes of detectors that wrap scikit-learn. It and shap are slow to import, so they are imported when used."""

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
    """A scikit-learn estimator as a detector: subclasses create the estimator and compute the score from it."""

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


class TreeDetector(Detector):
    """A detector that consists of trees. Its scores are divided by SHAP if shap is installed."""

    uses_shap = True
    shap_says: str
    shap_sign = 1
    _used: Integers | slice = slice(None)
    """The columns that the trees use."""

    @property
    def attribution(self) -> str:
        if find_spec("shap"):
            return self.shap_says
        return f"SHAP is not installed, so another way is taken. {super().attribution}"

    def attribute(self, X: sparse.csr_matrix) -> Floats:
        """SHAP values from the paths in the trees, or by leaving one item out without shap. Missing items also count.

        Source: Lundberg et al., From local explanations to global understanding with explainable AI for trees, 2020.
        """
        if not find_spec("shap"):
            return super().attribute(X)
        X = self._checked(X)
        out = zeros(X.shape, self.title)
        used = np.arange(X.shape[1])[self._used]
        explainer = _explainer(self)
        values = np.asarray(explainer.shap_values(dense(X[:, used], self.title), check_additivity=False))
        # Classifiers with probabilities have one layer per class; the last one is that of anomalies.
        out[:, used] = self.shap_sign * values.reshape(X.shape[0], len(used), -1)[:, :, -1]
        return out

    @abstractmethod
    def _explained(self) -> Any:
        """What shap explains: an estimator of scikit-learn."""


@lru_cache(maxsize=16)
def _explainer(detector: TreeDetector) -> Any:
    """The explainer, cached: it takes longer to create than to use, and a page asks for one service at a time."""
    import shap

    return shap.TreeExplainer(detector._explained())


class _OneForBlas:
    """Limits BLAS to one thread while any thread is inside.

    The limit applies to the whole process. The first thread to enter sets it and the last one to leave resets it;
    otherwise, of two overlapping threads, the first would remove the limit for the second, which would then restore it
    for good.
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
                with self._limit:  # leaving it resets the limit, and lets other threads set limits again
                    pass


_one_for_blas = _OneForBlas()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute with one thread, so that the order of a sum does not depend on the number of processors."""
    # OpenMP has a limit per calling thread. It is left first: that ends the control of this thread over BLAS, too.
    with _one_for_blas, _one_thread_for("openmp"):
        yield


def _one_thread_for(user_api: str) -> Any:
    """Set the limit of these libraries. Without `select`, leaving it would also reset the limits of the others."""
    import sklearn  # noqa: F401  loads the libraries: others cannot be limited
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api=user_api).limit(limits=1)
