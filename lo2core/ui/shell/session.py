"""State of a session between reruns: the workspace, and messages for the next run.

The path of the workspace is in the address of every page, so that reload, Back and links keep it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from lo2core.base.config import DEFAULT_WORKSPACE, SAMPLE_WORKSPACE
from lo2core.ui.shell import address

WORKSPACE = "ws"
"""Session key of the workspace's path and its name in the address bar."""

WITH_SECRETS = "with-secrets"
"""Session key of the choice not to mask secrets in reports and downloads."""

_OPENED = "opened_workspaces"
_FLASHES = "flashes"


@dataclass(frozen=True)
class Lead:
    """A link to the next step: the script of a page, a label, query parameters besides the workspace."""

    page: str
    label: str
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Flash:
    """A message for the next run, with a link to the next step."""

    message: str
    lead: Lead | None = None


def known_workspaces() -> list[str]:
    """Paths to offer: ``LO2_WORKSPACE`` first, then the folders in demo/result, then those opened in this session.

    If there are none, the path of the sample, which can be created from the page. A link (``?ws=PATH``) adds a folder
    whether it exists or not, so that a reload never leads to another workspace.
    """
    given = [os.environ["LO2_WORKSPACE"]] if "LO2_WORKSPACE" in os.environ else []
    results = Path(DEFAULT_WORKSPACE).parent
    found = sorted(str(path) for path in results.glob("[!.]*") if path.is_dir())
    default = [DEFAULT_WORKSPACE] if DEFAULT_WORKSPACE in found else []
    opened = st.session_state.setdefault(_OPENED, [])
    linked = address.read(WORKSPACE)
    if linked and linked not in opened and _can_be_workspace(linked):
        opened.append(linked)  # other pages may not have it in their address
    return list(dict.fromkeys([*given, *default, *found, *opened])) or [SAMPLE_WORKSPACE]


def workspace(options: Sequence[str]) -> str:
    """The open workspace: the option in the address bar, else the last one, else the first.

    It is added to the address bar if that names none. A folder in the address bar that is no option is kept there, so
    that the page can report it.
    """
    asked, last = address.read(WORKSPACE), st.session_state.get(WORKSPACE)
    opened = next((path for path in (asked, last) if path in options), options[0])
    st.session_state[WORKSPACE] = opened
    if asked is None:
        address.write({WORKSPACE: opened})
    return str(opened)


def with_secrets() -> bool:
    """Whether reports and downloads contain secrets as they are in the logs. By default they are masked."""
    return bool(st.session_state.get(WITH_SECRETS))


def enter(path: str) -> None:
    """Open another workspace, and remove the choices in the old one from the address bar."""
    st.session_state[WORKSPACE] = path
    st.query_params.from_dict({WORKSPACE: path})


def refusal(typed: str) -> str:
    """Why the typed folder cannot be a workspace, as a sentence; empty if it can."""
    try:
        folder = Path(typed).expanduser()
        if _is_workspace(str(folder)):  # it can be read, even if it is not writable
            return ""
        nearest = next(place for place in (folder, *folder.parents) if place.exists())
        with TemporaryDirectory(prefix=".lo2-", dir=nearest):
            return ""
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: ~name of an unknown user
        why = error.strerror if isinstance(error, OSError) else error
        return f"Cannot write to {typed} ({why}). Choose another folder."


def open_another(typed: str) -> None:
    """Open the typed folder as the workspace; it need not exist yet."""
    path = str(Path(typed).expanduser())
    st.session_state[_OPENED] = [*st.session_state.get(_OPENED, []), path]
    enter(path)


def flash(message: str, lead: Lead | None = None) -> None:
    """Show `message` (plain text) once at the top of the page, after the next rerun."""
    st.session_state.setdefault(_FLASHES, []).append(Flash(message, lead))


def take_flashes() -> list[Flash]:
    """Return the messages to show now, and forget them."""
    flashes: list[Flash] = st.session_state.pop(_FLASHES, [])
    return flashes


def _is_workspace(path: str) -> bool:
    """Whether a folder contains our tables, a job, or parts of an unfinished load."""
    return any(any(Path(path).glob(name)) for name in (".job", ".parts", "lo2_*.parquet"))


def _can_be_workspace(path: str) -> bool:
    """Whether this is a folder, or nothing yet."""
    try:
        return stat.S_ISDIR(Path(path).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):  # a link may contain anything, also NUL
        return False
