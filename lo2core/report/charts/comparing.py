"""Charts that compare saved predictions: by sequence, by fault, by service, over time."""

from __future__ import annotations

from datetime import timedelta

import altair as alt
import polars as pl

from lo2core.compare.pairs import BOTH, NEITHER, NO_LONGER, NOW
from lo2core.report.charts.base import (
    NEUTRAL,
    PALETTE,
    ROW,
    Z_AXIS,
    Z_SCALE,
    Chart,
    by_z,
    fixed_scale,
    legend,
    long_labels,
    service_columns,
    threshold_rule,
    tooltip,
    with_visible_text,
)
from lo2core.report.charts.evaluation import SHARE_RAMP

CHANGES = (BOTH, NEITHER, NOW, NO_LONGER)
CHANGE_COLOURS = ("#a23873", NEUTRAL, "#d9731a", "#5c76d9")
CHANGE_SHAPES = ("square", "circle", "triangle-up", "triangle-down")

DIFFERENCE_RAMP = ["#a3500f", "#727c89", "#2c5fb3"]
"""Less (orange), equal (grey), more (blue); all dark enough for white text."""


@with_visible_text
def prediction_scatter(
    pairs: pl.DataFrame, thresholds: tuple[float, float], names: tuple[str, str] = ("A", "B")
) -> Chart:
    """A scatter plot of the same sequences scored twice, with both thresholds; flips have their own shape and colour.

    Expects ``seq_id``, ``service``, ``test_case``, ``run``, ``z_a``, ``z_b``, ``change`` (one of `CHANGES`).
    thresholds: the z-scores from which A and B flag. ``pick`` (a click) gives ``seq_id``, ``brush`` (a drawn box) the
    ranges of ``z_a`` and ``z_b``.
    """
    pick = alt.selection_point(name="pick", fields=["seq_id"])
    brush = alt.selection_interval(name="brush", encodings=["x", "y"])
    points = (
        alt.Chart(pairs.select("seq_id", "service", "test_case", "run", "z_a", "z_b", "change"))
        .mark_point(filled=True, size=46, aria=False)
        .encode(
            x=alt.X("z_a:Q", title=f"z-score in {names[0]}", scale=Z_SCALE, axis=Z_AXIS),
            y=alt.Y("z_b:Q", title=f"z-score in {names[1]}", scale=Z_SCALE, axis=Z_AXIS),
            color=alt.Color("change:N", title=None, scale=fixed_scale(CHANGES, CHANGE_COLOURS), legend=legend()),
            shape=alt.Shape("change:N", title=None, scale=fixed_scale(CHANGES, CHANGE_SHAPES), legend=legend()),
            opacity=alt.condition(pick & brush, alt.value(0.75), alt.value(0.12)),
            tooltip=tooltip(
                service="service", test_case="test case", run="run", z_a=names[0], z_b=names[1], change="change"
            ),
        )
        .add_params(pick, brush)
    )
    return alt.layer(points, threshold_rule(thresholds[0]), threshold_rule(thresholds[1], "y")).properties(height=380)


@with_visible_text
def prediction_density(cells: pl.DataFrame, thresholds: tuple[float, float], names: tuple[str, str]) -> Chart:
    """`prediction_scatter` for more points than can be drawn: the number of points in each cell of a grid.

    Expects ``cell`` (its number), ``left``, ``right`` (edges in z of A), ``bottom``, ``top`` (edges in z of B), ``n``
    (points). ``pick`` gives ``cell``.
    """
    pick = alt.selection_point(name="pick", fields=["cell"])
    # The browser evaluates an encoding for each square, so texts are made here and edges are not encoded as bins.
    labelled = cells.with_columns(a=_between("left", "right"), b=_between("bottom", "top"))
    squares = (
        alt.Chart(labelled)
        .mark_rect(aria=False)
        .encode(
            x=alt.X("left:Q", title=f"z-score in {names[0]}", scale=Z_SCALE, axis=Z_AXIS),
            x2="right:Q",
            y=alt.Y("bottom:Q", title=f"z-score in {names[1]}", scale=Z_SCALE, axis=Z_AXIS),
            y2="top:Q",
            color=alt.Color("n:Q", title="count", scale=alt.Scale(type="log"), legend=alt.Legend(orient="top")),
            opacity=alt.condition(pick, alt.value(1.0), alt.value(0.35)),
            tooltip=tooltip(a="z in A", b="z in B", n="count"),
        )
        .add_params(pick)
    )
    rules = threshold_rule(thresholds[0]), threshold_rule(thresholds[1], "y")
    # a canvas draws this many squares faster than SVG
    return alt.layer(squares, *rules).properties(height=380, usermeta={"embedOptions": {"renderer": "canvas"}})


