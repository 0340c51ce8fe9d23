"""The steps of a workspace as cards, and the start in an empty one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from lo2core.pipeline import jobs
from lo2core.pipeline.commands import Demo
from lo2core.pipeline.status import BROKEN, FRESH, MISSING, OPTIONAL, STALE, Step, chain
from lo2core.ui.shell.boundary import apart, section
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.job_panel import start_job
from lo2core.ui.shell.unreadable import show_unreadable
from lo2core.ui.shell.widgets import go_to, problem, same_workspace, say, short, when

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
    OPTIONAL: ("gray", ":material/add:"),
    BROKEN: ("orange", ":material/warning:"),
}
_DOUBTFUL: tuple[BadgeColour, str] = ("orange", ":material/warning:")
_NOUNS = {
    "runs": "run",
    "lines": "line",
    "messages": "message",
    "normals": "normal incident",
    "incidents": "incident",
}


@section
def read(here: Frame) -> list[Step]:
    """The steps of the workspace, read from disk each time: only metadata and small tables."""
    return chain(here.workspace, here.models_dir)


def _begin(here: Frame) -> None:
    """For an empty workspace: try the sample, or load logs."""
    if jobs.status(here.workspace.root).running:
        return
    with st.container(border=True, horizontal_alignment="center", gap="medium"):
        st.space("small")
        say("This workspace is empty. Try it with a small synthetic sample, or load your own logs.", width="content")
        _first_steps(here)
        st.space("small")


def _first_steps(here: Frame) -> None:
    with st.container(horizontal=True, horizontal_alignment="center"):
        if st.button("Try the sample", type="primary", icon=":material/play_arrow:"):
            start_job(here.workspace.root, Demo(output_dir=here.workspace.root))
        if st.button("Load my logs", icon=":material/folder_open:"):
            go_to("pages/1_Load.py")


@section
def show(here: Frame, chained: Sequence[Step]) -> None:
    """A card for each step: its numbers, state and time; below the cards, files that cannot be read.

    For an empty workspace, how to begin.
    """
    if is_empty(chained):
        _begin(here)
        return
    row = st.container(horizontal=True, gap="small", key="chain")
    for step in chained:
        with row.container(border=True, gap="xsmall", height="stretch"):
            st.page_link(PAGES[step.name], label=f"**{step.name}**", query_params=same_workspace())
            with apart():
                _card(step)
    for step in chained:
        if step.state == BROKEN:
            problem(step.why)
    show_unreadable(here.workspace)


def _card(step: Step) -> None:
    if numbers := figures(step):
        say("\n".join(numbers))
    colour, icon = _DOUBTFUL if step.doubtful else BADGES[step.state]
    st.badge(step.state.upper() if step.state == STALE else step.state, color=colour, icon=icon)
    if step.made:
        st.caption(when(step.made))
    if step.why and step.state != BROKEN:
        st.caption(step.why)


def figures(step: Step) -> list[str]:
    """The lines of a card, as plain text."""
    facts = {name: value for name, value in step.facts.items() if value is not None}
    named = (str(facts[name]).splitlines() for name in ("name", "prediction", "detector") if name in facts)
    names = [name.removesuffix("_predictions") for lines in named for name in lines]  # a card is narrow
    counted = [_counted(facts[name], noun) for name, noun in _NOUNS.items() if name in facts]
    if "flagged" in facts:
        counted.append(f"{short(facts['flagged'])} flagged")
    if "unscored" in facts:
        counted.append(f"{short(facts['unscored'])} not fully scored")
    if "fitness" in facts:
        counted.append(f"model {facts['fitness']}")
    return names + counted + ([f"damaged: {facts['damaged']}"] if "damaged" in facts else [])


def _counted(n: int, noun: str) -> str:
    return f"{short(n)} {noun}{'' if n == 1 else 's'}"


def is_empty(steps: Sequence[Step]) -> bool:
    """Whether nothing is loaded and nothing is scored."""
    return all(step.state == MISSING for step in steps if step.name in ("Loaded", "Predictions"))
