"""Reads the logs of a load unit by unit: in threads of this process, or on the workers of a cluster.

A unit is one or more whole test case folders. A worker writes their events to the part of the run, which every machine
sees, and sends back the small tables only.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

from lo2core.load import loader
from lo2core.load.large import is_large, read_in_pieces
from lo2core.load.log_file import LogFile
from lo2core.load.plan import LoadOptions, Plan
from lo2core.load.read import Loaded, read_logs
from lo2core.load.whole import check_whole
from lo2core.messages.masks import Masker
from lo2core.pipeline.cluster import Cluster
from lo2core.store.parts import PartFile, PartsWriter, not_seen


def read_units(
    plan: Plan,
    options: LoadOptions,
    masker: Masker,
    *,
    jobs: int,
    skip: frozenset[str],
    cluster: Cluster | None,
    events: PartsWriter | None,
) -> Generator[tuple[list[LogFile], Loaded]]:
    """The files of each unit, or the file and the size of each piece of a large log, and their content, in order.

    skip: runs that are not read. jobs: threads, if there is no cluster. events: where the workers of a cluster write
    the events; what they read is returned without them. Raises as `loader.load_folders` and `Cluster.map`.
    """
    if cluster is None:
        yield from loader.load_folders(plan, options, masker, jobs=jobs, skip=skip)
        return
    batches = list(loader.batches((file for file in plan.chosen if file.run not in skip), options))
    units = (
        _Unit(files, events.file(str(files[0].run), f"{number:06}") if events else None)
        for number, files in enumerate(batches)
    )
    for files, parts in zip(batches, cluster.map(_Reader(options, masker), units), strict=True):
        for size, part in parts:
            yield files if size is None else [replace(files[0], bytes=size)], part


@dataclass(frozen=True)
class _Unit:
    files: list[LogFile]
    events: PartFile | None


@dataclass(frozen=True)
class _Reader:
    """Reads a unit in a worker: the content without events, and for the pieces of a large log their sizes in bytes."""

    options: LoadOptions
    masker: Masker

    def __call__(self, unit: _Unit) -> list[tuple[int | None, Loaded]]:
        first = unit.files[0]
        if not first.path.exists():
            raise not_seen(first.path)
        if not is_large(first, self.options):
            check_whole(first.source, sum(file.text_bytes for file in unit.files))
            return [(None, _kept(read_logs(unit.files, self.options, self.masker), unit.events))]
        pieces = enumerate(read_in_pieces(first, self.options, self.masker))
        return [
            (size, _kept(loaded, unit.events and unit.events.followed_by(f"-{number:06}")))
            for number, (size, loaded) in pieces
        ]


def _kept(loaded: Loaded, events: PartFile | None) -> Loaded:
    if events and loaded.events.height:
        events.write(loaded.events)
    return replace(loaded, events=loaded.events.clear())
