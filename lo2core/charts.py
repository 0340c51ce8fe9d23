"""Small frames in, Altair charts out; nothing is computed here.

Every function names the columns it expects; further columns are ignored, an empty frame gives an empty chart. Charts
take fonts, background and colour ramps from the page's theme, so they follow light and dark; colours fixed here are
readable on both. No meaning rests on red and green: flags have a shape of their own, shares are written out.

Charts in which one can select name their selection ``pick`` and give back the column ``seq_id`` (or what they say):
``event["selection"].get("pick")`` is a list of such rows. Budget: at most 5,000 selectable marks, 20,000 marks at all;
a caller that has more aggregates or takes the top first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import altair as alt
import polars as pl

from lo2core.config import SERVICES

Chart: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart

PALETTE = ("#5c76d9", "#c2990f", "#693ae9", "#3fa9c8", "#be9585", "#c00d25", "#a23873")
"""Seven colours told apart with protanopia and deuteranopia, on white and on near-black."""

NEUTRAL = "#8b93a1"
"""Text, rules and what is not in question: the one grey that reads on both backgrounds."""

NORMAL, OTHER, UNLABELLED = "normal", "other", "no label"
LABEL_COLOURS = {NORMAL: "#3fa9c8", OTHER: "#d9731a", UNLABELLED: NEUTRAL}

SHARE_RAMP = ["#727c89", "#5b3f8c", "#3c1361"]
"""From 0 to 1 under white figures: dark enough for them at both ends, in light and dark pages."""

DIFFERENCE_RAMP = ["#a3500f", "#727c89", "#2c5fb3"]
"""Less than before, the same, more: orange and blue, all dark enough for white figures."""

LEDGER = ("events", "continuations", "orphans", "blank", "skipped")
LEDGER_COLOURS = ("#5c76d9", "#3fa9c8", "#c2990f", NEUTRAL, "#a23873")

CHANGES = ("flagged by both", "flagged by neither", "now flagged", "no longer flagged")
CHANGE_COLOURS = ("#a23873", NEUTRAL, "#d9731a", "#5c76d9")
CHANGE_SHAPES = ("square", "circle", "triangle-up", "triangle-down")

ROW = alt.Step(20)
LABEL_LIMIT = 380
Z_AXIS = alt.Axis(values=[-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000], format="~s")
Z_SCALE = alt.Scale(type="symlog", constant=3)
"""Linear near zero, where the threshold is; logarithmic beyond, where a fault can be hundreds of deviations out."""


def service_colours(services: Iterable[str]) -> dict[str, str]:
    """The colour of each service: the same on every page, whichever other services are shown beside it."""
    known = dict(zip(SERVICES, PALETTE, strict=True))
    return {s: known.get(s, PALETTE[sum(s.encode()) % len(PALETTE)]) for s in sorted(set(services))}


def incident_heatmap(cells: pl.DataFrame, threshold: float) -> Chart:
    """One row an incident, worst first; one column a service; darker (on dark: brighter) is a larger z-score.

    Expects ``incident`` (unique label of the row), ``rank`` (1 is worst), ``service``, ``seq_id``, ``z_score`` (null:
    not scored), ``top_item`` (text for the tooltip). Cells at or above `threshold` carry a dot. ``pick`` gives
    ``seq_id``.
    """
    pick = alt.selection_point(name="pick", fields=["seq_id"])
    base = alt.Chart(cells).encode(
        x=alt.X("service:N", title=None, axis=_service_columns()),
        y=alt.Y("incident:N", title=None, sort=alt.EncodingSortField("rank", op="min"), axis=_long_labels()),
    )
    squares = base.mark_rect(cornerRadius=2, stroke=NEUTRAL, strokeOpacity=0.25).encode(
        color=alt.Color(
            "z_score:Q",
            title="z-score",
            scale=alt.Scale(domain=[0, max(4 * threshold, 1.0)], clamp=True),
            legend=alt.Legend(orient="bottom", gradientLength=220, titleOrient="left", format="~s"),
        ),
        opacity=alt.condition(pick, alt.value(1.0), alt.value(0.35)),
        tooltip=_tooltip(incident="incident", service="service", z_score="z-score", top_item="what it is"),
    )
    dots = base.mark_point(filled=True, color="#ffffff", stroke="#1b2430", strokeWidth=1.2, opacity=1).encode(
        size=alt.condition(alt.datum.z_score >= threshold, alt.value(34), alt.value(0))
    )
    return alt.layer(squares.add_params(pick), dots).properties(height=ROW)


def score_strip(scores: pl.DataFrame, threshold: float) -> Chart:
    """A tick for each sequence, in two lanes a service (normal, other), against the threshold.

    Expects ``seq_id``, ``service``, ``label`` (normal, other, no label), ``z_score``, ``test_case``, ``run``. ``pick``
    gives ``seq_id``.
    """
    pick = alt.selection_point(name="pick", fields=["seq_id"])
    ticks = (
        alt.Chart(scores)
        .mark_tick(thickness=2, bandSize=12)
        .encode(
            x=alt.X("z_score:Q", title="z-score", scale=Z_SCALE, axis=Z_AXIS),
            y=alt.Y("service:N", title=None, axis=_long_labels(110)),
            yOffset=alt.YOffset("label:N", sort=list(LABEL_COLOURS)),
            color=_by_label(),
            opacity=alt.condition(pick, alt.value(0.75), alt.value(0.15)),
            tooltip=_tooltip(service="service", test_case="test case", run="run", label="label", z_score="z-score"),
        )
        .add_params(pick)
    )
    return alt.layer(ticks, _threshold_rule(threshold)).properties(height=alt.Step(14))


def ledger_bar(ledger: pl.DataFrame) -> Chart:
    """Where every line went, as one bar.

    Expects ``kind`` (events, continuations, orphans, blank, skipped), ``lines``; one row a kind.
    """
    return (
        alt.Chart(ledger)
        .transform_calculate(position=f"indexof({list(LEDGER)}, datum.kind)")
        .mark_bar(height=26, cornerRadius=2)
        .encode(
            x=alt.X("lines:Q", title=None, stack="zero", axis=alt.Axis(format="~s", grid=False, tickCount=6)),
            color=alt.Color("kind:N", title=None, scale=_fixed(LEDGER, LEDGER_COLOURS), legend=_legend()),
            order=alt.Order("position:Q"),
            tooltip=_tooltip(kind="kind", lines="lines"),
        )
        .properties(height=100)
    )


def timeline(bands: pl.DataFrame, errors: pl.DataFrame) -> Chart:
    """Runs over time: a band for each test case, a tick for each moment with errors.

    `bands` expects ``run``, ``folder``, ``label`` (normal, other, no label), ``start``, ``end``; `errors` expects
    ``run``, ``at``, ``service``, ``errors`` (how many). Times are minutes since the run's start. ``pick`` gives ``run``
    and ``folder``.
    """
    pick = alt.selection_point(name="pick", fields=["run", "folder"])
    lanes = alt.Y("run:N", title=None, axis=_long_labels(160))
    minutes = alt.X("start:Q", title="minutes since the start of the run", axis=alt.Axis(tickCount=10, grid=False))
    cases = (
        alt.Chart(bands)
        .mark_bar(height=18, stroke=NEUTRAL, strokeWidth=0.5)
        .encode(
            x=minutes,
            x2="end:Q",
            y=lanes,
            color=_by_label(),
            opacity=alt.condition(pick, alt.value(0.55), alt.value(0.15)),
            tooltip=_tooltip(run="run", folder="test case", label="label", start="from minute", end="to minute"),
        )
        .add_params(pick)
    )
    ticks = (
        alt.Chart(errors)
        .mark_tick(thickness=1, height=9, yOffset=15)
        .encode(
            x="at:Q",
            y=lanes,
            color=_by_service(errors, _legend("errors of")),
            tooltip=_tooltip(run="run", service="service", at="minute", errors="errors"),
        )
    )
    return alt.layer(cases, ticks).resolve_scale(color="independent").properties(height=alt.Step(44))


def prediction_scatter(
    pairs: pl.DataFrame, thresholds: tuple[float, float], names: tuple[str, str] = ("A", "B")
) -> Chart:
    """The same sequences scored twice, both thresholds as lines, flips marked by shape and colour.

    Expects ``seq_id``, ``service``, ``test_case``, ``run``, ``z_a``, ``z_b``, ``change`` (one of `CHANGES`). ``pick``
    (a click) gives ``seq_id``, ``brush`` (a box drawn) the ranges of ``z_a`` and ``z_b``.
    """
    pick = alt.selection_point(name="pick", fields=["seq_id"])
    brush = alt.selection_interval(name="brush", encodings=["x", "y"])
    points = (
        alt.Chart(pairs)
        .mark_point(filled=True, size=46)
        .encode(
            x=alt.X("z_a:Q", title=f"z-score in {names[0]}", scale=Z_SCALE, axis=Z_AXIS),
            y=alt.Y("z_b:Q", title=f"z-score in {names[1]}", scale=Z_SCALE, axis=Z_AXIS),
            color=alt.Color("change:N", title=None, scale=_fixed(CHANGES, CHANGE_COLOURS), legend=_legend()),
            shape=alt.Shape("change:N", title=None, scale=_fixed(CHANGES, CHANGE_SHAPES), legend=_legend()),
            opacity=alt.condition(pick & brush, alt.value(0.75), alt.value(0.12)),
            tooltip=_tooltip(
                service="service", test_case="test case", run="run", z_a=names[0], z_b=names[1], change="change"
            ),
        )
        .add_params(pick, brush)
    )
    return alt.layer(points, _threshold_rule(thresholds[0]), _threshold_rule(thresholds[1], "y")).properties(height=380)


def item_bars(items: pl.DataFrame) -> Chart:
    """The items that made a score, largest first, each with its share written out.

    Expects ``item`` (text, unique), ``share`` (0 to 1, of the score), ``here``, ``normal`` (counts, for the tooltip).
    """
    base = alt.Chart(items).encode(
        x=alt.X("share:Q", title="share of the score", axis=alt.Axis(format="%", tickCount=5)),
        y=alt.Y("item:N", title=None, sort=_largest_first("share"), axis=_long_labels()),
        tooltip=_tooltip(item="item", share="share", here="here", normal="nearest normals"),
    )
    bars = base.mark_bar(cornerRadiusEnd=3, height=14)
    texts = base.mark_text(align="left", dx=5, color=NEUTRAL).encode(text=alt.Text("share:Q", format=".0%"))
    return alt.layer(bars, texts).properties(height=alt.Step(26))


def service_bars(scores: pl.DataFrame, threshold: float) -> Chart:
    """One incident, its services side by side, against the threshold.

    Expects ``seq_id``, ``service``, ``z_score``. ``pick`` gives ``seq_id``.
    """
    pick = alt.selection_point(name="pick", fields=["seq_id"])
    base = alt.Chart(scores).encode(
        x=alt.X("z_score:Q", title="z-score", scale=Z_SCALE, axis=Z_AXIS),
        y=alt.Y("service:N", title=None, sort=_largest_first("z_score"), axis=_long_labels(110)),
        tooltip=_tooltip(service="service", z_score="z-score"),
    )
    bars = base.mark_bar(cornerRadiusEnd=3, height=16).encode(
        color=_by_service(scores, legend=None), opacity=alt.condition(pick, alt.value(1.0), alt.value(0.35))
    )
    texts = (
        base.transform_calculate(end="max(datum.z_score, 0)")
        .mark_text(align="left", dx=5, color=NEUTRAL)
        .encode(x="end:Q", text=alt.Text("z_score:Q", format=".1f"))
    )
    return alt.layer(bars.add_params(pick), texts, _threshold_rule(threshold)).properties(height=alt.Step(26))


def roc_curves(curves: pl.DataFrame) -> Chart:
    """Recall against false alarms, one line a detector; the diagonal is chance.

    Expects ``name``, ``false_alarm_rate``, ``recall`` (both 0 to 1), in the order of the curve.
    """
    chance = alt.Chart(pl.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]})).mark_line(
        color=NEUTRAL, strokeDash=[3, 4], strokeWidth=1
    )
    lines = _curves(curves, "false_alarm_rate", "false alarms, share of normals", "recall", "recall")
    return alt.layer(chance.encode(x="x:Q", y="y:Q"), lines).properties(height=320)


def precision_recall_curves(curves: pl.DataFrame) -> Chart:
    """Precision against recall, one line a detector.

    Expects ``name``, ``recall``, ``precision`` (both 0 to 1), in the order of the curve.
    """
    return _curves(curves, "recall", "recall", "precision", "precision").properties(height=320)


def recall_matrix(recalls: pl.DataFrame) -> Chart:
    """Where each fault shows: one row a test case, one column a service, the share of its sequences that were flagged.

    Expects ``test_case``, ``service``, ``recall`` (0 to 1), ``n`` (sequences). The share is written into its cell.
    """
    base = alt.Chart(recalls).encode(
        x=alt.X("service:N", title=None, axis=_service_columns()),
        y=alt.Y("test_case:N", title=None, axis=_long_labels()),
        tooltip=_tooltip(test_case="test case", service="service", recall="flagged", n="sequences"),
    )
    squares = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color("recall:Q", scale=alt.Scale(domain=[0, 1], range=SHARE_RAMP), legend=None)
    )
    texts = base.mark_text(fontWeight=600, color="#ffffff").encode(text=alt.Text("recall:Q", format=".0%"))
    return alt.layer(squares, texts).properties(height=ROW)


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
            y=alt.Y("title:N", title=None, sort=size, axis=_long_labels(300)),
            yOffset=alt.YOffset("offset:Q", scale=alt.Scale(domain=[-1.2, 1.2])),
            color=alt.Color(
                "level:Q",
                title="count",
                scale=alt.Scale(domain=[0, 0.5, 1], range=[LABEL_COLOURS[NORMAL], NEUTRAL, LABEL_COLOURS[OTHER]]),
                legend=alt.Legend(orient="top", format=".0%", gradientLength=160, titleOrient="left", values=[0, 1]),
            ),
            opacity=alt.condition(pick, alt.value(0.8), alt.value(0.15)),
            tooltip=_tooltip(title="item", seq_id="sequence", contribution="share of the score", level="count, rank"),
        )
        .add_params(pick)
    )
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(color=NEUTRAL, strokeWidth=1).encode(x="zero:Q")
    return alt.layer(zero, points).properties(height=alt.Step(34))


def calibration_strip(scores: pl.DataFrame, threshold: float) -> Chart:
    """How unseen normals scored, service by service, against the threshold.

    Expects ``service``, ``score``, ``z_score``, ``weight`` (how many rows a tick stands for).
    """
    ticks = (
        alt.Chart(scores)
        .mark_tick(thickness=2, bandSize=14, opacity=0.75)
        .encode(
            x=alt.X("z_score:Q", title="z-score", axis=alt.Axis(tickCount=8)),
            y=alt.Y("service:N", title=None, axis=_long_labels(110)),
            color=_by_service(scores, legend=None),
            tooltip=_tooltip(service="service", score="score", z_score="z-score", weight="normals"),
        )
    )
    return alt.layer(ticks, _threshold_rule(threshold)).properties(height=alt.Step(24))


def prediction_density(cells: pl.DataFrame, thresholds: tuple[float, float], names: tuple[str, str]) -> Chart:
    """`prediction_scatter` for more points than one can select: how many fall into each cell.

    Expects ``left``, ``right`` (edges in z of A), ``bottom``, ``top`` (in z of B), ``n``.
    """
    squares = (
        alt.Chart(cells)
        .mark_rect()
        .encode(
            x=alt.X("left:Q", title=f"z-score in {names[0]}", bin="binned", scale=Z_SCALE, axis=Z_AXIS),
            x2="right:Q",
            y=alt.Y("bottom:Q", title=f"z-score in {names[1]}", bin="binned", scale=Z_SCALE, axis=Z_AXIS),
            y2="top:Q",
            color=alt.Color("n:Q", title="how many", scale=alt.Scale(type="log"), legend=alt.Legend(orient="top")),
            tooltip=_tooltip(left="A from z", right="A to z", bottom="B from z", top="B to z", n="how many"),
        )
    )
    return alt.layer(squares, _threshold_rule(thresholds[0]), _threshold_rule(thresholds[1], "y")).properties(
        height=380
    )


def recall_differences(recalls: pl.DataFrame) -> Chart:
    """Recall by fault: one row a test case, one column a prediction, coloured by the difference to the first of them.

    Expects ``test_case``, ``prediction``, ``recall`` (0 to 1), ``difference`` (-1 to 1), ``n`` (incidents).
    """
    base = alt.Chart(recalls).encode(
        x=alt.X("prediction:N", title=None, sort=None, axis=_service_columns(200)),
        y=alt.Y("test_case:N", title=None, axis=_long_labels()),
        tooltip=_tooltip(
            test_case="test case", prediction="prediction", recall="flagged", difference="difference", n="incidents"
        ),
    )
    squares = base.mark_rect(cornerRadius=2).encode(
        color=alt.Color("difference:Q", scale=alt.Scale(domain=[-1, 0, 1], range=DIFFERENCE_RAMP), legend=None)
    )
    texts = base.mark_text(fontWeight=600, color="#ffffff").encode(text=alt.Text("recall:Q", format=".0%"))
    return alt.layer(squares, texts).properties(height=ROW)


def paired_heatmap(cells: pl.DataFrame, threshold: float) -> Chart:
    """Test case x service scored in two logs: in each column A stands left and B right.

    Expects ``test_case``, ``service``, ``side`` ("A" or "B"), ``z`` (null: not scored), ``n`` (sequences). ``pick``
    gives ``test_case``, ``service`` and ``side``.
    """
    pick = alt.selection_point(name="pick", fields=["test_case", "service", "side"])
    squares = (
        alt.Chart(cells)
        .mark_rect(stroke=NEUTRAL, strokeOpacity=0.25)
        .encode(
            x=alt.X("service:N", title=None, axis=_service_columns()),
            xOffset=alt.XOffset("side:N", sort=["A", "B"]),
            y=alt.Y("test_case:N", title=None, axis=_long_labels()),
            color=alt.Color(
                "z:Q",
                title="z-score",
                scale=alt.Scale(domain=[0, max(4 * threshold, 1.0)], clamp=True),
                legend=alt.Legend(orient="bottom", gradientLength=220, titleOrient="left", format="~s"),
            ),
            opacity=alt.condition(pick, alt.value(1.0), alt.value(0.35)),
            tooltip=_tooltip(test_case="test case", service="service", side="logs", z="median z", n="sequences"),
        )
        .add_params(pick)
    )
    return squares.properties(height=ROW)


def predictions_over_time(points: pl.DataFrame) -> Chart:
    """All saved predictions in the order they were made, a small panel for each measure, so that drift is seen.

    Expects ``measure`` (the panel's title), ``prediction``, ``made`` (datetime), ``value``. Show it with
    ``width="content"``.
    """
    return (
        alt.Chart(points)
        .mark_line(point=alt.OverlayMarkDef(size=45, filled=True), color=PALETTE[0])
        .encode(
            x=alt.X("made:T", title=None, axis=alt.Axis(tickCount=4, labelOverlap=True)),
            y=alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4)),
            tooltip=_tooltip(prediction="prediction", made="made", measure="measure", value="value"),
        )
        .properties(width=260, height=110)
        .facet(facet=alt.Facet("measure:N", title=None, header=alt.Header(labelAnchor="start")), columns=3)
        .resolve_scale(y="independent")
    )


def _curves(curves: pl.DataFrame, x: str, x_title: str, y: str, y_title: str) -> alt.Chart:
    percent = alt.Axis(format="%", tickCount=5)
    legend = alt.Legend(orient="top", columns=1, labelLimit=LABEL_LIMIT, symbolSize=300)
    return (
        alt.Chart(curves)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=alt.X(f"{x}:Q", title=x_title, axis=percent, scale=alt.Scale(domain=[0, 1])),
            y=alt.Y(f"{y}:Q", title=y_title, axis=percent, scale=alt.Scale(domain=[0, 1])),
            color=alt.Color("name:N", title=None, legend=legend),
            strokeDash=alt.StrokeDash("name:N", title=None, legend=legend),
            order=alt.value(0),
            tooltip=_tooltip(**{"name": "detector", x: x_title, y: y_title}),
        )
    )


def _threshold_rule(threshold: float, axis: str = "x") -> alt.Chart:
    line = alt.Chart(pl.DataFrame({"threshold": [threshold]})).mark_rule(
        color=NEUTRAL, strokeDash=[6, 4], strokeWidth=1.5
    )
    where = alt.X("threshold:Q") if axis == "x" else alt.Y("threshold:Q")
    return line.encode(where, tooltip=_tooltip(threshold="threshold"))


def _by_label() -> alt.Color:
    scale = _fixed(tuple(LABEL_COLOURS), tuple(LABEL_COLOURS.values()))
    return alt.Color("label:N", title=None, scale=scale, legend=_legend())


def _by_service(frame: pl.DataFrame, legend: alt.Legend | None) -> alt.Color:
    colours = service_colours(frame["service"])
    return alt.Color("service:N", title=None, scale=_fixed(tuple(colours), tuple(colours.values())), legend=legend)


def _fixed(domain: tuple[str, ...], values: tuple[str, ...]) -> alt.Scale:
    return alt.Scale(domain=list(domain), range=list(values))


def _legend(title: str | None = None) -> alt.Legend:
    return alt.Legend(
        orient="top", labelLimit=LABEL_LIMIT, title=title, titleOrient="left", symbolOpacity=1, symbolStrokeWidth=0
    )


def _largest_first(column: str) -> alt.EncodingSortField:
    """Layers only agree on an order that is a minimum or maximum."""
    return alt.EncodingSortField(column, op="max", order="descending")


def _long_labels(limit: int = LABEL_LIMIT) -> alt.Axis:
    return alt.Axis(labelLimit=limit, labelPadding=6, labelFlush=False, ticks=False, domain=False)


def _service_columns(limit: int = 110) -> alt.Axis:
    return alt.Axis(orient="top", labelAngle=0, labelLimit=limit, labelFlush=False, ticks=False, domain=False)


def _tooltip(**titles: str) -> list[alt.Tooltip]:
    """Column names and their titles, in order; Altair infers the types from the frame."""
    return [alt.Tooltip(column, title=title) for column, title in titles.items()]
