"""All caches of the pages, in one table: what each holds, its key, how many entries, for how long.

A value is computed once and shared by all sessions and threads: read it, never change it. Keys contain the modification
time and size of the files that a value comes from, so it is computed again when one of them changes. The oldest entry
goes when a cache is full. No other module calls Streamlit's caches.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from lo2core.base.schemas import Counts, Events, Messages, Sequences
from lo2core.store import bundles
from lo2core.store.workspace import Workspace

T = TypeVar("T")
Stamp = tuple[int, int]
"""Modification time of a file in ns, and its bytes; zeros where there is no file."""


class Cache:
    """Values by key, for at most `entries` keys and, if `seconds` are given, for so long."""

    def __init__(
        self, holds: str, key: str, entries: int, seconds: float | None = None, spinner: str | bool = False
    ) -> None:
        self.holds, self.key, self.entries, self.seconds = holds, key, entries, seconds

        def keep(key: str, _compute: Callable[[], Any]) -> Any:
            return _compute()

        keep.__qualname__ = f"keep[{holds}]"  # by which Streamlit tells functions with the same source apart
        self._keep = st.cache_resource(max_entries=entries, ttl=seconds, show_spinner=spinner)(keep)

    def get(self, key: tuple[object, ...], compute: Callable[[], T]) -> T:
        """The value of `key`, by `compute` if it is not there. An exception is raised, not kept.

        `key` consists of plain values or frozen dataclasses of these, never of frames.
        """
        value: T = self._keep(repr(key), compute)
        return value


MODELS = Cache("opened models", "path and stamp of the bundle", 2, spinner="Opening the model ...")
FITNESS = Cache("fitness of models", "logs, ledger, bundle", 50, spinner="Comparing models with these logs ...")
LIVE_SCORES = Cache("scores of a model, not saved", "logs, bundle", 4, spinner="Scoring ...")
SAVED_SCORES = Cache("saved scores of sequences", "workspace, name and stamp of the prediction", 3)
TOP_ITEMS = Cache("top items of the worst incidents", "logs, bundle, seq_ids", 4)
GROUPS = Cache("groups of flagged incidents", "logs, bundle, prediction or threshold", 24, spinner="Grouping ...")
TABLES = Cache("results from tables of a workspace", "function, arguments, workspace and all its tables", 200)
EVIDENCE = Cache("inputs of explanations", "logs, bundle", 3, spinner="Reading the logs ...")
EXPLANATIONS = Cache("results from the inputs of explanations", "function, arguments, prediction, logs, bundle", 300)
COMPARISONS = Cache("comparisons", "names and stamps of the predictions and their logs", 4, spinner="Comparing ...")
SCATTERS = Cache("scatter plots of comparisons", "as the comparison", 4)
HISTORY = Cache("rows of Compare's time line", "name and stamps of the prediction and its logs", 500)
PLANS = Cache("plans of a load", "paths with their stamps, options", 32, 60, "Looking for logs ...")
UNREADABLE = Cache("unreadable files of a workspace", "all tables of the workspace and its samples", 4)
OUTLINES = Cache("outlines of archives and of tables of events", "path and stamp of the file", 16)

CACHES = [value for value in list(globals().values()) if isinstance(value, Cache)]


def remembered(compute: Callable[..., T], workspace: Workspace, *arguments: object) -> T:
    """`compute(workspace, *arguments)`, kept in `TABLES` until a table of the workspace changes."""
    key = (name_of(compute), str(workspace.root.resolve()), tables_stamp(workspace), arguments)
    return TABLES.get(key, lambda: compute(workspace, *arguments))


def name_of(function: Callable[..., object]) -> str:
    """The full name of a function, for a key."""
    return f"{function.__module__}.{function.__qualname__}"


def file_stamp(path: Path) -> Stamp:
    """Changes with a file or folder, costs no reading."""
    try:
        entry = path.stat()
    except OSError:
        return 0, 0
    return entry.st_mtime_ns, entry.st_size


def bundle_key(path: Path) -> tuple[object, ...]:
    """Changes with a bundle or its manifest."""
    return str(path), bundles.stamp(path)


def logs_key(logs: Workspace) -> tuple[object, ...]:
    """Changes when logs are loaded again, and not when something else is saved in the same folder."""
    return str(logs.root), *(logs.stamp(table) for table in (Sequences, Messages, Counts, Events))


def prediction_key(logs: Workspace, name: str) -> tuple[object, ...]:
    """Changes with a saved prediction."""
    return str(logs.root), name, logs.stamp(name)


def tables_stamp(workspace: Workspace) -> tuple[tuple[str, Stamp], ...]:
    """Changes with any table of the workspace, and with their names."""
    return tuple((name, workspace.stamp(name)) for name in workspace.names())
