"""Results of explanations and comparisons: tables (Parquet and CSV) and pages of a folder, replaced together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from lo2core.base.csv import csv_bytes
from lo2core.store.changes import Change, names
from lo2core.store.names import RESULTS
from lo2core.store.parquet import file_metadata, table_name, validated, write_parquet

_ENDINGS = (".parquet", ".csv")


def save_results(
    folder: Path,
    frames: Mapping[str, pl.DataFrame],
    pages: Mapping[str, str],
    provenance: Mapping[str, Any],
    exported: Callable[[pl.DataFrame], pl.DataFrame],
) -> list[Path]:
    """As `Workspace.keep`. Tables of an earlier result in the folder that the new one does not have are removed."""
    with Change(folder) as change:
        paths = []
        for name, frame in frames.items():
            paths += _write(change, name, frame, provenance, exported)
        for name, page in pages.items():
            paths.append(change.write(f"{name}.html", partial(Path.write_bytes, data=page.encode()), replace=True))
        there = {name for ending in _ENDINGS for name in names(folder, ending)}
        for name in there & {f"{name}{ending}" for name in RESULTS.keys() - frames.keys() for ending in _ENDINGS}:
            change.remove(name)
    return paths


def _write(
    change: Change,
    name: str,
    frame: pl.DataFrame,
    provenance: Mapping[str, Any],
    exported: Callable[[pl.DataFrame], pl.DataFrame],
) -> list[Path]:
    schema = RESULTS[name]
    checked = validated(schema, frame, name)
    facts = file_metadata(table_name(schema), provenance, change.id)
    return [
        change.write(f"{name}.parquet", lambda to: write_parquet(checked, to, facts), replace=True),
        change.write(f"{name}.csv", lambda to: to.write_bytes(csv_bytes(exported(checked))), replace=True),
    ]
