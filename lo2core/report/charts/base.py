"""Parts shared by all charts: colours, scales, axes, legends, tooltips."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

import altair as alt
import polars as pl

from lo2core.base.config import SERVICES
from lo2core.base.frames import visible_frame
from lo2core.base.text import plural, visible
from lo2core.report.charts.colours import LABEL_COLOURS, NEUTRAL, PALETTE, TEXT

Chart: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart

P = ParamSpec("P")
C = TypeVar("C", bound=Chart)

ROW = alt.Step(20)
LABEL_LIMIT = 380
MAX_MARKS = 5_000
"""Most selectable marks of a chart; with more rows, the caller aggregates or keeps the top ones."""
_PADDING = {"left": 0, "top": 0, "right": 14, "bottom": 20}
"""Pixels around a chart. The last label of an axis is centred below its tick, so half of it is right of the chart."""
SYMLOG = "symmetric log scale"
_STEPS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 300, 1000, 3000, 10_000)
Z_AXIS = alt.Axis(
    values=[*(-step for step in reversed(_STEPS)), 0, *_STEPS], format=",d", titleLimit=320, labelOverlap="greedy"
)
"""Ticks are close to each other where thresholds are."""
Z_SCALE = alt.Scale(type="symlog", constant=3)
"""Linear near zero, where the threshold is; logarithmic further out, where faults can reach several hundred."""
Z_COLOURS = alt.Scale(type="symlog", constant=3, domain=[0, 100], clamp=True)
"""The colours of z-scores: the same on all pages, for all predictions and thresholds."""

_MEASURES = (
    "z_score",
    "z_a",
    "z_b",
    "z",
    "score",
    "threshold",
    "left",
    "right",
    "bottom",
    "top",
    "value",
    "contribution",
)
_SHARES = ("recall", "precision", "false_alarm_rate", "difference", "share", "level")
_FORMATS = dict.fromkeys(_MEASURES, ",.2f") | dict.fromkeys(_SHARES, ".0%") | {"n": ","}
"""Number formats of tooltips by column; other columns are not rounded."""


def with_visible_text(draw: Callable[P, C]) -> Callable[P, C]:
    """A chart function that gets its frames and texts made visible; `as_saved` leads back from a selection."""

    @wraps(draw)
    def drawn(*arguments: P.args, **named: P.kwargs) -> C:
        chart = draw(*map(_visible, arguments), **{name: _visible(value) for name, value in named.items()})
        chart.padding = _PADDING
        return chart

    return drawn


def _visible(value: Any) -> Any:
    match value:
        case pl.DataFrame():
            return visible_frame(value)
        case str():
            return visible(value)
        case tuple():
            return tuple(map(_visible, value))
    return value


def service_colours(services: Iterable[str]) -> dict[str, str]:
    """The colour of each service. It is the same on every page and does not depend on the other services."""
    known = dict(zip(SERVICES, PALETTE, strict=True))
    return {s: known.get(s, PALETTE[sum(s.encode()) % len(PALETTE)]) for s in sorted(set(services))}


def by_service(frame: pl.DataFrame, legend: alt.Legend | None) -> alt.Color:
    """Colour by the column ``service``, as in `service_colours`; None hides the legend."""
    colours = service_colours(frame["service"])
    return alt.Color("service:N", title=None, scale=fixed_scale(tuple(colours), tuple(colours.values())), legend=legend)


def by_label(frame: pl.DataFrame, beside: float = 0) -> alt.Color:
    """Colour by the column ``label``: normal, other, no label; the `legend` has those of the frame."""
    there = {name: colour for name, colour in LABEL_COLOURS.items() if name in set(frame["label"])}
    scale = fixed_scale(tuple(there), tuple(there.values()))
    return alt.Color("label:N", title=None, scale=scale, legend=legend(beside=beside))


def on_z(title: str = "z-score") -> dict[str, Any]:
    """The options of an x or y channel of z-scores: the scale `Z_SCALE`, which the second line of the title names."""
    return {"title": [title, f"({SYMLOG})"], "scale": Z_SCALE, "axis": Z_AXIS}


def by_z(column: str) -> alt.Color:
    """Colour by a column of z-scores, as in `Z_COLOURS`."""
    return alt.Color(
        f"{column}:Q",
        scale=Z_COLOURS,
        legend=alt.Legend(
            orient="bottom",
            title=f"z-score ({SYMLOG})",
            titleLimit=300,
            gradientLength=if_narrow("containerSize()[0] * 0.7", "300"),
            values=[0, 1, 3, 10, 30, 100],
            labelExpr="datum.value < 100 ? datum.label : '100 or more'",
        ),
    )


def number_of(frame: pl.DataFrame, column: str, noun: str) -> str:
    """How many different values a column has, as text for the description of a chart: '7 services'."""
    return plural(frame[column].n_unique(), noun)


def fixed_scale(domain: tuple[str, ...], values: tuple[str, ...]) -> alt.Scale:
    """Map each name to a fixed value, in this order, even if some names are missing from the frame."""
    return alt.Scale(domain=list(domain), range=list(values))


def threshold_rule(threshold: float, axis: str = "x") -> Chart:
    """A dashed line at the threshold of the x axis or the y axis, with its value."""
    base = alt.Chart(pl.DataFrame({"threshold": [threshold]}))
    line = base.mark_rule(color=NEUTRAL, strokeDash=[6, 4], strokeWidth=1.5)
    name: dict[str, Any] = {"text": f"threshold {threshold:.2f}", "color": TEXT, "baseline": "bottom", "dy": -3}
    shown = tooltip(threshold="threshold")
    if axis == "x":
        at = f"scale('x', {threshold})"
        inside = alt.ExprRef(f"{at} < 45 ? 'left' : {at} > width - 45 ? 'right' : 'center'")
        text = base.mark_text(align=inside, **name).encode(x="threshold:Q", y=alt.value(0))
        return alt.layer(line.encode(x="threshold:Q", tooltip=shown), text)
    rule = line.encode(y="threshold:Q", tooltip=shown)
    text = base.mark_text(align="right", dx=-2, **name).encode(y="threshold:Q")
    return alt.layer(rule, text.encode(x=alt.value("width")))


def legend(title: str | None = None, widest: int = 110, beside: float = 0) -> alt.Legend:
    """A legend above the chart, with as many columns of `widest` pixels as fit.

    beside: the share of a phone's width that long labels beside the plot take. The width of the plot is known too late
    there: a legend that grows afterwards is cut off. The symbols of a legend are opaque and have no stroke, whatever
    the marks look like.
    """
    room = f"(containerSize()[0] < 500 ? containerSize()[0] * {1 - beside} : width)" if beside else "width"
    return alt.Legend(
        orient="top",
        columns=alt.ExprRef(f"max(1, floor({room} / {widest}))"),
        labelLimit=LABEL_LIMIT,
        title=title,
        titleOrient="left",
        symbolOpacity=1,
        symbolStrokeWidth=0,
    )


def if_narrow(then: str, otherwise: str) -> Any:
    """A Vega expression: `then` where the page gives the chart less than 500 pixels, as on a phone.

    In images there is no page, so that `otherwise` holds.
    """
    return alt.ExprRef(f"containerSize()[0] < 500 ? {then} : {otherwise}")


def long_labels(limit: int = LABEL_LIMIT) -> alt.Axis:
    """An axis of names, cut off at `limit` pixels; on a phone without their middle, as many differ at the end."""
    shown = if_narrow("containerSize()[0] * 0.4", str(limit))
    cut = "containerSize()[0] < 500 && length(datum.label) > 20"
    label = f"{cut} ? slice(datum.label, 0, 11) + '…' + slice(datum.label, -8) : datum.label"
    return alt.Axis(labelExpr=label, labelLimit=shown, labelPadding=6, labelFlush=False, ticks=False, domain=False)


def service_columns(limit: int = 110) -> alt.Axis:
    """Column titles above the chart, each cut off at `limit` pixels; horizontal, on a phone upright."""
    return alt.Axis(
        orient="top",
        labelAngle=if_narrow("-90", "0"),
        labelAlign=if_narrow("'left'", "'center'"),
        labelBaseline=if_narrow("'middle'", "'alphabetic'"),
        labelLimit=limit,
        labelFlush=False,
        ticks=False,
        domain=False,
    )


def largest_first(column: str) -> alt.EncodingSortField:
    """Sort by the largest value of a column. Layers share a sort order only if it is a minimum or maximum."""
    return alt.EncodingSortField(column, op="max", order="descending")


def tooltip(**titles: str) -> list[alt.Tooltip]:
    """A tooltip with these columns and titles, in order. Altair infers the types; numbers use `_FORMATS`."""
    return [
        alt.Tooltip(column, title=title, format=_FORMATS[column])
        if column in _FORMATS
        else alt.Tooltip(column, title=title)
        for column, title in titles.items()
    ]
