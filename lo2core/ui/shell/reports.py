"""Buttons that download a report, which is made on click."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue

import streamlit as st

from lo2core.base.text import file_name
from lo2core.ui.shell.boundary import apart

_LONGEST_WAIT = 600.0
"""Seconds; the download itself continues."""

Outcome = SimpleQueue[Exception | None]


def report_button(
    label: str, make: Callable[[], str], name: str, key: str, icon: str, about: str | None = None
) -> None:
    """A button that downloads the page that `make` returns as `<name>.html`. An error is shown as a sentence.

    Streamlit calls `make` in a thread of its own, which cannot show anything, while the click draws this button again.
    """
    clicked: Outcome | None = st.session_state.get(f"{key}-outcome")
    outcome: Outcome = SimpleQueue()
    st.session_state[f"{key}-outcome"] = outcome

    def made() -> str:
        try:
            page = make()
        except Exception as error:
            outcome.put(error)
            raise
        outcome.put(None)
        return page

    if (
        st.download_button(label, made, f"{file_name(name)}.html", "text/html", key=key, icon=icon, help=about)
        and clicked
    ):
        with apart():
            _wait_for(clicked)


def _wait_for(outcome: Outcome) -> None:
    """Wait until the report is made; raises what `make` raised. The person can go on meanwhile."""
    shown, end = st.empty(), time.monotonic() + _LONGEST_WAIT
    while time.monotonic() < end:
        try:
            error = outcome.get(timeout=0.2)
        except Empty:
            shown.text("Making the report ...")  # Streamlit ends this run here if the person does something else
            continue
        shown.empty()
        if error:
            raise error
        return
