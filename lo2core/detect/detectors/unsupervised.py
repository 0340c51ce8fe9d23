"""Detectors from the literature that learn from normal rows only, implemented with scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lo2core.base.config import SEED
from lo2core.base.types import Floats
from lo2core.detect.detectors.base import distinct_rows
from lo2core.detect.detectors.sklearn_base import ScikitDetector

_BLOCK_ROWS = 256


class LocalOutlierFactor(ScikitDetector):
    """How much lower the density around a row is than around its neighbours: about 1 for normals, without upper limit.

    Fitted on distinct rows, since equal rows would make the density infinite (see the paper on duplicates).
    Breunig, Kriegel, Ng, Sander: LOF: Identifying Density-Based Local Outliers, SIGMOD 2000.
    """

    __module__ = "lo2core"

    title = "Local outlier factor"
    short = "lof"
    about = "How thinly populated by normal sequences the surroundings of a sequence are."
    weighting = "log1p"

    def __init__(self, n_neighbors: int = 20) -> None:
        self.n_neighbors = n_neighbors

    def _estimator(self, X: sparse.csr_matrix) -> Any:
        from sklearn import neighbors

        n_neighbors = min(self.n_neighbors, X.shape[0] - 1)
        return neighbors.LocalOutlierFactor(n_neighbors=n_neighbors, novelty=True)

    def _fit(self, X: sparse.csr_matrix, y: NDArray[np.bool_]) -> None:
        first, _ = distinct_rows(X)
        # A density needs a neighbour, so a single distinct row is taken twice.
        rows = np.resize(first, max(2, len(first)))
        super()._fit(X[rows], y[rows])

    def _estimated(self, X: sparse.csr_matrix) -> Floats:
        return np.asarray(-self.estimator_.score_samples(X))


class OneClassSVM(ScikitDetector):
    """How far outside the smallest region around the normals a row is: minus the decision function, RBF kernel.

    Items are divided by their standard deviation. All very distant rows get the same score. At most a share `nu` of the
    training rows is outside. Schölkopf, Platt, Shawe-Taylor, Smola, Williamson: Estimating the Support of a
    High-Dimensional Distribution, Neural Computation 13 (2001).
    """

    __module__ = "lo2core"

    title = "One-class SVM"
    short = "svm"
    about = "How far outside the region of the normal sequences a sequence lies; very far ones tie."
    weighting = "log1p"

    def __init__(self, nu: float = 0.05, gamma: float | str = "scale") -> None:
        self.nu = nu
        self.gamma = gamma

    def _estimator(self, X: sparse.csr_matrix) -> Any:
        from sklearn import pipeline, preprocessing, svm

        scaler = preprocessing.StandardScaler(with_mean=False)
        return pipeline.make_pipeline(scaler, svm.OneClassSVM(nu=self.nu, gamma=self.gamma))

    def _estimated(self, X: sparse.csr_matrix) -> Floats:
        return np.asarray(-self.estimator_.decision_function(X))


class KMeans(ScikitDetector):
    """Euclidean distance to the nearest of a few centres of the normals.

    At most `n_clusters` centres, and at most one per five distinct training rows. Lloyd: Least squares quantization in
    PCM, IEEE Transactions on Information Theory 28 (1982).
    """

    __module__ = "lo2core"

    title = "k-means"
    short = "kmeans"
    about = "How far a sequence is from the nearest of a few typical normal ones."
    weighting = "log1p"

    def __init__(self, n_clusters: int = 8) -> None:
        self.n_clusters = n_clusters

    def _estimator(self, X: sparse.csr_matrix) -> Any:
        from sklearn import cluster

        n_distinct = len(distinct_rows(X)[0])
        n_clusters = max(1, min(self.n_clusters, n_distinct // 5))
        return cluster.KMeans(n_clusters=n_clusters, n_init=10, random_state=SEED)

    def _estimated(self, X: sparse.csr_matrix) -> Floats:
        # Not `transform`: its shortcut ||x||^2 - 2xc + ||c||^2 loses digits if x is near c.
        from scipy.spatial.distance import cdist

        centres = self.estimator_.cluster_centers_
        blocks = [X[start : start + _BLOCK_ROWS].toarray() for start in range(0, X.shape[0], _BLOCK_ROWS)]
        return np.concatenate([cdist(block, centres).min(axis=1) for block in blocks])
