"""Charts of the items behind scores: of one sequence, and of all sequences of a service."""

from __future__ import annotations

import altair as alt
import polars as pl

from lo2core.base.text import plural
from lo2core.report.charts.base import (
    Chart,
    largest_first,
    long_labels,
    number_of,
    tooltip,
    with_visible_text,
)
from lo2core.report.charts.colours import FAULTY, KINDS, LABEL_COLOURS, NEUTRAL, NORMAL, TEXT


@with_visible_text
def item_bars(items: pl.DataFrame) -> Chart:
    """The items that contribute to a score, largest share first, with the share as text.

    Expects ``item`` (text, unique), ``share`` (of the score, 0 to 1), ``here`` (count in the sequence), ``normal``
    (counts in the nearest normals, as text for the tooltip).
    """
    base = alt.Chart(items).encode(
        x=alt.X("share:Q", title="share of the score", axis=alt.Axis(format="%", tickCount=5)),
        y=alt.Y("item:N", title=None, sort=largest_first("share"), axis=long_labels()),
        tooltip=tooltip(item="item", share="share", here="here", normal="nearest normals"),
    )
    bars = base.mark_bar(cornerRadiusEnd=3, height=14, color=KINDS[0])
    texts = base.mark_text(align="left", dx=5, color=TEXT).encode(text=alt.Text("share:Q", format=".0%"))
    about = f"Bar chart: the shares of {plural(items.height, 'item')} of the score, largest first."
    return alt.layer(bars, texts).properties(height=alt.Step(26), description=about)


@with_visible_text
def beeswarm(marks: pl.DataFrame) -> Chart:
    """A SHAP-style summary plot of one service: one mark per item and sequence; right of zero it raised the score.

    Expects ``title`` (of the item), ``seq_id``, ``contribution`` (in units of the score), ``level`` (rank of the count
    among all counts of the item, 0 to 1), ``offset`` (vertical position in the item's row, -1 to 1). ``pick`` gives
    ``seq_id``.
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
                scale=alt.Scale(domain=[0, 0.5, 1], range=[LABEL_COLOURS[NORMAL], NEUTRAL, LABEL_COLOURS[FAULTY]]),
                legend=alt.Legend(orient="top", format=".0%", gradientLength=160, titleOrient="left", values=[0, 1]),
            ),
            opacity=alt.condition(pick, alt.value(0.8), alt.value(0.15)),
            tooltip=tooltip(title="item", seq_id="sequence", contribution="share of the score", level="count, rank"),
        )
        .add_params(pick)
    )
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=NEUTRAL, strokeWidth=1).encode(x="zero:Q")
    items, sequences = number_of(marks, "title", "item"), number_of(marks, "seq_id", "sequence")
    about = f"Summary plot: how much {items} raised or lowered the scores of {sequences}."
    return alt.layer(zero, points).properties(height=alt.Step(34), description=about)
