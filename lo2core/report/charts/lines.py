"""Charts of log lines."""

from __future__ import annotations

import altair as alt
import polars as pl

from lo2core.base.text import plural
from lo2core.report.charts.base import (
    Chart,
    by_service,
    fixed_scale,
    legend,
    tooltip,
    with_visible_text,
)
from lo2core.report.charts.colours import LEVELS, NEUTRAL
from lo2core.report.charts.loading import below

NO_LEVEL = "no level"
_DAY_MS = 86_400_000


@with_visible_text
def events_over_time(counts: pl.DataFrame, by: str) -> Chart:
    """How many events there are over time, stacked by level or service.

    Expects ``start``, ``end`` (UTC), ``events`` and the column `by`. ``brush`` gives the chosen stretch of time in
    milliseconds since 1970, under ``start``.
    """
    named = counts.with_columns(
        pl.col("start", "end").dt.epoch("ms"),
        pl.col(by).fill_null(NO_LEVEL if by == "level" else "none"),
        at=pl.format("{} to {}", pl.col("start").dt.strftime("%F %T%.3f"), pl.col("end").dt.strftime("%T%.3f")),
    )
    spans = named.select(long=pl.col("end").max() - pl.col("start").min() > _DAY_MS)
    long = bool(spans["long"].fill_null(False).item())
    axis = alt.Axis(
        labelExpr=f"utcFormat(datum.value, '{'%d %b %H:%M' if long else '%H:%M:%S'}')",
        grid=False,
        tickCount=8,
        labelOverlap=True,
        labelFlush=True,
    )
    brush = alt.selection_interval(name="brush", encodings=["x"])
    scale = alt.Scale(zero=False, nice=False)
    bars: alt.Chart = (
        alt.Chart(named)
        .mark_bar(binSpacing=0)
        .encode(
            x=alt.X("start:Q", bin="binned", title="time (UTC)", axis=axis, scale=scale),
            x2="end:Q",
            y=alt.Y("events:Q", title="events", stack="zero", axis=alt.Axis(tickCount=4, format="~s")),
            color=_by_level(named) if by == "level" else by_service(named, below(legend())),
            tooltip=tooltip(at="time (UTC)", **{by: by}, events="events"),
        )
        .add_params(brush)
        .properties(
            height=240, description=f"Histogram: {plural(int(counts['events'].sum()), 'event')} over time by {by}."
        )
    )
    return bars


def _by_level(counts: pl.DataFrame) -> alt.Color:
    there = counts["level"].unique().sort().to_list()
    names = [*(level for level in LEVELS if level in there), *(level for level in there if level not in LEVELS)]
    colours = tuple(LEVELS.get(level, NEUTRAL) for level in names)
    return alt.Color("level:N", title=None, scale=fixed_scale(tuple(names), colours), legend=below(legend()))
