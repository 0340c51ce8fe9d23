"""Compare two saved predictions: what differs in their making, how much they flag, what a person takes along.

`alike` goes on where both scored the same sequences, `unlike` where they scored other logs, `either` in both cases.
"""

from __future__ import annotations

import polars as pl
import streamlit as st

from lo2core.base.text import plural
from lo2core.compare import pairs
from lo2core.pipeline import compare
from lo2core.report.comparison import comparison_report
from lo2core.ui.compare.pair import Pair
from lo2core.ui.shell import tables
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.widgets import notice


def show_making(pair: Pair) -> None:
    """Whether the logs changed or the model, and the facts of their making that differ."""
    notice(pair.found.verdict, icon=":material/balance:")
    making = pair.found.making
    st.subheader("What differs in their making", anchor=False)
    every = st.toggle(f"All {making.height} facts", key="making-all")
    shown = making if every else making.filter("differs")
    if not shown.height:
        st.text("Nothing: they were made alike.")
        return
    tables.written(shown, {"fact": ""} | {name: f"{side}  ·  {name}" for side, name in _sides(pair)})


def show_rates(pair: Pair) -> None:
    """How much each of them flags, and how far they agree."""
    rates = pair.found.rates
    columns = st.columns([5, 5, 6, 4, 4])
    for column, side, row in zip(columns, "AB", rates.head(2).iter_rows(named=True), strict=False):
        share = "" if row["alert_rate"] is None else f"{row['alert_rate']:.0%} of {row['incidents']:,} incidents"
        column.metric(f"{side} flags", f"{row['flagged_incidents']:,}", share, delta_color="off", delta_arrow="off")
    for column, (label, value, told) in zip(columns[2:], _agreement(pair), strict=False):
        column.metric(label, value, told, delta_color="off", delta_arrow="off")


def keep(pair: Pair) -> None:
    """The comparison as one file to send, and a copy kept in the workspace."""
    with st.container(horizontal=True):
        st.download_button(
            "report.html",
            lambda: comparison_report(pair.found),
            f"compare_{pair.a}_{pair.b}.html".replace("/", "."),
            "text/html",
            key="compare-report",
            on_click="ignore",
            icon=":material/description:",
        )
        if st.button("Keep", icon=":material/save:", key="compare-keep", help="Tables and report, in explainability/"):
            paths = compare.save_comparison(pair.workspace, pair.found)
            notice(f"Kept: {paths[-1].parent}", icon=":green[:material/check_circle:]")


def command(pair: Pair | None, here: Frame) -> list[object]:
    """The arguments of the command that compares the same."""
    names = [pair.a, pair.b] if pair else ["A", "B"]
    return ["compare", *names, "--output-dir", here.workspace.root]


def _sides(pair: Pair) -> list[tuple[str, str]]:
    return list(zip("AB", pair.found.names, strict=True))


def _agreement(pair: Pair) -> list[tuple[str, str, str]]:
    """Label, value and a word more, of what there is to say about how far A and B agree."""
    agreed, flips = pair.found.agreement, pair.found.flips
    if agreed is None or flips is None:
        total = pair.found.shifts
        return [("PSI of scores", _figure(total["scores"][0]), ""), ("PSI of messages", _figure(total["items"][0]), "")]
    now = flips.filter(pl.col("change") == pairs.NOW).height
    return [
        ("Flips of sequences", f"{flips.height:,}", f"{now:,} now, {flips.height - now:,} no longer"),
        ("Rank correlation", _figure(agreed.spearman), f"Kendall {_figure(agreed.kendall)}"),
        ("Cohen's kappa", _figure(agreed.kappa), plural(agreed.n, "sequence")),
    ]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}"  # no "-0.00"
