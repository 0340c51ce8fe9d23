"""Defaults and fixed names that several modules share."""

from __future__ import annotations

import os
from pathlib import Path

SERVICES = ("client", "code", "key", "refresh-token", "service", "token", "user")
NORMAL_TEST_CASE = "correct"

DEFAULT_WORKSPACE = "demo/result/lo2"
SAMPLE_WORKSPACE = "demo/result/sample"
SAMPLE_MODELS = ("sample_nn", "sample_oov")
"""Names of the models of the synthetic sample: NearestNormal and OutOfVocabulary."""

DEFAULT_DETECTOR = "NearestNormal"
DEFAULT_ITEMS = "messages"
DEFAULT_BUDGET = 5.0
"""Alert budget: accepted false alarms per 100 normal incidents."""

SEED = 7

MIN_RUNS = 5
"""Bootstrap intervals are computed from this many runs upwards."""


def configured_cluster() -> str | None:
    """The cluster that pages offer: the environment variable `LO2_CLUSTER`, as the option `--cluster` takes it."""
    return os.environ.get("LO2_CLUSTER") or None


def models_dir() -> Path:
    """The folder of saved models: the environment variable `LO2_MODELS`, or `models` in the working directory."""
    return Path(os.environ.get("LO2_MODELS", "models"))
