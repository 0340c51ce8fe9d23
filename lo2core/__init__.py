"""Log anomalies in microservices: load, enhance, train, predict, explain, compare."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lo2core.anomaly import AnomalyDetector
    from lo2core.enhance import EventLogEnhancer, SequenceEnhancer
    from lo2core.load import LO2Loader

__all__ = ["AnomalyDetector", "EventLogEnhancer", "LO2Loader", "SequenceEnhancer"]

_HOMES = {
    "AnomalyDetector": "anomaly",
    "EventLogEnhancer": "enhance",
    "LO2Loader": "load",
    "SequenceEnhancer": "enhance",
}


def __getattr__(name: str) -> Any:
    """The public classes, imported when they are first asked for: importing the package costs nothing."""
    if name in _HOMES:
        return getattr(import_module(f"lo2core.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'lo2core' has no attribute {name!r}")
