"""Comparisons of any two predictions: recall by fault, shift, all predictions over time."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.frames import as_saved
from lo2core.base.glossary import meaning
from lo2core.base.statistics import ENOUGH, PER_BIN, SOME_SHIFT, STRONG_SHIFT
from lo2core.compare.comparison import Comparison
from lo2core.explain.groups import paired_groups
from lo2core.pipeline import compare
from lo2core.report import charts
from lo2core.store.predictions import saved_names
from lo2core.store.workspace import Workspace
from lo2core.ui.compare.pair import Pair, cache_key, open_in, open_worst, remark, side_by_side
from lo2core.ui.predict import groups
from lo2core.ui.shell import cache, links, tables
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.scores import Source
from lo2core.ui.shell.widgets import downloads, notice, say


@section
def show_causes(pair: Pair) -> None:
    """The groups of flagged incidents of both sides: new ones, gone ones, those in both; a selected one opens."""
    sides = [one for name in (pair.a, pair.b) if (one := groups.of_saved(pair.here, name)) is not None]
    if len(sides) < 2:
        notice(groups.NOT_KNOWN)
        return
    found = paired_groups(sides[0].groups, sides[1].groups)
    if not found.height:
        notice("Neither prediction flags an incident.")
        return
    n = dict(found["change"].value_counts().iter_rows())
    say(f"{n.get('new', 0):,} new in B, {n.get('gone', 0):,} gone (only in A), {n.get('in both', 0):,} in both.")
    row = tables.pick(found.head(tables.MAX_ROWS), _CAUSES, f"causes-{pair.key}")
    with st.container(horizontal=True, vertical_alignment="center"):
        for side, name in enumerate("ab"):
            group = None if row is None else found[f"group_{name}"][row]
            look: dict[str, Any] = {"icon": ":material/lightbulb:", "disabled": group is None, "key": f"cause-{name}"}
            if st.button(f"Explain in {name.upper()}", **look):
                pair.open(sides[side].incidents.filter(group=group).row(0, named=True), side)
        downloads(found, "causes", key="causes")


@section
def show_faults(pair: Pair) -> None:
    """Recall by faulty test case, one column for each prediction."""
    compared = _with_others(pair)
    found = compared.fault_recall
    if not found.height:
        notice("Neither prediction has labelled faults, so there is no recall to compare.")
        return
    remark(pair)
    known = set(found["prediction"])
    unknown = [one.name for one in compared.saved if one.name not in known]
    if unknown:
        notice(f"No labelled faults in {', '.join(unknown)}.")
    event = st.altair_chart(charts.recall_differences(found), on_select="rerun", key=f"faults-{pair.key}")
    st.caption(
        "Share of flagged incidents. Blue: higher than in A. Orange: lower. Grey (none) to violet (all): the same. "
        "Click a field to explain its worst incident."
    )
    for pick in event["selection"].get("pick") or []:
        chosen = as_saved(pick, found)
        open_worst(next(one for one in compared.saved if one.name == chosen["prediction"]), chosen)
    tables.beside_chart(found, "recall_by_fault", "faults")


@section
def show_shifts(pair: Pair) -> None:
    """The population stability index of scores and messages, service by service."""
    st.caption(
        f"Population stability index: below {SOME_SHIFT} is stable, above {STRONG_SHIFT} is a strong shift, if there "
        f"are at least {ENOUGH} sequences. It does not see how high the highest scores are. "
        "If messages shift, the logs have changed; if only scores shift, the model has changed.",
        help=meaning("Population stability index"),
    )
    tables.show(pair.found.shifts, _SHIFTS)
    if pair.found.shifts["scores"].null_count():
        st.caption(f"The PSI of z-scores needs at least {2 * PER_BIN} sequences in both predictions.")
    downloads(pair.found.shifts, "shifts", key="shifts")


@section
def show_over_time(pair: Pair) -> None:
    """All saved predictions of the workspace and its samples over time, one small chart for each measure."""
    root = pair.workspace
    names = saved_names(root)
    read = pair.found.history
    rows = [read[name] if name in read else _history_row(root, name) for name in names]
    found = compare.in_order(rows)
    addresses = {name: _address(name) for name in names}
    points = found.drop_nulls("value").with_columns(address=pl.col("prediction").replace_strict(addresses))
    st.altair_chart(charts.predictions_over_time(points), width="content", key="over-time")
    wide = found.pivot("measure", index=["prediction", "model", "made"], values="value").sort("made", descending=True)
    wide = wide.with_columns(tables.on_local_clock(wide["made"]))
    st.caption("Select a point or a row to explain that prediction.")
    row = tables.pick(wide, _OVER_TIME, f"over-time-{pair.workspace.root}")
    if row is not None:
        open_in(wide["prediction"][row], {})
    downloads(wide, "predictions_over_time", key="over-time")


def _with_others(pair: Pair) -> Comparison:
    """The comparison, with the other chosen predictions added."""
    others = [name for name in saved_names(pair.workspace) if name not in (pair.a, pair.b)]
    more = (
        st.multiselect("Add to A and B", others, placeholder="other predictions", key=f"others-{pair.key}")
        if others
        else []
    )
    return side_by_side(pair.workspace, pair.a, pair.b, *more) if more else pair.found


def _address(name: str) -> str:
    """The address that `open_in` opens without a row."""
    source = Source.named(name)
    return links.explain_address(prediction=source.prediction, sample=source.sample)


def _history_row(workspace: Workspace, name: str) -> pl.DataFrame:
    return cache.HISTORY.get(cache_key(workspace, name), lambda: compare.history_row(workspace, name))


_CAUSES = {
    "change": st.column_config.TextColumn("", width=65),
    "title": st.column_config.TextColumn("what they have in common", width=420),
    "service": st.column_config.TextColumn("service", width=100),
    "incidents_a": st.column_config.NumberColumn("incidents in A", width=100, format="localized"),
    "incidents_b": st.column_config.NumberColumn("in B", width=60, format="localized"),
    "z_score_a": st.column_config.NumberColumn("z in A", width=60, format="%.1f"),
    "z_score_b": st.column_config.NumberColumn("z in B", width=60, format="%.1f"),
}


_OVER_TIME = {
    "prediction": st.column_config.TextColumn("prediction", width=220),
    "model": st.column_config.TextColumn("model", width=110),
    "made": st.column_config.DatetimeColumn("created", width=140, format="D MMM YYYY HH:mm"),
    "incidents": st.column_config.NumberColumn("incidents", format="localized"),
    **{
        name: st.column_config.NumberColumn(name, format="%.2f")
        for name in ("flagged incidents, %", "median z", "largest z", "threshold")
    },
}


_PSI = meaning("Population stability index")
_SHIFTS = {
    "service": st.column_config.TextColumn("service", width=160),
    "scores": st.column_config.NumberColumn("PSI of z-scores", width=160, format="%.2f", help=_PSI),
    "items": st.column_config.NumberColumn("PSI of messages", width=160, format="%.2f", help=_PSI),
}
