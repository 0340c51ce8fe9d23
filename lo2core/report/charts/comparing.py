"""Charts that compare saved predictions: by sequence, by fault, by service, over time."""

from __future__ import annotations

from datetime import timedelta

import altair as alt
import polars as pl

from lo2core.base.text import plural
from lo2core.compare.pairs import BOTH, NEITHER, NO_LONGER, NOW
from lo2core.report.charts.base import (
    ROW,
    Chart,
    by_z,
    fixed_scale,
    legend,
    long_labels,
    number_of,
    on_z,
    service_columns,
    threshold_rule,
    tooltip,
    with_visible_text,
)
from lo2core.report.charts.colours import CHANGE_COLOURS, DIFFERENCE_RAMP, KINDS, NEUTRAL, ON_RAMP, SHARE_RAMP

CHANGES = (BOTH, NEITHER, NOW, NO_LONGER)
CHANGE_SHAPES = ("square", "circle", "triangle-up", "triangle-down")


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
            x=alt.X("z_a:Q", **on_z(f"z-score in {names[0]}")),
            y=alt.Y("z_b:Q", **on_z(f"z-score in {names[1]}")),
            color=alt.Color(
                "change:N", title=None, scale=fixed_scale(CHANGES, CHANGE_COLOURS), legend=legend(widest=160)
            ),
            shape=alt.Shape(
                "change:N", title=None, scale=fixed_scale(CHANGES, CHANGE_SHAPES), legend=legend(widest=160)
            ),
            opacity=alt.condition(pick & brush, alt.value(0.75), alt.value(0.12)),
            tooltip=tooltip(
                service="service", test_case="test case", run="run", z_a=names[0], z_b=names[1], change="change"
            ),
        )
        .add_params(pick, brush)
    )
    rules = threshold_rule(thresholds[0]), threshold_rule(thresholds[1], "y")
    about = f"Scatter plot: {plural(pairs.height, 'sequence')} by {_by_both(thresholds, names)}"
    return alt.layer(points, *rules).properties(height=380, description=about)


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
            x=alt.X("left:Q", **on_z(f"z-score in {names[0]}")),
            x2="right:Q",
            y=alt.Y("bottom:Q", **on_z(f"z-score in {names[1]}")),
            y2="top:Q",
            color=alt.Color("n:Q", title="count", scale=alt.Scale(type="log"), legend=alt.Legend(orient="top")),
            opacity=alt.condition(pick, alt.value(1.0), alt.value(0.35)),
            tooltip=tooltip(a="z in A", b="z in B", n="count"),
        )
        .add_params(pick)
    )
    rules = threshold_rule(thresholds[0]), threshold_rule(thresholds[1], "y")
    # a canvas draws this many squares faster than SVG
    about = f"Density plot: {plural(int(cells['n'].sum()), 'sequence')} by {_by_both(thresholds, names)}"
    drawn = alt.layer(squares, *rules)
    return drawn.properties(height=380, description=about, usermeta={"embedOptions": {"renderer": "canvas"}})


def _by_both(thresholds: tuple[float, float], names: tuple[str, str]) -> str:
    (a, b), (low, high) = names, thresholds
    return f"their z-scores in {a} (threshold {low:.2f}) and in {b} (threshold {high:.2f})."


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
    texts = base.mark_text(fontWeight=600, color=ON_RAMP).encode(text=alt.Text("recall:Q", format=".0%"))
    cases, sides = number_of(recalls, "test_case", "test case"), number_of(recalls, "prediction", "prediction")
    about = f"Heat map: share of flagged incidents of {cases} in {sides}."
    return alt.layer(squares.add_params(pick), texts).properties(height=ROW, description=about)


@with_visible_text
def paired_heatmap(cells: pl.DataFrame) -> Chart:
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
            color=by_z("z"),
            opacity=alt.condition(pick, alt.value(1.0), alt.value(0.35)),
            tooltip=tooltip(test_case="test case", service="service", side="logs", z="median z", n="sequences"),
        )
        .add_params(pick)
    )
    cases, services = number_of(cells, "test_case", "test case"), number_of(cells, "service", "service")
    about = f"Heat map: median z-scores of {cases} by {services}, of A on the left and of B on the right."
    return squares.properties(height=ROW, description=about)


@with_visible_text
def predictions_over_time(points: pl.DataFrame) -> Chart:
    """All saved predictions over time, to show drift: one panel per measure, one line per model.

    Expects ``measure`` (the panel's title), ``prediction``, ``model``, ``made`` (datetime), ``value``, ``address`` (the
    link that a click opens, as Streamlit has no selections in panels). Show it with ``width="content"``.
    """
    base = alt.Chart(points).encode(
        x=alt.X("made:T", title=None, axis=alt.Axis(tickCount=3, format=_clock(points["made"]), labelOverlap=True)),
        y=alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4)),
        color=alt.Color("model:N", title=None, scale=alt.Scale(range=list(KINDS)), legend=legend(widest=200)),
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
    return chart.properties(
        description=f"Line charts over time: {', '.join(points['measure'].unique(maintain_order=True))} of "
        f"{number_of(points, 'prediction', 'prediction')} by {number_of(points, 'model', 'model')}."
    )


def _clock(moments: pl.Series) -> str:
    """The format of time ticks: seconds, minutes or days, depending on the time span."""
    ordered = moments.drop_nulls().sort().to_list()  # null for predictions that were written by hand
    span = ordered[-1] - ordered[0] if ordered else timedelta()
    if span < timedelta(minutes=10):
        return "%H:%M:%S"
    return "%H:%M" if span < timedelta(days=1) else "%-d %b %H:%M"
