"""Charts of an evaluation: curves, and recall by fault and service."""

from __future__ import annotations

import altair as alt
import polars as pl

from lo2core.report.charts.base import (
    LABEL_LIMIT,
    ROW,
    Chart,
    long_labels,
    number_of,
    service_columns,
    tooltip,
    with_visible_text,
)
from lo2core.report.charts.colours import KINDS, NEUTRAL, ON_RAMP, SHARE_RAMP


@with_visible_text
def roc_curves(curves: pl.DataFrame) -> Chart:
    """ROC curves: recall against false alarm rate, one line per detector; the diagonal is chance.

    Expects ``name``, ``false_alarm_rate``, ``recall`` (both 0 to 1), sorted along the curve.
    """
    chance = alt.Chart(pl.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]})).mark_line(
        color=NEUTRAL, strokeDash=[3, 4], strokeWidth=1
    )
    lines = _curves(curves, "false_alarm_rate", "false alarm rate", "recall", "recall")
    about = (
        f"ROC curves of {number_of(curves, 'name', 'detector')}: recall by false alarm rate; the diagonal is chance."
    )
    return alt.layer(chance.encode(x="x:Q", y="y:Q"), lines).properties(height=320, description=about)


@with_visible_text
def precision_recall_curves(curves: pl.DataFrame) -> Chart:
    """Precision against recall, one line per detector.

    Expects ``name``, ``recall``, ``precision`` (both 0 to 1), sorted along the curve.
    """
    about = f"Precision-recall curves of {number_of(curves, 'name', 'detector')}."
    return _curves(curves, "recall", "recall", "precision", "precision").properties(height=320, description=about)


@with_visible_text
def recall_matrix(recalls: pl.DataFrame) -> Chart:
    """Share of flagged sequences: one row per test case, one column per service.

    Expects ``test_case``, ``service``, ``recall`` (0 to 1), ``n`` (sequences). Each cell contains its share as text.
    ``pick`` gives ``test_case`` and ``service``.
    """
    pick = alt.selection_point(name="pick", fields=["test_case", "service"])
    base = alt.Chart(recalls).encode(
        x=alt.X("service:N", title=None, axis=service_columns()),
        y=alt.Y("test_case:N", title=None, axis=long_labels()),
        tooltip=tooltip(test_case="test case", service="service", recall="flagged", n="sequences"),
    )
    squares = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color("recall:Q", scale=alt.Scale(domain=[0, 1], range=SHARE_RAMP), legend=None),
        opacity=alt.condition(pick, alt.value(1.0), alt.value(0.35)),
    )
    texts = base.mark_text(fontWeight=600, color=ON_RAMP).encode(text=alt.Text("recall:Q", format=".0%"))
    cases, services = number_of(recalls, "test_case", "test case"), number_of(recalls, "service", "service")
    about = f"Heat map: share of flagged sequences of {cases} by {services}."
    return alt.layer(squares.add_params(pick), texts).properties(height=ROW, description=about)


def _curves(curves: pl.DataFrame, x: str, x_title: str, y: str, y_title: str) -> alt.Chart:
    percent = alt.Axis(format="%", tickCount=5)
    legend = alt.Legend(orient="top", columns=1, labelLimit=LABEL_LIMIT, symbolSize=300)
    chart: alt.Chart = (
        alt.Chart(curves)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X(f"{x}:Q", title=x_title, axis=percent, scale=alt.Scale(domain=[0, 1])),
            y=alt.Y(f"{y}:Q", title=y_title, axis=percent, scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("name:N", title=None, scale=alt.Scale(range=list(KINDS)), legend=legend),
            strokeDash=alt.StrokeDash("name:N", title=None, legend=legend),
            order=alt.value(0),
            tooltip=tooltip(**{"name": "detector", x: x_title, y: y_title}),
        )
    )
    return chart
