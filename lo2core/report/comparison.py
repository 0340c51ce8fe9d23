"""The report of a comparison: two saved predictions side by side as one HTML file that opens without network."""

from __future__ import annotations

import polars as pl

from lo2core.compare.comparison import Comparison
from lo2core.report import charts, html
from lo2core.report.incident import MOST_ROWS


def comparison_report(comparison: Comparison) -> str:
    """Two predictions side by side as a page."""
    a, b = comparison.names
    making = html.table(comparison.making, {name: name for name in comparison.making.columns}, marked="differs")
    told = [html.paragraph(one) for one in (comparison.verdict, comparison.remark, comparison.scope) if one]
    parts = [
        html.section("What differs in their making", *told, making),
        _rates(comparison),
    ]
    parts += _same_sequences(comparison) if comparison.same_sequences else _other_logs(comparison)
    shifts = {"service": "service", "scores": "PSI of scores", "items": "PSI of messages"}
    parts.append(html.section("Shift", html.table(comparison.shifts, shifts)))
    recall = comparison.fault_recall.pivot("prediction", index="test_case", values="recall")
    if recall.height:
        parts.append(html.section("Recall by test case", html.table(recall, {name: name for name in recall.columns})))
    return html.page(f"{a} and {b}", parts)


def _rates(comparison: Comparison) -> str:
    titles = {"prediction": "prediction", "sequences": "scores", "flagged": "flagged", "incidents": "incidents"}
    titles |= {"flagged_incidents": "flagged incidents", "alert_rate": "alert rate"}
    return html.section("How much they flag", html.table(comparison.rates, titles))


def _same_sequences(comparison: Comparison) -> list[str]:
    pairs, flips, movers, metrics = comparison.pairs, comparison.flips, comparison.movers, comparison.metrics
    assert pairs is not None and flips is not None and movers is not None and metrics is not None
    marks = pairs.drop_nulls(["z_a", "z_b"])
    key = [name for name in comparison.saved[0].keys if name in pairs.columns]
    unit = "events" if "line_no" in key else "sequences"
    marks = pl.concat([flips.select(marks.columns), marks]).unique(key, keep="first", maintain_order=True)
    where = {"run": "run", "test_case": "test case", "service": "service", "z_a": "z in A", "z_b": "z in B"}
    agreed = comparison.agreement
    told = (
        ""
        if agreed is None
        else (
            f"{agreed.n:,} {unit} scored by both. Rank correlation: Spearman {_figure(agreed.spearman)}, Kendall "
            f"{_figure(agreed.kendall)}. Cohen's kappa of the flags: {_figure(agreed.kappa)}."
        )
    )
    parts = [
        html.section(
            "Scores",
            html.paragraph(told),
            html.chart(charts.prediction_scatter(marks.head(charts.MAX_MARKS), comparison.thresholds), width=560),
        ),
        html.section(f"Flips: {flips.height:,}", html.table(flips.head(MOST_ROWS), where | {"change": "change"})),
        html.section("Biggest movers", html.table(movers, where | {"rank_a": "rank in A", "rank_b": "rank in B"})),
    ]
    if metrics.height:
        titles = {"metric": "metric", "a": "A", "b": "B", "difference": "B - A", "low": "from", "high": "to (95 %)"}
        parts.append(html.section("Metrics of incidents", html.table(metrics, titles), _mcnemar(comparison)))
    return parts


def _mcnemar(comparison: Comparison) -> str:
    test = comparison.mcnemar
    if test is None:
        return ""
    return html.paragraph(
        f"Only A was right about {test.only_a} incidents, only B about {test.only_b}; "
        f"McNemar's exact test: p = {test.p_value:.3g}."
    )


def _other_logs(comparison: Comparison) -> list[str]:
    cases = {
        "test_case": "test case",
        "service": "service",
        "z_a": "median z in A",
        "z_b": "median z in B",
        "difference": "B - A",
    }
    changes = {"change": "change", "test_case": "test case", "service": "service", "z": "z-score", "n": "sequences"}
    items = {"change": "change", "kind": "kind", "title": "item", "n": "how many", "sequences": "sequences"}
    found = html.table(comparison.item_changes.head(MOST_ROWS), items, ["title"])
    apart = comparison.items_apart
    return [
        html.section("Test cases and services", html.table(comparison.by_test_case.head(MOST_ROWS), cases)),
        html.section("Incidents new and gone", html.table(comparison.incident_changes.head(MOST_ROWS), changes)),
        html.section("Items new and vanished", html.paragraph(apart) if apart else found),
    ]


def _figure(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.2f}"
