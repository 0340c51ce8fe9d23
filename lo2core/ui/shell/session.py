"""What a session remembers between reruns: the workspace, messages for the next run, the job it watches.

The workspace's path stands in the address of every page, so that reload, Back and a link keep it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from lo2core.base.config import DEFAULT_WORKSPACE, SAMPLE_WORKSPACE
from lo2core.ui.shell import address

WORKSPACE = "ws"
"""Session key of the workspace's path and its name in the address bar."""

_OPENED = "opened_workspaces"
_FLASHES = "flashes"


@dataclass(frozen=True)
class Lead:
    """A link to the page where it goes on: its script, a label, query parameters besides the workspace."""

    page: str
    label: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Flash:
    """A message for the next run, and where to go from there."""

    message: str
    lead: Lead | None = None


def known_workspaces() -> list[str]:
    """Paths to offer, the default first: ``LO2_WORKSPACE``, what lies in demo/result, what this session opened.

    Without any it is that of the sample, which is still to be made.
    A link (``?ws=PATH``) may add a folder only if that is a workspace already, or is being made into one.
    """
    given = [os.environ["LO2_WORKSPACE"]] if "LO2_WORKSPACE" in os.environ else []
    results = Path(DEFAULT_WORKSPACE).parent
    found = sorted(str(path) for path in results.glob("*") if path.is_dir())
    default = [DEFAULT_WORKSPACE] if DEFAULT_WORKSPACE in found else []
    opened = st.session_state.setdefault(_OPENED, [])
    linked = address.said(WORKSPACE)
    if _is_workspace(linked) and linked not in opened:
        opened.append(linked)  # the next page may be reached without a link
    return list(dict.fromkeys([*given, *default, *found, *opened])) or [SAMPLE_WORKSPACE]


def workspace(options: Sequence[str]) -> str:
    """Which of the options is open: the one in the address bar, else the last one, else the first.

    It is put into the address bar where that is silent. A folder there that is none of them stays, and can be told.
    """
    asked, last = address.said(WORKSPACE), st.session_state.get(WORKSPACE)
    opened = next((path for path in (asked, last) if path in options), options[0])
    st.session_state[WORKSPACE] = opened
    if asked is None:
        address.say({WORKSPACE: opened})
    return str(opened)


def enter(path: str) -> None:
    """Open another workspace; what the address bar says of the old one goes."""
    st.session_state[WORKSPACE] = path
    st.query_params.from_dict({WORKSPACE: path})


def refusal(typed: str) -> str:
    """Why no workspace can be in the folder that was typed, as a sentence; empty where one can."""
    try:
        folder = Path(typed).expanduser()
        if _is_workspace(str(folder)):  # one can look into it, even where it cannot be written
            return ""
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        with TemporaryDirectory(prefix=".lo2-", dir=nearest):
            return ""
    except (OSError, RuntimeError) as error:  # the latter where nobody has the name behind a tilde
        why = error.strerror if isinstance(error, OSError) else error
        return f"Nothing can be written at {typed} ({why}): name another folder."


def open_another(typed: str) -> None:
    """Make the folder that was typed the workspace, whether it exists yet or not."""
    path = str(Path(typed).expanduser())
    st.session_state[_OPENED] = [*st.session_state.get(_OPENED, []), path]
    enter(path)


def flash(message: str, lead: Lead | None = None) -> None:
    """Show `message` (plain text) once, atop the page, after the rerun that follows."""
    st.session_state.setdefault(_FLASHES, []).append(Flash(message, lead))


def take_flashes() -> list[Flash]:
    """The messages to show now; they are not given out again."""
    return st.session_state.pop(_FLASHES, [])


def _is_workspace(path: str | None) -> bool:
    """A folder with tables of ours, or with a job or parts of a load that may still become one."""
    if path is None:
        return False
    folder = Path(path)
    try:
        return any(any(folder.glob(name)) for name in (".job", ".parts", "lo2_*.parquet"))
    except (OSError, ValueError):  # a link may say anything
        return False
