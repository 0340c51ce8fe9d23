"""Compare: saved predictions side by side. What differs in their making, in their scores, in what they flag.

Two predictions of the same sequences are joined row by row (`paired`); those of other logs meet by test case and
service (`drift`). Frames in, small frames out, each computed when somebody first asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from lo2core.base.errors import InputError
from lo2core.compare import drift, provenance, significance
from lo2core.compare import pairs as compare_pairs
from lo2core.compare.histogram import density
from lo2core.compare.pairs import Agreement
from lo2core.compare.prediction import Saved
from lo2core.compare.significance import McNemar
from lo2core.detect.predict import other_windows

_FRAMES = (
    *("making", "rates", "by_test_case", "incident_changes", "item_changes", "shifts", "fault_recall"),
    *("pairs", "flips", "movers", "metrics"),
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """Saved predictions side by side: the first two, and all of them where a table has one column a prediction.

    What needs rows of both (pairs, flips, movers, agreement, metrics, mcnemar) is None where they scored other logs.
    Raises InputError for fewer than two.
    """

    saved: tuple[Saved, ...]

    def __post_init__(self) -> None:
        if len(self.saved) < 2:
            raise InputError(f"Comparing takes two predictions or more, found {len(self.saved)}.")
        names = [one.name for one in self.saved]
        if twice := [name for name in names if names.count(name) > 1]:
            raise InputError(f"{twice[0]} was named twice: a prediction is compared with others.")

    @property
    def names(self) -> tuple[str, str]:
        return self.saved[0].name, self.saved[1].name

    @property
    def thresholds(self) -> tuple[float, float]:
        return self.saved[0].threshold, self.saved[1].threshold

    @property
    def scope(self) -> str:
        """Of more than two, a sentence that names those whose rows are compared; else empty."""
        a, b = self.names
        return f"Verdict, flips, metrics and changes are those of {a} and {b} alone." if len(self.saved) > 2 else ""

    @property
    def same_sequences(self) -> bool:
        return self.pairs is not None

    @cached_property
    def verdict(self) -> str:
        """In a sentence or two: did the logs change, the model, both, or neither; and the threshold."""
        return provenance.verdict(*self.saved[:2])

    @cached_property
    def remark(self) -> str:
        """What to know before figures are believed: models that scored what they learned from, or other windows. Else
        empty.
        """
        return " ".join(filter(None, [self._on_training_data, *map(_other_windows, self.saved)]))

    @property
    def _on_training_data(self) -> str:
        seen = ", ".join(f"{one.name} scored {part}" for one in self.saved if (part := one.training_part))
        if not seen:
            return ""
        return (
            f"{seen}: such a model knows these normals (and a supervised one these faults), so figures flatter it. "
            "Those of left-out runs stand on page Train."
        )

    @cached_property
    def making(self) -> pl.DataFrame:
        return provenance.facts(self.saved)

    @cached_property
    def incidents(self) -> tuple[pl.DataFrame, ...]:
        """`Saved.incidents` of each. Where A and B hold the very same rows, one grouping gives both, with one truth."""
        if self.incident_pairs is None or not self._all_paired:
            return tuple(one.incidents for one in self.saved)
        both = [compare_pairs.one_side(self.incident_pairs, side) for side in "ab"]
        return (*both, *(one.incidents for one in self.saved[2:]))

    @property
    def _all_paired(self) -> bool:
        return self.pairs is not None and all(one.frame.height == self.pairs.height for one in self.saved[:2])

    @cached_property
    def rates(self) -> pl.DataFrame:
        return rates(self.saved, self.incidents)

    @cached_property
    def fault_recall(self) -> pl.DataFrame:
        return fault_recall(self.saved, self.incidents)

    @cached_property
    def history(self) -> dict[str, pl.DataFrame]:
        """`history_row` of each, by its name."""
        return {one.name: history_row(one, found) for one, found in zip(self.saved, self.incidents, strict=True)}

    @cached_property
    def by_test_case(self) -> pl.DataFrame:
        return drift.by_test_case(*self.saved[:2])

    @cached_property
    def incident_changes(self) -> pl.DataFrame:
        return drift.incident_changes(*self.saved[:2])

    @cached_property
    def item_changes(self) -> pl.DataFrame:
        return drift.item_changes(*self.saved[:2])

    @property
    def items_apart(self) -> str:
        """Why items were not compared; empty where they were."""
        return drift.items_apart(*self.saved[:2])

    @cached_property
    def shifts(self) -> pl.DataFrame:
        return drift.shifts(*self.saved[:2])

    @cached_property
    def pairs(self) -> pl.DataFrame | None:
        """`paired.joined`; None where too few sequences are in both.

        Where one scores single events and the other sequences, the worst event stands for its sequence.
        """
        a, b = self.saved[:2]
        if a.keys != b.keys:
            a, b = (one.by_sequence() if "line_no" in one.keys else one for one in (a, b))
        pairs = compare_pairs.joined(a, b)
        return pairs if compare_pairs.same_sequences(a, b, pairs) else None

    @cached_property
    def scored(self) -> pl.DataFrame | None:
        """The pairs that both could score: `paired.ranked`."""
        return None if self.pairs is None else compare_pairs.ranked(self.pairs)

    @cached_property
    def density(self) -> pl.DataFrame | None:
        """`density.density` of their z-scores."""
        return None if self.scored is None else density(self.scored, "z_a", "z_b")

    @cached_property
    def flips(self) -> pl.DataFrame | None:
        return None if self.pairs is None else compare_pairs.flips(self.pairs)

    @cached_property
    def movers(self) -> pl.DataFrame | None:
        return None if self.scored is None else compare_pairs.movers(self.scored)

    @cached_property
    def agreement(self) -> Agreement | None:
        return None if self.scored is None else compare_pairs.agreement(self.scored)

    @cached_property
    def metrics(self) -> pl.DataFrame | None:
        return None if self.incident_pairs is None else significance.metric_differences(self.incident_pairs)

    @cached_property
    def mcnemar(self) -> McNemar | None:
        return None if self.incident_pairs is None else significance.mcnemar(self.incident_pairs)

    @cached_property
    def incident_pairs(self) -> pl.DataFrame | None:
        return None if self.pairs is None else compare_pairs.incident_pairs(self.pairs)

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """All tables by the name of their file."""
        found = {name: frame for name in _FRAMES if (frame := getattr(self, name)) is not None}
        numbers = [asdict(part) for part in (self.agreement, self.mcnemar) if part is not None]
        told = {name: value for part in numbers for name, value in part.items()}
        figures = pl.DataFrame(
            {"figure": list(told), "value": list(told.values())}, schema_overrides={"value": pl.Float64}
        )
        return found | {"agreement": figures}


def _other_windows(saved: Saved) -> str:
    facts = saved.metadata.get("model") or {}
    told = other_windows(facts, saved.metadata["window"]) if "window" in saved.metadata else ""
    return told and f"{saved.name}: {told}"


def fault_recall(saved: Sequence[Saved], incidents: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Share of flagged incidents by faulty test case: test_case, prediction, recall, n, difference (to the first).

    incidents: `Saved.incidents` of each.
    """
    parts = []
    for one, theirs in zip(saved, incidents, strict=True):
        faulty = theirs.filter("anomaly").group_by("test_case")
        found = faulty.agg(recall=pl.col("flagged").mean(), n=pl.len().cast(pl.Int64))
        parts.append(found.with_columns(prediction=pl.lit(one.name)))
    first = parts[0].select("test_case", first="recall")
    table = pl.concat(parts).join(first, on="test_case", how="left", maintain_order="left")
    return table.sort("test_case", maintain_order=True).select(
        "test_case", "prediction", "recall", "n", difference=pl.col("recall") - pl.col("first")
    )


