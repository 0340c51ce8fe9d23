"""Links to incidents on page Explain, and to lines in the log explorer of page Load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from lo2core.base.schemas import INCIDENT_KEY
from lo2core.pipeline.line_filter import LineFilter
from lo2core.ui.shell.widgets import go_to, same_workspace

EXPLAIN = "pages/5_Explain.py"
LOAD = "pages/1_Load.py"
LINES = "lines"
"""Query parameter of page Load: the filter of the log explorer."""
_PLACE = (*INCIDENT_KEY, "service")


def explain_params(
    row: Mapping[str, Any], *, prediction: str | None = None, bundle: Path | None = None, sample: str | None = None
) -> dict[str, str]:
    """Query parameters of an incident on page Explain; `row` may contain run, folder, window, service.

    The scores come from a saved `prediction`, else from `bundle` directly. `sample` names the logs if they are not the
    workspace's own.
    """
    scores = {"sample": sample, "prediction": prediction, "bundle": bundle.stem if bundle and not prediction else None}
    params = scores | {name: row.get(name) for name in _PLACE}
    return same_workspace() | {name: str(value) for name, value in params.items() if value is not None}


def open_explain(
    row: Mapping[str, Any], *, prediction: str | None = None, bundle: Path | None = None, sample: str | None = None
) -> None:
    """Go to page Explain at once; see `explain_params`."""
    go_to(EXPLAIN, explain_params(row, prediction=prediction, bundle=bundle, sample=sample))


def explain_address(*, prediction: str | None, sample: str | None) -> str:
    """The relative address of a saved prediction on page Explain."""
    return f"Explain?{urlencode(explain_params({}, prediction=prediction, sample=sample))}"


def explore(
    wanted: LineFilter, label: str = "Open in the log explorer", *, sample: str | None = None, around: str | None = None
) -> None:
    """A link to lines in the log explorer; around: `LINE:SEQ_ID` of a line that is shown among all services."""
    params = {LINES: wanted.as_typed(), "sample": sample, "around": around}
    query = same_workspace() | {name: value for name, value in params.items() if value}
    st.page_link(LOAD, label=label, icon=":material/manage_search:", query_params=query)
