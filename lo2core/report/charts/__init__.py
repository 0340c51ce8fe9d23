"""Turn small frames into Altair charts; nothing is computed here.

Every function lists the columns it expects. Other columns are ignored; an empty frame gives an empty chart. Fonts,
background and colour ramps come from the page's theme, light or dark; the colours set here are readable on both.
No chart relies on telling red from green: flags have their own shape, and shares are also printed as text.

A chart with selectable marks names its selection ``pick``. ``event["selection"].get("pick")`` is a list of rows with
the column ``seq_id``, or the columns that the function lists. A chart has at most `MAX_MARKS` selectable marks and
20,000 marks in total.
"""

from __future__ import annotations

from lo2core.report.charts.base import MAX_MARKS, Chart, service_colours
from lo2core.report.charts.colours import FAULTY, NEUTRAL, NORMAL, PALETTE, TEXT, UNLABELLED
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
from lo2core.report.charts.lines import events_over_time
from lo2core.report.charts.loading import LEDGER, ledger_bar, timeline
from lo2core.report.charts.scores import NO_SCORE, calibration_strip, incident_heatmap, score_strip, service_bars

__all__ = [
    "CHANGES",
    "FAULTY",
    "LEDGER",
    "MAX_MARKS",
    "NEUTRAL",
    "NORMAL",
    "NO_SCORE",
    "PALETTE",
    "TEXT",
    "UNLABELLED",
    "Chart",
    "beeswarm",
    "calibration_strip",
    "events_over_time",
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
