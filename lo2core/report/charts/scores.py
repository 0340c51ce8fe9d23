"""Charts of scores and their threshold: of a model's normals, of saved predictions, of one incident."""

from __future__ import annotations

import altair as alt
import polars as pl

from lo2core.base.text import plural
from lo2core.report.charts.base import (
    ROW,
    Chart,
    by_label,
    by_service,
    by_z,
    largest_first,
    long_labels,
    number_of,
    on_z,
    service_columns,
    threshold_rule,
    tooltip,
    with_visible_text,
)
from lo2core.report.charts.colours import LABEL_COLOURS, NEUTRAL, TEXT

NO_SCORE = "?"
"""What a heat map shows in place of a colour where a service has no score."""


@with_visible_text
def incident_heatmap(cells: pl.DataFrame, threshold: float) -> Chart:
    """One row per incident, worst first; one column per service; a stronger colour is a larger z-score.

    Expects ``incident`` (unique label of the row), ``rank`` (1 is worst), ``service``, ``seq_id``, ``z_score`` (null:
    not scored, shown as `NO_SCORE`), ``top_item`` (text for the tooltip). Cells at or above `threshold` have a dot.
    ``pick`` gives ``seq_id``.
    """
    pick = alt.selection_point(name="pick", fields=["seq_id"])
    base = alt.Chart(cells).encode(
        x=alt.X("service:N", title=None, axis=service_columns()),
        y=alt.Y("incident:N", title=None, sort=alt.EncodingSortField("rank", op="min"), axis=long_labels()),
    )
    squares = base.mark_rect(cornerRadius=2, stroke=NEUTRAL, strokeOpacity=0.25).encode(
        color=by_z("z_score"),
        opacity=alt.condition(pick, alt.value(1.0), alt.value(0.35)),
        tooltip=tooltip(incident="incident", service="service", z_score="z-score", top_item="top item"),
    )
    dots = base.mark_point(filled=True, color="#ffffff", stroke="#1b2430", strokeWidth=1.2, opacity=1).encode(
        size=alt.condition(alt.datum.z_score >= threshold, alt.value(34), alt.value(0))
    )
    empty = base.transform_filter("!isValid(datum.z_score)").mark_text(text=NO_SCORE, color=TEXT)
    incidents, services = number_of(cells, "incident", "incident"), number_of(cells, "service", "service")
    about = f"Heat map: z-scores of {incidents}, worst first, by {services}; a dot marks those from {threshold:.2f} on."
    return alt.layer(squares.add_params(pick), dots, empty).properties(height=ROW, description=about)


@with_visible_text
def score_strip(scores: pl.DataFrame, threshold: float) -> Chart:
    """A tick for each sequence, in two lanes per service (normal, other), with the threshold.

    Expects ``seq_id``, ``service``, ``label`` (normal, other, no label), ``z_score``, ``test_case``, ``run``. ``pick``
    gives ``seq_id``.
    """
    pick = alt.selection_point(name="pick", fields=["seq_id"])
    ticks = (
        alt.Chart(scores)
        .mark_tick(thickness=2, bandSize=12)
        .encode(
            x=alt.X("z_score:Q", **on_z()),
            y=alt.Y("service:N", title=None, axis=long_labels(110)),
            yOffset=alt.YOffset("label:N", sort=list(LABEL_COLOURS)),
            color=by_label(scores),
            opacity=alt.condition(pick, alt.value(0.75), alt.value(0.15)),
            tooltip=tooltip(service="service", test_case="test case", run="run", label="label", z_score="z-score"),
        )
        .add_params(pick)
    )
    about = f"{plural(scores.height, 'z-score')} of {number_of(scores, 'service', 'service')}, normal and faulty apart."
    about = f"Strip plot: {about} Threshold {threshold:.2f}."
    return alt.layer(ticks, threshold_rule(threshold)).properties(height=alt.Step(14), description=about)


@with_visible_text
def service_bars(scores: pl.DataFrame, threshold: float) -> Chart:
    """The services of one incident, largest z-score first, with the threshold.

    Expects ``seq_id``, ``service``, ``z_score``. ``pick`` gives ``seq_id``.
    """
    pick = alt.selection_point(name="pick", fields=["seq_id"])
    base = alt.Chart(scores).encode(
        x=alt.X("z_score:Q", **on_z()),
        y=alt.Y("service:N", title=None, sort=largest_first("z_score"), axis=long_labels(110)),
        tooltip=tooltip(service="service", z_score="z-score"),
    )
    bars = base.mark_bar(cornerRadiusEnd=3, height=16).encode(
        color=by_service(scores, legend=None), opacity=alt.condition(pick, alt.value(1.0), alt.value(0.35))
    )
    # at the right edge, so that the threshold line does not cross the texts
    known = "isValid(datum.z_score) ? format(datum.z_score, '.1f') : 'no score'"
    texts = base.transform_calculate(text=known).mark_text(align="left", dx=5, color=TEXT)
    texts = texts.encode(x=alt.value("width"), text="text:N")
    services = number_of(scores, "service", "service")
    about = f"Bar chart: z-scores of {services}, largest first. Threshold {threshold:.2f}."
    layers = alt.layer(bars.add_params(pick), texts, threshold_rule(threshold))
    return layers.properties(height=alt.Step(26), description=about)


@with_visible_text
def calibration_strip(scores: pl.DataFrame, threshold: float) -> Chart:
    """The scores of held-out normals by service, with the threshold.

    Expects ``service``, ``seq_id`` (null: unknown), ``score``, ``z_score``, ``weight`` (the number of rows that a tick
    represents). ``pick`` gives ``service`` and ``seq_id``.
    """
    pick = alt.selection_point(name="pick", fields=["service", "seq_id"])
    ticks = (
        alt.Chart(scores)
        .mark_tick(thickness=2, bandSize=14)
        .encode(
            x=alt.X("z_score:Q", title="z-score", axis=alt.Axis(tickCount=8)),
            y=alt.Y("service:N", title=None, axis=long_labels(110)),
            color=by_service(scores, legend=None),
            opacity=alt.condition(pick, alt.value(0.75), alt.value(0.15)),
            tooltip=tooltip(service="service", seq_id="normal", score="score", z_score="z-score", weight="rows"),
        )
        .add_params(pick)
    )
    about = f"{plural(scores.height, 'z-score')} of held-out normals of {number_of(scores, 'service', 'service')}."
    about = f"Strip plot: {about} Threshold {threshold:.2f}."
    return alt.layer(ticks, threshold_rule(threshold)).properties(height=alt.Step(24), description=about)
