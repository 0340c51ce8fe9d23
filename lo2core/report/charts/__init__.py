"""Small frames in, Altair charts out; nothing is computed here.

Every function names the columns it expects; further columns are ignored, an empty frame gives an empty chart. Charts
take fonts, background and colour ramps from the page's theme, so they follow light and dark; colours fixed here are
readable on both. No meaning rests on red and green: flags have a shape of their own, shares are written out.

Charts in which one can select name their selection ``pick`` and give back the column ``seq_id`` (or what they say):
``event["selection"].get("pick")`` is a list of such rows. Budget: at most `MAX_MARKS` of them, 20,000 marks
at all.
"""

from __future__ import annotations

from lo2core.report.charts.base import MAX_MARKS, NEUTRAL, NORMAL, OTHER, PALETTE, UNLABELLED, Chart, service_colours
from lo2core.report.charts.comparing import (
    CHANGES,
    paired_heatmap,
    prediction_density,
    prediction_scatter,
    predictions_over_time,
    recall_differences,
)
from lo2core.report.charts.evaluation import precision_recall_curves, recall_matrix, roc_curves
from lo2core.report.charts.explaining import beeswarm, item_bars
from lo2core.report.charts.loading import LEDGER, ledger_bar, timeline
from lo2core.report.charts.scores import calibration_strip, incident_heatmap, score_strip, service_bars

__all__ = [
    "CHANGES",
    "LEDGER",
    "MAX_MARKS",
    "NEUTRAL",
    "NORMAL",
    "OTHER",
    "PALETTE",
    "UNLABELLED",
    "Chart",
    "beeswarm",
    "calibration_strip",
    "incident_heatmap",
    "item_bars",
    "ledger_bar",
    "paired_heatmap",
    "precision_recall_curves",
    "prediction_density",
    "prediction_scatter",
    "predictions_over_time",
    "recall_differences",
    "recall_matrix",
    "roc_curves",
    "score_strip",
    "service_bars",
    "service_colours",
    "timeline",
]
