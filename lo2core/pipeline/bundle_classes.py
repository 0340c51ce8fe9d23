"""The classes that a bundle may contain, by their exact names, and checks of those whose values compiled code reads."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from lo2core.base.types import Integers

OURS = (
    "Calibration",
    "DecisionTree",
    "HistGradientBoosting",
    "IsolationForest",
    "KMeans",
    "LinearSVC",
    "LocalOutlierFactor",
    "LogisticRegression",
    "MaskRule",
    "Masker",
    "Model",
    "NearestNormal",
    "OneClassSVM",
    "OutOfVocabulary",
    "RandomForest",
    "Rarity",
    "Templates",
    "Threshold",
    "Vectorizer",
)
_BOOSTING = "sklearn.ensemble._hist_gradient_boosting.gradient_boosting"
_SKLEARN = {
    "sklearn._loss.link": ("Interval", "LogitLink"),
    "sklearn._loss.loss": ("HalfBinomialLoss",),
    "sklearn.cluster._kmeans": ("KMeans",),
    "sklearn.ensemble._forest": ("RandomForestClassifier",),
    "sklearn.ensemble._hist_gradient_boosting.binning": ("_BinMapper",),
    _BOOSTING: ("HistGradientBoostingClassifier",),
    "sklearn.ensemble._hist_gradient_boosting.predictor": ("TreePredictor",),
    "sklearn.ensemble._iforest": ("IsolationForest",),
    "sklearn.linear_model._logistic": ("LogisticRegression",),
    "sklearn.neighbors._lof": ("LocalOutlierFactor",),
    "sklearn.pipeline": ("Pipeline",),
    "sklearn.preprocessing._data": ("StandardScaler",),
    "sklearn.preprocessing._label": ("LabelEncoder",),
    "sklearn.svm._classes": ("LinearSVC", "OneClassSVM"),
    "sklearn.tree._classes": ("DecisionTreeClassifier", "ExtraTreeRegressor"),
}
_OBJECTS = {
    *(("lo2core", name) for name in OURS),
    *((module, name) for module, names in _SKLEARN.items() for name in names),
    ("scipy.sparse._csr", "csr_matrix"),
}
"""Classes whose instances are made empty and then given their attributes."""

_CONSTRUCTED = {("sklearn._loss._loss", "CyHalfBinomialLoss"), ("sklearn.tree._tree", "Tree")}
"""Compiled classes, which a pickle calls with arguments."""


def find_object_class(module: str, name: str) -> type | None:
    """A class whose instances are made empty, or None where it is not in the list."""
    return _found(module, name) if (module, name) in _OBJECTS else None


def find_constructed_class(module: str, name: str) -> type | None:
    """A class that is called with arguments, or None where it is not in the list."""
    return _found(module, name) if (module, name) in _CONSTRUCTED else None


def _found(module: str, name: str) -> type:
    found: type = getattr(import_module(module), name)
    return found


def check_values(found: Any) -> None:
    """Raises ValueError for an object whose indices point outside its arrays, which compiled code does not check."""
    check = _CHECKS.get((type(found).__module__, type(found).__name__))
    if check:
        check(found)


def _check_matrix(found: Any) -> None:
    found.check_format(full_check=True)


def _check_tree(found: Any) -> None:
    nodes = found.__getstate__()["nodes"]
    inner = np.flatnonzero(nodes["left_child"] != -1)
    _check_nodes(nodes, inner, ("left_child", "right_child"))
    _check_features(nodes["feature"][inner], found.n_features)


def _check_tree_estimator(found: Any) -> None:
    if "tree_" in vars(found) and found.tree_.n_features != found.n_features_in_:  # a forest keeps an unfitted one
        raise ValueError("a tree has other columns than its model")


def _check_forest(found: Any) -> None:
    if any(tree.n_features_in_ != found.n_features_in_ for tree in vars(found).get("estimators_", ())):
        raise ValueError("a tree has other columns than its model")


def _check_boosted_trees(found: Any) -> None:
    for predictor in (each for iteration in vars(found).get("_predictors", ()) for each in iteration):
        nodes = predictor.nodes
        inner = np.flatnonzero(nodes["is_leaf"] == 0)
        _check_nodes(nodes, inner, ("left", "right"))
        _check_features(nodes["feature_idx"][inner], found.n_features_in_)
        if nodes["is_categorical"].any():
            raise ValueError("a tree splits by categories, which item counts do not have")


def _check_nodes(nodes: Any, inner: Integers, children: tuple[str, str]) -> None:
    """A child comes after its parent, so that every walk through the tree ends."""
    for child in (nodes[name][inner] for name in children):
        if not ((child > inner) & (child < len(nodes))).all():
            raise ValueError("a tree has a node whose child does not exist")


def _check_features(features: Integers, n_features: int) -> None:
    if not ((features >= 0) & (features < n_features)).all():
        raise ValueError("a tree splits by a column that the model does not have")


def _check_svm(found: Any) -> None:
    if "support_vectors_" not in vars(found):
        return
    coefficients = (1, found.support_vectors_.shape[0])
    if (
        found._dual_coef_.shape != coefficients
        or len(found._dual_coef_.data) != coefficients[1]
        or found._n_support.shape != (2,)
    ):
        raise ValueError("the support vectors and their coefficients do not match")


_CHECKS: dict[tuple[str, str], Callable[[Any], None]] = {
    ("scipy.sparse._csr", "csr_matrix"): _check_matrix,
    ("sklearn.tree._tree", "Tree"): _check_tree,
    ("sklearn.tree._classes", "DecisionTreeClassifier"): _check_tree_estimator,
    ("sklearn.tree._classes", "ExtraTreeRegressor"): _check_tree_estimator,
    ("sklearn.ensemble._forest", "RandomForestClassifier"): _check_forest,
    ("sklearn.ensemble._iforest", "IsolationForest"): _check_forest,
    (_BOOSTING, "HistGradientBoostingClassifier"): _check_boosted_trees,
    ("sklearn.svm._classes", "OneClassSVM"): _check_svm,
}
