"""Explain: which items made a score, what the nearest normals hold instead, and what an incident looks like as a whole.

Everything here works on counts and on the model; `lo2core.lines` goes from items to raw lines.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from lo2core.errors import InputError
from lo2core.items import Items
from lo2core.model import Floats, Model
from lo2core.nearest import NearestNormal
from lo2core.tables import ExplainedItems, NearestNormals
from lo2core.vectorizer import UNSEEN, Encoded, Vectorizer

INCIDENT = ("run", "folder", "window")

_ITEMS = ExplainedItems.create_empty().schema
_NEAREST = NearestNormals.create_empty().schema
_TEXT_KINDS = {"templates": "template", "words": "word", "trigrams": "trigram"}


@dataclass(frozen=True)
class Logs:
    """Loaded logs under the masks of the vectorizer. `events` is None where only counts were kept."""

    items: Items
    sequences: pl.DataFrame
    events: pl.LazyFrame | None = None

    def events_of(self, seq_id: str) -> pl.DataFrame:
        """The events of a sequence by line number, read from disk with a filter.

        A sequence that was cut in memory for training is found by its place and time. Raises InputError without events.
        """
        if self.events is None:
            raise InputError("These logs were loaded with --no-save-events: there are counts, but no lines to show.")
        found = self.events.filter(pl.col("seq_id") == seq_id).collect()
        if not found.height and (facts := self.facts(seq_id)) and facts["events"]:
            place = [pl.col(name) == facts[name] for name in ("run", "folder", "service")]
            stamp = pl.col("m_timestamp").is_between(facts["start_time"], facts["end_time"])
            found = self.events.filter(*place, stamp).collect()
        return found.sort("line_no")

    def facts(self, seq_id: str) -> dict[str, Any]:
        """The row of `sequences`, empty where it is not there."""
        found = self.sequences.filter(pl.col("seq_id") == seq_id)
        return found.row(0, named=True) if found.height else {}


@dataclass(frozen=True)
class Evidence:
    """What an explanation draws on: a model with its vectorizer, the logs scored, and the logs it was trained on."""

    model: Model
    vec: Vectorizer
    here: Logs
    training: Logs

    def service_of(self, seq_id: str) -> str:
        """The service of a sequence; raises InputError where the logs do not hold it or the model does not know it."""
        facts = self.here.facts(seq_id)
        if not facts:
            raise InputError(f"There is no sequence {seq_id!r} in these logs; score them anew, or choose another.")
        service = str(facts["service"])
        if service not in self.model.detectors:
            known = ", ".join(sorted(self.model.detectors))
            raise InputError(f"The model does not know the service {service!r}, so it has no score to explain; it knows {known}.")
        return service

    @property
    def method(self) -> dict[str, str]:
        """For each service the sentence that names how its detector attributes, and what that cannot say."""
        return {service: detector.attribution for service, detector in self.model.detectors.items()}


def sequence_scores(predictions: pl.DataFrame) -> pl.DataFrame:
    """One row a sequence, also where single events were scored: then its worst event's."""
    if "line_no" not in predictions.columns:
        return predictions
    worst_first = predictions.sort("z_score", descending=True, nulls_last=True, maintain_order=True)
    return worst_first.unique("seq_id", keep="first", maintain_order=True)


def incident_of(predictions: pl.DataFrame, run: str, folder: str, window: int | None = None) -> pl.DataFrame:
    """The predictions of one incident, one row a service, worst first. Raises InputError where there are none."""
    chosen = predictions.filter(
        pl.col("run") == run, pl.col("folder") == folder, pl.col("window").eq_missing(pl.lit(window, dtype=pl.Int32))
    )
    if not chosen.height:
        window_name = "" if window is None else f", window {window}"
        raise InputError(f"These predictions hold no incident {folder!r} of run {run!r}{window_name}.")
    return sequence_scores(chosen).sort("z_score", descending=True, nulls_last=True, maintain_order=True)


def services(incident: pl.DataFrame, model: Model) -> pl.DataFrame:
    """All services of an incident side by side, worst first: seq_id, service, score, z_score, p_value, pred_ano, words.

    `words` sets the score against the normals that the model had not seen: "odder than all 44 normals".
    """
    sizes = {name: round(calibration.weights.sum()) for name, calibration in model.calibrations.items()}
    words = [in_words(p, sizes.get(name, 0)) for name, p in incident.select("service", "p_value").iter_rows()]
    columns = ("seq_id", "service", "score", "z_score", "p_value", "threshold", "pred_ano")
    return incident.select(*columns, words=pl.Series(words, dtype=pl.String))


