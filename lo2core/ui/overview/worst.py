"""The worst incidents of a prediction, or what to do if there are none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import polars as pl
import streamlit as st

from lo2core.base.errors import Lo2Error
from lo2core.base.glossary import meaning
from lo2core.base.schemas import INCIDENT_KEY, Events
from lo2core.base.text import plural, visible
from lo2core.detect.fitness import FITS, NOT_AT_ALL
from lo2core.detect.incidents import not_fully_scored
from lo2core.explain import feedback
from lo2core.pipeline.line_filter import LineFilter
from lo2core.pipeline.predict import recorded_fitness
from lo2core.pipeline.status import FRESH, Step
from lo2core.pipeline.summary import ERROR_LEVELS
from lo2core.store import bundles
from lo2core.store.predictions import home_of, newest_first
from lo2core.ui.explain import marks
from lo2core.ui.overview.steps import is_empty
from lo2core.ui.predict import groups, incidents
from lo2core.ui.predict.new_logs import NEW
from lo2core.ui.shell import models, scores, tables
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.links import explore, open_explain
from lo2core.ui.shell.widgets import empty_state, go_to, notice, say, statement

MOST = 20
"""Incidents shown until all of them are asked for."""


@section
def show(here: Frame, chained: Sequence[Step]) -> None:
    """The worst incidents of a prediction, by default the newest, as a heat map; a click opens page Explain."""
    if is_empty(chained):
        return
    names = newest_first(here.workspace)
    if not names:
        _score_first(here, next(step for step in chained if step.name == "Model"))
        return
    title, choice, score, compare = st.columns([2.4, 3, 1.8, 1.3], vertical_alignment="bottom")
    title.subheader("Flagged incidents by cause", anchor=False, help=meaning("Group"))
    name = choice.selectbox("Prediction, newest first", names, format_func=visible)
    if score.button("Score new logs", type="primary", icon=":material/radar:", width="stretch"):
        go_to("pages/4_Predict.py", {NEW: "logs"})
    if compare.button("Compare", icon=":material/compare_arrows:", width="stretch"):
        older = [*names, *names][names.index(name) + 1]
        go_to("pages/6_Compare.py", {"a": older, "b": name} if older != name else None)
    _worst(here, name)


def _score_first(here: Frame, model: Step) -> None:
    """If there are no predictions: a link to scoring, or to training if there is no model that fits."""
    if model.state == FRESH and not _misfit(here, model):
        sentence = f"These logs are not scored yet. Model {model.facts['name']} is ready."
        empty_state(sentence, "pages/4_Predict.py", "Score logs")
    else:
        unfit = f"Model {model.facts['name']} does not fit them. " if model.state == FRESH else ""
        sentence = f"These logs are not scored yet. {unfit}Train a model first."
        empty_state(sentence, "pages/3_Train.py", "Train a model")


def _misfit(here: Frame, model: Step) -> bool:
    path = bundles.bundle_path(model.facts["name"], here.models_dir)
    return models.opens(path) and models.fitness_of(here.workspace, path).verdict == NOT_AT_ALL


@section
def _worst(here: Frame, name: str) -> None:
    home, table = home_of(here.workspace, name)
    found, ranked = scores.saved_scores(home, table)
    if not found.height:
        notice("These predictions contain no scores.")
        return
    fits = recorded_fitness(home, table)
    if fits and fits.verdict != FITS:
        statement(fits)
    open_row = partial(open_explain, prediction=table, sample=None if home is here.workspace else home.root.name)
    above = st.container()
    flagged, partly = int(ranked["pred_ano"].fill_null(False).sum()), not_fully_scored(ranked["pred_ano"])
    tops = found.select("seq_id", top_item=pl.lit("click to see why"))
    st.subheader("Worst incidents", anchor=False, help=meaning("Incident"))
    with st.container(horizontal=True, vertical_alignment="center"):
        sentence = st.empty()
        every = ranked.height > MOST and st.toggle("Show all", key=f"overview-all-{name}")
    worst = ranked.head(tables.MAX_ROWS if every else MOST)
    what = "All, worst first" if worst.height == ranked.height else f"The {worst.height:,} worst"
    with sentence:
        say(f"{flagged:,} of {plural(ranked.height, 'incident')} flagged{partly}. {what}:")
    if note := _after_marks(here, name):
        st.caption(note)
    incidents.heatmap(found, worst, tops, open_row, "overview")
    if home.has(Events):
        errors = LineFilter(levels=ERROR_LEVELS)
        explore(errors, "All errors in the log explorer", sample=None if home is here.workspace else home.root.name)
    shown = worst.select("rank", *INCIDENT_KEY, "service", "z_score", "pred_ano")
    if every and worst.height < ranked.height:
        st.caption("Page Predict has a search in all incidents.")
    tables.beside_chart(shown, "worst_incidents", "overview-table", tables.INCIDENT)
    with above:  # last, since the first time takes longer
        _by_cause(here, name, open_row)


@section
def _by_cause(here: Frame, name: str, open_row: incidents.Open) -> None:
    """The flagged incidents in groups."""
    found = groups.of_saved(here, name)
    if found is None:
        st.caption(groups.NOT_KNOWN)
    else:
        groups.show(here.workspace, found, open_row, f"overview-{name}")


def _after_marks(here: Frame, name: str) -> str:
    """The effect of known benign items on a prediction; empty without any, or if its model is unknown."""
    home, table = home_of(here.workspace, name)
    if not home.metadata(table).get("bundle"):
        return ""
    try:
        after = marks.applied(here.workspace, scores.saved(here, name))
    except Lo2Error:  # page Explain shows the reason
        return "Known benign items cannot be applied to these scores."
    return "" if after is None else feedback.sentence(after)