def rates(saved: Sequence[Saved], incidents: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """How much each flagged: prediction, sequences, flagged, incidents, flagged_incidents, alert_rate (incidents).

    incidents: `Saved.incidents` of each.
    """
    rows = []
    for one, theirs in zip(saved, incidents, strict=True):
        flagged = int(theirs["flagged"].sum())
        rate = flagged / theirs.height if theirs.height else None
        rows.append((one.name, one.frame.height, int(one.frame["pred_ano"].sum()), theirs.height, flagged, rate))
    names = ("prediction", "sequences", "flagged", "incidents", "flagged_incidents", "alert_rate")
    return pl.DataFrame(rows, schema=names, orient="row")


def history_row(saved: Saved, incidents: pl.DataFrame) -> pl.DataFrame:
    """What a saved prediction looks like in a time line: prediction, model, made, measure, value; a row a measure.

    incidents: `Saved.incidents`.
    """
    z = saved.frame["z_score"].drop_nulls()
    measures = {
        "incidents": float(incidents.height),
        "flagged incidents, %": 100 * int(incidents["flagged"].sum()) / incidents.height if incidents.height else None,
        "median z": z.median(),
        "largest z": z.max(),
        "threshold": saved.threshold if saved.frame.height else None,
    }
    made = saved.metadata.get("created")
    frame = pl.DataFrame(
        {"measure": list(measures), "value": list(measures.values())}, schema_overrides={"value": pl.Float64}
    )
    stamp = pl.lit(made, dtype=pl.String).str.to_datetime(time_unit="ms", time_zone="UTC", strict=False)
    model = Path(saved.metadata.get("bundle") or "not recorded").stem
    named = {"prediction": pl.lit(saved.name), "model": pl.lit(model)}
    return frame.select(**named, made=stamp, measure="measure", value="value")
