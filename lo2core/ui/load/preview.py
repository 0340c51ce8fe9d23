"""A preview of a load: what it would read, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import truncate
from pathlib import Path

from lo2core.base.claims import UnpackingFolder
from lo2core.base.text import size
from lo2core.load import archives, event_tables, loader
from lo2core.load import plan as load_plan
from lo2core.load.append import Growth
from lo2core.load.log_file import TABLE
from lo2core.load.plan import LoadOptions, Plan
from lo2core.pipeline.growth import growth_of, root_paths, with_times_of_archives
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import cache


@dataclass(frozen=True)
class Logs:
    """Where logs come from, and the service of files whose names do not contain it."""

    roots: tuple[str, ...]
    uploaded: bool = False
    service: str | None = None


def plan_of(logs: Logs, options: LoadOptions) -> Plan:
    """The plan of a load; kept for a minute, while files and options stay the same. Raises `InputError`."""
    stamps = tuple(cache.file_stamp(Path(root).expanduser()) for root in logs.roots)
    return cache.PLANS.get((logs.roots, stamps, options, logs.service), lambda: _plan(logs, options))


def is_archive_of(logs: Logs) -> bool:
    """Whether one of the logs is in an archive, whose content the plan does not unpack."""
    return any(archives.is_archive(Path(root).expanduser()) for root in logs.roots)


def in_words(plan: Plan) -> str:
    """The plan of the logs as a sentence, and one about the content of each table of events."""
    tables = [file for file in plan.chosen if file.layout == TABLE]
    logs = replace(plan, chosen=[file for file in plan.chosen if file.layout != TABLE])
    sentences = [
        f"{TABLE} {file.source}: {_table_outline(file.path).sentence()}, {size(file.bytes)}." for file in tables
    ]
    return "\n".join([*([logs.sentence()] if logs.chosen or not tables else []), *sentences])


def growth(workspace: Workspace, logs: Logs, options: LoadOptions) -> Growth:
    """What the logs contain that the workspace has not loaded yet. Raises InputError as `append.growth`."""
    folders = _folders(logs)
    plan = with_times_of_archives(plan_of(logs, options), logs.roots, folders)
    return growth_of(workspace.snapshot(), plan, root_paths(logs.roots, folders), options)


def _plan(logs: Logs, options: LoadOptions) -> Plan:
    return load_plan.plan(_folders(logs), options, logs.service)


def _folders(logs: Logs) -> list[Path]:
    outlines = [_outline_of(root) if Path(root).expanduser().is_file() else [root] for root in logs.roots]
    return [Path(str(folder[-1])).expanduser() for folder in outlines]


def _outline_of(root: str) -> Sequence[object]:
    key = (root, cache.file_stamp(Path(root).expanduser()))
    return cache.OUTLINES.get(key, lambda: _outline(root))


def _outline(root: str) -> Sequence[object]:
    """An archive unpacked with names and sizes but without content; the folder is removed with the cache entry."""
    folder = UnpackingFolder()
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


def _table_outline(table: Path) -> event_tables.Outline:
    key = ("table", str(table), cache.file_stamp(table))
    return cache.OUTLINES.get(key, lambda: event_tables.outline(table))
