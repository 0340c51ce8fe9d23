"""Groups of the flagged incidents of saved predictions: made from their logs and model, saved as results."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from lo2core.base.csv import csv_bytes
from lo2core.explain.groups import Grouping, group_incidents
from lo2core.messages.secrets import exported
from lo2core.pipeline.bundles import LoadedBundle
from lo2core.pipeline.explain import bundle_of
from lo2core.pipeline.inputs import logs_for
from lo2core.pipeline.provenance import command_line
from lo2core.store.atomic import write_bytes_atomic
from lo2core.store.parquet import reads_tables
from lo2core.store.predictions import home_of, read_sequence_scores
from lo2core.store.workspace import Workspace

FOLDER = "groups"


def group(logs: Workspace, bundle: LoadedBundle, predictions: pl.DataFrame) -> Grouping:
    """The flagged incidents of predictions of the loaded logs, by cause; see `explain.groups`."""
    return group_incidents(bundle.model, bundle.vec, logs_for(logs.snapshot(), bundle.vec), predictions)


@reads_tables
def groups_of(workspace: Workspace, name: str, bundle: LoadedBundle | None = None) -> Grouping:
    """`group` for saved predictions by their name; `SAMPLE/NAME` for those of a sample.

    bundle: the model; None takes the one that made them. Raises ArtefactError if that is not recorded.
    """
    home, table = home_of(workspace.snapshot(), name)
    predictions = read_sequence_scores(home, table)  # first, since what does not exist records no model either
    return group(home, bundle or bundle_of(home, table), predictions)


def save_groups(workspace: Workspace, name: str, grouping: Grouping, secrets: bool = False) -> list[Path]:
    """Save groups as Parquet and CSV in `explainability/<predictions>/groups/`; returns the paths.

    secrets: do not mask them in CSV.
    """
    home, table = home_of(workspace, name)
    frames = {"groups": grouping.groups, "grouped_incidents": grouping.incidents}
    facts = {"command": command_line(), "prediction": table}
    folder = home.explanations(table) / FOLDER
    return home.keep(folder, frames, {}, facts, partial(exported, secrets=secrets))


def as_table(frame: pl.DataFrame) -> pl.DataFrame:
    """Groups or grouped incidents for CSV: codes as text, without the ids of items."""
    codes = [pl.col("codes").list.join(" ")] if "codes" in frame.columns else []
    return frame.with_columns(codes).drop("items", "requests", strict=False)


def export(judged: Grouping, path: Path, *, replace: bool = False) -> Path:
    """Save groups with what is known about them as one CSV file, with secrets masked; raises ExistsError."""
    write_bytes_atomic(path, csv_bytes(exported(as_table(judged.groups))), replace=replace)
    return path
