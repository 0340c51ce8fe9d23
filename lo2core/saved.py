"""A saved prediction as comparing takes it: its table, its metadata, the items of the logs that it scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from lo2core.items import Items

INCIDENT = ("run", "folder", "window")


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
    def threshold(self) -> float:
        return float(self.frame["threshold"][0]) if self.frame.height else float("nan")

    @cached_property
    def incidents(self) -> pl.DataFrame:
        """One row an incident: run, folder, window, test_case, z (its worst service's), flagged, anomaly."""
        return self.frame.group_by(*INCIDENT, "test_case", maintain_order=True).agg(
            z=pl.col("z_score").max(), flagged=pl.col("pred_ano").any(), anomaly=pl.col("anomaly").first()
        )