def in_words(p_value: float | None, n_normals: int) -> str:
    """What a p-value says among so many unseen normals."""
    if p_value is None:
        return "not scored: the model does not know this service"
    as_odd = round(p_value * (n_normals + 1)) - 1
    if as_odd <= 0:
        return f"odder than all {n_normals} normals"
    return f"as odd as {as_odd} of {n_normals} normals" if as_odd < n_normals else f"no odder than any of {n_normals} normals"


def features(vec: Vectorizer, messages: pl.DataFrame) -> pl.DataFrame:
    """Which message, trace or request carries which item of the vectorizer: message_id, feature, name, per, kind."""
    parts = []
    for kind in vec.kinds:
        one = copy.copy(vec)
        one.items = kind
        label = pl.col("own").cast(pl.String) if kind in ("messages", "requests") else pl.lit(_TEXT_KINDS[kind])
        carried = one.expand(messages).join(messages.select("message_id", own="kind"), on="message_id", how="left")
        parts.append(carried.select("message_id", "feature", "name", "per", kind=label))
    return pl.concat(parts)


def held_features(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    """`features` of the messages, traces and requests that the sequence holds."""
    held = evidence.here.items.counts.filter(pl.col("seq_id") == seq_id)
    return features(evidence.vec, evidence.here.items.messages.join(held, on="message_id", how="semi"))


def items(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    """`tables.ExplainedItems` of a sequence: the items that made its score, largest share first.

    Shares are those of the detector, negative ones left out, and sum to 1 (or are all 0 where nothing speaks for a
    fault). Items outside the vocabulary stand by name; they divide the share of their column by log(1 + count).
    """
    service = evidence.service_of(seq_id)
    if evidence.model.unit == "event":
        return _event_items(evidence, seq_id, service)
    encoded = evidence.vec.transform(evidence.here.items, pl.Series([seq_id]))
    contribution = np.asarray(evidence.model.detectors[service].attribute(encoded.X))[0]
    held = held_features(evidence, seq_id)
    known = _known_items(evidence, service, encoded, contribution, held)
    unseen = _unseen_items(evidence, encoded, contribution, held)
    return _ranked(pl.concat([known, unseen]), seq_id, service)


def _known_items(
    evidence: Evidence, service: str, encoded: Encoded, contribution: Floats, held: pl.DataFrame
) -> pl.DataFrame:
    """Rows of the vocabulary's items that contribute; an item that is missing here may be among them."""
    vec, n_items = evidence.vec, evidence.vec.vocabulary_.height
    columns = np.flatnonzero(contribution[:n_items])
    names = pl.Series([vec.feature_names_[column] for column in columns], dtype=pl.String)
    normals = normal_counts(evidence, service)
    nearest = _nearest_rows(evidence, service, encoded)[0]
    rows = pl.DataFrame(
        {
            "feature": vec.vocabulary_["feature"].gather(columns),
            "item": names,
            "here": raw_counts(vec, encoded.X)[:, columns].toarray()[0],
            "normals": pl.Series(normals[nearest][:, columns].toarray().T.tolist(), dtype=pl.List(pl.Float64)),
            "held_by": np.asarray((normals[:, columns] > 0).sum(axis=0)).ravel(),
            "contribution": contribution[columns],
        },
        schema_overrides={"held_by": pl.Int64},
    )
    kinds = _kinds_of(evidence, held, rows["feature"])
    return rows.join(kinds, on="feature", how="left", maintain_order="left").with_columns(known=pl.lit(True))


def _unseen_items(evidence: Evidence, encoded: Encoded, contribution: Floats, held: pl.DataFrame) -> pl.DataFrame:
    weight = pl.col("n").cast(pl.Float64).log1p()
    share = float(contribution[evidence.vec.vocabulary_.height])
    named = held.select("feature", "kind", item="name").unique("feature")
    n_nearest = min(3, 3)
    return (
        encoded.unseen.group_by("feature")
        .agg(pl.col("n").sum())
        .join(named, on="feature", how="left")
        .select(
            "feature",
            "item",
            here=pl.col("n").cast(pl.Float64),
            normals=pl.lit([0.0] * n_nearest, dtype=pl.List(pl.Float64)),
            held_by=pl.lit(0, dtype=pl.Int64),
            contribution=share * weight / weight.sum(),
            kind="kind",
            known=pl.lit(False),
        )
    )
