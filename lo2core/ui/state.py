"""What a session remembers between reruns: the workspace, messages for the next run, the job it watches."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from lo2core.config import DEFAULT_WORKSPACE, SAMPLE_WORKSPACE

WORKSPACE = "ws"
"""Session key of the workspace's path and its name in the address bar."""

TYPED = "typed_workspace"
"""Session key of the field for another folder."""

_OPENED = "opened_workspaces"
_FLASHES = "flashes"


def known_workspaces() -> list[str]:
    """Paths to offer, the default first: ``LO2_WORKSPACE``, what lies in demo/result, what this session opened.

    A link (``?ws=PATH``) may add a folder only if that is a workspace already.
    """
    given = [os.environ["LO2_WORKSPACE"]] if "LO2_WORKSPACE" in os.environ else []
    results = Path(DEFAULT_WORKSPACE).parent
    found = sorted(str(path) for path in results.glob("*") if path.is_dir())
    default = DEFAULT_WORKSPACE if DEFAULT_WORKSPACE in found else SAMPLE_WORKSPACE
    opened = st.session_state.setdefault(_OPENED, [])
    linked = st.query_params.get(WORKSPACE)
    if _is_workspace(linked) and linked not in opened:
        opened.append(linked)  # the next page may be reached without a link
    return list(dict.fromkeys([*given, default, *found, *opened]))


def open_typed_workspace() -> None:
    """Make the folder that was typed the workspace, whether it exists yet or not."""
    path = st.session_state[TYPED].strip()
    if path:
        st.session_state[_OPENED] = [*st.session_state.get(_OPENED, []), path]
        st.session_state[WORKSPACE] = path


def flash(message: str) -> None:
    """Show `message` (plain text) once, atop the page, after the rerun that follows."""
    st.session_state.setdefault(_FLASHES, []).append(message)


def take_flashes() -> list[str]:
    """The messages to show now; they are not given out again."""
    return st.session_state.pop(_FLASHES, [])


def _is_workspace(path: str | None) -> bool:
    return path is not None and any(Path(path).glob("lo2_*.parquet"))
