"""Recipe: what to train, as options of the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lo2core.base.arguments import option
from lo2core.base.calls import check_fields
from lo2core.base.config import DEFAULT_BUDGET, DEFAULT_DETECTOR, DEFAULT_ITEMS, models_dir
from lo2core.base.errors import InputError

if TYPE_CHECKING:
    from lo2core.detect.detectors import Detector


@dataclass(frozen=True)
class Recipe:
    """What to train: a detector, the items that it counts, and the alert budget.

    detector: a name in `detectors.REGISTRY`. items: as in `Vectorizer`. unit: what gets a score, "sequence" or "event"
    ("row" is used by `AnomalyDetector`). weighting: as in `Vectorizer`; None for that of the detector. budget: alert
    budget, accepted false alarms per 100 normal incidents, from 0 to below 100. params: parameters of the detector.
    Raises InputError for an unknown detector or parameter, a budget out of range, and a unit that the detector cannot
    score.

    Examples:
        >>> from lo2core import Recipe
        >>> Recipe("IsolationForest", items="templates", params={"n_estimators": 50}).default_bundle.name
        'lo2_if.joblib'
        >>> Recipe("NearestNormal", unit="event")
        Traceback (most recent call last):
        lo2core.base.errors.InputError: NearestNormal does not score single events...
    """

    detector: str = option(
        DEFAULT_DETECTOR, "--detector", metavar="NAME", help=f"name of the detector (default: {DEFAULT_DETECTOR})"
    )
    items: str = option(
        DEFAULT_ITEMS,
        "--items",
        metavar="KIND[+KIND]",
        help="what is counted: messages, templates, requests, words, trigrams",
    )
    unit: str = option("sequence", "--unit", choices=("sequence", "event"), help="what is scored")
    weighting: str | None = option(
        None,
        "--weighting",
        choices=("counts", "log1p", "binary", "tf-idf"),
        help="weighting of the counts (default: the detector decides)",
    )
    budget: float = option(DEFAULT_BUDGET, "--budget", metavar="N", help="false alarms per 100 normal incidents")
    params: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_fields(self)
        from lo2core.detect.calibration import check_budget  # slow to import, and --help needs only the options
        from lo2core.detect.units import UNITS

        check_budget(self.budget)
        if self.unit not in UNITS or not UNITS[self.unit].scored_by(self.make()):
            raise InputError(
                f"{self.detector} does not score single {self.unit}s; choose {' or '.join(self.make().units)}."
            )

    @property
    def default_bundle(self) -> Path:
        """The usual path of the bundle: lo2_<short name of the detector>.joblib in the models folder."""
        return models_dir() / f"lo2_{self.make().short}.joblib"

    @property
    def vectorizer_settings(self) -> dict[str, Any]:
        """Arguments of the vectorizer; the weighting is the detector's own unless the recipe names one."""
        detector = self.make()
        weighting = self.weighting or detector.weighting
        return {"items": self.items, "weighting": weighting, "unseen_columns": detector.unseen_columns}

    def make(self) -> Detector:
        from lo2core.detect import detectors

        return detectors.make(self.detector, **self.params)
