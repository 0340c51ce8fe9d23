"""Compare two saved predictions: what differs between them, how much they flag, what a person takes along.

See `same_logs` if both scored the same sequences, `other_logs` if they did not, `any_logs` for both cases.
"""

from __future__ import annotations

import polars as pl
import streamlit as st

from lo2core.base.glossary import meaning
from lo2core.base.text import plural
from lo2core.compare import pairs
from lo2core.compare.provenance import side_by_side
from lo2core.pipeline import compare
from lo2core.pipeline.commands import Compare
from lo2core.report.comparison import comparison_report
from lo2core.ui.compare.pair import Pair
from lo2core.ui.shell import tables
from lo2core.ui.shell.boundary import fragment, section
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.reports import report_button
from lo2core.ui.shell.session import with_secrets
from lo2core.ui.shell.widgets import notice


@section
def show_provenance(pair: Pair) -> None:
    """Whether the logs changed or the model, which model does not fit, and the facts that differ."""
    notice(pair.found.verdict, icon=":material/balance:")
    for misfit in pair.found.misfits:
        notice(misfit, icon=":orange[:material/warning:]")
    facts = side_by_side(pair.found.provenance)
    st.subheader("What differs between the predictions", anchor=False)
    every = st.toggle(f"All {facts.height} facts", key="provenance-all")
    shown = facts if every else facts.filter("differs")
    if not shown.height:
        st.text("No differences.")
        return
    a, b = pair.found.names
    tables.written(shown, {"fact": "", "0": f"A  ·  {a}", "1": f"B  ·  {b}"})


@section
def show_rates(pair: Pair) -> None:
    """How many incidents each flags, and how well they agree."""
    rates = pair.found.rates
    columns = st.columns([5, 5, 6, 4, 4])
    for column, side, row in zip(columns, "AB", rates.head(2).iter_rows(named=True), strict=False):
        share = "" if row["alert_rate"] is None else f"{row['alert_rate']:.0%} of {row['incidents']:,} incidents"
        share += f", {row['not_fully_scored']:,} not fully scored" if row["not_fully_scored"] else ""
        column.metric(f"{side} flags", f"{row['flagged_incidents']:,}", share, delta_color="off", delta_arrow="off")
    for column, (label, value, more) in zip(columns[2:], _agreement(pair), strict=False):
        about = meaning("Population stability index") if label.startswith("PSI") else None
        column.metric(label, value, more, delta_color="off", delta_arrow="off", help=about)


@fragment
def keep(pair: Pair) -> None:
    """Download the comparison as one file, or save it in the workspace."""
    secrets = with_secrets()
    with st.container(horizontal=True):
        report_button(
            "report.html",
            lambda: comparison_report(pair.found, secrets, compare.causes(pair.workspace, pair.found)),
            f"compare_{pair.a}_{pair.b}".replace("/", "."),
            key="compare-report",
            icon=":material/description:",
        )
        help_text = "Saves tables and report in explainability/"
        if st.button("Save", icon=":material/save:", key="compare-keep", help=help_text):
            paths = compare.save_comparison(pair.workspace, pair.found, secrets)
            notice(f"Saved in {paths[-1].parent}", icon=":green[:material/check_circle:]")


@section
def command(pair: Pair | None, here: Frame) -> Compare:
    """The command that compares the same."""
    names = (pair.a, pair.b) if pair else ("A", "B")
    return Compare(names=names, output_dir=here.workspace.root, with_secrets=with_secrets())


def _agreement(pair: Pair) -> list[tuple[str, str, str]]:
    """Label, value and a detail of each metric of agreement between A and B."""
    agreed, flips = pair.found.agreement, pair.found.flips
    if agreed is None or flips is None:
        total = pair.found.shifts
        return [("PSI of scores", _figure(total["scores"][0]), ""), ("PSI of messages", _figure(total["items"][0]), "")]
    now = flips.filter(pl.col("change") == pairs.NOW).height
    return [
        ("Flips", f"{flips.height:,}", f"{now:,} now flagged, {flips.height - now:,} no longer"),
        ("Rank correlation", _figure(agreed.spearman), f"Kendall {_figure(agreed.kendall)}"),
        ("Cohen's kappa", _figure(agreed.kappa), plural(agreed.n, "sequence")),
    ]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}"  # no "-0.00"
