"""Log anomalies in microservices: load, enhance, train, predict, explain, compare."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lo2core.detect.anomaly_detector import AnomalyDetector
    from lo2core.enhance.enhancers import EventLogEnhancer, SequenceEnhancer
    from lo2core.load.loader import LO2Loader

__all__ = ["AnomalyDetector", "EventLogEnhancer", "LO2Loader", "SequenceEnhancer"]

_HOMES = {
    "AnomalyDetector": "detect.anomaly_detector",
    "EventLogEnhancer": "enhance.enhancers",
    "LO2Loader": "load.loader",
    "SequenceEnhancer": "enhance.enhancers",
}


def __getattr__(name: str) -> Any:
    """The public classes, imported when they are first asked for: importing the package costs nothing."""
    if name in _HOMES:
        return getattr(import_module(f"lo2core.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'lo2core' has no attribute {name!r}")
