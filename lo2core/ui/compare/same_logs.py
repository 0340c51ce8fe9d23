"""Two predictions of the same sequences: scatter plot, flips, movers, metrics."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.frames import as_saved
from lo2core.base.glossary import meaning
from lo2core.compare import histogram
from lo2core.compare.comparison import Comparison
from lo2core.report import charts
from lo2core.ui.compare.pair import Pair, cache_key, remark
from lo2core.ui.shell import cache, tables
from lo2core.ui.shell.boundary import fragment, section
from lo2core.ui.shell.widgets import downloads, notice, say


@section
def show_scores(pair: Pair) -> None:
    """All sequences by both scores, with both thresholds; the selected ones are listed below."""
    scored = pair.found.ranked_pairs
    assert scored is not None
    event = st.altair_chart(_scatter(pair), on_select="rerun", key=f"scatter-{pair.key}")
    chosen = selected(scored, event["selection"])
    if chosen is None:
        st.caption(_DENSE.format(scored.height) if _is_dense(scored) else _SPARSE, help=meaning("z-score"))
        downloads(scored, "scores", key="scores")
        return
    say(f"{chosen.height:,} selected")
    _list(pair, chosen, "selected")


_DENSE = "{:,} sequences, counted by cell. Click a cell to list its sequences."
_SPARSE = "Click a point, or draw a box around several, to list the sequences."


def _is_dense(scored: pl.DataFrame) -> bool:
    return scored.height > charts.MAX_MARKS


def _scatter(pair: Pair) -> charts.Chart:
    """Kept, because each click on the page needs it again."""
    key = tuple(cache_key(pair.workspace, name) for name in (pair.a, pair.b))
    return cache.SCATTERS.get(key, lambda: _drawn(pair.found))


def _drawn(found: Comparison) -> charts.Chart:
    assert found.ranked_pairs is not None and found.histogram is not None
    if _is_dense(found.ranked_pairs):
        return charts.prediction_density(found.histogram, found.thresholds, found.names)
    return charts.prediction_scatter(found.ranked_pairs, found.thresholds, found.names)


@section
def show_flips(pair: Pair) -> None:
    """Sequences that only one of the two flags, largest difference first."""
    flips = pair.found.flips
    if flips is None or not flips.height:
        notice("Both predictions flag the same sequences.")
        return
    _list(pair, flips, "flips", {"change": _CHANGE})


@section
def show_movers(pair: Pair) -> None:
    """The sequences whose ranks differ most."""
    movers = pair.found.movers
    if movers is None or not movers.height:
        notice("All sequences have the same rank in both predictions.")
        return
    ranks = {
        "rank_a": st.column_config.NumberColumn("rank in A", width=75, format="localized"),
        "rank_b": st.column_config.NumberColumn("rank in B", width=75, format="localized"),
        "moved": st.column_config.NumberColumn("change", width=65, help="Positive: worse in B", format="localized"),
    }
    _list(pair, movers, "movers", ranks)


@section
def show_metrics(pair: Pair) -> None:
    """Metrics of labelled incidents side by side, the difference with its interval, McNemar's test."""
    metrics, test = pair.found.metrics, pair.found.mcnemar
    if metrics is None or not metrics.height:
        notice("Metrics need labelled incidents of both kinds, normal and faulty.")
        return
    remark(pair)
    tables.show(metrics, _METRICS)
    if metrics["low"].null_count():
        st.caption("No interval: a bootstrap over runs needs at least five runs.")
    if test:
        say(
            f"Incidents classified correctly only by A: {test.only_a:,}, only by B: {test.only_b:,}. "
            f"McNemar's exact test: p = {test.p_value:.2g}."
        )
    downloads(metrics, "metrics", key="metrics")


def selected(scored: pl.DataFrame, selection: Any) -> pl.DataFrame | None:
    """The rows of the selected marks, cell or box; None if nothing is selected."""
    if picked := selection.get("pick"):
        if "cell" in picked[0]:
            return histogram.in_cell(scored, "z_a", "z_b", picked[0]["cell"])
        return scored.filter(pl.col("seq_id").is_in([as_saved(pick, scored)["seq_id"] for pick in picked]))
    brush = selection.get("brush") or {}
    inside = [pl.col(name).is_between(min(ends), max(ends)) for name, ends in brush.items() if name in ("z_a", "z_b")]
    return scored.filter(*inside) if inside else None


@fragment
def _list(pair: Pair, rows: pl.DataFrame, key: str, more: dict[str, Any] | None = None) -> None:
    """Sequences with both scores; the selected one, or the only one, can be explained by either model."""
    shown = rows.head(tables.MAX_ROWS)
    picked = tables.pick(shown, (more or {}) | _COLUMNS, f"{key}-{pair.key}-{rows.height}")
    row = 0 if picked is None and shown.height == 1 else picked
    with st.container(horizontal=True, vertical_alignment="center"):
        for side, name in enumerate("AB"):
            look: dict[str, Any] = {"icon": ":material/lightbulb:", "disabled": row is None, "key": f"{key}-{name}"}
            if st.button(f"Explain in {name}", **look) and row is not None:
                pair.open(shown.row(row, named=True), side)
        if row is None:
            st.caption("Select a row to explain it.")
        st.space("stretch")
        downloads(rows, key, key=key)


_CHANGE = st.column_config.TextColumn("change", width=120)
_COLUMNS = {
    "z_a": st.column_config.NumberColumn("z in A", width=65, format="%.1f"),
    "z_b": st.column_config.NumberColumn("z in B", width=65, format="%.1f"),
    "service": st.column_config.TextColumn("service", width=100),
    "test_case": st.column_config.TextColumn("test case", width=270),
    "run": st.column_config.TextColumn("run", width=180),
    "window": st.column_config.NumberColumn("window", width=65),
}
_METRICS = {
    "metric": st.column_config.TextColumn("of incidents", width=230),
    "a": st.column_config.NumberColumn("A", width=90, format="%.3f"),
    "b": st.column_config.NumberColumn("B", width=90, format="%.3f"),
    "difference": st.column_config.NumberColumn("B − A", width=90, format="%.3f"),
    "low": st.column_config.NumberColumn(
        "from", width=90, format="%.3f", help="95 % interval, paired bootstrap over runs"
    ),
    "high": st.column_config.NumberColumn("to", width=90, format="%.3f"),
}
