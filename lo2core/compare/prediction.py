"""A saved prediction as input of a comparison."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import polars as pl

from lo2core.base.provenance import Metadata, ModelFacts
from lo2core.detect.incidents import by_sequence, flagged, per_incident
from lo2core.messages.counts import MessageCounts


def training_overlap(model: ModelFacts, data_fingerprint: str | None, runs: Iterable[str]) -> str:
    """Which of some logs the model was trained on, to complete "it scored ..."; empty if none.

    model: the facts of a model or its bundle. data_fingerprint, runs: of the logs. Equal fingerprints prove that the
    logs are the same. Logs that were loaded together with others have another fingerprint; then only the names of the
    runs can show an overlap, which is no proof, and the text says so.
    """
    if data_fingerprint and data_fingerprint == model.get("data_fingerprint"):
        return "the logs that the model was trained on"
    scored = set(runs)
    same = scored.intersection(model.get("runs") or ())
    return f"runs with the same names as training runs ({len(same)} of {len(scored)})" if same else ""


@dataclass(frozen=True, eq=False)
class SavedPrediction:
    """A saved prediction: its name, its table, its metadata, and the counts of the logs that it scored.

    frame: `schemas.Predictions` or `schemas.EventPredictions`. metadata: as stored with the table (bundle, time,
    fingerprints, facts of the model); empty if the table was written by hand. items: None if the logs are no longer
    loaded. masks: fingerprint of the masks that made the items; ids from different masks are not comparable.
    """

    name: str
    frame: pl.DataFrame
    metadata: Metadata = field(default_factory=Metadata)
    items: MessageCounts | None = None
    masks: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The key columns: seq_id, and line_no if single events were scored."""
        return ("seq_id", "line_no") if "line_no" in self.frame.columns else ("seq_id",)

    def items_comparable(self, other: SavedPrediction) -> bool:
        """Whether both have items, made by the same masks."""
        return self.items is not None and other.items is not None and self.masks == other.masks

    @property
    def training_overlap(self) -> str:
        """`training_overlap` of the scored logs, according to the metadata."""
        model, data = self.metadata.get("model", {}), self.metadata.get("data_fingerprint")
        return training_overlap(model, data, self.frame["run"].unique())

    def by_sequence(self) -> SavedPrediction:
        """The same prediction with one row per sequence: its worst event."""
        return replace(self, frame=by_sequence(self.frame).drop("line_no", strict=False))

    @property
    def threshold(self) -> float:
        """The z-score from which rows are flagged; NaN if the table is empty."""
        return float(self.frame["threshold"][0]) if self.frame.height else float("nan")

    @cached_property
    def incidents(self) -> pl.DataFrame:
        """One row per incident: run, folder, window, test_case, z (of the worst service), flagged, anomaly (truth).

        flagged is null for an incident that is not fully scored, see `incidents.flagged`.
        """
        return per_incident(
            self.frame,
            z=pl.col("z_score").max(),
            flagged=flagged(),
            anomaly=pl.col("anomaly").first(),
        )
