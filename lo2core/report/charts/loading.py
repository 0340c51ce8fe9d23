"""Charts of loaded logs: the ledger of lines, and runs over time."""

from __future__ import annotations

import altair as alt
import polars as pl

from lo2core.base.text import plural
from lo2core.report.charts.base import (
    Chart,
    by_label,
    by_service,
    fixed_scale,
    legend,
    long_labels,
    number_of,
    tooltip,
    with_visible_text,
)
from lo2core.report.charts.colours import LEDGER_COLOURS, NEUTRAL

LEDGER = ("events", "continuations", "orphans", "blank", "skipped")
NOT_CHOSEN = "not chosen"
_THOUSANDS = alt.Axis(format="~s", labelExpr="datum.value ? datum.label : '0'", grid=False, tickCount=6)


@with_visible_text
def ledger_bar(ledger: pl.DataFrame) -> Chart:
    """The number of lines of each kind, as one stacked bar.

    Expects ``kind`` (events, continuations, orphans, blank, skipped, not chosen) and ``lines``; one row per kind.
    """
    kinds = (*LEDGER, *([NOT_CHOSEN] if NOT_CHOSEN in ledger["kind"] else []))
    colours = LEDGER_COLOURS[: len(kinds)]
    bar: alt.Chart = (
        alt.Chart(ledger)
        .transform_calculate(position=f"indexof({list(kinds)}, datum.kind)")
        .mark_bar(height=26, cornerRadius=2)
        .encode(
            x=alt.X("lines:Q", title=None, stack="zero", axis=_THOUSANDS),
            color=alt.Color("kind:N", title=None, scale=fixed_scale(kinds, colours), legend=legend()),
            order=alt.Order("position:Q"),
            tooltip=tooltip(kind="kind", lines="lines"),
        )
        .properties(height=100, description=f"Stacked bar: {plural(int(ledger['lines'].sum()), 'line')} by kind.")
    )
    return bar


@with_visible_text
def timeline(bands: pl.DataFrame, errors: pl.DataFrame) -> Chart:
    """Runs over time: a band for each test case, and a tick wherever errors were logged.

    `bands` expects ``run``, ``folder``, ``label`` (normal, other, no label), ``start``, ``end``; `errors` expects
    ``run``, ``at``, ``service``, ``errors`` (a count). Times are minutes since the start of the run. ``pick`` gives
    ``run``, and ``folder`` for a band or ``service`` for a tick.
    """
    pick = alt.selection_point(name="pick", fields=["run", "folder", "service"])
    about = (
        f"Timeline of {number_of(bands, 'run', 'run')}: {plural(bands.height, 'test case')} as bands, errors as ticks."
    )
    lanes = alt.Y("run:N", title=None, axis=long_labels(160))
    minutes = alt.X("start:Q", title="minute of the run", axis=alt.Axis(tickCount=10, grid=False))
    cases: alt.Chart = (
        alt.Chart(bands)
        .mark_bar(height=18, stroke=NEUTRAL, strokeWidth=0.5)
        .encode(
            x=minutes,
            x2="end:Q",
            y=lanes,
            color=by_label(bands, beside=0.45),
            opacity=alt.condition(pick, alt.value(0.55), alt.value(0.15)),
            tooltip=tooltip(run="run", folder="test case", label="label", start="from minute", end="to minute"),
        )
        .add_params(pick)
    )
    if not errors.height:  # an empty layer has no extent, which would leave the whole chart without one
        return cases.properties(height=alt.Step(44), description=about)
    ticks = (
        alt.Chart(errors)
        .mark_tick(thickness=1, height=9, yOffset=15)
        .encode(
            x="at:Q",
            y=lanes,
            color=by_service(errors, below(legend("errors of", 90, beside=0.45))),
            tooltip=tooltip(run="run", service="service", at="minute", errors="errors"),
        )
    )
    layers: alt.LayerChart = alt.layer(cases, ticks).resolve_scale(color="independent")
    return layers.properties(height=alt.Step(44), description=about)


def below(services: alt.Legend) -> alt.Legend:
    """Move a legend below the chart: two legends above do not fit on a narrow page."""
    services["orient"] = "bottom"
    return services
