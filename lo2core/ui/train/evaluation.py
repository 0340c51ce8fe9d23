"""The saved evaluation on page Train: metrics on held-out runs, trivial baselines, curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.glossary import meaning
from lo2core.base.schemas import Counts, Evaluation, EvaluationCurves, EvaluationFaults
from lo2core.base.text import plural
from lo2core.detect.evaluation.evaluate import TABLES, shortcuts_beside
from lo2core.detect.evaluation.notes import notes
from lo2core.detect.evaluation.ranking import ranked_evaluations
from lo2core.detect.evaluation.shortcuts import SHORTCUTS, warning
from lo2core.detect.folds import BY_RUN
from lo2core.detect.recipe import Recipe
from lo2core.pipeline.commands import Evaluate
from lo2core.report import charts
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import tables
from lo2core.ui.shell.boundary import apart, section
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.job_panel import start_job
from lo2core.ui.shell.widgets import notice, problem, same_workspace, say, terminal_command

_INCIDENT = pl.col("level") == "incident"


@dataclass(frozen=True)
class Evaluations:
    """The evaluations of a workspace; `overview` has one row for each, best first."""

    figures: pl.DataFrame
    curves: pl.DataFrame
    faults: pl.DataFrame
    overview: pl.DataFrame

    def row(self, evaluation: str, split: str) -> dict[str, Any] | None:
        """The incident metrics of one evaluation in one split; None if there are none."""
        found = self.figures.filter(_INCIDENT, pl.col("evaluation") == evaluation, pl.col("split") == split)
        return found.row(0, named=True) if found.height else None

    def shortcuts(self, like: Mapping[str, Any]) -> pl.DataFrame:
        """The trivial baselines on the same incidents, best first."""
        return shortcuts_beside(self.figures, like).sort("auroc", descending=True, nulls_last=True)


@section
def ask(here: Frame, recipe: Recipe) -> None:
    """Buttons that start the job to evaluate this recipe, or all detectors on its items."""
    st.subheader("Evaluation on held-out runs", anchor=False, help=meaning("Held-out run"))
    st.caption("Each run is held out in turn and scored by a model trained on the others, next to trivial baselines.")
    chosen = command(here, recipe, recipe.detector)
    with st.container(horizontal=True, vertical_alignment="center"):
        one = st.button("Evaluate", icon=":material/fact_check:")
        every = st.button("Evaluate all detectors", type="tertiary", help="This may take several minutes.")
    if one or every:
        with apart():
            start_job(here.workspace.root, chosen if one else command(here, recipe, "all"))
    terminal_command(chosen)


def command(here: Frame, recipe: Recipe, detector: str) -> Evaluate:
    """The command that evaluates the recipe, with its detector, another one or all."""
    return Evaluate(
        output_dir=here.workspace.root,
        detector=(detector,),
        items=(recipe.items,),
        unit=recipe.unit,
        weighting=recipe.weighting,
        budget=recipe.budget,
    )


@section
def saved(workspace: Workspace) -> Evaluations | None:
    """The saved evaluations; None if there are none."""
    return remembered(read, workspace) if all(workspace.has(table) for table in TABLES) else None


def read(workspace: Workspace) -> Evaluations:
    """Read the saved evaluations."""
    figures = workspace.read(Evaluation)
    now = workspace.metadata(Counts).get("data_fingerprint")
    curves, faults = workspace.read(EvaluationCurves), workspace.read(EvaluationFaults)
    return Evaluations(figures, curves, faults, ranked_evaluations(figures, now))


@section
def table(found: Evaluations) -> list[str]:
    """Detectors x items, sortable; returns the selected evaluations, or the best one."""
    silent = _silent(found.overview)
    event = st.dataframe(
        found.overview.select(name for name in _COLUMNS if name not in silent),
        column_config=_COLUMNS,
        hide_index=True,
        row_height=28,
        key="evaluations",
        on_select="rerun",
        selection_mode="multi-row",
    )
    st.caption("Select rows to compare their curves. Click a column title to sort.")
    return found.overview["evaluation"].gather(event["selection"]["rows"] or [0]).to_list()


@section
def cards(found: Evaluations, evaluation: str) -> None:
    """The main metrics of one evaluation, with intervals."""
    row = found.row(evaluation, BY_RUN) or {}
    size = f"{row['faulty']} faulty and {row['normal']} normal incidents of {plural(row['runs'], 'run')}"
    say(f"{evaluation}\n{size}, scored by models that were trained without them")
    alarms = _percent(row["false_alarm_low"], row["false_alarm_high"])
    values = (
        ("AUROC", _number(row["auroc"]), _between(row["auroc_low"], row["auroc_high"])),
        (
            f"Recall at budget {row['budget']:g}",
            _number(row["recall"]),
            "" if not row["estimated"] else "estimated threshold",
        ),
        ("False alarms per 100", _number(row["false_alarm_rate"], 100, 1), alarms),
        ("Correct service", _number(row["right_service"]), ""),
    )
    with st.container(horizontal=True):
        for label, value, more in values:
            if value:
                st.metric(label, value, more or None, delta_color="off", delta_arrow="off", border=True)
    for remark in _remarks(found, evaluation):
        notice(remark)


@section
def baselines(found: Evaluations, evaluation: str) -> None:
    """The trivial baselines on the same incidents, with a warning if one is nearly as good."""
    row = found.row(evaluation, BY_RUN) or {}
    beside = found.shortcuts(row)
    if not beside.height:
        return
    st.subheader("Trivial baselines", anchor=False, help=meaning("Trivial baseline"))
    alone = dict(beside.select("detector", "auroc").iter_rows())
    reached = {} if row["auroc"] is None else {row["detector"]: row["auroc"]}
    said = [warning(shortcut, alone.get(shortcut.title), reached) for shortcut in SHORTCUTS]
    for sentence in filter(None, said):
        problem(sentence)
    if any(said):
        st.page_link("pages/1_Load.py", label="Load again, in windows", query_params=same_workspace())
    elif reached and (best := beside.row(0, named=True))["auroc"] is not None:
        st.caption(f"The best of them, {best['detector']}, has an AUROC of {best['auroc']:.3f}.")
    columns = {"detector": "baseline", "auroc": "AUROC", "recall_at_5": "recall at 5 %", "note": "based on"}
    st.dataframe(
        beside.select(pl.col(name).alias(title) for name, title in columns.items()),
        column_config={title: st.column_config.NumberColumn(format="%.3f") for title in ("AUROC", "recall at 5 %")},
        hide_index=True,
        row_height=28,
    )


@section
def curves(found: Evaluations, evaluations: list[str]) -> None:
    """ROC and precision-recall curves of the evaluations, on incidents of held-out runs."""
    points = found.curves.filter(_INCIDENT, pl.col("split") == BY_RUN, pl.col("evaluation").is_in(evaluations))
    names = found.overview.select("evaluation", name=_shortest_names(found.overview))
    points = points.join(names, on="evaluation", maintain_order="left")
    roc, precision = (points.filter(pl.col("curve") == curve) for curve in ("roc", "precision-recall"))
    left, right = st.columns(2)
    left.altair_chart(charts.roc_curves(roc.rename({"x": "false_alarm_rate", "y": "recall"})))
    right.altair_chart(charts.precision_recall_curves(precision.rename({"x": "recall", "y": "precision"})))
    tables.beside_chart(points.select("evaluation", "curve", "x", "y", "threshold"), "curves", "curves")


_COLUMNS = {
    "detector": st.column_config.TextColumn("detector", width=140),
    "items": st.column_config.TextColumn("items", width=100),
    "unit": st.column_config.TextColumn("unit", width=70),
    "window": st.column_config.NumberColumn("window (s)", width=70),
    "auroc": st.column_config.NumberColumn("AUROC", width=70, format="%.4f", help=meaning("AUROC")),
    "auroc_unmet": st.column_config.NumberColumn("AUROC, new faults", width=125, format="%.4f"),
    "recall": st.column_config.NumberColumn("recall", width=60, format="%.3f"),
    "recall_at_5": st.column_config.NumberColumn("recall at 5 %", width=95, format="%.3f"),
    "false_alarms": st.column_config.NumberColumn("alarms per 100", width=105, format="%.1f"),
    "right_service": st.column_config.NumberColumn("right service", width=80, format="%.2f"),
    "average_precision": st.column_config.NumberColumn("AP", width=60, format="%.3f", help="Average precision"),
    "precision": st.column_config.NumberColumn("precision", width=75, format="%.3f"),
    "f1": st.column_config.NumberColumn("F1", width=60, format="%.3f"),
    "psi": st.column_config.NumberColumn(
        "PSI", width=60, format="%.2f", help="Scores of held-out normals compared with the scores in the calibration."
    ),
    "weighting": st.column_config.TextColumn("weighting", width=80),
    "current": st.column_config.CheckboxColumn(
        "these logs", width=70, help="Whether it was computed on the logs as loaded now."
    ),
}


def _shortest_names(rows: pl.DataFrame) -> pl.Series:
    """Detector and items if they are unique, else the full names."""
    short = rows.select(pl.concat_str("detector", "items", separator=", ")).to_series()
    return rows["evaluation"] if short.is_duplicated().any() else short


def _silent(rows: pl.DataFrame) -> set[str]:
    """The columns without any value."""
    return {name for name in _COLUMNS if rows[name].null_count() == rows.height}


def _remarks(found: Evaluations, evaluation: str) -> list[str]:
    """The notes on an evaluation, and whether it is of other logs than those loaded now."""
    rows = found.figures.filter(_INCIDENT, pl.col("evaluation") == evaluation)
    sentences = [sentence for _, sentence in notes(rows)]
    if not bool(found.overview.filter(pl.col("evaluation") == evaluation)["current"][0]):
        sentences.append("These metrics were computed on different logs. Evaluate again.")
    return sentences


def _number(value: float | None, times: float = 1, digits: int = 3) -> str:
    return "" if value is None else f"{value * times:.{digits}f}"


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _percent(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f}"
