"""Detectors from the literature that learn from labelled rows, normal and anomalous, implemented with scikit-learn.

Classes are weighted as if there were as many anomalies as normals. The vocabulary is that of the normals: with the
column of unseen items, detectors can find faults that no training row contains.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from lo2core.base.config import SEED
from lo2core.base.errors import InputError
from lo2core.base.types import Floats, Integers
from lo2core.detect.detectors.base import dense, varying_columns, zeros
from lo2core.detect.detectors.sklearn_base import ScikitDetector, TreeDetector


class _Supervised(ScikitDetector):
    supervised = True

    def _labels(self, n_rows: int, y: ArrayLike | None) -> NDArray[np.bool_]:
        labels = [] if y is None else np.asarray(y).tolist()
        if len(labels) != n_rows or not set(labels) <= {0, 1}:
            raise InputError(
                f"{self.title} needs a label, true or false, for each of its {n_rows} training rows, found "
                f"{len(labels)}; load labelled logs, or choose an unsupervised detector."
            )
        if len(set(labels)) == 1:
            kind = "anomalous" if labels[0] else "normal"
            raise InputError(
                f"{self.title} learns from normal and anomalous rows, found {n_rows} {kind} ones only; load logs of "
                "both kinds, or choose an unsupervised detector."
            )
        return np.array(labels, dtype=bool)


class _Linear(_Supervised):
    weighting = "log1p"
    attribution = (
        "Coefficient times value of each item; the shares add up to the score less the intercept, which is the same "
        "for all sequences. Items that are missing count nothing."
    )

    def __init__(self, C: float = 1.0, max_iter: int = 1000) -> None:
        self.C = C
        self.max_iter = max_iter

    def attribute(self, X: sparse.csr_matrix) -> Floats:
        """Coefficient times value of each item; the sum is the score minus the intercept."""
        X = self._checked(X)
        out = zeros(X.shape, self.title)
        cells = X.tocoo()
        out[cells.row, cells.col] = cells.data * self.estimator_.coef_.ravel()[cells.col]
        return out

    def _estimated(self, X: sparse.csr_matrix) -> Floats:
        return np.asarray(self.estimator_.decision_function(X))


class LogisticRegression(_Linear):
    """Log-odds of an anomaly, linear in the items, with an L2 penalty.

    Cox: The regression analysis of binary sequences, Journal of the Royal Statistical Society B 20 (1958).
    """

    __module__ = "lo2core"

    title = "Logistic regression"
    short = "lr"
    effort = 2.0
    about = "Log-odds of an anomaly as a weighted sum of the items, learned from labelled sequences."

    def _estimator(self, X: sparse.csr_matrix) -> Any:
        from sklearn import linear_model

        return linear_model.LogisticRegression(C=self.C, max_iter=self.max_iter, class_weight="balanced")


class LinearSVC(_Linear):
    """Signed distance from a separating plane, squared hinge loss.

    Cortes, Vapnik: Support-vector networks, Machine Learning 20 (1995); LIBLINEAR: Fan et al., JMLR 9 (2008).
    """

    __module__ = "lo2core"

    title = "Linear SVM"
    short = "lsvc"
    effort = 10.0
    about = "On which side of a separating plane a sequence lies, and how far, learned from labelled sequences."

    def __init__(self, C: float = 1.0, max_iter: int = 10_000) -> None:
        super().__init__(C, max_iter)

    def _estimator(self, X: sparse.csr_matrix) -> Any:
        from sklearn import svm

        return svm.LinearSVC(C=self.C, max_iter=self.max_iter, class_weight="balanced", random_state=SEED)


class _SupervisedTrees(TreeDetector, _Supervised):
    shap_says = "SHAP values of the score; they add up to the score less a constant, its mean over the training rows."

    def _estimated(self, X: sparse.csr_matrix) -> Floats:
        return np.asarray(self.estimator_.predict_proba(X)[:, 1])

    def _explained(self) -> Any:
        return self.estimator_


class DecisionTree(_SupervisedTrees):
    """Share of anomalies in the leaf that a row falls into. Breiman, Friedman, Olshen, Stone: CART, 1984."""

    __module__ = "lo2core"

    title = "Decision tree"
    short = "dt"
    effort = 1.0
    about = "Probability of an anomaly by a tree of yes-no questions about counts, learned from labelled sequences."

    def __init__(self, max_depth: int | None = None) -> None:
        self.max_depth = max_depth

    def _estimator(self, X: sparse.csr_matrix) -> Any:
        from sklearn import tree

        return tree.DecisionTreeClassifier(max_depth=self.max_depth, class_weight="balanced", random_state=SEED)


class RandomForest(_SupervisedTrees):
    """Mean probability of an anomaly over randomised trees. Breiman: Random Forests, Machine Learning 45 (2001)."""

    __module__ = "lo2core"

    title = "Random forest"
    short = "rf"
    effort = 7.0
    about = "Probability of an anomaly by the vote of many random trees, learned from labelled sequences."

    def __init__(self, n_estimators: int = 100) -> None:
        self.n_estimators = n_estimators

    def _estimator(self, X: sparse.csr_matrix) -> Any:
        from sklearn import ensemble

        return ensemble.RandomForestClassifier(
            n_estimators=self.n_estimators, class_weight="balanced", random_state=SEED
        )


class HistGradientBoosting(_SupervisedTrees):
    """Log-odds of an anomaly by boosted trees over binned counts; dense. Stops early only above 10,000 training rows.

    Of columns that sort the training rows in the same way only the first is used, and none with a single value: trees
    choose the first of equally good splits, so they are the same, in a quarter of the time on LO2's logs.
    Friedman: Greedy function approximation, Annals of Statistics 29 (2001); Ke et al.: LightGBM, NeurIPS 2017.
    """

    __module__ = "lo2core"

    title = "Gradient boosting"
    short = "hgb"
    effort = 7.0
    about = "Log-odds of an anomaly by trees that correct each other, learned from labelled sequences."

    def __init__(self, max_iter: int = 100, learning_rate: float = 0.1, min_samples_leaf: int = 5) -> None:
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.min_samples_leaf = min_samples_leaf

    def _estimator(self, X: sparse.csr_matrix) -> Any:
        from sklearn import ensemble

        return ensemble.HistGradientBoostingClassifier(
            max_iter=self.max_iter,
            learning_rate=self.learning_rate,
            min_samples_leaf=self.min_samples_leaf,
            class_weight="balanced",
            random_state=SEED,
        )

    def _fit(self, X: sparse.csr_matrix, y: NDArray[np.bool_]) -> None:
        varying = varying_columns(X)
        self._used = varying[_first_of_each_order(dense(X[:, varying], self.title))]
        super()._fit(X, y)
        # Only fitting draws random numbers; without the generator, a bundle contains data and trees only.
        vars(self.estimator_).pop("_feature_subsample_rng", None)

    def _features(self, X: sparse.csr_matrix) -> Floats:
        return dense(X[:, self._used], self.title)

    def _estimated(self, X: Any) -> Floats:
        return np.asarray(self.estimator_.decision_function(X))


def _first_of_each_order(columns: Floats) -> Integers:
    """The first of the columns that sort the rows in the same way, with the same ties; [n_rows, n_columns]."""
    ranks = np.stack([np.unique(column, return_inverse=True)[1] for column in columns.T])
    return np.sort(np.unique(ranks, axis=0, return_index=True)[1])
