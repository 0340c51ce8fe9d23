"""The reduction from lines to templates, and the job that saves enriched events."""

from __future__ import annotations

from functools import partial

import streamlit as st

from lo2core.base.schemas import EnrichedEvents, Events
from lo2core.base.text import plural
from lo2core.pipeline import summary
from lo2core.pipeline.commands import Enhance
from lo2core.pipeline.enhance import templates
from lo2core.store.workspace import Workspace
from lo2core.ui.enhance.rules import added
from lo2core.ui.shell import frame, keyboard
from lo2core.ui.shell.boundary import apart, section
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.job_panel import start_job
from lo2core.ui.shell.widgets import count, short


@section
def command(workspace: Workspace) -> Enhance:
    """The command that saves enriched events, with the rules that were added here."""
    return _command(workspace)


def _command(workspace: Workspace) -> Enhance:
    rules = tuple((rule.name, rule.pattern, rule.replacement) for rule in added(workspace))
    replace = bool(rules) or workspace.has(EnrichedEvents)
    return Enhance(mask=rules, output_dir=workspace.root, replace=replace)


@section
def headline(workspace: Workspace) -> None:
    """The number of lines, messages and templates, and the button that saves the enriched events."""
    lines = remembered(summary.totals, workspace)["lines"]
    found = remembered(templates, workspace)
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.subheader(
        f"{short(lines)} lines → {count(int(found['messages'].sum()))} messages → {count(found.height)} templates",
        anchor=False,
    )
    can = workspace.has(Events)
    if right.button(
        "Enrich",
        type="primary",
        shortcut=keyboard.RUN,
        icon=":material/auto_fix_high:",
        disabled=not can,
        width="stretch",
    ):
        with apart():
            _start(workspace)
    st.caption(_state(workspace))


def _state(workspace: Workspace) -> str:
    new = len(added(workspace))
    if new:
        return f"{plural(new, 'new rule')}, applied when you enrich. Reloading the page discards new rules."
    if workspace.has(EnrichedEvents):
        return "Events are saved with their words, trigrams, lengths and templates."
    return "Optional: save words, trigrams and templates with each event. Training and scoring do not need them."


def _start(workspace: Workspace) -> None:
    begin = partial(start_job, workspace.root, _command(workspace))
    if effects := _consequences(workspace):
        frame.confirm_replace(effects, begin)
    else:
        begin()


def _consequences(workspace: Workspace) -> str:
    """What an enrichment overwrites or invalidates; empty if nothing."""
    effects = [f"{workspace.path(EnrichedEvents)} will be replaced."] if workspace.has(EnrichedEvents) else []
    if new := len(added(workspace)):
        effects.append(
            f"The loaded logs will be masked again with {plural(new, 'new rule')}. Existing models will not be able to "
            "score them, and saved predictions can no longer be explained: train and predict again."
        )
        effects.append("A rule cannot be removed from loaded logs. To undo this, load the raw logs again.")
    return "\n\n".join(effects)
