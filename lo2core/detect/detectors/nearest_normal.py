"""NearestNormal: the distance of a sequence from the most similar normals, in the few items that differ most."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lo2core.base.errors import InputError
from lo2core.base.types import Floats, Integers
from lo2core.detect.detectors.base import Detector, check_counts, checked, dense, distinct_rows, zeros

_BLOCK_CELLS = 1 << 17
"""Normals are compared in blocks of about this many cells, which stay in the processor's cache."""


class NearestNormal(Detector):
    """Distance to the nearest normal sequences in the items that differ most. Takes raw counts.

    The method was developed for this project. A sequence that is longer than usual (its count of items that any normal
    contains, compared with the median of that count over the normals) is first scaled down to the usual length: many
    different lines that each occur once say little. Then, for each item with count n here and c in a normal:

    - the normal is scaled to the size of the sequence: c times the median of n / c over the items that both contain
      (1 if there is none);
    - difference d = (log(1 + n) - log(1 + c)) / sqrt(var + variance_floor), var of log(1 + count) over the normals;
    - items that occur more often than in the normal count fully, items that are missing count `missing_weight`;
    - of the items that no normal contains, only the `n_foreign` largest count: a process logs dozens of lines at first
      use;
    - distance = Euclidean norm of the `n_largest` largest differences: a fault affects few items, and a norm over all
      of them would hide it.

    Score = mean distance to the `n_neighbors` nearest normals, or to all of them if there are fewer.

    `fit(X)` takes the raw counts of normal sequences, csr float64 [n_sequences, n_items]; `score(X)` returns float64
    [n_sequences], in standard deviations of log counts; higher is more anomalous.
    Raises InputError for parameters out of range, no training rows, and counts that are negative or not finite.

    Examples:
        >>> import numpy as np
        >>> from scipy import sparse
        >>> from lo2core import NearestNormal
        >>> normal = sparse.csr_matrix(np.array([[9.0, 1, 0], [8, 2, 0], [9, 2, 0], [7, 1, 0]]))
        >>> detector = NearestNormal().fit(normal)
        >>> new = sparse.csr_matrix(np.array([[9.0, 1, 0], [9, 1, 6]]))
        >>> usual, faulty = detector.score(new)
        >>> bool(usual < 0.5 < 5 < faulty)
        True
        >>> int(detector.attribute(new)[1].argmax())
        2
    """

    __module__ = "lo2core"

    title = "Nearest normal"
    short = "nn"
    splits_quickly = True
    about = "How far a sequence is from the normal ones most like it, in the five items that differ most."
    unseen_columns = 1024

    counts_: sparse.csr_matrix
    """Counts of the distinct normals, in the columns `items_`."""
    items_: Integers
    """The columns of items that any normal contains."""
    spread_: Floats
    """The denominator of the difference, for all columns."""
    distinct_: Integers
    """For each training row, the row of `counts_` that equals it."""
    size_: float
    """The usual length: the median of the summed counts of the normals."""

    def __init__(
        self,
        n_neighbors: int = 3,
        n_largest: int = 5,
        n_foreign: int = 2,
        missing_weight: float = 0.3,
        variance_floor: float = 0.1,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.n_largest = n_largest
        self.n_foreign = n_foreign
        self.missing_weight = missing_weight
        self.variance_floor = variance_floor

    @property
    def attribution(self) -> str:
        return (
            f"The {self.n_largest} largest differences to each of the {self.n_neighbors} nearest normals, each by its "
            "squared share of the distance. The shares add up to the score; smaller differences are not listed. Of "
            f"the items that no normal contains, only the {self.n_foreign} most frequent count, so that a long stack "
            "trace does not dominate the score; their contribution is divided among all such items."
        )

    @property
    def novel(self) -> NDArray[np.bool_]:
        return ~np.isin(np.arange(self.n_items_), self.items_)

    def neighbours(self, X: sparse.csr_matrix) -> tuple[Integers, Floats]:
        """The nearest training rows: their indices [n_sequences, k] and distances [n_sequences, k], nearest first."""
        X = self._checked(X)
        nearest = [self._nearest(distances) for distances in self._distances(X)]
        k = min(self.n_neighbors, len(self.distinct_))
        indices = np.array([index for index, _ in nearest], dtype=np.intp).reshape(-1, k)
        return indices, np.array([distances for _, distances in nearest]).reshape(-1, k)

    def attribute(self, X: sparse.csr_matrix) -> Floats:
        """Shares that add up to the score.

        A distance is split over its items in proportion to their squared differences, d_i^2 / sum(d^2), and the shares
        are averaged over the neighbours as the distances are.
        """
        indices, distances = self.neighbours(X)
        X = checked(X)
        out = zeros(X.shape, self.title)
        for row, (rows, distance) in enumerate(zip(self.distinct_[indices], distances, strict=True)):
            columns, differences = self._differences(X[row], self.counts_[rows].toarray())
            largest = np.argsort(-differences, axis=1, kind="stable")[:, : self.n_largest]
            squares = np.take_along_axis(differences, largest, axis=1) ** 2
            shares = squares / np.where(distance > 0, distance, 1)[:, None] / len(distance)
            np.add.at(out[row], columns[largest], shares)
        return out

    def _fit(self, X: sparse.csr_matrix, y: NDArray[np.bool_]) -> None:
        whole = (self.n_neighbors, self.n_largest, self.n_foreign)
        if min(whole) < 1 or not 0 <= self.missing_weight <= 1 or self.variance_floor <= 0:
            raise InputError(
                "Nearest normal needs n_neighbors, n_largest and n_foreign of at least 1, missing_weight between 0 and "
                f"1 and variance_floor above 0, found {', '.join(map(str, whole))}, {self.missing_weight} and "
                f"{self.variance_floor}."
            )
        check_counts(X, self.title)
        first, self.distinct_ = distinct_rows(X)
        normals = X[first]
        self.spread_ = np.sqrt(_log_variance(normals, np.bincount(self.distinct_)) + self.variance_floor)
        self.items_ = np.flatnonzero(normals.getnnz(axis=0))
        self.counts_ = normals[:, self.items_]
        self.size_ = float(np.median(np.asarray(X.sum(axis=1))))

    def _score(self, X: sparse.csr_matrix) -> Floats:
        return np.array([self._nearest(distances)[1].mean() for distances in self._distances(X)])

    def _nearest(self, distances: Floats) -> tuple[Integers, Floats]:
        """The nearest training rows and their distances, from the distances to the distinct normals."""
        by_row = distances[self.distinct_]
        nearest = np.argsort(by_row, kind="stable")[: self.n_neighbors]
        return nearest, by_row[nearest]

    def _distances(self, X: sparse.csr_matrix) -> Iterator[Floats]:
        """The distances to all distinct normals, row by row."""
        check_counts(X, self.title)
        normals = dense(self.counts_, self.title)
        step = max(1, _BLOCK_CELLS // max(1, normals.shape[1]))
        blocks = [normals[start : start + step] for start in range(0, len(normals), step)]
        for row in range(X.shape[0]):
            yield np.concatenate([self._block_distances(X[row], block) for block in blocks])

    def _block_distances(self, row: sparse.csr_matrix, normals: Floats) -> Floats:
        _, differences = self._differences(row, normals)
        width = differences.shape[1]
        if width > self.n_largest:
            differences = np.partition(differences, width - self.n_largest, axis=1)[:, -self.n_largest :]
        return np.asarray(np.sqrt((np.sort(differences, axis=1) ** 2).sum(axis=1)))

    def _differences(self, row: sparse.csr_matrix, normals: Floats) -> tuple[Integers, Floats]:
        """Columns, and the weighted differences [n_normals, n_columns] between the row and the normals in them.

        The columns are `items_`, followed by the other columns that the row has.
        """
        counts = np.zeros(len(self.spread_))
        counts[row.indices] = row.data
        counts /= max(1.0, counts[self.items_].sum() / self.size_) if self.size_ else 1.0
        foreign = np.setdiff1d(row.indices, self.items_, assume_unique=True)
        foreign = foreign[np.argsort(-counts[foreign], kind="stable")[: self.n_foreign]]
        scaled = normals * _size_ratio(counts[self.items_], normals)[:, None]
        shifts = (np.log1p(counts[self.items_]) - np.log1p(scaled)) / self.spread_[self.items_]
        inside = np.maximum(shifts, -self.missing_weight * shifts)
        outside = np.log1p(counts[foreign]) / self.spread_[foreign]
        outside = np.broadcast_to(outside, (len(normals), len(foreign)))
        return np.concatenate([self.items_, foreign]), np.concatenate([inside, outside], axis=1)


def _log_variance(X: sparse.csr_matrix, weights: Integers) -> Floats:
    """Variance of log(1 + count) of each column over rows that stand for `weights` rows each."""
    cells = X.log1p().tocoo()
    weight = weights[cells.row].astype(np.float64)
    total = float(weights.sum())
    mean = np.bincount(cells.col, weight * cells.data, X.shape[1]) / total
    squares = np.bincount(cells.col, weight * (cells.data - mean[cells.col]) ** 2, X.shape[1])
    absent = total - np.bincount(cells.col, weight, X.shape[1])
    return (squares + absent * mean**2) / total


def _size_ratio(counts: Floats, normals: Floats) -> Floats:
    """The median of counts / counts of a normal, over items that both contain, for each normal; 1 if there are none."""
    present = np.flatnonzero(counts)
    theirs = normals[:, present]
    ratios = np.full(theirs.shape, np.inf)
    np.divide(counts[present], theirs, out=ratios, where=theirs > 0)
    ratios.sort(axis=1)
    shared = np.count_nonzero(theirs, axis=1)
    at = np.maximum(np.stack([(shared - 1) // 2, shared // 2]), 0)
    if not len(present):
        return np.ones(len(normals))
    middle = np.take_along_axis(ratios, at.T, axis=1).mean(axis=1)
    return np.where(shared > 0, middle, 1.0)
