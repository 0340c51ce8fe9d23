"""A saved prediction as comparing takes it, and what of its logs the model was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl

from lo2core.detect.incidents import INCIDENT
from lo2core.messages.counts import MessageCounts


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
    items: MessageCounts | None = None
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
