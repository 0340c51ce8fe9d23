"""Isolation forest: the trees of scikit-learn's, each grown on all normals, or each on half of the runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from lo2core.base.calls import understood
from lo2core.base.config import SEED
from lo2core.base.errors import InputError
from lo2core.base.types import Floats, Integers
from lo2core.detect.detectors.base import checked, content_order, distinct_rows, varying_columns
from lo2core.detect.detectors.sklearn_base import TreeDetector

MIN_UNSEEN_TREES = 50
"""Minimum number of trees that score a normal, none of which has seen its run."""
MIN_ROWS = 8
"""Minimum number of rows of half of the runs: trees of fewer rows can hardly tell rows apart."""
_MAX_ROWS = 256
"""Rows of a tree, unless `max_samples` says otherwise."""
_MAX_SEED = np.iinfo(np.int32).max
_DENSE_CELLS = 1 << 22
"""Smaller matrices are dense, which is faster; the trees and scores are the same."""


class IsolationForest(TreeDetector):
    """How quickly random cuts isolate a row: `-score_samples` of scikit-learn's IsolationForest, between 0 and 1.

    Cuts use only items whose count varies among the normals: items that no normal contains have no effect.
    Liu, Ting, Zhou: Isolation Forest, ICDM 2008 (its defaults: 100 trees of 256 rows).

    `fit` grows the same trees as scikit-learn's IsolationForest, and scores are the same to the last bit; it calls the
    same trees directly, since most of the time of scikit-learn's own `fit` goes into checks of each tree.

    `fit_out_of_bag` grows pairs of trees on two halves of the runs. New rows are scored by the first tree of each pair,
    a normal by the second one if the first has seen its run. So both are scored by as many trees, of as many runs, and
    none has seen the run of the row. After Kim, Xu, Barber: Predictive inference is free with the
    jackknife+-after-bootstrap, NeurIPS 2020.
    """

    __module__ = "lo2core"

    title = "Isolation forest"
    short = "if"
    about = "How few random cuts set a sequence apart from the normal ones; it is blind to items that no normal holds."
    units = ("sequence", "event")
    shap_says = (
        "SHAP values of the path length with the sign turned: they explain how early the trees isolate the sequence, "
        "not the score itself, and do not add up to it. Items that no normal contains get no share."
    )
    shap_sign = -1

    trees_: list[Any]
    """`sklearn.tree.ExtraTreeRegressor`, fitted on the columns `_used`."""

    def __init__(self, n_estimators: int = 100, max_samples: int | float | str = "auto") -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a detector; those of earlier versions contain a forest of scikit-learn instead of its trees."""
        vars(self).update(state)
        if "estimator_" in state:
            self.trees_ = list(vars(self).pop("estimator_").estimators_)

    def fit_out_of_bag(self, X: sparse.csr_matrix, runs: Integers, index: Integers) -> Floats | None:
        """See `Detector`; None with fewer than `MIN_ROWS` rows of a tree, or `MIN_UNSEEN_TREES` trees."""
        X = checked(X)
        self._check_parameters()
        index = index[content_order(X[index], np.zeros(len(index), dtype=bool))]
        first, second = _halves(self.n_estimators, int(runs.max()) + 1)
        rows = [index[half[runs[index]]] for half in (*first, *second)]
        if self.n_estimators < MIN_UNSEEN_TREES or min(map(len, rows)) < MIN_ROWS:
            return None
        self.n_items_, self._used = X.shape[1], varying_columns(X[index])
        with understood(f"{self.title} cannot learn from these rows"):
            self.trees_ = self._grown_apart(X[:, self._used], rows)
        seen = first[:, runs]
        scores_it = np.concatenate([~seen, seen])
        distinct, inverse = distinct_rows(X)
        total = np.zeros(X.shape[0])
        for lengths, mine in zip(self._path_lengths(X[distinct]), scores_it, strict=True):
            total += lengths[inverse] * mine
        expected = _average_path(self._sizes()) @ scores_it
        self.trees_ = self.trees_[: self.n_estimators]
        return _anomaly(total, expected)

    def _fit(self, X: sparse.csr_matrix, y: NDArray[np.bool_]) -> None:
        self._check_parameters()
        vars(self).pop("_used", None)  # of an earlier fit
        X = X[content_order(X, y)]
        n_rows = self._n_rows(X.shape[0])
        random = np.random.RandomState(SEED)
        targets = random.uniform(size=X.shape[0])
        random.seed(SEED)
        seeds = random.randint(_MAX_SEED, size=self.n_estimators)
        grower = _Grower()
        if n_rows == X.shape[0]:
            rows = _to_grow(X)
            self.trees_ = [grower.grow(rows, targets, seed) for seed in seeds]
            return
        self.trees_ = []
        for seed in seeds:
            drawn = grower.draw(X.shape, n_rows, seed)
            self.trees_.append(grower.grow(_to_grow(X[drawn]), targets[drawn], seed))

    def _grown_apart(self, X: sparse.csr_matrix, rows: list[Integers]) -> list[Any]:
        """One tree of each list of rows, or of as many of them as `max_samples` says."""
        rng = np.random.default_rng(SEED)
        grower = _Grower()
        trees = []
        for mine in rows:
            drawn = np.sort(rng.choice(len(mine), self._n_rows(len(mine)), replace=False))
            targets = rng.uniform(size=len(drawn))
            trees.append(grower.grow(_to_grow(X[mine[drawn]]), targets, int(rng.integers(_MAX_SEED))))
        return trees

    def _score(self, X: sparse.csr_matrix) -> Floats:
        total = np.zeros(X.shape[0])
        for lengths in self._path_lengths(X):
            total += lengths
        sizes, n_trees = np.unique(self._sizes(), return_counts=True)
        return _anomaly(total, np.full(len(total), n_trees @ _average_path(sizes)))

    def _path_lengths(self, X: sparse.csr_matrix) -> Iterator[Floats]:
        """float64 [n_sequences] for each tree: depth of the leaf, plus the average path of as many rows as it has."""
        X = _to_read(X[:, self._used])
        for estimator in self.trees_:
            tree = estimator.tree_
            if tree.n_features != X.shape[1]:  # compiled code does not check it
                raise InputError(f"A tree of the {self.title} has other columns than its model. Train it again.")
            leaves = tree.apply(X)
            yield tree.compute_node_depths()[leaves] + _average_path(tree.n_node_samples)[leaves] - 1.0

    def _sizes(self) -> Integers:
        """The number of rows that each tree was grown on."""
        return np.array([estimator.tree_.n_node_samples[0] for estimator in self.trees_])

    def _n_rows(self, most: int) -> int:
        """The number of rows of a tree, of `most` that there are."""
        if isinstance(self.max_samples, str):
            return min(_MAX_ROWS, most)
        return int(self.max_samples * most) if isinstance(self.max_samples, float) else min(self.max_samples, most)

    def _check_parameters(self) -> None:
        self._check_sizes()
        most = self.max_samples
        rows = most == "auto" if isinstance(most, str) else 0 < most <= 1 if isinstance(most, float) else most >= 1
        if not rows or self.n_estimators < 1:
            raise InputError(
                f"{self.title} needs at least one tree, and max_samples that is 'auto', a number of rows or a share of "
                f"them up to 1.0; found n_estimators={self.n_estimators!r}, max_samples={most!r}."
            )

    def _explained(self) -> Any:
        from sklearn import ensemble

        forest = ensemble.IsolationForest(n_estimators=len(self.trees_))
        forest.estimators_ = self.trees_
        forest.estimators_features_ = [np.arange(estimator.n_features_in_) for estimator in self.trees_]
        return forest


