"""Find anomalies in the logs of microservices: load, enhance, train, predict, explain, compare.

Everything a script needs is imported from here, for example `from lo2core import Workspace, load_logs`. A name is
imported when it is first used, so that `import lo2core` itself loads no other library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lo2core.base import errors, schemas
    from lo2core.detect import detectors
    from lo2core.detect.anomaly_detector import AnomalyDetector
    from lo2core.detect.detectors.nearest_normal import NearestNormal
    from lo2core.detect.evaluation.evaluate import EvaluationProtocol
    from lo2core.detect.incidents import Incident
    from lo2core.detect.recipe import Recipe
    from lo2core.detect.vectorizer import Vectorizer
    from lo2core.enhance.enhancers import EventLogEnhancer, SequenceEnhancer
    from lo2core.load.loader import LO2Loader
    from lo2core.load.plan import LoadOptions
    from lo2core.load.synthetic import write_sample
    from lo2core.messages.masks import Masker, MaskRule
    from lo2core.messages.templates import Templates
    from lo2core.pipeline.bundles import open_bundle
    from lo2core.pipeline.compare import compare_predictions, save_comparison
    from lo2core.pipeline.enhance import enhance_events
    from lo2core.pipeline.evaluate import evaluate_recipes
    from lo2core.pipeline.explain import explain_incident, save_explanation
    from lo2core.pipeline.line_filter import LineFilter
    from lo2core.pipeline.load import load_logs
    from lo2core.pipeline.predict import predict_logs
    from lo2core.pipeline.search import find_lines
    from lo2core.pipeline.train import train_bundle
    from lo2core.store.predictions import read_predictions
    from lo2core.store.workspace import Workspace

__all__ = [
    "AnomalyDetector",
    "EvaluationProtocol",
    "EventLogEnhancer",
    "Incident",
    "LO2Loader",
    "LineFilter",
    "LoadOptions",
    "MaskRule",
    "Masker",
    "NearestNormal",
    "Recipe",
    "SequenceEnhancer",
    "Templates",
    "Vectorizer",
    "Workspace",
    "compare_predictions",
    "detectors",
    "enhance_events",
    "errors",
    "evaluate_recipes",
    "explain_incident",
    "find_lines",
    "load_logs",
    "open_bundle",
    "predict_logs",
    "read_predictions",
    "save_comparison",
    "save_explanation",
    "schemas",
    "train_bundle",
    "write_sample",
]

_PUBLIC = {
    "AnomalyDetector": "detect.anomaly_detector",
    "EvaluationProtocol": "detect.evaluation.evaluate",
    "EventLogEnhancer": "enhance.enhancers",
    "Incident": "detect.incidents",
    "LO2Loader": "load.loader",
    "LineFilter": "pipeline.line_filter",
    "LoadOptions": "load.plan",
    "Recipe": "detect.recipe",
    "SequenceEnhancer": "enhance.enhancers",
    "Workspace": "store.workspace",
    "compare_predictions": "pipeline.compare",
    "enhance_events": "pipeline.enhance",
    "evaluate_recipes": "pipeline.evaluate",
    "explain_incident": "pipeline.explain",
    "find_lines": "pipeline.search",
    "load_logs": "pipeline.load",
    "open_bundle": "pipeline.bundles",
    "predict_logs": "pipeline.predict",
    "read_predictions": "store.predictions",
    "save_comparison": "pipeline.compare",
    "save_explanation": "pipeline.explain",
    "train_bundle": "pipeline.train",
    "write_sample": "load.synthetic",
}
"""Public names: the module that each comes from, and behind a colon what it is called there, if that differs."""

_MODULES = {"detectors": "detect.detectors", "errors": "base.errors", "schemas": "base.schemas"}
"""Public names of whole modules."""

_PICKLED = {
    "Calibration": "detect.calibration",
    "DecisionTree": "detect.detectors.supervised",
    "HistGradientBoosting": "detect.detectors.supervised",
    "IsolationForest": "detect.detectors.isolation_forest",
    "KMeans": "detect.detectors.unsupervised",
    "LinearSVC": "detect.detectors.supervised",
    "LocalOutlierFactor": "detect.detectors.unsupervised",
    "LogisticRegression": "detect.detectors.supervised",
    "MaskRule": "messages.masks",
    "Masker": "messages.masks",
    "Model": "detect.model",
    "NearestNormal": "detect.detectors.nearest_normal",
    "OneClassSVM": "detect.detectors.unsupervised",
    "OutOfVocabulary": "detect.detectors.rarity",
    "RandomForest": "detect.detectors.supervised",
    "Rarity": "detect.detectors.rarity",
    "Templates": "messages.templates",
    "Threshold": "detect.calibration",
    "Vectorizer": "detect.vectorizer",
}
"""Classes that a saved model refers to as `lo2core.<name>`: their modules may move, these names may not."""


def __getattr__(name: str) -> Any:
    """The public names, and the classes of a saved model."""
    if name in _MODULES:
        return import_module(f"lo2core.{_MODULES[name]}")
    home, _, attribute = (_PUBLIC | _PICKLED).get(name, "").partition(":")
    if not home:
        raise AttributeError(f"module 'lo2core' has no attribute {name!r}")
    return getattr(import_module(f"lo2core.{home}"), attribute or name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
