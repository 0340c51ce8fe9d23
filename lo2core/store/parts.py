"""Tables written run by run, so that an interrupted load can continue."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from socket import gethostname
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, unquote
from uuid import uuid4

import polars as pl

from lo2core.base.claims import claimed_folder
from lo2core.base.disk import writing
from lo2core.base.errors import ArtefactError, InputError
from lo2core.base.table import Table
from lo2core.base.untrusted import open_regular
from lo2core.store.atomic import fsync
from lo2core.store.changes import Change, part_of
from lo2core.store.parquet import (
    check_exact,
    declared,
    file_metadata,
    readable,
    sink_parquet,
    table_name,
    validated,
    write_parquet,
)

_BATCH_ROWS, _BATCH_BYTES = 65_536, 48 << 20
"""Rows are written to disk at this size: large enough to compress well, small enough to limit memory."""


def not_seen(path: Path) -> InputError:
    """What a worker of a cluster says about a path that only another machine has."""
    return InputError(
        f"{gethostname()} does not see {path}: logs and workspace need the same paths on all machines of a cluster."
    )


@dataclass(frozen=True)
class PartFile:
    """A file of the part of a run, which any process may write that sees the folder, also more than once.

    The rows of a run are in the order of the names of its files.
    """

    schema: type[Table]
    folder: Path
    name: str

    def followed_by(self, suffix: str) -> PartFile:
        return replace(self, name=self.name + suffix)

    def write(self, frame: pl.DataFrame) -> None:
        """Check the rows, including unique keys, and write them. Raises InputError if the folder is not there."""
        if not self.folder.is_dir():
            raise not_seen(self.folder.parent)
        batch = validated(self.schema, frame, table_name(self.schema))
        path = self.folder / f"{self.name}.parquet"
        with writing(path):
            temporary = self.folder / f".{self.name}.{uuid4().hex}"
            write_parquet(batch, temporary, {})
            fsync(temporary)
            temporary.replace(path)


class PartsWriter:
    """Writes a table run by run, so that an interrupted load can continue; memory holds one batch per run.

    The rows of a run are collected in a hidden folder of `<root>/.parts/`, which is renamed when the run is finished:
    by `finish(run)`, or for all runs at the end of the `with` block. After an error the unfinished runs are dropped.
    """

    def __init__(self, final: Path, schema: type[Table], key: str) -> None:
        self.final, self.schema = final, schema
        self.folder = final.parent / ".parts" / key / table_name(schema)
        self._open: dict[str, _OpenPart] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is None:
            for run in list(self._open):
                self.finish(run)
        for part in self._open.values():
            part.claim.end()
        self._open.clear()

    def append(self, run: str, frame: pl.DataFrame) -> None:
        """Add rows to a run; each batch is checked, including unique keys."""
        self._part_of(run).append(frame)

    def file(self, run: str, name: str) -> PartFile:
        """A file of a run, for a process that writes it in place of this one."""
        return PartFile(self.schema, self._part_of(run).claim.path.absolute(), name)

    def _part_of(self, run: str) -> _OpenPart:
        if run not in self._open:
            self._open[run] = _OpenPart(self.schema, self.folder / quote(run, safe=""))
        return self._open[run]

    def finish(self, run: str) -> None:
        """Rename the part of a complete run. A run without rows has an empty part."""
        part = self._part_of(run)
        part.close()
        final = self._part(run)
        shutil.rmtree(final, ignore_errors=True)
        with writing(final):
            part.claim.path.replace(final)
            fsync(self.folder)
        self._open.pop(run).claim.end()

    def finished(self) -> set[str]:
        """The runs with complete parts, including those of an earlier process; damaged parts do not count."""
        return {unquote(path.name.removeprefix("run=")) for path in self.folder.glob("run=*") if self._is_sound(path)}

    def _is_sound(self, part: Path) -> bool:
        """Whether a part consists of regular files with the columns of the table."""
        try:
            for path in part.glob("*.parquet"):
                with readable(path), open_regular(path) as file:
                    check_exact(pl.scan_parquet(file).collect_schema(), self.schema, path.stem)
        except ArtefactError:
            return False
        return True

    def scan(self) -> pl.LazyFrame:
        """All finished parts, ordered by run."""
        files = [path for run in sorted(self.finished()) for path in sorted(self._part(run).glob("*.parquet"))]
        empty = self.schema.create_empty().lazy().select(self.schema.column_names())
        return pl.concat([pl.scan_parquet(path, glob=False) for path in files]) if files else empty

    def merge(
        self,
        provenance: Mapping[str, Any],
        replace: bool = False,
        before: Iterable[pl.LazyFrame] = (),
        change: Change | None = None,
    ) -> Path:
        """Stream `before` (rows kept from an earlier load) and all finished parts into the table, atomically.

        change: the change that the table is part of. The parts are kept until `Workspace.clear_parts`, in case the load
        is interrupted before.
        """
        frame = pl.concat([*before, self.scan()])
        metadata = file_metadata(table_name(self.schema), provenance, change.id if change else "")
        with readable(self.folder), part_of(change, self.final.parent) as own:
            return own.write(self.final.name, lambda to: sink_parquet(frame, to, metadata), replace=replace)

    def _part(self, run: str) -> Path:
        return self.folder / f"run={quote(run, safe='')}"


class _OpenPart:
    """The rows of one run so far: some on disk, the last batch in memory."""

    def __init__(self, schema: type[Table], folder: Path) -> None:
        self.schema = schema
        self.frames: list[pl.DataFrame] = []
        self.rows = self.bytes = self.files = 0
        with writing(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            self.claim = claimed_folder(folder)

    def append(self, frame: pl.DataFrame) -> None:
        self.frames.append(declared(self.schema, frame, table_name(self.schema)))
        self.rows += frame.height
        self.bytes += int(frame.estimated_size())
        if self.rows >= _BATCH_ROWS or self.bytes >= _BATCH_BYTES:
            self.close()

    def close(self) -> None:
        """Write the rows in memory to disk."""
        if not self.rows:
            return
        batch = validated(self.schema, pl.concat(self.frames), table_name(self.schema))
        path = self.claim.path / f"{self.files:06}.parquet"
        with writing(path):
            write_parquet(batch, path, {})
            fsync(path)
        self.frames, self.rows, self.bytes, self.files = [], 0, 0, self.files + 1
