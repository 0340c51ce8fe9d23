"""Two predictions of the same sequences: scatter, flips, movers, metrics; each row leads to page Explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from lo2core import charts
from lo2core.ui import tables
from lo2core.ui.comparing import Pair
from lo2core.ui.widgets import downloads, notice

MAX_MARKS = 5_000
"""Marks in which one can select; of more sequences the chart shows how many fall where."""
MAX_ROWS = 1_000
CELLS = 60
"""Of the density, along each axis."""


def show_scores(pair: Pair) -> None:
    """Every sequence by both scores, with both thresholds; a click or a brush lists them below."""
    assert pair.found.pairs is not None
    scored = pair.found.pairs.drop_nulls(["z_a", "z_b"])
    if scored.height > MAX_MARKS:
        st.altair_chart(charts.prediction_density(density(scored), pair.thresholds, pair.found.names), key="density")
        st.caption(f"{scored.height:,} sequences, counted by cell: too many to select one here, the flips can be.")
        downloads(scored, "scores", key="scores")
        return
    chart = charts.prediction_scatter(scored, pair.thresholds, pair.found.names)
    event = st.altair_chart(chart, on_select="rerun", key=f"scatter-{pair.key}")
    chosen = selected(scored, event["selection"])
    if chosen is None:
        st.caption("Click a mark, or draw a box around several, to list them here.")
        downloads(scored, "scores", key="scores")
        return
    st.text(f"{chosen.height:,} selected")
    _list(pair, chosen, "selected")


def show_flips(pair: Pair) -> None:
    """What only one of the two flags, the largest difference first."""
    flips = pair.found.flips
    if flips is None or not flips.height:
        notice("No sequence is flagged by only one of the two.")
        return
    _list(pair, flips, "flips", {"change": _CHANGE})


def show_movers(pair: Pair) -> None:
    """The sequences whose rank changed most."""
    movers = pair.found.movers
    if movers is None or not movers.height:
        notice("No sequence was scored by both.")
        return
    ranks = {
        "rank_a": st.column_config.NumberColumn("rank in A", width=75, format="localized"),
        "rank_b": st.column_config.NumberColumn("rank in B", width=75, format="localized"),
        "moved": st.column_config.NumberColumn("moved", width=65, help="Positive: worse in B", format="localized"),
    }
    _list(pair, movers, "movers", ranks)


def show_metrics(pair: Pair) -> None:
    """Metrics of labelled incidents side by side, the difference with its interval, McNemar's test."""
    metrics, test = pair.found.metrics, pair.found.mcnemar
    if metrics is None or not metrics.height:
        notice("Metrics take labelled incidents, normal and faulty ones.")
        return
    tables.show(metrics, _METRICS)
    if metrics["low"].null_count():
        st.caption("No interval: a bootstrap over runs takes at least five of them.")
    if test:
        st.text(
            f"Only A is right about {test.only_a:,} incidents, only B about {test.only_b:,}: McNemar's exact test "
            f"gives p = {test.p_value:.2g}."
        )
    downloads(metrics, "metrics", key="metrics")


def selected(scored: pl.DataFrame, selection: Any) -> pl.DataFrame | None:
    """The rows that a click picked or a brush holds; None where nothing is selected."""
    if picked := selection.get("pick"):
        return scored.filter(pl.col("seq_id").is_in([pick["seq_id"] for pick in picked]))
    brush = selection.get("brush") or {}
    inside = [pl.col(name).is_between(min(ends), max(ends)) for name, ends in brush.items() if name in ("z_a", "z_b")]
    return scored.filter(*inside) if inside else None


def density(scored: pl.DataFrame) -> pl.DataFrame:
    """How many sequences fall into each of `CELLS` x `CELLS` cells of both z: left, right, bottom, top, n.

    As on the axes, cells grow with z.
    """
    axes = {name: _Axis.of(scored[name]) for name in ("z_a", "z_b")}
    cells = scored.group_by(axis.cell(name).alias(name) for name, axis in axes.items()).agg(n=pl.len())
    (x, across), (y, up) = axes.items()
    return cells.select(
        "n",
        left=across.edge(pl.col(x)),
        right=across.edge(pl.col(x) + 1),
        bottom=up.edge(pl.col(y)),
        top=up.edge(pl.col(y) + 1),
    )


@dataclass(frozen=True)
class _Axis:
    """Cells of equal width in units of sign(z) log(1 + |z| / 3), from `low` on."""

    low: float
    width: float

    @classmethod
    def of(cls, z: pl.Series) -> _Axis:
        bent = z.to_frame("z").select(_bent(pl.col("z"))).to_series().drop_nulls().to_numpy()
        low, high = (float(bent.min()), float(bent.max())) if len(bent) else (0.0, 0.0)
        return cls(low, max(high - low, 1e-9) / CELLS)

    def cell(self, name: str) -> pl.Expr:
        return ((_bent(pl.col(name)) - self.low) / self.width).floor().clip(0, CELLS - 1).cast(pl.Int64)

    def edge(self, cell: pl.Expr) -> pl.Expr:
        bent = cell * self.width + self.low
        return bent.sign() * 3 * (bent.abs().exp() - 1)


def _bent(z: pl.Expr) -> pl.Expr:
    return z.sign() * (z.abs() / 3).log1p()


def _list(pair: Pair, rows: pl.DataFrame, key: str, more: dict[str, Any] | None = None) -> None:
    """Sequences with both scores; the picked one can be explained by either model."""
    shown = rows.head(MAX_ROWS)
    row = tables.pick(shown, (more or {}) | _COLUMNS, f"{key}-{pair.key}-{rows.height}")
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
