"""The report of a comparison: saved predictions side by side as one HTML file that works offline."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from markupsafe import Markup

from lo2core.compare.comparison import Comparison
from lo2core.compare.pairs import Agreement
from lo2core.compare.provenance import side_by_side
from lo2core.compare.significance import McNemar
from lo2core.report import charts, html
from lo2core.report.html import Table
from lo2core.report.incident import MOST_ROWS

_RATES = {
    "prediction": "prediction",
    "rows": "rows",
    "flagged": "flagged",
    "incidents": "incidents",
    "flagged_incidents": "flagged incidents",
    "not_fully_scored": "not fully scored",
    "alert_rate": "alert rate",
}
_CAUSES = {
    "change": "change",
    "title": "what they have in common",
    "service": "service",
    "incidents_a": "incidents in A",
    "incidents_b": "incidents in B",
    "z_score_a": "largest z in A",
    "z_score_b": "largest z in B",
}
_SHIFTS = {"service": "service", "scores": "PSI of scores", "items": "PSI of messages"}
_ROW = {"run": "run", "test_case": "test case", "service": "service", "z_a": "z in A", "z_b": "z in B"}
_FLIPS = _ROW | {"change": "change"}
_MOVERS = _ROW | {"rank_a": "rank in A", "rank_b": "rank in B"}
_METRICS = {"metric": "metric", "a": "A", "b": "B", "difference": "B - A", "low": "95 % from", "high": "to"}
_TEST_CASES = {
    "test_case": "test case",
    "service": "service",
    "z_a": "median z in A",
    "z_b": "median z in B",
    "difference": "B - A",
}
_INCIDENTS = {"change": "change", "test_case": "test case", "service": "service", "z": "z-score", "n": "sequences"}
_ITEMS = {"change": "change", "kind": "kind", "title": "item", "n": "count", "sequences": "sequences"}


@dataclass(frozen=True)
class Paired:
    """Predictions of the same sequences, row by row; without labels `metrics` is None and `mcnemar` empty."""

    agreement: str
    scatter: Markup
    n_flips: str
    flips: Table
    movers: Table
    metrics: Table | None
    mcnemar: str


@dataclass(frozen=True)
class Unpaired:
    """Predictions of different logs; `items` is None if items were not compared, and `why_no_items` says why."""

    by_test_case: Table
    incidents: Table
    items: Table | None
    why_no_items: str


@dataclass(frozen=True)
class ComparisonReport:
    """The data of a comparison's page; either `paired` or `unpaired` is None."""

    title: str
    notes: list[str]
    provenance: Table
    rates: Table
    causes: Table | None
    paired: Paired | None
    unpaired: Unpaired | None
    shifts: Table
    recall: Table | None


def comparison_report(comparison: Comparison, secrets: bool = False, causes: pl.DataFrame | None = None) -> str:
    """Saved predictions side by side as an HTML page.

    secrets: do not mask them. causes: the groups of flagged incidents of A and B (`schemas.ComparedGroups`).
    """
    return html.render("comparison", summarised(comparison, causes), secrets)


def summarised(comparison: Comparison, causes: pl.DataFrame | None = None) -> ComparisonReport:
    """The data of `comparison_report`."""
    same = comparison.same_sequences
    return ComparisonReport(
        title=" and ".join(comparison.names),
        notes=[note for note in (comparison.verdict, comparison.note, comparison.scope) if note],
        provenance=_provenance(comparison),
        rates=html.table(comparison.rates, _RATES),
        causes=None if causes is None or not causes.height else html.table(causes.head(MOST_ROWS), _CAUSES, ["title"]),
        paired=_paired(comparison) if same else None,
        unpaired=None if same else _unpaired(comparison),
        shifts=html.table(comparison.shifts, _SHIFTS),
        recall=_recall(comparison) if comparison.fault_recall.height else None,
    )


def _by_position(comparison: Comparison) -> dict[str, str]:
    """Names of the predictions by their position: a prediction could be named like another column."""
    return {str(position): one.name for position, one in enumerate(comparison.saved)}


def _provenance(comparison: Comparison) -> Table:
    facts = side_by_side(comparison.provenance)
    return html.table(facts, {"fact": "fact"} | _by_position(comparison), marked="differs")


def _recall(comparison: Comparison) -> Table:
    titles = _by_position(comparison)
    position = pl.col("prediction").replace_strict({name: position for position, name in titles.items()})
    wide = comparison.fault_recall.with_columns(position=position).pivot("position", index="test_case", values="recall")
    return html.table(wide, {"test_case": "test case"} | {key: name for key, name in titles.items() if key in wide})


def _paired(comparison: Comparison) -> Paired:
    flips, movers, metrics = comparison.flips, comparison.movers, comparison.metrics
    assert flips is not None and movers is not None and metrics is not None
    return Paired(
        agreement=_agreement(comparison.agreement, "line_no" in flips.columns),
        scatter=html.svg(charts.prediction_scatter(_marks(comparison), comparison.thresholds), width=560),
        n_flips=f"{flips.height:,}",
        flips=html.table(flips.head(MOST_ROWS), _FLIPS),
        movers=html.table(movers, _MOVERS),
        metrics=html.table(metrics, _METRICS) if metrics.height else None,
        mcnemar=_mcnemar(comparison.mcnemar),
    )


def _marks(comparison: Comparison) -> pl.DataFrame:
    """The pairs to draw; flips come first, so that all of them are drawn."""
    pairs, flips = comparison.pairs, comparison.flips
    assert pairs is not None and flips is not None
    key = [name for name in comparison.saved[0].keys if name in pairs.columns]
    both = pl.concat([flips.select(pairs.columns), pairs.drop_nulls(["z_a", "z_b"])])
    return both.unique(key, keep="first", maintain_order=True).head(charts.MAX_MARKS)


def _agreement(agreement: Agreement | None, of_events: bool) -> str:
    if agreement is None:
        return ""
    return (
        f"{agreement.n:,} {'events' if of_events else 'sequences'} scored by both. Rank correlation: "
        f"Spearman {_figure(agreement.spearman)}, Kendall {_figure(agreement.kendall)}. "
        f"Cohen's kappa of the flags: {_figure(agreement.kappa)}."
    )


def _mcnemar(test: McNemar | None) -> str:
    if test is None:
        return ""
    return (
        f"Only A is right about {test.only_a:,} incidents, only B about {test.only_b:,}. "
        f"McNemar's exact test: p = {test.p_value:.3g}."
    )


def _unpaired(comparison: Comparison) -> Unpaired:
    why_no_items = comparison.why_no_items
    return Unpaired(
        by_test_case=html.table(comparison.by_test_case.head(MOST_ROWS), _TEST_CASES),
        incidents=html.table(comparison.incident_changes.head(MOST_ROWS), _INCIDENTS),
        items=None if why_no_items else html.table(comparison.item_changes.head(MOST_ROWS), _ITEMS, ["title"]),
        why_no_items=why_no_items,
    )


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"
