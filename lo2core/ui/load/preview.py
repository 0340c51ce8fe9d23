"""A look at logs before they are loaded: what a load would read, in words; of archives the outline is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import truncate
from pathlib import Path

import streamlit as st

from lo2core.load import event_tables, loader
from lo2core.load import plan as load_plan
from lo2core.load.layouts import TABLE
from lo2core.load.plan import LoadOptions, Plan
from lo2core.ui.shell import cache
from lo2core.ui.shell.widgets import size


@dataclass(frozen=True)
class Logs:
    """Where logs come from, and the service of files whose name does not say it."""

    roots: tuple[str, ...]
    uploaded: bool = False
    service: str | None = None


def plan_of(logs: Logs, options: LoadOptions) -> Plan:
    """The plan of a load, remembered for a minute and while files and options stay as they are. Raises `InputError`."""
    return _plan(logs.roots, tuple(cache.stamp(Path(root).expanduser()) for root in logs.roots), options, logs.service)


def in_words(plan: Plan) -> str:
    """The plan's sentence about logs, and one about each table of events, which says itself what it holds."""
    tables = [file for file in plan.chosen if file.layout == TABLE]
    logs = replace(plan, chosen=[file for file in plan.chosen if file.layout != TABLE])
    told = [f"{TABLE} {file.source}: {_outline_of(file.path).sentence()}, {size(file.bytes)}." for file in tables]
    return "\n".join([*([logs.sentence()] if logs.chosen or not tables else []), *told])


@st.cache_resource(max_entries=32, ttl=60, show_spinner="Looking at what is there ...")
def _plan(roots: tuple[str, ...], stamps: tuple[cache.Stamp, ...], options: LoadOptions, service: str | None) -> Plan:
    outlines = [
        _outline(root, stamp) if Path(root).expanduser().is_file() else [root]
        for root, stamp in zip(roots, stamps, strict=True)
    ]
    return load_plan.plan([Path(str(folder[-1])) for folder in outlines], options, service)


@st.cache_resource(max_entries=8, show_spinner=False)
def _outline(root: str, stamp: cache.Stamp) -> Sequence[object]:
    """An archive unpacked with all its names and sizes but without content; goes away with the cache's entry."""
    folder = tempfile.TemporaryDirectory(prefix="lo2-plan-")
    with loader.unpacked([root]) as unpacked:
        if not unpacked[0].is_dir():
            return [root]
        target = Path(folder.name) / unpacked[0].name
        for path in unpacked[0].rglob("*"):
            if path.is_file():
                place = target / path.relative_to(unpacked[0])
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
                truncate(place, path.stat().st_size)
    return [folder, str(target)]


def _outline_of(table: Path) -> event_tables.Outline:
    return _table_outline(str(table), cache.stamp(table))


@st.cache_resource(max_entries=32, show_spinner="Looking at what is there ...")
def _table_outline(path: str, stamp: cache.Stamp) -> event_tables.Outline:
    return event_tables.outline(Path(path))
