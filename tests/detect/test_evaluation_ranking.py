"""The ranking of evaluations: by incidents of held-out runs, without trivial baselines."""

from __future__ import annotations

import polars as pl

from lo2core.detect.evaluation.ranking import ranked_evaluations
from lo2core.detect.folds import BY_RUN, FAULT_LEFT_OUT

ROW = {
    "detector": "Rarity",
    "items": "messages",
    "weighting": "counts",
    "unit": "sequence",
    "window": None,
    "kind": "detector",
    "level": "incident",
    "split": BY_RUN,
    "data_fingerprint": "old",
    "false_alarm_rate": 0.05,
    **dict.fromkeys(("recall", "recall_at_5", "right_service", "average_precision", "precision", "f1", "psi"), 0.5),
}
FIGURES = pl.DataFrame(
    [
        ROW | {"evaluation": "worse", "auroc": 0.7},
        ROW | {"evaluation": "better", "auroc": 0.9, "data_fingerprint": "new"},
        ROW | {"evaluation": "better", "auroc": 0.6, "split": FAULT_LEFT_OUT},
        ROW | {"evaluation": "better", "auroc": 0.99, "level": "sequence"},
        ROW | {"evaluation": "length", "auroc": 1.0, "kind": "shortcut"},
    ]
)


def test_the_best_detector_on_incidents_of_held_out_runs_comes_first() -> None:
    found = ranked_evaluations(FIGURES, "new")
    assert found["evaluation"].to_list() == ["better", "worse"]
    assert found["auroc"].to_list() == [0.9, 0.7]
    assert found["false_alarms"].to_list() == [5.0, 5.0]


def test_the_auroc_on_held_out_faults_is_in_the_same_row_where_it_was_measured() -> None:
    assert ranked_evaluations(FIGURES, "new")["auroc_unmet"].to_list() == [0.6, None]


def test_only_evaluations_of_the_loaded_logs_are_current() -> None:
    assert ranked_evaluations(FIGURES, "new")["current"].to_list() == [True, False]
    assert not ranked_evaluations(FIGURES, None)["current"].any()
