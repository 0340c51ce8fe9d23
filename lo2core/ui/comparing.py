"""Compare two saved predictions: which ones, what differs in their making, how much they flag, all of them over time.

`alike` goes on where both scored the same sequences, `unlike` where they scored other logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from lo2core import answers, charts, paired, psi
from lo2core.compare import Comparison
from lo2core.comparison_report import comparison_report
from lo2core.saved import Saved, home_of, saved_names
from lo2core.store import Workspace
from lo2core.ui import address, bundle, links, tables
from lo2core.ui.frame import Frame
from lo2core.ui.scores import Source
from lo2core.ui.widgets import downloads, empty_state, notice, raw
from lo2core.wording import plural

PREDICT = "pages/4_Predict.py"


@dataclass(frozen=True, eq=False)
class Pair:
    """Two saved predictions by the names that the page shows, and what comparing them gave."""

    workspace: Workspace
    a: str
    b: str
    found: Comparison

    @property
    def key(self) -> str:
        """Tells the widgets of one pair apart from those of another."""
        return f"{self.a}-{self.b}"

    def home(self, side: int) -> Workspace:
        """Where A (0) or B (1) lies, with the logs that it scored."""
        return home_of(self.workspace, (self.a, self.b)[side])[0]

    def open(self, row: Mapping[str, Any], side: int) -> None:
        """Go to page Explain, to the incident of `row` in A (0) or B (1)."""
        open_in((self.a, self.b)[side], row)


def open_in(name: str, row: Mapping[str, Any]) -> None:
    """Go to page Explain, to the incident of `row` in a saved prediction; without one to its worst."""
    source = Source.named(name)
    links.open_explain(row, prediction=source.prediction, sample=source.sample)


def _address(name: str) -> str:
    """Where `open_in` goes without a row."""
    source = Source.named(name)
    return links.explain_address(prediction=source.prediction, sample=source.sample)


def open_worst(saved: Saved, where: Mapping[str, Any]) -> None:
    """Go to page Explain, to the sequence with the largest z of a test case, and of a service where one is named."""
    wanted = [pl.col(name) == where[name] for name in ("test_case", "service") if name in where]
    rows = saved.frame.filter(*wanted).sort("z_score", descending=True, nulls_last=True)
    for row in rows.head(1).iter_rows(named=True):
        open_in(saved.name, row)


def choose(here: Frame) -> Pair | None:
    """Fields to choose A and B; None where there are no two to choose from, with what to do about it."""
    names = saved_names(here.workspace)
    if len(names) < 2:
        empty_state(_too_few(names), PREDICT, "Score logs")
        return None
    a, b = _asked("a", names, names[1]), _asked("b", names, names[0])
    left, right, swap = st.columns([5, 5, 1.5], vertical_alignment="bottom")
    with left:
        a = address.choice("A", names, a, lambda name: {"a": name})
    with right:
        b = address.choice("B", names, b, lambda name: {"b": name})
    swap.button("Swap", icon=":material/swap_horiz:", on_click=address.say, args=({"a": b, "b": a},), key="swap")
    if a == b:
        notice("A and B are the same prediction: choose another one to compare it with.")
        return None
    return Pair(here.workspace, a, b, _side_by_side(here.workspace, a, b))


def show_making(pair: Pair) -> None:
    """Whether the logs changed or the model, and the facts of their making that differ."""
    notice(pair.found.verdict, icon=":material/balance:")
    making = pair.found.making
    differing = making.filter("differs")
    st.subheader("What differs in their making", anchor=False)
    every = st.toggle(f"All {making.height} facts", key="making-all")
    names = {name: st.column_config.TextColumn(f"{side}  ·  {name}", width=380) for side, name in _sides(pair)}
    columns = {"fact": st.column_config.TextColumn("", width=120)} | names
    shown = making if every else differing
    if not shown.height:
        st.text("Nothing: they were made alike.")
        return
    row = tables.pick(shown, columns, f"making-{pair.key}-{every}")
    if row is not None:
        for column, name in zip(st.columns(2), names, strict=True):
            with column:
                raw(shown[name][row])


def show_rates(pair: Pair) -> None:
    """How much each of them flags, and how far they agree."""
    rates = pair.found.rates
    columns = st.columns(5)
    for column, side, row in zip(columns, "AB", rates.head(2).iter_rows(named=True), strict=False):
        share = "" if row["alert_rate"] is None else f"{row['alert_rate']:.0%} of {row['incidents']:,} incidents"
        column.metric(f"{side} flags", f"{row['flagged_incidents']:,}", share, delta_color="off", delta_arrow="off")
    for column, (label, value, told) in zip(columns[2:], _agreement(pair), strict=False):
        column.metric(label, value, told, delta_color="off", delta_arrow="off")


def show_faults(pair: Pair) -> None:
    """Recall by faulty test case, one column a prediction."""
    compared = _with_others(pair)
    found = compared.fault_recall
    if not found.height:
        notice("Neither has labelled faults, so there is no recall to compare.")
        return
    remark(pair)
    known = set(found["prediction"])
    unknown = [one.name for one in compared.saved if one.name not in known]
    if unknown:
        notice(f"No labelled faults in {', '.join(unknown)}.")
    event = st.altair_chart(charts.recall_differences(found), on_select="rerun", key=f"faults-{pair.key}")
    st.caption("Share of incidents flagged. Blue: more than in A, orange: less. A click explains the worst of them.")
    for pick in event["selection"].get("pick") or []:
        open_worst(next(one for one in compared.saved if one.name == pick["prediction"]), pick)
    with st.expander("The same as a table"):
        tables.show(found)
        downloads(found, "recall_by_fault", key="faults")


def remark(pair: Pair) -> None:
    """What to know before figures are believed, where there is something."""
    if pair.found.remark:
        notice(pair.found.remark, icon=":orange[:material/warning:]")


def _with_others(pair: Pair) -> Comparison:
    """The comparison, with more predictions beside A and B where some were chosen."""
    others = [name for name in saved_names(pair.workspace) if name not in (pair.a, pair.b)]
    more = st.multiselect("Beside A and B", others, placeholder="others", key=f"others-{pair.key}") if others else []
    return _side_by_side(pair.workspace, pair.a, pair.b, *more) if more else pair.found


def show_shifts(pair: Pair) -> None:
    """The population stability index of scores and messages, service by service."""
    st.caption(
        f"Population stability index: below {psi.SOME_SHIFT} alike, above {psi.STRONG_SHIFT} spread quite "
        "differently. Messages that shift say that the logs changed; scores that shift alone, that the model did."
    )
    tables.show(pair.found.shifts, _SHIFTS)
    if pair.found.shifts["scores"].null_count():
        st.caption(f"No PSI of z-scores where either side has fewer than {2 * psi.PER_BIN} sequences.")
    downloads(pair.found.shifts, "shifts", key="shifts")


def show_over_time(pair: Pair) -> None:
    """All saved predictions of the workspace and its samples, a small panel for each measure, so that drift is seen."""
    root = pair.workspace
    names = saved_names(root)
    found = answers.in_order([_history_row(str(root.root), name, _stamp(root, name)) for name in names])
    addresses = {name: _address(name) for name in names}
    points = found.drop_nulls("value").with_columns(address=pl.col("prediction").replace_strict(addresses))
    st.altair_chart(charts.predictions_over_time(points), width="content", key="over-time")
    wide = found.pivot("measure", index=["prediction", "model", "made"], values="value").sort("made", descending=True)
    wide = wide.with_columns(tables.on_local_clock(wide["made"]))
    st.caption("The same as a table. A click on a mark, or on a row, explains that prediction.")
    row = tables.pick(wide, _OVER_TIME, f"over-time-{pair.workspace.root}")
    if row is not None:
        open_in(wide["prediction"][row], {})
    downloads(wide, "predictions_over_time", key="over-time")


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
            paths = answers.keep_comparison(pair.workspace, pair.found)
            notice(f"Kept: {paths[-1].parent}", icon=":green[:material/check_circle:]")


def command(pair: Pair | None, here: Frame) -> list[object]:
    """The arguments of the command that compares the same."""
    names = [pair.a, pair.b] if pair else ["A", "B"]
    return ["compare", *names, "--output-dir", here.workspace.root]


def _too_few(names: list[str]) -> str:
    if not names:
        return "Comparing takes two saved predictions, and there is none yet: score some logs first."
    return (
        f"Comparing takes two saved predictions, and {names[0]} is the only one: score other logs, or these with "
        "another model."
    )


def _asked(name: str, names: list[str], default: str) -> str:
    said = address.said(name)
    if said and said not in names:
        notice(f"There is no prediction {said} in this workspace; {default} stands in for it.")
    return said if said in names else default


def _stamp(workspace: Workspace, name: str) -> tuple[Any, ...]:
    """Changes with a saved prediction, and with the logs that it scored."""
    home, table = home_of(workspace, name)
    return bundle.file_stamp(home.path(table)), bundle.data_stamp(home)


def _sides(pair: Pair) -> list[tuple[str, str]]:
    return list(zip("AB", pair.found.names, strict=True))


def _agreement(pair: Pair) -> list[tuple[str, str, str]]:
    """Label, value and a word more, of what there is to say about how far A and B agree."""
    agreed, flips = pair.found.agreement, pair.found.flips
    if agreed is None or flips is None:
        total = pair.found.shifts
        return [("PSI of scores", _figure(total["scores"][0]), ""), ("PSI of messages", _figure(total["items"][0]), "")]
    now = flips.filter(pl.col("change") == paired.NOW).height
    return [
        ("Flips of sequences", f"{flips.height:,}", f"{now:,} now, {flips.height - now:,} no longer"),
        ("Rank correlation", _figure(agreed.spearman), f"Kendall {_figure(agreed.kendall)}"),
        ("Cohen's kappa", _figure(agreed.kappa), plural(agreed.n, "sequence")),
    ]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}"  # no "-0.00"


def _side_by_side(workspace: Workspace, *names: str) -> Comparison:
    return _compared(str(workspace.root), names, tuple(_stamp(workspace, name) for name in names))


@st.cache_resource(max_entries=4, show_spinner="Comparing ...")
def _compared(root: str, names: tuple[str, ...], files: tuple[Any, ...]) -> Comparison:
    return answers.compared(Workspace(root), names)


@st.cache_resource(max_entries=500, show_spinner=False)
def _history_row(root: str, name: str, stamp: tuple[Any, ...]) -> pl.DataFrame:
    return answers.history_row(Workspace(root), name)


_OVER_TIME = {
    "prediction": st.column_config.TextColumn("prediction", width=220),
    "model": st.column_config.TextColumn("model", width=110),
    "made": st.column_config.DatetimeColumn("made", width=140, format="D MMM YYYY HH:mm"),
    "incidents": st.column_config.NumberColumn("incidents", format="localized"),
    **{
        name: st.column_config.NumberColumn(name, format="%.2f")
        for name in ("flagged incidents, %", "median z", "largest z", "threshold")
    },
}
_SHIFTS = {
    "service": st.column_config.TextColumn("service", width=160),
    "scores": st.column_config.NumberColumn("PSI of z-scores", width=160, format="%.2f"),
    "items": st.column_config.NumberColumn("PSI of messages", width=160, format="%.2f"),
}
