"""Saved predictions of a workspace and its samples: their names, where they lie, and one as comparing takes it.

A prediction of the workspace's own logs is known by the name of its table, one of a sample by `SAMPLE/NAME`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import polars as pl

from lo2core import byhand
from lo2core.items import Items
from lo2core.names import TABLES
from lo2core.parquet import readable, table_name
from lo2core.store import Workspace
from lo2core.tables import EventPredictions, Predictions

INCIDENT = ("run", "folder", "window")


def saved_names(workspace: Workspace) -> list[str]:
    """Names of all saved predictions: the workspace's own first, each newest first; last those that cannot be read."""
    theirs = [f"{sample.root.name}/{name}" for sample in workspace.samples() for name in sample.predictions()]
    return sorted(workspace.predictions() + theirs, key=lambda name: not _works(*home_of(workspace, name)))


def newest_first(workspace: Workspace) -> list[str]:
    """Names of all saved predictions by the time they were saved; last those that cannot be read."""

    def order(name: str) -> tuple[bool, tuple[datetime, int]]:
        home, table = home_of(workspace, name)
        return _works(home, table), _made(home, table)

    return sorted(saved_names(workspace), key=order, reverse=True)


def damaged(workspace: Workspace) -> list[str]:
    """Names of damaged files of the workspace and its samples that may have been predictions."""
    found = []
    for home in (workspace, *workspace.samples()):
        prefix = "" if home is workspace else f"{home.root.name}/"
        names = sorted({path.stem for path in home.root.glob("[!.]*.parquet")} - set(TABLES.values()))
        found += [f"{prefix}{name}" for name in names if home.artefact(name).problem]
    return found


def _works(home: Workspace, table: str) -> bool:
    return not byhand.problem(home, table)


def _made(home: Workspace, table: str) -> tuple[datetime, int]:
    """The clock of a footer has seconds; the file system tells two of the same second apart."""
    artefact = home.artefact(table)
    return artefact.created or datetime.min.replace(tzinfo=UTC), artefact.path.stat().st_mtime_ns


def home_of(workspace: Workspace, name: str) -> tuple[Workspace, str]:
    """Where a saved prediction lies, and the name of its table there."""
    sample, _, table = name.rpartition("/")
    return (workspace.sample(sample) if sample else workspace), table


def read_predictions(workspace: Workspace, name: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Saved predictions of sequences or of events, all `columns` of them unless told; see `byhand.scan`.

    Raises ArtefactError where there are none of that name.
    """
    with readable(workspace.path(name)):
        return byhand.scan(workspace, name).select(columns or pl.all()).collect()


def _of_events(workspace: Workspace, name: str) -> bool:
    return workspace.artefact(name).table == table_name(EventPredictions)


def read_sequence_scores(workspace: Workspace, name: str) -> pl.DataFrame:
    """Saved predictions, one row a sequence, worst first; of scored events the worst of each sequence, without a rank.

    Within a service score, z and p agree on which that is. Raises as `read_predictions`.
    """
    if not _of_events(workspace, name):
        return read_predictions(workspace, name)
    columns = [column for column in Predictions.column_names() if column not in ("seq_id", "rank")]
    worst = {"score": pl.max, "z_score": pl.max, "p_value": pl.min, "pred_ano": pl.max}
    found = byhand.scan(workspace, name).group_by("seq_id")
    one_each = found.agg(worst.get(column, pl.first)(column) for column in columns)
    ordered = one_each.sort("z_score", "seq_id", descending=[True, False], nulls_last=True)
    with readable(workspace.path(name)):
        return ordered.collect(engine="streaming")


def training_part(model: Mapping[str, Any], data_fingerprint: str | None, runs: Iterable[str]) -> str:
    """What of these logs the model was trained on, to complete "it scored ..."; empty where nothing is.

    model: facts of it or its bundle. The fingerprint proves that the logs are the same; once others were loaded beside
    them, or some of them elsewhere, the names of runs are what tells, which is no proof and is said as it is.
    """
    if data_fingerprint and data_fingerprint == model.get("data_fingerprint"):
        return "the very logs that the model was trained on"
    scored = set(runs)
    known = scored.intersection(model.get("runs") or ())
    return f"runs named like those that the model was trained on ({len(known)} of {len(scored)})" if known else ""


@dataclass(frozen=True, eq=False)
class Saved:
    """A saved prediction: what it is called, its table, its metadata, and the items of the logs that it scored.

    masks: fingerprint of the rules that made the items; ids under different rules say nothing of each other.
    """

    name: str
    frame: pl.DataFrame
    metadata: Mapping[str, Any] = field(default_factory=dict)
    items: Items | None = None
    masks: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """What names a row: the sequence, and the line where single events were scored."""
        return ("seq_id", "line_no") if "line_no" in self.frame.columns else ("seq_id",)

    def items_like(self, other: Saved) -> bool:
        """Whether the items of both are there, and were made by the same masks."""
        return self.items is not None and other.items is not None and self.masks == other.masks

    @property
    def training_part(self) -> str:
        """As `training_part` of what was scored, as far as the metadata tell."""
        model, data = self.metadata.get("model") or {}, self.metadata.get("data_fingerprint")
        return training_part(model, data, self.frame["run"].unique())

    def by_sequence(self) -> Saved:
        """The same with one row a sequence: the worst event stands for it."""
        worst = self.frame.sort("z_score", descending=True, nulls_last=True, maintain_order=True)
        one_each = worst.unique("seq_id", keep="first", maintain_order=True).drop("line_no")
        return replace(self, frame=one_each)

    @property
    def threshold(self) -> float:
        return float(self.frame["threshold"][0]) if self.frame.height else float("nan")

    @cached_property
    def incidents(self) -> pl.DataFrame:
        """One row an incident: run, folder, window, test_case, z (its worst service's), flagged, anomaly."""
        return self.frame.group_by(*INCIDENT, "test_case", maintain_order=True).agg(
            z=pl.col("z_score").max(), flagged=pl.col("pred_ano").any(), anomaly=pl.col("anomaly").first()
        )
