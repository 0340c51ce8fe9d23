"""What all charts are made of: colours, scales, axes, legends, tooltips."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import altair as alt
import polars as pl

from lo2core.base.config import SERVICES

Chart: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart

PALETTE = ("#5c76d9", "#c2990f", "#693ae9", "#3fa9c8", "#be9585", "#c00d25", "#a23873")
"""Seven colours told apart with protanopia and deuteranopia, on white and on near-black."""

NEUTRAL = "#8b93a1"
"""Text, rules and what is not in question: the one grey that reads on both backgrounds."""

NORMAL, OTHER, UNLABELLED = "normal", "other", "no label"
LABEL_COLOURS = {NORMAL: "#3fa9c8", OTHER: "#d9731a", UNLABELLED: NEUTRAL}

ROW = alt.Step(20)
LABEL_LIMIT = 380
MAX_MARKS = 5_000
"""Marks in which one can select; a caller that has more aggregates or takes the top first."""
Z_AXIS = alt.Axis(
    values=[-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000], format="~s", titleLimit=250
)
Z_SCALE = alt.Scale(type="symlog", constant=3)
"""Linear near zero, where the threshold is; logarithmic beyond, where a fault can be hundreds of deviations out."""


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
"""How a tooltip writes a column: what people read of a number, not all digits that it has."""


def service_colours(services: Iterable[str]) -> dict[str, str]:
    """The colour of each service: the same on every page, whichever other services are shown beside it."""
    known = dict(zip(SERVICES, PALETTE, strict=True))
    return {s: known.get(s, PALETTE[sum(s.encode()) % len(PALETTE)]) for s in sorted(set(services))}


def by_service(frame: pl.DataFrame, legend: alt.Legend | None) -> alt.Color:
    """Colour by `service`, the colours of `service_colours`; `legend` None shows none."""
    colours = service_colours(frame["service"])
    return alt.Color("service:N", title=None, scale=fixed_scale(tuple(colours), tuple(colours.values())), legend=legend)


def by_label() -> alt.Color:
    """Colour by `label`: normal, other, no label."""
    scale = fixed_scale(tuple(LABEL_COLOURS), tuple(LABEL_COLOURS.values()))
    return alt.Color("label:N", title=None, scale=scale, legend=legend())


def by_z(column: str, threshold: float) -> alt.Color:
    """Colour by a z-score, full from four times the threshold on."""
    return alt.Color(
        f"{column}:Q",
        title="z-score",
        scale=alt.Scale(domain=[0, max(4 * threshold, 1.0)], clamp=True),
        legend=alt.Legend(orient="bottom", gradientLength=220, titleOrient="left", format="~s"),
    )


def fixed_scale(domain: tuple[str, ...], values: tuple[str, ...]) -> alt.Scale:
    """One value a name, in this order, whichever of the names a frame holds."""
    return alt.Scale(domain=list(domain), range=list(values))


def threshold_rule(threshold: float, axis: str = "x") -> alt.Chart:
    """A dashed line at the threshold: across x, or across y."""
    line = alt.Chart(pl.DataFrame({"threshold": [threshold]})).mark_rule(
        color=NEUTRAL, strokeDash=[6, 4], strokeWidth=1.5
    )
    where = alt.X("threshold:Q") if axis == "x" else alt.Y("threshold:Q")
    return line.encode(where, tooltip=tooltip(threshold="threshold"))


def legend(title: str | None = None) -> alt.Legend:
    """A legend above the chart that reads the same for marks of any opacity and stroke."""
    return alt.Legend(
        orient="top", labelLimit=LABEL_LIMIT, title=title, titleOrient="left", symbolOpacity=1, symbolStrokeWidth=0
    )


def long_labels(limit: int = LABEL_LIMIT) -> alt.Axis:
    """An axis of names, as much of each as `limit` pixels hold."""
    return alt.Axis(labelLimit=limit, labelPadding=6, labelFlush=False, ticks=False, domain=False)


def service_columns(limit: int = 110) -> alt.Axis:
    """Column heads above the chart, written level."""
    return alt.Axis(orient="top", labelAngle=0, labelLimit=limit, labelFlush=False, ticks=False, domain=False)


def largest_first(column: str) -> alt.EncodingSortField:
    """Layers only agree on an order that is a minimum or maximum."""
    return alt.EncodingSortField(column, op="max", order="descending")


def tooltip(**titles: str) -> list[alt.Tooltip]:
    """Column names and their titles, in order; Altair infers the types from the frame. Measures are rounded."""
    return [
        alt.Tooltip(column, title=title, format=_FORMATS[column])
        if column in _FORMATS
        else alt.Tooltip(column, title=title)
        for column, title in titles.items()
    ]
