"""The table of templates, and the lines of the selected one."""

from __future__ import annotations

from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.frames import visible_frame
from lo2core.base.glossary import meaning
from lo2core.base.schemas import Events
from lo2core.detect.logs import NO_EVENTS
from lo2core.messages.hashing import content_hash
from lo2core.messages.patterns import LONGEST_SEARCH, search_pattern
from lo2core.pipeline import search
from lo2core.pipeline.enhance import templates
from lo2core.pipeline.line_filter import LineFilter
from lo2core.store.workspace import Workspace
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.links import explore
from lo2core.ui.shell.widgets import downloads, notice, raw

FIRST = 10
"""Lines of the selected template that are shown at once."""


@section
def show(workspace: Workspace) -> None:
    """The templates, most frequent first; selecting one shows its lines."""
    st.subheader("Templates", anchor=False, help=meaning("Template"))
    found = remembered(templates, workspace)
    typed = st.text_input(
        "Search",
        key="template-search",
        icon=":material/search:",
        placeholder="part of a template",
        max_chars=LONGEST_SEARCH,
    )
    if typed:
        wanted = search_pattern(typed)
        found = found.filter(pl.any_horizontal(pl.col("template", "title", "example").str.contains(wanted)))
    share = partial(st.column_config.ProgressColumn, min_value=0.0, max_value=1.0, format="percent", width=90)
    event = st.dataframe(
        visible_frame(found.select("title", "events", "normal", "other", "services", "messages")),
        hide_index=True,
        row_height=28,
        height=380,
        key=f"templates-{typed}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "title": st.column_config.TextColumn("template", width=560),
            "events": st.column_config.NumberColumn("events", format="localized", width=80),
            "messages": st.column_config.NumberColumn("messages", width=75),
            "normal": share("in normal", help="Share of normal test cases that contain it"),
            "other": share("in faulty", help="Share of faulty test cases that contain it"),
        },
    )
    downloads(found, "templates", key="templates")
    for row in event["selection"]["rows"]:
        _lines_of(workspace, found.row(row, named=True))


def _lines_of(workspace: Workspace, template: dict[str, Any]) -> None:
    st.subheader("Lines of the template", anchor=False)
    raw(str(template["template"]))
    if not workspace.has(Events):
        notice(NO_EVENTS)
        return
    wanted = LineFilter(templates=(str(content_hash(template["template"])),))
    first = remembered(search.find_lines, workspace, wanted, 0, FIRST)
    raw("\n".join(search.raw_lines(workspace, first)))
    explore(wanted, "All lines of the template")
