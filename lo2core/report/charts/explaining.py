"""Charts of what made scores: the items of one, and of all of a service."""

from __future__ import annotations

import altair as alt
import polars as pl

from lo2core.report.charts.base import LABEL_COLOURS, NEUTRAL, NORMAL, OTHER, Chart, largest_first, long_labels, tooltip


def item_bars(items: pl.DataFrame) -> Chart:
    """The items that made a score, largest first, each with its share written out.

    Expects ``item`` (text, unique), ``share`` (0 to 1, of the score), ``here``, ``normal`` (counts, for the tooltip).
    """
    base = alt.Chart(items).encode(
        x=alt.X("share:Q", title="share of the score", axis=alt.Axis(format="%", tickCount=5)),
        y=alt.Y("item:N", title=None, sort=largest_first("share"), axis=long_labels()),
        tooltip=tooltip(item="item", share="share", here="here", normal="nearest normals"),
    )
    bars = base.mark_bar(cornerRadiusEnd=3, height=14)
    texts = base.mark_text(align="left", dx=5, color=NEUTRAL).encode(text=alt.Text("share:Q", format=".0%"))
    return alt.layer(bars, texts).properties(height=alt.Step(26))


def beeswarm(marks: pl.DataFrame) -> Chart:
    """What items did to the scores of one service: a mark an item and sequence, right of zero it made the score larger.

    Expects ``title`` (of the item), ``seq_id``, ``contribution``, ``level`` (0 to 1: how large the count is among all
    of the item), ``offset`` (-1 to 1: where in the item's row the mark stands). ``pick`` gives ``seq_id``.
    """
    pick = alt.selection_point(name="pick", fields=["seq_id"])
    size = alt.EncodingSortField("contribution", op="max", order="descending")
    points = (
        alt.Chart(marks)
        .mark_circle(size=30)
        .encode(
            x=alt.X("contribution:Q", title="share of the score", axis=alt.Axis(tickCount=8)),
            y=alt.Y("title:N", title=None, sort=size, axis=long_labels(300)),
            yOffset=alt.YOffset("offset:Q", scale=alt.Scale(domain=[-1.2, 1.2])),
            color=alt.Color(
                "level:Q",
                title="count",
                scale=alt.Scale(domain=[0, 0.5, 1], range=[LABEL_COLOURS[NORMAL], NEUTRAL, LABEL_COLOURS[OTHER]]),
                legend=alt.Legend(orient="top", format=".0%", gradientLength=160, titleOrient="left", values=[0, 1]),
            ),
            opacity=alt.condition(pick, alt.value(0.8), alt.value(0.15)),
            tooltip=tooltip(title="item", seq_id="sequence", contribution="share of the score", level="count, rank"),
        )
        .add_params(pick)
    )
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=NEUTRAL, strokeWidth=1).encode(x="zero:Q")
    return alt.layer(zero, points).properties(height=alt.Step(34))
