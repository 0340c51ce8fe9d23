"""The only reader and writer of artefacts: atomic, checked, with their provenance in the footer.

A `Workspace` is a folder; a table in it is one zstd Parquet file. What is written is checked in full against its
schema; what is read is checked by the footer alone, so that a file written by hand (by polars, in a script) works.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import Any

import polars as pl

from lo2core.base.calls import checked_arguments
from lo2core.base.clock import moment, moment_of
from lo2core.base.errors import ArtefactError, reason
from lo2core.base.frames import visible_frame
from lo2core.base.provenance import Metadata
from lo2core.base.schemas import EventPredictions, Events, Predictions, Sequences
from lo2core.base.table import Table
from lo2core.base.text import file_name, visible
from lo2core.base.untrusted import is_file, is_text, resolved
from lo2core.store.atomic import already_there
from lo2core.store.changes import Change, current, names, opened, part_of
from lo2core.store.names import TABLES, base_name, clean_name, command_for, given_name, is_clean, remedy
from lo2core.store.parquet import (
    ROW_GROUP,
    check_exact,
    columns_of,
    file_metadata,
    footer_of,
    misfit,
    own_metadata,
    readable,
    safe,
    sink_parquet,
    table_name,
    validated,
    with_added,
    write_parquet,
)
from lo2core.store.parts import PartsWriter
from lo2core.store.results import save_results
from lo2core.store.snapshot import KEPT, Snapshot


@dataclass(frozen=True)
class Artefact:
    """The footer and directory entry of a table."""

    name: str
    path: Path
    exists: bool = False
    table: str = ""
    """Which of the declared tables it is; empty if unknown."""
    created: datetime | None = None
    by_hand: bool = False
    rows: int = 0
    bytes: int = 0
    metadata: Metadata = field(default_factory=Metadata)
    modified: int = 0
    """When the file was written, in ns, by the clock of the file system; a footer records only seconds."""
    problem: str = ""
    """A sentence, if the file exists but cannot be read."""
    doubt: str = ""
    """Why its provenance cannot be read, if lo2core recorded one: then it counts as written by hand."""

    @property
    def age(self) -> tuple[datetime, int]:
        """For sorting by time."""
        return self.created or datetime.min.replace(tzinfo=UTC), self.modified


Name = type[Table] | str


class Workspace:
    """A folder of saved tables (Parquet) and explanations. It need not exist before the first table is written.

    path: the folder. Tables are named by their schema (`schemas.Events`, ...), predictions by the name they were saved
    under. `read` returns a table as a frame and `scan` as a lazy frame with the columns that the schema documents;
    `write` saves one; `metadata` returns how a table was made; `predictions` lists saved predictions and `samples` the
    log samples (workspaces in `samples/`). Reading raises ArtefactError for a table that is missing, damaged or of
    another kind, and writing raises ExistsError instead of replacing a table, unless `replace` is given.

    Examples:
        >>> from lo2core import Workspace, schemas
        >>> workspace = Workspace("demo/result/sample")
        >>> sequences = workspace.read(schemas.Sequences)
        >>> sequences.select("run", "folder", "service", "events").shape
        (644, 4)
        >>> workspace.predictions()
        ['sample_nn_predictions']
        >>> workspace.metadata("sample_nn_predictions")["budget"]
        5.0
    """

    @checked_arguments
    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.root = Path(path)
        self._snapshot: Snapshot | None = None

    def __repr__(self) -> str:
        return f"Workspace({str(self.root)!r})"

    def __fspath__(self) -> str:
        return str(self.root)

    def is_at(self, recorded: str | None) -> bool:
        """Whether a path that some file records leads to this folder."""
        try:
            return recorded is not None and Path(recorded).resolve() == self.root.resolve()
        except (OSError, ValueError, RuntimeError):  # a file can record anything: NUL, a loop of links
            return False

    def snapshot(self) -> Workspace:
        """The workspace as it is when a table is read for the first time, whatever other processes write later.

        Use it to read more than one table. It keeps the tables of the logs open; its samples are snapshots, too.
        """
        return self if self._snapshot else self._at(self.root, Snapshot())

    def _at(self, folder: Path, snapshot: Snapshot | None) -> Workspace:
        found = Workspace(folder)
        found._snapshot = snapshot
        return found

    @contextmanager
    def _file(self, name: Name) -> Iterator[BufferedReader | None]:
        """A table as an open file; None if there is none. Raises OSError if it cannot be opened."""
        path = self.path(name)
        kept = self._snapshot.files(self.root) if self._snapshot and path.name in KEPT else {}
        if path.name in kept:
            yield kept[path.name]
            return
        file = opened(path)
        with file or nullcontext():
            yield file

    def change(self) -> Change:
        """Several tables that are replaced together: pass it to `write` and `sink` within its `with` block."""
        return Change(self.root)

    def names(self) -> list[str]:
        """The names of all tables, sorted."""
        return [name.removesuffix(".parquet") for name in names(self.root, ".parquet")]

    def stamp(self, name: Name) -> tuple[int, int]:
        """Modification time in ns, and bytes: they change with the table, and cost no reading; zeros without a file."""
        try:
            with self._file(name) as file:
                entry = os.fstat(file.fileno()) if file else None
        except OSError:
            entry = None
        return (entry.st_mtime_ns, entry.st_size) if entry else (0, 0)

    def path(self, name: Name) -> Path:
        """The path of a table: `<root>/<name>.parquet`."""
        return self.root / f"{base_name(name if isinstance(name, str) else TABLES[name])}.parquet"

    def has(self, name: Name) -> bool:
        """Whether the file exists; it may still be damaged."""
        try:
            with self._file(name) as file:
                return file is not None
        except OSError:
            return is_file(self.path(name))

    def remove(self, name: Name) -> None:
        """Remove a table, if it exists."""
        with self.change() as change:
            change.remove(self.path(name).name)

    def free_name(self, stem: str) -> str:
        """The first of `stem`, `stem_new`, `stem_new_2`, ... that is not the name of a table yet."""
        candidates = [stem, f"{stem}_new", *(f"{stem}_new_{n}" for n in range(2, 10_000))]
        return next(name for name in candidates if not current(self.path(name)))

    def write(
        self,
        schema: type[Table],
        frame: pl.DataFrame,
        *,
        name: str | None = None,
        provenance: Mapping[str, Any],
        replace: bool = False,
        change: Change | None = None,
    ) -> Path:
        """Check `frame` in full, then save its declared columns with `provenance` in the footer.

        change: the change that the table is part of; it is replaced at the end of that.
        Nothing is cast: raises `ArtefactError` if names, types or rules do not match, `ExistsError` as `write_atomic`.
        """
        path = self.path(given_name(name) if name else schema)
        if not replace and current(path):
            raise already_there(path)
        checked = validated(schema, frame, path.stem)
        metadata = file_metadata(table_name(schema), provenance, change.id if change else "")
        return self._save(path, lambda to: write_parquet(checked, to, metadata), replace, change)

    def sink(
        self,
        schema: type[Table],
        frame: pl.LazyFrame,
        *,
        name: str | None = None,
        provenance: Mapping[str, Any],
        replace: bool = False,
        row_group: int = ROW_GROUP,
        change: Change | None = None,
    ) -> Path:
        """As `write`, but streamed in constant memory; unique keys are checked within each batch only.

        Use a smaller `row_group` for large rows, such as lists of tokens.
        """
        path = self.path(given_name(name) if name else schema)
        check_exact(frame.collect_schema(), schema, path.stem)
        checked = frame.select(schema.column_names()).map_batches(
            lambda batch: validated(schema, batch, path.stem), streamable=True
        )
        metadata = file_metadata(table_name(schema), provenance, change.id if change else "")
        try:
            return self._save(path, lambda to: sink_parquet(checked, to, metadata, row_group), replace, change)
        except pl.exceptions.ComputeError as error:
            raise ArtefactError(
                f"{path} was not made, because its input seems to be damaged: {reason(error)}."
            ) from error

    def _save(self, path: Path, writer: Callable[[Path], object], replace: bool, change: Change | None) -> Path:
        if self._snapshot and path.name in KEPT:
            self._snapshot.forget(self.root)
        with part_of(change, self.root) as own:
            return own.write(path.name, writer, replace=replace)

    def scan(self, schema: type[Table], name: str | None = None, columns: Sequence[str] | None = None) -> pl.LazyFrame:
        """The table, lazily: the declared columns (or `columns`), in their declared types.

        Names and types are checked in the footer; what can be converted safely (other integer widths, text for an
        enumeration, other time units) is cast when collected. Raises `ArtefactError` that says what is missing, what
        was found and expected, and which command makes the table.
        """
        path = self.path(name or schema)
        if problem := self.artefact(path.stem).problem:
            raise ArtefactError(problem)
        if not is_file(path):
            raise ArtefactError(self._missing(schema, path))
        if self._snapshot:
            self._snapshot.check(self.root)
        with readable(path), self._file(name or schema) as file:
            if file is None:
                raise ArtefactError(self._missing(schema, path))
            file.seek(0)  # where polars begins; later it does not depend on it, nor on the file being open here
            frame = with_added(pl.scan_parquet(file), schema)
            found = frame.collect_schema()
        expected = {c: schema.columns().get(c) for c in (schema.column_names() if columns is None else columns)}
        problem = misfit(found, expected, safe)
        if problem:
            raise ArtefactError(f"{path} {problem}; {remedy(path, command_for(schema, path))}.")
        return frame.select(pl.col(c) if want is None else pl.col(c).cast(want.dtype) for c, want in expected.items())

    def _missing(self, schema: type[Table], path: Path) -> str:
        if schema is Events and self.has(Sequences):
            return (
                f"{path} does not exist: these logs were loaded with --no-save-events. Load them again with --replace "
                "to save their events."
            )
        return f"{path} does not exist yet: make it with {command_for(schema, path)}."

    def read(self, schema: type[Table], name: str | None = None, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The table as a frame; see `scan`. A damaged file raises `ArtefactError`."""
        frame = self.scan(schema, name, columns)
        with readable(self.path(name or schema)):
            return frame.collect()

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """A frame that was made of `scan`s of this workspace; raises ArtefactError if one of its tables is damaged."""
        with readable(self.root):
            return frame.collect()

    def columns(self, name: Name) -> list[str]:
        """All columns of the file, declared or not. Raises ArtefactError if it is damaged or missing."""
        path = self.path(name)
        with readable(path), self._file(name) as file:
            if file is None:
                raise ArtefactError(f"{path} does not exist.")
            return columns_of(path, footer_of(path, file))

    def metadata(self, name: Name) -> Metadata:
        """Table, time, version and provenance as saved; empty for a file written by hand."""
        return self.artefact(name).metadata

    def artefact(self, name: Name) -> Artefact:
        """What the footer records; does not raise for a missing or damaged file."""
        path = self.path(name)
        if not is_text(path.name):
            return Artefact(path.stem, path, exists=True, problem="Its name is not UTF-8: rename it.")
        try:
            with self._file(name) as file:
                return self._recorded(path, file) if file else Artefact(path.stem, path)
        except OSError as error:
            return Artefact(path.stem, path, exists=True, problem=f"{path} cannot be read: {error.strerror}.")

    def _recorded(self, path: Path, file: BufferedReader) -> Artefact:
        entry = os.fstat(file.fileno())
        there = Artefact(path.stem, path, exists=True, bytes=entry.st_size, modified=entry.st_mtime_ns)
        try:
            footer = footer_of(path, file)
            metadata, doubt = own_metadata(footer)
            table = metadata.get("table") or _table_by_columns(columns_of(path, footer))
        except ArtefactError as error:
            return replace(there, problem=str(error))
        created = moment(metadata.get("created")) or moment_of(entry.st_mtime)
        facts = {"table": table, "created": created, "rows": footer.num_rows, "metadata": metadata, "doubt": doubt}
        return replace(there, by_hand=not metadata, **facts)

    def predictions(self) -> list[str]:
        """Names of the saved predictions, newest first. They are recognised by metadata or columns, not by name."""
        wanted = (table_name(Predictions), table_name(EventPredictions))
        readable_names = filter(is_text, self.names())
        found = [artefact for name in readable_names if (artefact := self.artefact(name)).table in wanted]
        return [artefact.name for artefact in sorted(found, key=lambda one: one.age, reverse=True)]

    def samples(self) -> list[Workspace]:
        """The log samples, which are scored but never mixed with the training data, by name."""
        return [self._at(path, self._snapshot) for path in self._sample_folders() if is_clean(path.name)]

    def misnamed_samples(self) -> list[Path]:
        """Folders in `samples/` whose names no command accepts, so that they are not samples."""
        return [path for path in self._sample_folders() if not is_clean(path.name)]

    def _sample_folders(self) -> list[Path]:
        return [path for path in sorted(self.root.glob("samples/[!.]*")) if path.is_dir()]

    def sample(self, name: str) -> Workspace:
        """The workspace `samples/<name>/`; raises `InputError` for a name that contains a path."""
        return self._at(self.root / "samples" / clean_name(name), self._snapshot)

    @property
    def owner(self) -> Workspace | None:
        """The workspace that a sample (`<root>/samples/<name>/`) belongs to; None for a workspace."""
        folder = resolved(self.root)
        return self._at(folder.parents[1], self._snapshot) if folder.parent.name == "samples" else None

    def explanations(self, prediction: str) -> Path:
        """The folder for explanations of `prediction`."""
        name = base_name(prediction)
        return self.root / "explainability" / (name if visible(name) == name else file_name(name))

    def keep(
        self,
        folder: Path,
        frames: Mapping[str, pl.DataFrame],
        pages: Mapping[str, str],
        provenance: Mapping[str, Any],
        exported: Callable[[pl.DataFrame], pl.DataFrame] = visible_frame,
    ) -> list[Path]:
        """Save results: each frame as `<name>.parquet` and `<name>.csv`, each page as `<name>.html`.

        frames: tables of `names.RESULTS`, checked in full. exported: what becomes of a frame in CSV. Earlier results in
        the folder are replaced, all at once: they come from the same predictions and can be made again.
        """
        return save_results(folder, frames, pages, provenance, exported)

    def parts(self, schema: type[Table], key: str = "parts") -> PartsWriter:
        """A writer of the table, run by run; it ignores parts of another `key` (other load options)."""
        return PartsWriter(self.path(schema), schema, clean_name(key))

    def clear_parts(self) -> None:
        """Remove all parts: the load is complete, or starts from the beginning."""
        shutil.rmtree(self.root / ".parts", ignore_errors=True)


def _table_by_columns(columns: list[str]) -> str:
    """The table that a file written by hand is: scores are recognised by their columns."""
    if not {"seq_id", "score"} <= set(columns):
        return ""
    return table_name(EventPredictions if "line_no" in columns else Predictions)
