"""What the overview is made of: the chain as cards, the incidents that need a look."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal

import polars as pl
import streamlit as st

from lo2core.base.errors import Lo2Error
from lo2core.base.schemas import INCIDENT_KEY
from lo2core.explain import feedback
from lo2core.pipeline import jobs
from lo2core.pipeline.commands import Demo
from lo2core.pipeline.status import BROKEN, FRESH, MISSING, STALE, Step, chain
from lo2core.report.chart_data import ranked_incidents
from lo2core.store.predictions import home_of, newest_first, read_sequence_scores
from lo2core.ui.explain import marks
from lo2core.ui.predict import incidents
from lo2core.ui.shell import frame, scores, tables
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.job_panel import job_panel, start_job
from lo2core.ui.shell.links import open_explain
from lo2core.ui.shell.widgets import empty_state, go_to, notice, problem, same_workspace, short, when

BadgeColour = Literal["green", "orange", "gray"]

PAGES = {
    "Loaded": "pages/1_Load.py",
    "Enriched": "pages/2_Enhance.py",
    "Model": "pages/3_Train.py",
    "Predictions": "pages/4_Predict.py",
    "Explained": "pages/5_Explain.py",
    "Compared": "pages/6_Compare.py",
}
BADGES: dict[str, tuple[BadgeColour, str]] = {
    FRESH: ("green", ":material/check:"),
    STALE: ("orange", ":material/update:"),
    MISSING: ("gray", ":material/radio_button_unchecked:"),
    BROKEN: ("orange", ":material/warning:"),
}
_NOUNS = {
    "runs": "run",
    "lines": "line",
    "messages": "message",
    "normals": "normal incident",
    "incidents": "incident",
}
MOST = 20
"""Incidents shown here; page Predict has them all."""


def steps(here: Frame) -> list[Step]:
    """The chain of the workspace; read anew each time, from footers and small tables."""
    return chain(here.workspace, here.models_dir)


def start(here: Frame) -> None:
    """An empty workspace: the sample with one click, or the way to one's own logs."""
    with st.container(border=True, horizontal_alignment="center", gap="medium"):
        st.space("small")
        st.text(
            "This workspace is empty: see what it is about on a small synthetic sample, or load logs.", width="content"
        )
        if jobs.status(here.workspace.root).running:
            job_panel(here.workspace.root, "overview")
        else:
            _first_steps(here)
        st.space("small")


def _first_steps(here: Frame) -> None:
    with st.container(horizontal=True, horizontal_alignment="center"):
        if st.button("Try the sample", type="primary", icon=":material/play_arrow:"):
            start_job(here.workspace.root, Demo(output_dir=here.workspace.root))
        if st.button("Load my logs", icon=":material/folder_open:"):
            go_to("pages/1_Load.py")


def show_chain(chained: Sequence[Step]) -> None:
    """A card for each step: its figures, when it was made, what is wrong with it; below them what cannot be read."""
    row = st.container(horizontal=True, gap="xsmall", key="chain")
    for step in chained:
        with row.container(border=True, gap="xsmall", height="stretch"):
            st.page_link(PAGES[step.name], label=f"**{step.name}**", query_params=same_workspace())
            with frame.apart():
                _card(step)
    for step in chained:
        if step.state == BROKEN:
            problem(step.why)


def _card(step: Step) -> None:
    if told := figures(step):
        st.text("\n".join(told))
    colour, icon = BADGES[step.state]
    st.badge(step.state.upper() if step.state == STALE else step.state, color=colour, icon=icon)
    if step.made:
        st.caption(when(step.made))
    if step.why and step.state != BROKEN:
        st.caption(step.why)