def _between(low: str, high: str) -> pl.Expr:
    """The range of a cell as text."""
    return pl.format("{} to {}", *(pl.col(edge).round(2) for edge in (low, high)))


@with_visible_text
def recall_differences(recalls: pl.DataFrame) -> Chart:
    """Recall by fault: one row per test case, one column per prediction, coloured by the difference to the first one.

    Cells without a difference range from grey (recall 0) to violet (recall 1).

    Expects ``test_case``, ``prediction``, ``recall`` (0 to 1), ``difference`` (-1 to 1), ``n`` (incidents). ``pick``
    gives ``test_case`` and ``prediction``.
    """
    pick = alt.selection_point(name="pick", fields=["test_case", "prediction"])
    base = alt.Chart(recalls).encode(
        x=alt.X("prediction:N", title=None, sort=None, axis=service_columns(200)),
        y=alt.Y("test_case:N", title=None, axis=long_labels()),
        tooltip=tooltip(
            test_case="test case", prediction="prediction", recall="flagged", difference="difference", n="incidents"
        ),
    )
    # Interpolation in Lab space gives no third hue between orange and blue. Values from 2 to 3 are cells without a
    # difference, by their recall.
    ramp = alt.Scale(
        domain=[-1, 0, 1, 2, 3], range=[*DIFFERENCE_RAMP, SHARE_RAMP[0], SHARE_RAMP[-1]], interpolate="lab"
    )
    squares = base.transform_calculate(shade="datum.difference == 0 ? 2 + datum.recall : datum.difference")
    squares = squares.mark_rect(cornerRadius=2).encode(
        color=alt.Color("shade:Q", scale=ramp, legend=None),
        opacity=alt.condition(pick, alt.value(1.0), alt.value(0.35)),
    )
    texts = base.mark_text(fontWeight=600, color="#ffffff").encode(text=alt.Text("recall:Q", format=".0%"))
    return alt.layer(squares.add_params(pick), texts).properties(height=ROW)


@with_visible_text
def paired_heatmap(cells: pl.DataFrame, threshold: float) -> Chart:
    """Test case x service in two sets of logs; in each column A is on the left and B on the right.

    Expects ``test_case``, ``service``, ``side`` ("A" or "B"), ``z`` (null: not scored), ``n`` (sequences). ``pick``
    gives ``test_case``, ``service`` and ``side``.
    """
    pick = alt.selection_point(name="pick", fields=["test_case", "service", "side"])
    squares: alt.Chart = (
        alt.Chart(cells)
        .mark_rect(stroke=NEUTRAL, strokeOpacity=0.25)
        .encode(
            x=alt.X("service:N", title=None, axis=service_columns()),
            xOffset=alt.XOffset("side:N", sort=["A", "B"]),
            y=alt.Y("test_case:N", title=None, axis=long_labels()),
            color=by_z("z", threshold),
            opacity=alt.condition(pick, alt.value(1.0), alt.value(0.35)),
            tooltip=tooltip(test_case="test case", service="service", side="logs", z="median z", n="sequences"),
        )
        .add_params(pick)
    )
    return squares.properties(height=ROW)


@with_visible_text
def predictions_over_time(points: pl.DataFrame) -> Chart:
    """All saved predictions over time, to show drift: one panel per measure, one line per model.

    Expects ``measure`` (the panel's title), ``prediction``, ``model``, ``made`` (datetime), ``value``, ``address`` (the
    link that a click opens, as Streamlit has no selections in panels). Show it with ``width="content"``.
    """
    base = alt.Chart(points).encode(
        x=alt.X("made:T", title=None, axis=alt.Axis(tickCount=3, format=_clock(points["made"]), labelOverlap=True)),
        y=alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4)),
        color=alt.Color("model:N", title=None, scale=alt.Scale(range=list(PALETTE)), legend=legend()),
    )
    marks = base.mark_circle(size=55, opacity=1).encode(
        href="address:N",
        tooltip=tooltip(prediction="prediction", model="model", made="made", measure="measure", value="value"),
    )
    chart: alt.FacetChart = (
        alt.layer(base.mark_line(), marks)
        .properties(width=260, height=110)
        .facet(facet=alt.Facet("measure:N", title=None, header=alt.Header(labelAnchor="start")), columns=3)
        .resolve_scale(y="independent")
    )
    return chart


def _clock(moments: pl.Series) -> str:
    """The format of time ticks: seconds, minutes or days, depending on the time span."""
    ordered = moments.drop_nulls().sort().to_list()  # null for predictions that were written by hand
    span = ordered[-1] - ordered[0] if ordered else timedelta()
    if span < timedelta(minutes=10):
        return "%H:%M:%S"
    return "%H:%M" if span < timedelta(days=1) else "%-d %b %H:%M"
