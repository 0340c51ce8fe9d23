"""Compare: saved predictions side by side, by their provenance, their scores, and what they flag.

Two predictions of the same sequences are joined row by row (`pairs`, `significance`); predictions of different logs are
compared by test case and service (`drift`). All functions take and return frames.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property

import polars as pl

from lo2core.base import schemas
from lo2core.base.errors import InputError
from lo2core.base.table import Table
from lo2core.compare import drift, histogram, pairs, provenance, significance, summaries
from lo2core.compare.pairs import Agreement
from lo2core.compare.prediction import SavedPrediction
from lo2core.compare.significance import McNemar
from lo2core.detect.fitness import FITS, Fitness
from lo2core.detect.predict import other_windows


@dataclass(frozen=True, eq=False)
class Comparison:
    """A comparison of two or more saved predictions; each result is computed when it is first used.

    Results are about the first two predictions, A and B, and differences are B - A; provenance, rates, fault_recall and
    history cover all of them. Higher z-scores are more anomalous. Results that need rows of both (pairs, ranked_pairs,
    histogram, flips, movers, agreement, incident_pairs, metrics, mcnemar) are None if A and B scored different logs.

    Raises InputError for fewer than two predictions, or if one is named twice.
    """

    saved: tuple[SavedPrediction, ...]

    def __post_init__(self) -> None:
        if len(self.saved) < 2:
            raise InputError(f"A comparison needs at least two predictions, found {len(self.saved)}.")
        names = [one.name for one in self.saved]
        if twice := [name for name in names if names.count(name) > 1]:
            raise InputError(f"{twice[0]} is named twice: compare it with another prediction.")

    @property
    def names(self) -> tuple[str, str]:
        """The names of A and B."""
        return self.saved[0].name, self.saved[1].name

    @property
    def thresholds(self) -> tuple[float, float]:
        """The z-scores from which A and B flag."""
        return self.saved[0].threshold, self.saved[1].threshold

    @property
    def same_sequences(self) -> bool:
        """Whether A and B scored the same sequences, so that they can be compared row by row."""
        return self.pairs is not None

    @property
    def scope(self) -> str:
        """With more than two predictions, a sentence that names A and B; else empty."""
        a, b = self.names
        return f"Verdict, flips, metrics and changes compare {a} and {b} only." if len(self.saved) > 2 else ""

    @cached_property
    def verdict(self) -> str:
        """One or two sentences: did the logs change, the model, both, or neither; and the threshold."""
        return provenance.verdict(*self.saved[:2])

    @cached_property
    def note(self) -> str:
        """Why figures may mislead: models that scored their training data, or that do not fit the logs. Else empty."""
        return " ".join(filter(None, [self.on_training_data, *self.misfits]))

    @cached_property
    def misfits(self) -> tuple[str, ...]:
        """A statement about each prediction whose model does not fit the logs that it scored, or fits in part."""
        return tuple(filter(None, map(_misfit, self.saved)))

    @property
    def on_training_data(self) -> str:
        """Which models scored their training data, in a sentence; else empty."""
        seen = ", ".join(f"{one.name} scored {part}" for one in self.saved if (part := one.training_overlap))
        if not seen:
            return ""
        return f"{seen}: metrics on training data are too optimistic. Page Train shows metrics on held-out runs."

    @cached_property
    def provenance(self) -> pl.DataFrame:
        """One row per fact and prediction: fact, prediction, value (text), differs."""
        return provenance.facts(self.saved)

    @cached_property
    def incidents(self) -> tuple[pl.DataFrame, ...]:
        """`SavedPrediction.incidents` of each prediction: run, folder, window, test_case, z, flagged, anomaly."""
        if self.incident_pairs is None or not self._all_paired:
            return tuple(one.incidents for one in self.saved)
        # one grouping for both sides, with the same truth
        both = [pairs.one_side(self.incident_pairs, side) for side in "ab"]
        return (*both, *(one.incidents for one in self.saved[2:]))

    @property
    def _all_paired(self) -> bool:
        return self.pairs is not None and all(one.frame.height == self.pairs.height for one in self.saved[:2])

    @cached_property
    def rates(self) -> pl.DataFrame:
        """One row per prediction: prediction, rows, flagged, incidents, flagged_incidents, not_fully_scored,
        alert_rate (0 to 1).
        """
        return summaries.rates(self.saved, self.incidents)

    @cached_property
    def fault_recall(self) -> pl.DataFrame:
        """One row per faulty test case and prediction: test_case, prediction, recall (0 to 1), n, difference (to A)."""
        return summaries.fault_recall(self.saved, self.incidents)

    @cached_property
    def history(self) -> dict[str, pl.DataFrame]:
        """Per prediction, by name, one row per figure: prediction, model, made, measure, value."""
        return {
            one.name: summaries.history_row(one, incidents)
            for one, incidents in zip(self.saved, self.incidents, strict=True)
        }

    @cached_property
    def by_test_case(self) -> pl.DataFrame:
        """One row per test case and service: test_case, service, z_a, n_a, z_b, n_b, difference (median z-scores)."""
        return drift.by_test_case(*self.saved[:2])

    @cached_property
    def incident_changes(self) -> pl.DataFrame:
        """One row per test case and service that only one side flags: test_case, service, z, n, change."""
        return drift.incident_changes(*self.saved[:2])

    @cached_property
    def item_changes(self) -> pl.DataFrame:
        """One row per item that only one side's logs contain: message_id, kind, title, item, n, sequences, change.

        No rows if items were not compared; `why_no_items` says why.
        """
        return drift.item_changes(*self.saved[:2])

    @property
    def why_no_items(self) -> str:
        """A sentence that says why items were not compared; empty if they were."""
        return drift.why_no_items(*self.saved[:2])

    @cached_property
    def shifts(self) -> pl.DataFrame:
        """Population stability index of all services and of each one: service, scores, items (null: unknown)."""
        return drift.shifts(*self.saved[:2])

    @cached_property
    def pairs(self) -> pl.DataFrame | None:
        """One row per sequence (or event) that A and B contain: keys, identity, scores and change; see `pairs.joined`.

        None if they share too few rows. If only one of them scored events, it is reduced to the worst event of each
        sequence.
        """
        a, b = self.saved[:2]
        if a.keys != b.keys:
            a, b = (one.by_sequence() if "line_no" in one.keys else one for one in (a, b))
        joined = pairs.joined(a, b)
        return joined if pairs.same_sequences(a, b, joined) else None

    @cached_property
    def ranked_pairs(self) -> pl.DataFrame | None:
        """The pairs with both scores, with rank_a and rank_b: 1 is the worst, ties share their mean rank."""
        return None if self.pairs is None else pairs.ranked(self.pairs)

    @cached_property
    def histogram(self) -> pl.DataFrame | None:
        """The number of ranked pairs in each cell of the plane of z_a and z_b: cell, n, left, right, bottom, top."""
        return None if self.ranked_pairs is None else histogram.histogram(self.ranked_pairs, "z_a", "z_b")

    @cached_property
    def flips(self) -> pl.DataFrame | None:
        """The pairs that only one side flags, with difference (z_b - z_a), largest first."""
        return None if self.pairs is None else pairs.flips(self.pairs)

    @cached_property
    def movers(self) -> pl.DataFrame | None:
        """The 20 ranked pairs whose rank changed most, with moved (rank_a - rank_b; positive: worse in B)."""
        return None if self.ranked_pairs is None else pairs.movers(self.ranked_pairs)

    @cached_property
    def agreement(self) -> Agreement | None:
        """Rank correlation of the z-scores, and Cohen's kappa of the flags."""
        return None if self.ranked_pairs is None else pairs.agreement(self.ranked_pairs)

    @cached_property
    def incident_pairs(self) -> pl.DataFrame | None:
        """One row per incident of the pairs: run, folder, window, test_case, z_a, z_b, flagged_a, flagged_b, anomaly,
        change.
        """
        return None if self.pairs is None else pairs.incident_pairs(self.pairs)

    @cached_property
    def metrics(self) -> pl.DataFrame | None:
        """One row per metric of labelled incidents: metric, a, b, difference, low, high (95 % interval)."""
        return None if self.incident_pairs is None else significance.metric_differences(self.incident_pairs)

    @cached_property
    def mcnemar(self) -> McNemar | None:
        """McNemar's test on labelled incidents; None without labels, too."""
        return None if self.incident_pairs is None else significance.mcnemar(self.incident_pairs)

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """All tables by file name, as `schemas.Compared*`; without tables of pairs if A and B scored different logs."""
        tables = {
            "provenance": self.provenance,
            "rates": self.rates,
            "by_test_case": self.by_test_case,
            "incident_changes": self.incident_changes,
            "item_changes": self.item_changes,
            "shifts": self.shifts,
            "fault_recall": self.fault_recall,
            "pairs": _as_saved(schemas.ComparedPairs, self.pairs),
            "flips": _as_saved(schemas.ComparedFlips, self.flips),
            "movers": _as_saved(schemas.ComparedMovers, self.movers),
            "metrics": self.metrics,
            "agreement": self._figures,
        }
        return {name: frame for name, frame in tables.items() if frame is not None}

    @property
    def _figures(self) -> pl.DataFrame:
        """The numbers of agreement and McNemar's test: figure, value."""
        parts = [asdict(part) for part in (self.agreement, self.mcnemar) if part is not None]
        rows = [(name, value) for part in parts for name, value in part.items()]
        return pl.DataFrame(rows, schema=schemas.ComparedAgreement.create_empty().schema, orient="row")


def _as_saved(schema: type[Table], pairs: pl.DataFrame | None) -> pl.DataFrame | None:
    """Pairs with the column line_no, null for sequences."""
    if pairs is None or "line_no" in pairs.columns:
        return pairs
    return schema.cast(pairs.with_columns(line_no=pl.lit(None, dtype=pl.Int64)))


def _misfit(saved: SavedPrediction) -> str:
    """The recorded fitness if the model does not fit in full; without one, whether windows differ. Else empty."""
    if fits := Fitness.of(saved.metadata.get("fitness", {})):
        return "" if fits.verdict == FITS else f"{saved.name}: {fits.sentence}"
    facts = saved.metadata.get("model") or {}
    sentence = other_windows(facts, saved.metadata["window"]) if "window" in saved.metadata else ""
    return sentence and f"{saved.name}: {sentence}"
