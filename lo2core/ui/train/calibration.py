"""Scores of held-out normals: one strip for each service, and the log of a selected normal, rarest lines first."""

from __future__ import annotations

import polars as pl
import streamlit as st

from lo2core.base.frames import as_saved
from lo2core.detect.calibration import Calibration
from lo2core.detect.model import Model
from lo2core.explain import model_importance
from lo2core.explain.evidence import NORMAL_GONE, Evidence
from lo2core.report import charts
from lo2core.ui.shell import tables
from lo2core.ui.shell.log_table import pick_line
from lo2core.ui.shell.widgets import downloads, notice, raw, say

Tick = tuple[str, str]
"""Service and seq_id of a normal."""


def strip(model: Model, threshold: float, key: str) -> Tick | None:
    """Scores of held-out normals with the threshold, mean and spread; returns the selected normal."""
    found = model_importance.normal_scores(model)
    thinned = found.gather_every(-(-found.height // charts.MAX_MARKS) or 1)
    chart = charts.calibration_strip(thinned, threshold)
    event = st.altair_chart(chart, on_select="rerun", selection_mode="pick", key=key)
    known = "" if found["seq_id"].null_count() else " Click one to see the rare lines of its log."
    st.caption(
        "Each tick is a held-out normal. z = 0 is the mean of the normals of the other runs, z = 1 one spread above "
        f"it, for each service.{known}"
    )
    with st.expander("Mean and spread by service"):
        tables.show(pl.DataFrame([_summary(name, each) for name, each in sorted(model.calibrations.items())]))
        downloads(found, "calibration", key=f"{key}-scores", what="Scores")
    picked = event["selection"].get("pick") or [{}]
    tick = as_saved(picked[0], found)
    return (tick["service"], tick["seq_id"]) if tick.get("seq_id") else None


def lines(evidence: Evidence, tick: Tick) -> None:
    """The log of a training normal, lines that occur in the fewest other normals of its service first.

    Raises InputError if no events were saved.
    """
    service, seq_id = tick
    facts = evidence.training.facts(seq_id)
    if not facts:
        notice(NORMAL_GONE)
        return
    found = model_importance.lines_of_normal(evidence, service, seq_id)
    where = "  ·  ".join(part for part in (service, facts["folder"], facts["run"]) if part)
    say(f"{where}: {found.height:,} events, rarest first.")
    view = found.head(tables.MAX_ROWS).with_columns(held=pl.format("{} of {}", "held_by", "n_others"))
    row = pick_line(view.drop("source", "service", "test_case"), f"normal-{seq_id}", most=10)
    if row is not None:
        say(f"{view['source'][row]}, line {view['line_no'][row]:,}")
        raw(view["m_message"][row])
    downloads(found, f"normal_{seq_id}", key="normal-lines", what="Lines")


def _summary(service: str, found: Calibration) -> dict[str, object]:
    return {
        "service": service,
        "normals": round(float(found.weights.sum())),
        "mean": found.mean,
        "spread": found.spread,
        "largest score": float(found.scores.max()),
        "largest z": float(found.normal_z.max()),
    }
