"""The detectors by name: `REGISTRY` maps names to classes, and `make` creates one.

For every detector `fit(X, y=None)` learns from X, csr float64 [n_sequences, n_items], and `score(X)` returns float64
[n_sequences]; higher is more anomalous. To add a detector, write its class and add it to `REGISTRY`.

Examples:
    >>> from lo2core import detectors
    >>> list(detectors.REGISTRY)[:3]
    ['NearestNormal', 'IsolationForest', 'LocalOutlierFactor']
    >>> detectors.make("LocalOutlierFactor", n_neighbors=5).units
    ('sequence',)
"""

from __future__ import annotations

from inspect import signature
from typing import Any

from lo2core.base.errors import InputError, choices
from lo2core.detect.detectors.base import Detector
from lo2core.detect.detectors.isolation_forest import IsolationForest
from lo2core.detect.detectors.nearest_normal import NearestNormal
from lo2core.detect.detectors.rarity import OutOfVocabulary, Rarity
from lo2core.detect.detectors.supervised import (
    DecisionTree,
    HistGradientBoosting,
    LinearSVC,
    LogisticRegression,
    RandomForest,
)
from lo2core.detect.detectors.unsupervised import KMeans, LocalOutlierFactor, OneClassSVM

__all__ = ["REGISTRY", "Detector", "make"]

REGISTRY: dict[str, type[Detector]] = {
    detector.__name__: detector
    for detector in (
        NearestNormal,
        IsolationForest,
        LocalOutlierFactor,
        OneClassSVM,
        KMeans,
        Rarity,
        OutOfVocabulary,
        LogisticRegression,
        LinearSVC,
        DecisionTree,
        RandomForest,
        HistGradientBoosting,
    )
}


def make(name: str, **params: Any) -> Detector:
    """A new detector. Raises InputError for a name or a parameter that does not exist."""
    if not isinstance(name, str) or name not in REGISTRY:
        raise InputError(f"Unknown detector {name!r}. {choices(str(name), REGISTRY)}")
    parameters = signature(REGISTRY[name]).parameters
    if unknown := [param for param in params if param not in parameters]:
        raise InputError(f"{name} has no parameter {unknown[0]!r}. {choices(unknown[0], parameters)}")
    return REGISTRY[name](**params)
