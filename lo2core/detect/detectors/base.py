"""The base of all detectors: input checks, scoring of distinct rows only, attribution by leaving one item out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from lo2core.base.calls import understood
from lo2core.base.errors import InputError
from lo2core.base.types import Floats, Integers

MAX_DENSE_BYTES = 2 * 1024**3
"""A matrix that would be larger is not converted to a dense one."""
MAX_SIZE = 100_000
"""Of parameters that are numbers of trees, steps, neighbours or clusters."""


class Detector(ABC):
    """Base of all detectors. Constructors only assign, `fit` checks; names of learned attributes end in an underscore.

    Subclasses implement `_fit` and `_score`, which get checked matrices; `_score` gets each distinct row once, and the
    score of a row must not depend on other rows. Detectors are plain objects that can be pickled, and they are
    deterministic: the same training rows, in any order, give the same scores, bit for bit.

    title, about: name and one sentence for people. short: part of file names. units: what it can score, "sequence"
    (or a window of one) and "event". weighting, unseen_columns: settings of the vectorizer; a recipe may name another
    weighting. attribution: how `attribute` divides a score, and its limits. splits_quickly: whether it does so without
    scoring again. uses_shap: whether it does so by SHAP, if shap is installed. effort: how long training takes on LO2's
    logs, compared with other detectors; only the time left is estimated with it.
    """

    title: str
    short: str
    about: str
    supervised: bool = False
    units: tuple[str, ...] = ("sequence",)
    weighting: str = "counts"
    unseen_columns: int = 1
    splits_quickly: bool = False
    uses_shap: bool = False
    effort: float = 5.0

    n_items_: int

    @property
    def attribution(self) -> str:
        return (
            "By how much the score falls when one item is left out; the shares do not add up to the score, items that "
            "matter only together are overlooked, and items that are missing cannot be named."
        )

    def fit(self, X: sparse.csr_matrix, y: ArrayLike | None = None) -> Self:
        """Learn from X, csr float64 [n_sequences, n_items], whose last `unseen_columns` count items outside the
        vocabulary.

        Unsupervised detectors treat all rows as normal and ignore y; for supervised ones y is bool [n_sequences], true
        for an anomaly. Raises InputError if there are no rows, values that are not finite, or labels of only one class.
        """
        X = checked(X)
        self._check_sizes()
        if X.shape[0] == 0:
            raise InputError(f"{self.title} has nothing to learn from: found 0 training rows, needs at least one.")
        params = ", ".join(f"{name}={value!r:.60}" for name, value in vars(self).items() if name.strip("_") == name)
        with understood(f"{self.title} cannot learn from these rows with {params or 'these values'}"):
            self._fit(X, self._labels(X.shape[0], y))
        self.n_items_ = X.shape[1]
        return self

    def fit_out_of_bag(self, X: sparse.csr_matrix, runs: Integers, index: Integers) -> Floats | None:
        """Learn from normal rows in parts that leave out whole runs; returns the scores of all rows, out of bag.

        Each row is scored by the parts that have not seen its run, and as `score` would score it if its run was new.
        runs: int [n_sequences], the number of the run of each row. index: the rows to learn from; a row may occur
        several times. Returns None if the detector has no such parts or too few; then nothing was learned.
        """
        return None

    def score(self, X: sparse.csr_matrix) -> Floats:
        """float64 [n_sequences], higher is worse. Raises InputError if X has other columns than in training."""
        X = self._checked(X)
        if X.shape[0] == 0:
            return np.zeros(0)
        first, inverse = distinct_rows(X)
        with understood(f"{self.title} cannot score these rows"):
            return np.asarray(self._score(X[first]), dtype=np.float64)[inverse]

    def attribute(self, X: sparse.csr_matrix) -> Floats:
        """float64 [n_sequences, n_items]: the part of each item in the score, as described by `attribution`."""
        X = self._checked(X)
        out = zeros(X.shape, self.title)
        for row in range(X.shape[0]):
            items = X[row].indices
            out[row, items] = self._fall_without(X[row])
        return out

    @property
    def novel(self) -> NDArray[np.bool_]:
        """bool [n_items]: the columns that no training row has, as far as the detector knows."""
        return np.zeros(self.n_items_, dtype=bool)

    @abstractmethod
    def _fit(self, X: sparse.csr_matrix, y: NDArray[np.bool_]) -> None: ...

    @abstractmethod
    def _score(self, X: sparse.csr_matrix) -> Floats: ...

    def _labels(self, n_rows: int, y: ArrayLike | None) -> NDArray[np.bool_]:
        return np.zeros(n_rows, dtype=bool)

    def _checked(self, X: sparse.csr_matrix) -> sparse.csr_matrix:
        if not hasattr(self, "n_items_"):
            raise InputError(f"{self.title} was not trained yet; call fit first.")
        X = checked(X)
        if X.shape[1] != self.n_items_:
            raise InputError(
                f"{self.title} was trained on {self.n_items_} columns, found {X.shape[1]}. "
                "Use the vectorizer that it was trained with."
            )
        return X

    def _check_sizes(self) -> None:
        """Raises InputError for sizes that no computer finishes."""
        for name in ("n_estimators", "max_iter", "n_largest", "n_foreign", "n_neighbors", "n_clusters"):
            value = getattr(self, name, 0)
            if isinstance(value, int | float) and value > MAX_SIZE:
                raise InputError(f"{self.title} takes {name} up to {MAX_SIZE:,}, found {value:,}.")

    def _fall_without(self, row: sparse.csr_matrix) -> Floats:
        """How much the score falls if an item of the row is left out, for each item, in the order of `row.indices`."""
        n = row.nnz
        data = np.tile(row.data, (n, 1))
        np.fill_diagonal(data, 0)
        cells = (data.ravel(), np.tile(row.indices, n), np.arange(n + 1) * n)
        without = sparse.csr_matrix(cells, shape=(n, row.shape[1]))
        return self.score(row) - self.score(without)


def checked(X: sparse.csr_matrix) -> sparse.csr_matrix:
    """X as csr float64, sorted and without stored zeros; the argument is not changed. Raises InputError for NaN."""
    with understood("X is not a matrix of numbers", "Give a csr matrix with one row per sequence"):
        X = sparse.csr_matrix(X, dtype=np.float64)
    if not np.isfinite(X.data).all():
        raise InputError("The matrix contains values that are not finite. Look for nulls in the numeric columns.")
    if not X.has_canonical_format or not X.data.all():
        X = X.copy()
        X.sum_duplicates()
        X.eliminate_zeros()
    return X


def check_counts(X: sparse.csr_matrix, title: str) -> None:
    """Raises InputError for negative values, which are no counts."""
    if X.nnz and X.data.min() < 0:
        raise InputError(
            f"{title} needs counts, found {X.data.min():g}. Leave out numeric columns that can be negative."
        )


def distinct_rows(X: sparse.csr_matrix) -> tuple[Integers, Integers]:
    """The index of the first occurrence of each distinct row, and for each row the number of its distinct row.

    The order of the distinct rows depends only on their content. X is sorted and without stored zeros.
    """
    _, first, inverse = np.unique(_row_keys(X), return_index=True, return_inverse=True)
    return first, inverse


def varying_columns(X: sparse.csr_matrix) -> Integers:
    """The columns whose value differs between rows; the first column if there is none."""
    varies = X.max(axis=0).toarray().ravel() != X.min(axis=0).toarray().ravel()
    return np.flatnonzero(varies) if varies.any() else np.zeros(1, dtype=np.intp)


def content_order(X: sparse.csr_matrix, y: NDArray[np.bool_]) -> Integers:
    """The order of the rows by label and content, so that the fitted model does not depend on their original order."""
    _, rank = np.unique(_row_keys(X), return_inverse=True)
    return np.lexsort((rank, y))


def _row_keys(X: sparse.csr_matrix) -> NDArray[np.object_]:
    indices = X.indices.astype(np.int32)
    keys = np.empty(X.shape[0], dtype=object)
    keys[:] = [indices[a:b].tobytes() + X.data[a:b].tobytes() for a, b in pairwise(X.indptr)]
    return keys


def zeros(shape: tuple[int, int], title: str) -> Floats:
    """A dense matrix of zeros. Raises InputError if it would take more than `MAX_DENSE_BYTES`."""
    _check_size(shape, title)
    return np.zeros(shape)


def dense(X: sparse.csr_matrix, title: str) -> Floats:
    """X as a dense matrix. Raises InputError if it would take more than `MAX_DENSE_BYTES`."""
    _check_size(X.shape, title)
    return np.asarray(X.toarray())


def _check_size(shape: tuple[int, int], title: str) -> None:
    size = 8 * shape[0] * shape[1]
    if size > MAX_DENSE_BYTES:
        raise InputError(
            f"{title} needs a dense matrix of {shape[0]:,} rows x {shape[1]:,} items, {size / 1024**3:.1f} GiB, and "
            f"{MAX_DENSE_BYTES / 1024**3:.0f} GiB is the limit; take fewer rows or coarser items (templates instead of "
            "words), or a detector that works on sparse data (Rarity, OutOfVocabulary)."
        )
