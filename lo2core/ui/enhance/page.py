"""What page Enhance is made of: figures, mask rules with what they do, new rules tried on real lines, templates."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.errors import InputError, Lo2Error
from lo2core.base.schemas import EnrichedEvents, Events, Messages
from lo2core.base.text import plural
from lo2core.enhance.mask_trial import rule_effect, rule_table
from lo2core.messages.masks import DEFAULT_RULES, MaskRule, user_rule
from lo2core.pipeline import jobs, summary
from lo2core.pipeline.commands import Enhance, Load
from lo2core.pipeline.enhance import sample_lines, templates
from lo2core.pipeline.inputs import extended_masker, masker_of
from lo2core.pipeline.summary import LineFilter
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import frame
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.job_panel import job_panel, start_job
from lo2core.ui.shell.log_table import lines_view
from lo2core.ui.shell.widgets import count, downloads, notice, problem, raw, short, terminal_command

PREVIEW = 200
"""Changed lines that are looked at while a rule is typed."""
_ADDED = "added_rules"
_Asked = tuple[tuple[str, str, str], ...]


def command(workspace: Workspace) -> Enhance:
    """The command that saves enriched events, with the rules that were added here."""
    rules = tuple((rule.name, rule.pattern, rule.replacement) for rule in added(workspace))
    replace = bool(rules) or workspace.has(EnrichedEvents)
    return Enhance(mask=rules, output_dir=workspace.root, replace=replace)


def added(workspace: Workspace) -> list[MaskRule]:
    """Rules that were added here and that the workspace was not masked with yet."""
    there = masker_of(workspace).rules
    mine = st.session_state.get(_ADDED, {}).get(str(workspace.root), [])
    return [rule for rule in mine if rule not in there]


def headline(workspace: Workspace) -> None:
    """How far the lines boil down, and the button that saves the enriched events."""
    lines = remembered(summary.totals, workspace)["lines"]
    found = remembered(templates, workspace)
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.subheader(
        f"{short(lines)} lines → {count(int(found['messages'].sum()))} messages → {count(found.height)} templates",
        anchor=False,
    )
    if jobs.status(workspace.root).running:
        job_panel(workspace.root, "enhance")
        return
    can = workspace.has(Events)
    if right.button("Enrich", type="primary", icon=":material/auto_fix_high:", disabled=not can, width="stretch"):
        with frame.calm():
            _start(workspace)
    st.caption(_state(workspace))


def _state(workspace: Workspace) -> str:
    new = len(added(workspace))
    if new:
        waits = "rule waits" if new == 1 else "rules wait"
        return f"{new} new {waits} for the next enrichment, in this session only: a reload of the page forgets."
    if workspace.has(EnrichedEvents):
        return "The events are saved with their words, trigrams, lengths and templates."
    return "Training and scoring need no more than this. Enrich to save words, trigrams and templates with every event."


def _start(workspace: Workspace) -> None:
    begin = partial(start_job, workspace.root, command(workspace))
    if told := _consequences(workspace):
        frame.confirm_replace(told, begin)
    else:
        begin()


def _consequences(workspace: Workspace) -> str:
    """What an enrichment overwrites, and what new rules take from what was made before; empty where that is nothing."""
    told = [f"{workspace.path(EnrichedEvents)} is made anew."] if workspace.has(EnrichedEvents) else []
    if new := len(added(workspace)):
        told.append(
            f"The loaded logs are masked anew, with {plural(new, 'new rule')}. Models that were trained before cannot "
            "score them any more, and saved predictions of them can no longer be explained: train and predict anew."
        )
        told.append("A rule can be added to loaded logs, not taken away: the way back is to load the raw logs anew.")
    return "\n\n".join(told)


def rules(workspace: Workspace) -> None:
    """The mask rules in the order they run, with an example of each; and the way to add one."""
    st.subheader("Rules, in order", anchor=False)
    if not workspace.has(Events):
        notice("These logs were loaded with --no-save-events: there are no lines to try the rules on.")
        return
    asked = _asked(workspace)
    table = remembered(_rule_table, workspace, asked)
    st.dataframe(
        table.with_row_index("no", offset=1),
        hide_index=True,
        height=320,
        column_config={
            "no": st.column_config.NumberColumn("", width=40),
            "name": st.column_config.TextColumn("rule", width=150),
            "hits": st.column_config.NumberColumn("hits", width=80, format="localized"),
            "before": st.column_config.TextColumn("before", width=380),
            "after": st.column_config.TextColumn("after", width=None),
        },
    )
    st.caption(
        f"Hits are counted on {count(remembered(_lines, workspace).len())} lines, spread evenly over all events."
    )
    with st.expander("Add a rule", icon=":material/add:", expanded=bool(asked)):
        _new_rule(workspace)
        for rule in added(workspace):
            _waiting(workspace, rule)
        if asked:
            st.caption("Models that were trained without a rule cannot score logs that are masked with it: train anew.")
    _way_back(workspace)


def _way_back(workspace: Workspace) -> None:
    """How to be rid of rules that the logs were masked with, which needs the raw logs."""
    defaults = {rule.name for rule in DEFAULT_RULES}
    mine = [rule.name for rule in masker_of(workspace).rules if rule.name not in defaults]
    if not mine:
        return
    with st.expander(f"Be rid of {plural(len(mine), 'rule')} that {'was' if len(mine) == 1 else 'were'} added"):
        st.text(
            f"These logs were masked with {', '.join(mine)}. A rule can be added to loaded logs, not taken away: the "
            "default rules come back only with the raw logs. Load all of them anew, with the options of the first time."
        )
        terminal_command(Load(root=(Path("LOGS"),), default_masks=True, output_dir=workspace.root, replace=True))


def _new_rule(workspace: Workspace) -> None:
    name, pattern, replacement, add = st.columns([1, 2, 1, 0.7], vertical_alignment="bottom")
    typed = (
        name.text_input("Name", key="rule-name", placeholder="order number"),
        pattern.text_input("Pattern (regular expression)", key="rule-pattern", placeholder=r"order \d+"),
        replacement.text_input("Replacement", key="rule-replacement", placeholder="order <NUM>"),
    )
    rule = _tried(workspace, *typed) if typed[1] else None
    add.button("Add", key="rule-add", disabled=rule is None, on_click=_add, args=(workspace, rule), width="stretch")


def _tried(workspace: Workspace, name: str, pattern: str, replacement: str) -> MaskRule | None:
    """The rule, with what it would do shown; None, with a sentence, where it cannot work."""
    try:
        rule = user_rule(name or "new rule", _sayable(pattern), _sayable(replacement))
        asked = _asked(workspace)
        messages = remembered(_messages, workspace, asked)
        masker = extended_masker(workspace, asked)
        effect = rule_effect(masker, rule, remembered(_lines, workspace), messages)
    except Lo2Error as error:
        problem(str(error))
        return None
    before, after = effect.messages
    st.text(f"{count(effect.lines)} lines change; {count(before)} distinct messages become {count(after)}.")
    if effect.lines:
        st.dataframe(effect.examples.head(PREVIEW), hide_index=True, height=220)
    return rule if name else None


def _sayable(text: str) -> str:
    """The text, if a command line can carry it; raises `InputError`."""
    if text.startswith("-"):
        raise InputError(
            "A command line takes a leading '-' for an option: write [-] in a pattern, or begin otherwise."
        )
    return text


def _add(workspace: Workspace, rule: MaskRule) -> None:
    waiting = st.session_state.setdefault(_ADDED, {})
    waiting[str(workspace.root)] = [*waiting.get(str(workspace.root), []), rule]
    for name in ("rule-name", "rule-pattern", "rule-replacement"):
        st.session_state[name] = ""


def _waiting(workspace: Workspace, rule: MaskRule) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{rule.name}:   {rule.pattern}   →   {rule.replacement}")
        st.button("Remove", key=f"remove-{rule.name}", on_click=_remove, args=(workspace, rule), type="tertiary")


def _remove(workspace: Workspace, rule: MaskRule) -> None:
    waiting = st.session_state[_ADDED]
    waiting[str(workspace.root)] = [other for other in waiting[str(workspace.root)] if other != rule]


def template_table(workspace: Workspace) -> None:
    """The templates, most frequent first; a selected one shows its lines."""
    st.subheader("Templates", anchor=False)
    found = remembered(templates, workspace)
    search = st.text_input("Search", key="template-search", icon=":material/search:", placeholder="part of a template")
    if search:
        wanted = f"(?i){pl.escape_regex(search)}"
        found = found.filter(pl.any_horizontal(pl.col("template", "title", "example").str.contains(wanted)))
    share = partial(st.column_config.ProgressColumn, min_value=0.0, max_value=1.0, format="percent", width=90)
    event = st.dataframe(
        found.select("title", "events", "normal", "other", "services", "messages"),
        hide_index=True,
        row_height=28,
        height=380,
        key=f"templates-{search}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "title": st.column_config.TextColumn("template", width=560),
            "events": st.column_config.NumberColumn("events", format="localized", width=80),
            "messages": st.column_config.NumberColumn("messages", width=75),
            "normal": share("in normal", help="Share of the normal test cases that hold it"),
            "other": share("in others", help="Share of the other test cases that hold it"),
        },
    )
    downloads(found, "templates", key="templates")
    for row in event["selection"]["rows"]:
        _lines_of(workspace, found.row(row, named=True))


def _lines_of(workspace: Workspace, template: dict[str, Any]) -> None:
    st.subheader("Lines of the template", anchor=False)
    raw(str(template["template"]))
    ids = tuple(template["message_ids"])
    lines_view(workspace, LineFilter(message_ids=ids), key="template")


def _lines(workspace: Workspace) -> pl.Series:
    return sample_lines(workspace)


def _asked(workspace: Workspace) -> _Asked:
    return tuple((rule.name, rule.pattern, rule.replacement) for rule in added(workspace))


def _messages(workspace: Workspace, asked: _Asked) -> pl.Series:
    """The distinct messages as they will be with the rules that wait."""
    texts = workspace.scan(Messages).filter(pl.col("kind") == "message").collect()["text"]
    waiting = extended_masker(workspace, asked).beyond(masker_of(workspace))
    return waiting.mask(texts)


def _rule_table(workspace: Workspace, asked: _Asked) -> pl.DataFrame:
    return rule_table(extended_masker(workspace, asked), sample_lines(workspace))
