"""A tour of three steps through the sample, until somebody dismisses it."""

from __future__ import annotations

import streamlit as st

from lo2core.base.config import SAMPLE_MODELS
from lo2core.store import settings
from lo2core.store.workspace import Workspace
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.session import Lead
from lo2core.ui.shell.widgets import same_workspace, say

_HINT = "tour"
_FIRST, _SECOND = (f"{name}_predictions" for name in SAMPLE_MODELS)
_STEPS = {
    "Overview": (
        "Tour, 1 of 3. This is a small synthetic sample: two thirds of its test cases contain a fault. Flagged "
        "incidents with the same cause are one group. Look at the worst incident.",
        Lead("pages/5_Explain.py", "Why was it flagged?", {"prediction": _FIRST}),
    ),
    "Explain": (
        "Tour, 2 of 3. At the top is the most telling line. Below are the items that made the score, with their counts "
        "here and in normal logs. Then compare this model with a second one.",
        Lead("pages/6_Compare.py", "What does a second model say?", {"a": _SECOND, "b": _FIRST}),
    ),
    "Compare": (
        "Tour, 3 of 3. The second model sees only what no normal log contains, so it misses faults that show in known "
        "messages. In the same way you compare today with yesterday. Now it is your turn.",
        Lead("pages/1_Load.py", "Load my logs"),
    ),
}


@section
def show(page: str, workspace: Workspace) -> None:
    """The step of the tour on this page; nothing on other pages, in other workspaces, and once it was dismissed."""
    if page not in _STEPS or not workspace.has(_FIRST) or settings.is_dismissed(_HINT):
        return
    text, lead = _STEPS[page]
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="tour"):
        say(text, width="stretch")
        query = same_workspace() | dict(lead.params)
        st.page_link(lead.page, label=lead.label, icon=":material/arrow_forward:", query_params=query)
        st.button("Dismiss", key="tour-dismiss", type="tertiary", on_click=settings.dismiss, args=(_HINT,))
