"""The mask rules with their hits, and fields to add a rule."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import streamlit as st

from lo2core.base.errors import InputError, Lo2Error
from lo2core.base.frames import visible_frame
from lo2core.base.glossary import meaning
from lo2core.base.schemas import Events, Messages
from lo2core.base.text import plural
from lo2core.enhance.mask_trial import rule_effect, rule_table
from lo2core.messages.masks import DEFAULT_RULES, MaskRule, user_rule
from lo2core.pipeline.commands import Load
from lo2core.pipeline.enhance import sample_lines
from lo2core.pipeline.inputs import extended_masker, masker_of
from lo2core.store.workspace import Workspace
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.widgets import count, notice, problem, say, terminal_command

PREVIEW = 200
"""Changed lines that are shown while a rule is entered."""
_ADDED = "added_rules"
_Asked = tuple[tuple[str, str, str], ...]


def added(workspace: Workspace) -> list[MaskRule]:
    """Rules that were added here and not yet applied to the workspace."""
    there = masker_of(workspace).rules
    mine = st.session_state.get(_ADDED, {}).get(str(workspace.root), [])
    return [rule for rule in mine if rule not in there]


@section
def show(workspace: Workspace) -> None:
    """The mask rules in order of application, with an example of each; and fields to add one."""
    st.subheader("Mask rules, in order", anchor=False, help=meaning("Mask"))
    if not workspace.has(Events):
        notice(
            "These logs were loaded without their events (--no-save-events), so there are no lines to try the rules on."
        )
        return
    asked = _asked(workspace)
    table = remembered(_rule_table, workspace, asked)
    st.dataframe(
        visible_frame(table.with_row_index("no", offset=1)),
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
        f"Hits are counted on {count(remembered(_lines, workspace).len())} lines, sampled evenly from all events."
    )
    with st.expander("Add a rule", icon=":material/add:", expanded=bool(asked)):
        _new_rule(workspace)
        for rule in added(workspace):
            _waiting(workspace, rule)
        if asked:
            st.caption("Models trained without a rule cannot score logs masked with it. Train again after adding one.")
    _way_back(workspace)


def _way_back(workspace: Workspace) -> None:
    """How to remove rules that were applied to the logs, which needs the raw logs."""
    defaults = {rule.name for rule in DEFAULT_RULES}
    mine = [rule.name for rule in masker_of(workspace).rules if rule.name not in defaults]
    if not mine:
        return
    with st.expander(f"Remove {plural(len(mine), 'added rule')}"):
        say(
            f"These logs were masked with {', '.join(mine)}. A rule cannot be removed from loaded logs. To restore the "
            "default rules, load the raw logs again with the same options."
        )
        terminal_command(Load(root=(Path("LOGS"),), default_masks=True, output_dir=workspace.root, replace=True))


def _new_rule(workspace: Workspace) -> None:
    name, pattern, replacement, add = st.columns([1, 2, 1, 0.7], vertical_alignment="bottom")
    typed = (
        name.text_input("Name", key="rule-name", placeholder="order number"),
        pattern.text_input(
            "Pattern (regular expression)",
            key="rule-pattern",
            placeholder=r"order \d+",
            help="As in Python or Rust, without look-around and back-references.",
        ),
        replacement.text_input(
            "Replacement",
            key="rule-replacement",
            placeholder="order <NUM>",
            help="`${1}` inserts the first group of the pattern, `${name}` the group `(?P<name>...)`.",
        ),
    )
    rule = _tried(workspace, *typed) if typed[1] else None
    add.button("Add", key="rule-add", disabled=rule is None, on_click=_add, args=(workspace, rule), width="stretch")


def _tried(workspace: Workspace, name: str, pattern: str, replacement: str) -> MaskRule | None:
    """The rule, after showing its effect; None, after showing the reason, if it is invalid."""
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
    say(f"{count(effect.lines)} lines change; {count(before)} distinct messages become {count(after)}.")
    if effect.lines:
        st.dataframe(visible_frame(effect.examples.head(PREVIEW)), hide_index=True, height=220)
    return rule if name else None


def _sayable(text: str) -> str:
    """The text, if it can be passed on a command line; raises `InputError`."""
    if text.startswith("-"):
        raise InputError(
            "Text that starts with '-' cannot be passed on a command line. In a pattern, write [-] instead."
        )
    return text


def _add(workspace: Workspace, rule: MaskRule) -> None:
    waiting = st.session_state.setdefault(_ADDED, {})
    waiting[str(workspace.root)] = [*waiting.get(str(workspace.root), []), rule]
    for name in ("rule-name", "rule-pattern", "rule-replacement"):
        st.session_state[name] = ""


def _waiting(workspace: Workspace, rule: MaskRule) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        say(f"{rule.name}:   {rule.pattern}   →   {rule.replacement}")
        st.button("Remove", key=f"remove-{rule.name}", on_click=_remove, args=(workspace, rule), type="tertiary")


def _remove(workspace: Workspace, rule: MaskRule) -> None:
    waiting = st.session_state[_ADDED]
    waiting[str(workspace.root)] = [other for other in waiting[str(workspace.root)] if other != rule]


def _lines(workspace: Workspace) -> pl.Series:
    return sample_lines(workspace)


def _asked(workspace: Workspace) -> _Asked:
    return tuple((rule.name, rule.pattern, rule.replacement) for rule in added(workspace))


def _messages(workspace: Workspace, asked: _Asked) -> pl.Series:
    """The distinct messages after applying the new rules."""
    texts = workspace.collect(workspace.scan(Messages).filter(pl.col("kind") == "message"))["text"]
    waiting = extended_masker(workspace, asked).beyond(masker_of(workspace))
    return waiting.mask(texts)


def _rule_table(workspace: Workspace, asked: _Asked) -> pl.DataFrame:
    return rule_table(extended_masker(workspace, asked), sample_lines(workspace))
