"""The values behind the placeholders of one template, in all lines that a search finds."""

from __future__ import annotations

import polars as pl

from lo2core.base.schemas import Messages
from lo2core.enhance.enrich import templates_of
from lo2core.explain.values import compared_values, values_behind
from lo2core.messages.text import event_lines
from lo2core.pipeline.line_filter import LineFilter, message_id
from lo2core.pipeline.search import find_lines
from lo2core.store.workspace import Workspace

MOST_LINES = 100_000
"""Lines whose values are counted."""


def template_values(workspace: Workspace, wanted: LineFilter) -> pl.DataFrame:
    """`explain.values.compared_values` of the first lines that pass the filter, which names one template or message.

    Compared are lines of normal test cases with all others; without labels all lines count as others.
    """
    text = _text(workspace, message_id(wanted.templates[0]))
    found = find_lines(workspace, wanted, limit=MOST_LINES)
    normal = found["normal"].fill_null(False)
    lines = event_lines(found)
    return compared_values(values_behind(text, lines.filter(~normal)), values_behind(text, lines.filter(normal)))


def _text(workspace: Workspace, asked: int | None) -> str:
    """The text of a message or template by its id; empty if there is none."""
    messages = workspace.read(Messages, columns=["message_id", "kind", "text"]).filter(pl.col("kind") == "message")
    named = messages.filter(pl.col("message_id") == pl.lit(asked, pl.Int128))["text"]
    if not len(named):
        known = templates_of(messages["text"])
        named = known.filter(pl.col("e_event_drain_id") == pl.lit(asked, pl.Int128))["e_template"]
    return str(named[0]) if len(named) else ""
