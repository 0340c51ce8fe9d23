"""Recall by fault and service of an evaluation; a click opens such an incident on page Explain."""

from __future__ import annotations

import polars as pl
import streamlit as st

from lo2core.base.frames import as_saved
from lo2core.base.glossary import meaning
from lo2core.base.text import visible
from lo2core.detect.evaluation.faults import ANY_SERVICE
from lo2core.detect.folds import BY_RUN
from lo2core.report import charts
from lo2core.store.predictions import newest_by, read_sequence_scores
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import tables
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.links import open_explain
from lo2core.ui.shell.widgets import notice, say
from lo2core.ui.train.evaluation import Evaluations

MOST_NAMED = 12
_ANY, _APART = "(any)", " (reported separately)"


@section
def show(workspace: Workspace, found: Evaluations, evaluation: str) -> None:
    """The recall matrix of one evaluation, and the faults that were not always found."""
    rows = found.faults.filter(pl.col("evaluation") == evaluation, pl.col("split") == BY_RUN, ~pl.col("normal"))
    if not rows.height:
        return
    st.subheader("Recall by fault and service", anchor=False, help=meaning("Fault"))
    scored = newest_by(workspace, (found.row(evaluation, BY_RUN) or {}).get("detector"))
    st.caption(
        f"Share of held-out sequences at or above the threshold. {_ANY} is the incident, by its worst service."
        + (f" Click a field to explain its worst incident in {visible(scored)}." if scored else "")
    )
    named = rows.with_columns(
        service=pl.when(pl.col("service") == ANY_SERVICE).then(pl.lit(_ANY)).otherwise("service"),
        test_case=pl.when("apart").then(pl.format("{}" + _APART, "test_case")).otherwise("test_case"),
        recall="share",
    ).select("test_case", "service", "recall", "n", "alarms")
    with st.container(height=560 if named["test_case"].n_unique() > 20 else "content", border=False):
        event = st.altair_chart(charts.recall_matrix(named), on_select="rerun", key=f"faults-{evaluation}")
    for pick in event["selection"].get("pick") or []:
        chosen = as_saved(pick, named)
        _explain(workspace, scored, chosen["test_case"].removesuffix(_APART), chosen["service"])
    missed = named.filter(pl.col("service") == _ANY, pl.col("recall") < 1).sort("recall", "test_case")
    if missed.height:
        rarest = ", ".join(missed["test_case"].head(MOST_NAMED))
        more = f", and {missed.height - MOST_NAMED} more" if missed.height > MOST_NAMED else ""
        say(f"Not always found, lowest recall first: {rarest}{more}.")
    tables.beside_chart(named, "recall_by_fault", "faults")


def _explain(workspace: Workspace, prediction: str | None, test_case: str, service: str) -> None:
    """Go to page Explain, to the sequence of a test case and service with the largest z in a saved prediction."""
    if not prediction:
        notice("These logs are not scored yet. Score them on page Predict to explain incidents.")
        return
    scores = remembered(read_sequence_scores, workspace, prediction)
    found = scores.filter(pl.col("test_case") == test_case, pl.lit(service == _ANY) | (pl.col("service") == service))
    for row in found.head(1).iter_rows(named=True):
        open_explain(row, prediction=prediction)
    notice(f"{prediction} does not contain {test_case} of {service}. This evaluation used different logs.")
