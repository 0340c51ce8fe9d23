"""Names and numbers that more than one module needs, each decided here."""

from __future__ import annotations

import os
from pathlib import Path

SERVICES = ("client", "code", "key", "refresh-token", "service", "token", "user")
NORMAL_TEST_CASE = "correct"

DEFAULT_WORKSPACE = "demo/result/lo2"
SAMPLE_WORKSPACE = "demo/result/sample"

DEFAULT_DETECTOR = "NearestNormal"
DEFAULT_ITEMS = "messages"
DEFAULT_BUDGET = 5.0
"""False alarms accepted per 100 normal incidents."""

SEED = 7

MIN_RUNS = 5
"""Fewer runs than this get no bootstrap interval."""


def models_dir() -> Path:
    """Where bundles lie: the folder that `LO2_MODELS` names, else `models` below the working folder."""
    return Path(os.environ.get("LO2_MODELS", "models"))
