"""The report of a whole prediction: all incidents, the worst of them explained, as one HTML file that works offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from lo2core.base.clock import local_time
from lo2core.base.schemas import INCIDENT_KEY
from lo2core.base.text import plural
from lo2core.detect.incidents import by_sequence, not_fully_scored
from lo2core.explain.explanation import Explanation
from lo2core.report import charts, html
from lo2core.report.chart_data import heatmap_cells, ranked_incidents
from lo2core.report.html import Table
from lo2core.report.incident import TOP, items_table, lines_table

MOST_INCIDENTS = 60

_INCIDENTS = {
    "run": "run",
    "folder": "test case",
    "window": "window",
    "service": "worst service",
    "z_score": "z-score",
    "pred_ano": "flagged",
    "top_item": "top item",
}

_GROUPS = {
    "service": "service",
    "title": "what they have in common",
    "incidents": "incidents",
    "runs": "runs",
    "first": "first",
    "last": "last",
    "z_score": "largest z-score",
}


@dataclass(frozen=True)
class ExplainedIncident:
    """One of several explained incidents: its items and the three most important lines, None without events."""

    title: str
    items: Table
    lines: Table | None


@dataclass(frozen=True)
class PredictionReport:
    """The data of a prediction's page."""

    title: str
    summary: str
    heatmap: Markup | None
    groups: Table | None
    incidents: Table
    explained: list[ExplainedIncident]
    provenance: Table


def prediction_report(
    name: str,
    predictions: pl.DataFrame,
    explanations: Sequence[Explanation],
    made: Mapping[str, object],
    secrets: bool = False,
    groups: pl.DataFrame | None = None,
) -> str:
    """A whole prediction as an HTML page: its incidents, worst first, and the explanations of some of them.

    predictions: one row per sequence, or per event (then the worst event represents its sequence). made: the metadata
    of the saved prediction. secrets: do not mask them in log lines. groups: `schemas.Groups` of all flagged incidents.
    """
    return html.render("prediction", summarised(name, predictions, explanations, made, groups), secrets)


def summarised(
    name: str,
    predictions: pl.DataFrame,
    explanations: Sequence[Explanation],
    made: Mapping[str, object],
    groups: pl.DataFrame | None = None,
) -> PredictionReport:
    """The data of `prediction_report`."""
    predictions = by_sequence(predictions)
    ranked = _ranked_incidents(predictions, explanations)
    return PredictionReport(
        title=f"Prediction {name}",
        summary=_summary(ranked, len(explanations)),
        heatmap=_heatmap(predictions, ranked),
        groups=None if groups is None or not groups.height else html.table(groups, _GROUPS, ["title"]),
        incidents=html.table(ranked.head(MOST_INCIDENTS), _INCIDENTS, ["top_item"]),
        explained=[_explained(one) for one in explanations],
        provenance=_provenance(made),
    )


def _summary(ranked: pl.DataFrame, explained: int) -> str:
    flagged, partly = int(ranked["pred_ano"].sum()), not_fully_scored(ranked["pred_ano"])
    listed = f" The worst {MOST_INCIDENTS:,} are listed." if ranked.height > MOST_INCIDENTS else ""
    below = f"{explained:,} {'is' if explained == 1 else 'are'} explained below."
    return f"{plural(ranked.height, 'incident')} scored, {flagged:,} flagged{partly}; {below}{listed}"


def _ranked_incidents(predictions: pl.DataFrame, explanations: Sequence[Explanation]) -> pl.DataFrame:
    """`ranked_incidents` with the column top_item, null for incidents that are not explained."""
    tops = pl.DataFrame(
        [(*e.incident.key, e.items["title"][0] if e.items.height else None) for e in explanations],
        schema={"run": pl.String, "folder": pl.String, "window": pl.Int32, "top_item": pl.String},
        orient="row",
    )
    ranked = ranked_incidents(predictions)
    return ranked.join(tops, on=INCIDENT_KEY, how="left", nulls_equal=True, maintain_order="left")


def _heatmap(predictions: pl.DataFrame, ranked: pl.DataFrame) -> Markup | None:
    """The worst incidents x services, coloured by z-score; None without scores."""
    cells = heatmap_cells(predictions, ranked.head(MOST_INCIDENTS))
    if not cells.height:
        return None
    return html.svg(charts.incident_heatmap(cells, float(predictions["threshold"][0])), width=420)


def _explained(explanation: Explanation) -> ExplainedIncident:
    lines = explanation.lines.filter(pl.col("place") <= 3).sort("place")
    return ExplainedIncident(
        title=f"{explanation.test_case}: {explanation.incident}",
        items=items_table(explanation, explanation.items.head(TOP), service="service"),
        lines=lines_table(lines, service="service") if lines.height else None,
    )


def _provenance(made: Mapping[str, object]) -> Table:
    facts = dict(made) | ({"created": local_time(str(made["created"]))} if "created" in made else {})
    rows = {"fact": list(facts), "value": [str(value) for value in facts.values()]}
    return html.table(pl.DataFrame(rows), {"fact": "fact", "value": "value"}, ["value"])
