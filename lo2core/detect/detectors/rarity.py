"""Detectors that weight each item on its own: by its rarity among the normals, or by whether any normal contains it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lo2core.base.types import Floats
from lo2core.detect.detectors.base import Detector, check_counts, zeros


class _Weighted(Detector):
    """Score = sum over the items of value x weight; subclasses learn `weights_`."""

    units = ("sequence", "event")
    splits_quickly = True
    attribution = "Each item's own part of the sum; the shares add up to the score. Missing items count nothing."

    weights_: Floats

    def attribute(self, X: sparse.csr_matrix) -> Floats:
        """Value x weight of each item; the shares add up to the score."""
        X = self._checked(X)
        out = zeros(X.shape, self.title)
        cells = X.tocoo()
        out[cells.row, cells.col] = cells.data * self.weights_[cells.col]
        return out / self._divisor(X)[:, None]

    def _score(self, X: sparse.csr_matrix) -> Floats:
        return np.asarray(X @ self.weights_ / self._divisor(X))

    def _divisor(self, X: sparse.csr_matrix) -> Floats:
        return np.ones(X.shape[0])


class Rarity(_Weighted):
    """How rare the items are among the normals, as in LogLead's RarityModel.

    With f the item's share of all counts of the normals: rarity = (-log f)^3, 0 if f > `common_threshold`; twice the
    rarity of a single occurrence for an item that no normal contains. Score = sum of count x rarity over the items,
    divided by the number of distinct items. Source: github.com/EvoTestOps/LogLead, loglead/RarityModel.py (Mäntylä,
    Wang, Nyyssölä: LogLead - Fast and Integrated Log Loader, Enhancer, and Anomaly Detector, SANER 2024).
    """

    __module__ = "lo2core"

    title = "Rarity"
    short = "rarity"
    about = "How rare the items of a sequence are among the normal ones; long sequences of rare items score highest."

    def __init__(self, common_threshold: float = 0.01) -> None:
        self.common_threshold = common_threshold

    def _fit(self, X: sparse.csr_matrix, y: NDArray[np.bool_]) -> None:
        check_counts(X, self.title)
        counts = _column_sums(X)
        # At least 2: an item must not weigh log(1) = 0 in a service whose normals are empty.
        total = max(counts.sum(), 2.0)
        rarity = (-np.log(np.where(counts > 0, counts, 1) / total)) ** 3
        unseen = 2 * np.log(total) ** 3
        common = counts / total > self.common_threshold
        self.weights_ = np.where(counts > 0, np.where(common, 0, rarity), unseen)

    def _divisor(self, X: sparse.csr_matrix) -> Floats:
        return np.asarray(np.maximum(X.getnnz(axis=1), 1).astype(np.float64))


class OutOfVocabulary(_Weighted):
    """Number of occurrences of items that no normal contains, as in LogLead's OOV_detector.

    These are the items outside the vocabulary (the last columns), and those in the vocabulary that no training row of
    this service contains. Source: github.com/EvoTestOps/LogLead, loglead/OOV_detector.py.
    """

    __module__ = "lo2core"

    title = "Out of vocabulary"
    short = "oov"
    about = "How often a sequence contains items that no normal sequence of its service contains."

    def _fit(self, X: sparse.csr_matrix, y: NDArray[np.bool_]) -> None:
        check_counts(X, self.title)
        self.weights_ = (_column_sums(X) == 0).astype(np.float64)


def _column_sums(X: sparse.csr_matrix) -> Floats:
    return np.asarray(X.sum(axis=0), dtype=np.float64).ravel()
