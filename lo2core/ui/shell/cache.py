"""Small frames from a workspace, kept until one of the files they come from changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from lo2core.store.workspace import Workspace

T = TypeVar("T")
Stamp = tuple[str, int, int]


def remembered(compute: Callable[..., T], workspace: Workspace, *arguments: Any) -> T:
    """`compute(workspace, *arguments)`, remembered until a table of the workspace changes.

    The arguments must be plain values or frozen dataclasses of such (never frames: Streamlit does not tell them apart).
    What it gives is shared by all who ask: read it, never change it.
    """
    name = f"{compute.__module__}.{compute.__qualname__}"
    return _compute(
        name, str(workspace.root.resolve()), stamps(workspace), repr(arguments), compute, workspace, arguments
    )


def stamps(workspace: Workspace) -> tuple[Stamp, ...]:
    """(name, modification time in ns, bytes) of each table that lies in the workspace."""
    entries = [(path.name, path.stat()) for path in sorted(workspace.root.glob("[!.]*.parquet"))]
    return tuple((name, entry.st_mtime_ns, entry.st_size) for name, entry in entries)


def stamp(path: Path) -> Stamp:
    """(path, modification time in ns, bytes) of one file or folder; zeros where it is not there."""
    if not path.exists():
        return str(path), 0, 0
    entry = path.stat()
    return str(path), entry.st_mtime_ns, entry.st_size


@st.cache_resource(max_entries=200, show_spinner=False)
def _compute(
    name: str,
    root: str,
    stamps: tuple[Stamp, ...],
    asked: str,
    _compute: Callable[..., Any],
    _workspace: Workspace,
    _arguments: tuple[Any, ...],
) -> Any:
    return _compute(_workspace, *_arguments)