class _Grower:
    """Grows isolation trees as scikit-learn's IsolationForest does, with the same random numbers for a seed."""

    def __init__(self) -> None:
        self._random = np.random.RandomState()

    def draw(self, shape: tuple[int, int], n_rows: int, seed: int) -> Integers:
        """The rows of a tree, sorted. The columns are drawn before, all of them."""
        from sklearn.utils.random import sample_without_replacement

        self._random.seed(seed)
        sample_without_replacement(shape[1], shape[1], random_state=self._random)
        return np.sort(sample_without_replacement(shape[0], n_rows, random_state=self._random))

    def grow(self, X: Any, targets: Floats, seed: int) -> Any:
        """The tree of these rows. Targets are random: they only keep nodes from counting as pure."""
        from sklearn import config_context, tree

        self._random.seed(seed)
        own_seed = self._random.randint(_MAX_SEED)
        self._random.seed(own_seed)
        depth = int(np.ceil(np.log2(max(X.shape[0], 2))))
        estimator = tree.ExtraTreeRegressor(max_features=1, max_depth=depth, random_state=self._random)
        with config_context(skip_parameter_validation=True, assume_finite=True):
            estimator.fit(X, targets[:, None], check_input=False)
        estimator.random_state = own_seed
        return estimator


def _to_grow(X: sparse.csr_matrix) -> Any:
    """The rows as a tree is grown on them: float32, by column; dense unless they are large."""
    X = X.astype(np.float32)
    return np.asfortranarray(X.toarray()) if _is_small(X) else X.tocsc()


def _to_read(X: sparse.csr_matrix) -> Any:
    """The rows as a tree is applied to them: float32, by row; dense unless they are large."""
    X = X.astype(np.float32)
    return X.toarray() if _is_small(X) else X


def _is_small(X: sparse.csr_matrix) -> bool:
    return bool(X.shape[0] * X.shape[1] <= _DENSE_CELLS)


def _average_path(n_rows: Integers) -> Floats:
    """The average path to a leaf of a tree of so many rows (equation 1 of the paper)."""
    n = np.maximum(n_rows, 3)
    usual = 2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n
    return np.where(n_rows > 2, usual, np.where(n_rows == 2, 1.0, 0.0))


def _anomaly(path: Floats, expected: Floats) -> Floats:
    """The score of rows with these paths; 0.5 for the average path, and if trees have one row only."""
    return np.asarray(2.0 ** -np.divide(path, expected, out=np.ones_like(path), where=expected != 0))


def _halves(n_pairs: int, n_runs: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The runs that the first and the second tree of each pair see, bool [n_pairs, n_runs]; n_runs // 2 of them."""
    rng = np.random.default_rng(SEED)
    place = np.array([rng.permutation(n_runs) for _ in range(n_pairs)])
    return place < n_runs // 2, place >= n_runs - n_runs // 2