def figures(step: Step) -> list[str]:
    """What a card says about its step, as plain text."""
    facts = {name: value for name, value in step.facts.items() if value is not None}
    named = (str(facts[name]).splitlines() for name in ("name", "prediction", "detector") if name in facts)
    names = [name.removesuffix("_predictions") for lines in named for name in lines]  # a card is narrow
    counted = [_counted(facts[name], noun) for name, noun in _NOUNS.items() if name in facts]
    if "flagged" in facts:
        counted.append(f"{short(facts['flagged'])} flagged")
    return names + counted + ([f"damaged: {facts['damaged']}"] if "damaged" in facts else [])


def _counted(n: int, noun: str) -> str:
    return f"{short(n)} {noun}{'' if n == 1 else 's'}"


def what_needs_a_look(here: Frame, chained: Sequence[Step]) -> None:
    """The worst incidents of a prediction, the newest unless told, as a heat map; a click leads to its explanation."""
    names = newest_first(here.workspace)
    if not names:
        _score_first(next(step for step in chained if step.name == "Model"))
        return
    title, choice, score, compare = st.columns([2.4, 3, 1.8, 1.3], vertical_alignment="bottom")
    title.subheader("What needs a look", anchor=False)
    name = choice.selectbox("Prediction, newest first", names)
    if score.button("Score new logs", type="primary", icon=":material/radar:", width="stretch"):
        go_to("pages/4_Predict.py")
    if compare.button("Compare", icon=":material/compare_arrows:", width="stretch"):
        go_to("pages/6_Compare.py")
    with frame.apart():
        _worst(here, name)


def _score_first(model: Step) -> None:
    """Nothing is scored: the way to a model, or with the one that is there to its scores."""
    if model.state == FRESH:
        sentence = f"These logs are not scored yet, and a model is there: {model.facts['name']}."
        empty_state(sentence, "pages/4_Predict.py", "Score logs")
    else:
        sentence = "These logs are not scored yet: learn first what normal looks like."
        empty_state(sentence, "pages/3_Train.py", "Train a model")


def _worst(here: Frame, name: str) -> None:
    home, table = home_of(here.workspace, name)
    found = remembered(read_sequence_scores, home, table)
    if not found.height:
        notice("These predictions hold no scores.")
        return
    ranked = ranked_incidents(found)
    worst, flagged = ranked.head(MOST), int(ranked["pred_ano"].fill_null(False).sum())
    tops = found.select("seq_id", top_item=pl.lit("click to see why"))
    st.text(f"{flagged:,} of {ranked.height:,} incidents are flagged. The {worst.height} worst:")
    if told := _after_marks(here, name):
        st.caption(told)
    open_row = partial(open_explain, prediction=table, sample=None if home is here.workspace else home.root.name)
    incidents.heatmap(found, worst, tops, open_row, "overview")
    shown = worst.select("rank", *INCIDENT_KEY, "service", "z_score", "pred_ano")
    tables.beside_chart(shown, "worst_incidents", "overview-table", _WORST)


def _after_marks(here: Frame, name: str) -> str:
    """What marks did to a prediction; empty without marks, and where nobody knows which bundle made it."""
    home, table = home_of(here.workspace, name)
    if not home.metadata(table).get("bundle"):
        return ""
    try:
        after = marks.applied(here.workspace, scores.saved(here, name))
    except Lo2Error:  # page Explain says which, and lists the marks
        return "Marks as benign are in force, but cannot be applied to these scores."
    return "" if after is None else feedback.sentence(after)


_WORST = {
    "rank": st.column_config.NumberColumn("rank", width=50),
    "run": st.column_config.TextColumn("run", width=230),
    "folder": st.column_config.TextColumn("test case", width=300),
    "window": st.column_config.NumberColumn("window", width=60),
    "service": st.column_config.TextColumn("worst service", width=110),
    "z_score": st.column_config.NumberColumn("z", width=60, format="%.1f"),
    "pred_ano": st.column_config.CheckboxColumn("flagged", width=60),
}


def is_empty(steps: Sequence[Step]) -> bool:
    """Whether nothing is loaded and nothing is scored."""
    return all(step.state == MISSING for step in steps if step.name in ("Loaded", "Predictions"))
