"""The ledger (`schemas.Ledger`): one row per file, read or not, so that every line and byte is accounted for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lo2core.base.schemas import Ledger
from lo2core.load.compression import is_log, log_pieces
from lo2core.load.log_file import LogFile
from lo2core.load.plan import Plan

_LEDGER = Ledger.create_empty().schema


def read_rows(
    files: Sequence[LogFile],
    sizes: Sequence[int],
    invalid: Sequence[int],
    tally: pl.DataFrame,
    outside: Collection[int] = (),
) -> pl.DataFrame:
    """Rows of files that were read.

    sizes: bytes read of each file. invalid: how many of them are not UTF-8. tally: see `parse.Parsed`. outside:
    the files of which no line is in the period to read, by their index.
    """
    facts: list[dict[str, Any]] = [
        {**_facts(file), "status": "read" if size else "empty", "bytes": size, "invalid_bytes": n}
        for file, size, n in zip(files, sizes, invalid, strict=True)
    ]
    for index in outside:
        facts[index]["status"] = "not chosen"
    dated = pl.Series("dated", [file.epoch is not None for file in files]) | tally["dated"]
    return _as_ledger(pl.concat([pl.DataFrame(facts), tally.with_columns(dated)], how="horizontal"))


def unread(plan: Plan) -> pl.DataFrame:
    """Rows of files that are not read, with their bytes. Lines are counted for ignored logs only, as skipped lines."""
    rows = []
    for status, files in (("not chosen", plan.left_out), ("ignored", plan.ignored)):
        for file in files:
            is_ignored_log = status == "ignored" and is_log(file.path.name) and file.path.is_file()
            lines, damage = _count_lines(file.path) if is_ignored_log else (0, None)
            counted = {"bytes": file.bytes, "lines": lines, "skipped": lines, "damaged": file.damage or damage}
            rows.append({**_facts(file), "status": status, **counted})
    return _as_ledger(pl.DataFrame(rows, infer_schema_length=None)) if rows else pl.DataFrame(schema=_LEDGER)


def with_damages(rows: pl.DataFrame, damages: Sequence[str | None]) -> pl.DataFrame:
    """Rows of files that were read, with a text about the damage of each; a damaged file is never empty."""
    damaged = pl.Series("damaged", damages, dtype=pl.String)
    status = pl.when(damaged.is_not_null() & (rows["status"] == "empty")).then(pl.lit("read", _LEDGER["status"]))
    return rows.with_columns(damaged, status=status.otherwise("status"))


def of_logs(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of logs that were read, including empty ones."""
    return rows.filter(pl.col("status").is_in(["read", "empty"]))


def _facts(file: LogFile) -> dict[str, str | None]:
    return {"source": file.source, "run": file.run, "folder": file.folder, "service": file.service}


def _as_ledger(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows with all columns of the schema in their types; missing counts are 0."""
    facts = ("format", "explained", "unindented", "leveled", "timed", "unknown", "notes", "damaged")
    frame = frame.with_columns(pl.lit(None).alias(name) for name in facts if name not in frame.columns)
    absent = [pl.lit(0).alias(name) for name in _LEDGER if name not in frame.columns]
    return frame.with_columns(absent).select(pl.col(name).cast(dtype) for name, dtype in _LEDGER.items())


def _count_lines(path: Path) -> tuple[int, str | None]:
    """The lines of a log, and a text about its damage."""
    last, lines = b"\n", 0
    damages: list[str] = []
    for piece in log_pieces([path], damages):
        lines, last = lines + piece.count(b"\n"), piece[-1:] or last
    return lines + (last != b"\n"), "; ".join(damages) or None
