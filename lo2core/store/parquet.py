"""Parquet files of declared tables: written with provenance in the footer, checked against a schema."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import polars as pl

from lo2core.base.clock import moment, now
from lo2core.base.errors import ArtefactError, reason
from lo2core.base.provenance import Metadata, typed
from lo2core.base.table import Column, DataType, Table, ValidationError
from lo2core.base.untrusted import json_value
from lo2core.store.names import remedy

if TYPE_CHECKING:
    from pyarrow.parquet import FileMetaData

P = ParamSpec("P")
R = TypeVar("R")

DAMAGE = (pl.exceptions.ComputeError, pl.exceptions.InvalidOperationError, pl.exceptions.PanicException)
"""What libraries raise where the contents of a table are damaged; the third is no `Exception`."""
METADATA_KEY = "lo2core"
ROW_GROUP = 131_072


def table_name(schema: type[Table]) -> str:
    """The name of a table in metadata: `EventPredictions` -> `event_predictions`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", schema.__name__).lower()


def lo2core_version() -> str:
    """The installed version of this package; `uninstalled` when it runs from its source folder."""
    try:
        return importlib.metadata.version("lo2core")
    except importlib.metadata.PackageNotFoundError:
        return "uninstalled"


def write_parquet(frame: pl.DataFrame, path: Path, metadata: dict[str, str]) -> None:
    frame.write_parquet(
        path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP, metadata=metadata or None
    )


def sink_parquet(frame: pl.LazyFrame, path: Path, metadata: dict[str, str], row_group: int = ROW_GROUP) -> None:
    """Write a frame by streaming; memory grows with the size of a row group."""
    with pl.Config(streaming_chunk_size=max(row_group // 4, 1)):
        frame.sink_parquet(path, compression="zstd", compression_level=1, row_group_size=row_group, metadata=metadata)


def file_metadata(name: str, provenance: Mapping[str, Any], generation: str = "") -> dict[str, str]:
    """The footer of a table: its name, the time, the version, provenance, and the id of the change that writes it."""
    facts = {"table": name, "created": now(), "version": lo2core_version(), **provenance}
    facts |= {"generation": generation} if generation else {}
    return {METADATA_KEY: json.dumps(facts, ensure_ascii=False)}


def validated(schema: type[Table], frame: pl.DataFrame, table: str) -> pl.DataFrame:
    try:
        return schema.validate(declared(schema, frame, table))
    except ValidationError as error:
        raise ArtefactError(f"Table {table} violates its schema and was not saved: {reason(error)}.") from error


def declared(schema: type[Table], frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """The declared columns of `frame`, which must have exactly the declared types."""
    check_exact(frame.schema, schema, table)
    return frame.select(schema.column_names())


def check_exact(found: pl.Schema, schema: type[Table], table: str) -> None:
    problem = misfit(found, schema.columns(), _same)
    if problem:
        raise ArtefactError(f"Table {table} {problem}; nothing was saved.")


def with_added(frame: pl.LazyFrame, schema: type[Table]) -> pl.LazyFrame:
    """The frame with nulls in columns that did not exist in tables of earlier versions."""
    there = frame.collect_schema()
    added = {name: column for name, column in schema.columns().items() if column.added}
    return frame.with_columns(pl.lit(None, c.dtype).alias(name) for name, c in added.items() if name not in there)


def misfit(
    found: pl.Schema, wanted: Mapping[str, Column | None], fits: Callable[[DataType, DataType, bool], bool]
) -> str:
    """What is missing, found and expected; an empty text if everything matches."""
    missing = [name for name in wanted if name not in found]
    if missing:
        return f"lacks the columns {', '.join(missing)} (got {', '.join(found) or 'none'})"
    wrong = [
        f"{name}: got {found[name]}, expected {column.dtype}"
        for name, column in wanted.items()
        if column is not None and not fits(found[name], column.dtype, column.nullable)
    ]
    return f"has columns of other types ({'; '.join(wrong)})" if wrong else ""


def _same(got: DataType, want: DataType, nullable: bool) -> bool:
    return got == want


def safe(got: DataType, want: DataType, nullable: bool) -> bool:
    """Whether `got` can be cast to `want` without changing the meaning; a value that does not fit still raises."""
    if got == pl.Null:
        return nullable
    if isinstance(got, pl.List) and isinstance(want, pl.List):
        return safe(got.inner, want.inner, nullable)
    if isinstance(got, pl.Datetime) and isinstance(want, pl.Datetime):
        return got.time_zone == want.time_zone
    texts = (pl.String, pl.Categorical, pl.Enum)
    return (
        got == want
        or (isinstance(got, texts) and isinstance(want, texts))
        or (got.is_integer() and want.is_integer())
        or (got.is_numeric() and want.is_float())
    )


@contextmanager
def intact(workspace: str | os.PathLike[str]) -> Iterator[None]:
    """For work that reads tables lazily: what libraries raise on a damaged one becomes an `ArtefactError`."""
    try:
        yield
    except DAMAGE as error:
        why = f"A table of {os.fspath(workspace)} is damaged ({reason(error)})"
        raise ArtefactError(f"{why}: load the logs again.") from error


def reads_tables(function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose first parameter is `workspace`, within `intact`."""

    @wraps(function)
    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        with intact(cast(str, args[0] if args else kwargs["workspace"])):
            return function(*args, **kwargs)

    return within


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Whatever a library raises on a damaged table becomes an `ArtefactError`. path: the table, or its workspace."""
    try:
        yield
    except (*DAMAGE, pl.exceptions.PolarsError, UnicodeError, OSError, MemoryError) as error:
        if why := getattr(error, "strerror", None):  # from the file system, not from a reader of Parquet
            raise ArtefactError(f"{path} cannot be read: {why}.") from error
        raise ArtefactError(f"{path} is damaged or not a lo2core table, {remedy(path)}: {reason(error)}.") from error


def footer_of(path: Path, file: BufferedReader) -> FileMetaData:
    """The footer of an open Parquet file, which is at `path`; raises ArtefactError if it is damaged."""
    from pyarrow.parquet import read_metadata  # a load does without this import

    with readable(path), _damage_of_footers():
        file.seek(0)
        return read_metadata(file)


@contextmanager
def _damage_of_footers() -> Iterator[None]:
    """What pyarrow raises on a damaged footer becomes what polars raises on one."""
    from pyarrow import ArrowException

    try:
        yield
    except ArrowException as error:
        raise pl.exceptions.ComputeError(str(error)) from error


def columns_of(path: Path, footer: FileMetaData) -> list[str]:
    """All columns of the file with this footer, declared or not; raises ArtefactError where they cannot be told."""
    with readable(path), _damage_of_footers():
        return list(footer.schema.to_arrow_schema().names)


def own_metadata(footer: FileMetaData) -> tuple[Metadata, str]:
    """What lo2core wrote into a footer, and why that cannot be read (empty if it can).

    It is empty where lo2core wrote nothing, and where it cannot be read: both count as written by hand. Entries of
    another type than declared count as not recorded.
    """
    try:
        value = json_value((footer.metadata or {}).get(METADATA_KEY.encode(), b"{}"))
    except ValueError as error:
        return {}, reason(error)
    found = typed(Metadata, value)
    if moment(found.get("created")) is None:
        found.pop("created", None)
    return found, "" if isinstance(value, dict) else f"expected an object, got a {type(value).__name__}"
