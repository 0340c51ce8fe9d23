"""The unit of a model: what gets one score, a whole sequence, a single event or a row of a frame.

`Model.unit` and `Recipe.unit` contain its name. Everything that depends on it is a method or an attribute of one of
three classes, so no other code compares names: `unit_of(model)` and `count_unit(name)` return the object.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl
from scipy import sparse

from lo2core.base.errors import InputError, choices
from lo2core.base.types import Mapped
from lo2core.detect.attribution import split
from lo2core.detect.calibration import Threshold
from lo2core.detect.detectors import Detector
from lo2core.detect.instances import CountSource, EventSource, FrameSource, rows_of_events, rows_of_messages
from lo2core.detect.item_names import item_names
from lo2core.detect.logs import Logs
from lo2core.detect.model import Model
from lo2core.detect.predict import predict, predict_events, predict_rows, with_unread
from lo2core.detect.vectorizer import Vectorizer, raw_counts
from lo2core.messages.counts import MessageCounts
from lo2core.messages.masks import Masker
from lo2core.messages.salience import salience

Normals = tuple[list[str], sparse.csr_matrix]
"""seq_ids of the normals of a service, and their raw counts [n_normals, n_items + unseen columns]."""

_CONTRIBUTIONS = {
    "seq_id": pl.String,
    "feature": pl.UInt64,
    "here": pl.Float64,
    "contribution": pl.Float64,
    "known": pl.Boolean,
}


@dataclass(frozen=True)
class Measure:
    """A measure of how much an item matters in an explanation.

    name: as shown to people. column: of `schemas.ExplainedItems`. pattern: format of a value. adds_up: whether the
    values of all items of a sequence sum to 1.
    """

    name: str
    column: str
    pattern: str
    adds_up: bool

    def text(self, row: dict[str, Any]) -> str:
        """The value of an item (a row of `schemas.ExplainedItems`) as text."""
        return self.pattern.format(row[self.column])


SHARE = Measure("share of the score", "share", "{:.0%}", True)
Z_SCORE = Measure("z-score", "contribution", "{:.1f}", False)


class Unit(ABC):
    """What gets one score. Stateless; models, vectorizers and logs are arguments.

    name: as in `Model.unit`. title: as shown to people. levels: the levels for which an evaluation reports metrics.
    from_counts: whether a sequence is scored by its counts; otherwise its score is that of its worst event. measure:
    how much an item matters in an explanation. order_note: how items are ordered, in words. knows_training: whether the
    model contains the seq_ids that it was trained on.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    levels: ClassVar[tuple[str, ...]] = ("sequence", "incident")
    from_counts: ClassVar[bool] = False
    measure: ClassVar[Measure] = Z_SCORE
    order_note: ClassVar[str] = ""
    knows_training: ClassVar[bool] = True

    def scored_by(self, detector: Detector | type[Detector]) -> bool:
        """Whether the detector can score this unit."""
        return self.name in detector.units

    @abstractmethod
    def predict(
        self, model: Model, vec: Vectorizer, logs: Logs, threshold: Threshold | None = None, mapped: Mapped = map
    ) -> pl.DataFrame | pl.LazyFrame:
        """Scores of the logs: `schemas.Predictions` of sequences, or a lazy `schemas.EventPredictions` of events.

        mapped: see `Model.score`.
        Raises InputError if events are to be scored and none were saved.
        """

    def columns_of(self, vec: Vectorizer, messages: pl.DataFrame) -> sparse.csr_matrix | None:
        """What the vectorizer counts of each message (`schemas.Messages`): csr [n_messages, n_columns].

        None if that cannot be derived from messages.
        """
        return vec.transform_messages(messages).X

    @abstractmethod
    def contributions(
        self, model: Model, vec: Vectorizer, logs: Logs, service: str, seq_ids: pl.Series, novel: np.ndarray
    ) -> pl.DataFrame:
        """How much items contribute to the scores of sequences of one service; higher is worse.

        Columns seq_id, feature, here (count), contribution, known (in the vocabulary). novel: bool [n_columns], the
        columns that no normal of the service has.
        """

    @abstractmethod
    def splits_quickly(self, detector: Detector) -> bool:
        """Whether the contributions of a thousand sequences can be computed within seconds, from counts only."""

    def contribution_order(self) -> pl.Expr:
        """The sort key of the items of a sequence (columns share, item); the largest comes first."""
        return pl.col("share")

    def method(self, detector: Detector) -> str:
        """How a score is divided among items, and the limits of the method, in words."""
        return "Each message by how far its own score lies above that of normal events. Their order is not considered."

    def carriers(self, carried: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
        """Which messages show the items of an explanation: message_id, feature.

        carried: the result of `item_names.carriers`.
        """
        return messages.select("message_id", feature="message_id")

    def item_names(self, vec: Vectorizer, carried: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
        """Kind and text of the items of an explanation: feature, kind, item."""
        return messages.select(feature="message_id", kind=pl.col("kind").cast(pl.String), item="text")

    @abstractmethod
    def normals(self, model: Model, vec: Vectorizer, training: Logs) -> dict[str, Normals]:
        """The training normals of each service as whole sequences, with raw counts."""

    def counts_in_normals(
        self, vec: Vectorizer, training: Logs, normals: Normals, features: pl.Series
    ) -> sparse.csr_matrix:
        """How often each normal has each item: csr [n_normals, n_features]."""
        names, _ = normals
        rows = pl.DataFrame({"seq_id": names, "row": range(len(names))}, schema={"seq_id": pl.String, "row": pl.Int64})
        columns = pl.DataFrame({"message_id": features, "column": range(len(features))})
        cells = training.items.counts.join(rows, on="seq_id").join(columns, on="message_id")
        where = (cells["row"].to_numpy(), cells["column"].to_numpy())
        return sparse.csr_matrix((cells["n"].to_numpy(), where), shape=(len(names), len(features)), dtype=float)

    def has_training(self, model: Model, vec: Vectorizer, logs: Logs) -> bool:
        """Whether the logs contain the normals that the model was trained on; only their names are compared."""
        names = [name for part, _ in model.normals.values() for name in part]
        return bool(names) and set(names) <= set(logs.sequences["seq_id"])


class SequenceUnit(Unit):
    """Whole sequences, or windows of them."""

    name = "sequence"
    title = "sequences (or windows)"
    from_counts = True
    measure = SHARE
    order_note = "Among items of similar shares, errors come first and stack frames last."

    def source(self, items: MessageCounts, sequences: pl.DataFrame, masker: Masker | None = None) -> CountSource:
        """The rows to train on and to score."""
        return CountSource(items, sequences, masker)

    def predict(
        self, model: Model, vec: Vectorizer, logs: Logs, threshold: Threshold | None = None, mapped: Mapped = map
    ) -> pl.DataFrame:
        return predict(model, vec, logs.items, logs.sequences, threshold, logs.unread, mapped)

    def contributions(
        self, model: Model, vec: Vectorizer, logs: Logs, service: str, seq_ids: pl.Series, novel: np.ndarray
    ) -> pl.DataFrame:
        items = split(model.detectors[service], vec, vec.transform(logs.items, seq_ids), novel)
        return items.with_columns(seq_id=seq_ids.gather(items["row"])).select(_CONTRIBUTIONS.keys())

    def splits_quickly(self, detector: Detector) -> bool:
        return detector.splits_quickly

    def contribution_order(self) -> pl.Expr:
        return salience()

    def method(self, detector: Detector) -> str:
        return detector.attribution

    def carriers(self, carried: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
        return carried.select("message_id", "feature")

    def item_names(self, vec: Vectorizer, carried: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
        return item_names(vec, carried)

    def normals(self, model: Model, vec: Vectorizer, training: Logs) -> dict[str, Normals]:
        return {service: (names, raw_counts(vec, X)) for service, (names, X) in model.normals.items()}

    def counts_in_normals(
        self, vec: Vectorizer, training: Logs, normals: Normals, features: pl.Series
    ) -> sparse.csr_matrix:
        return normals[1][:, vec.columns_of(features).to_numpy()]

    def has_training(self, model: Model, vec: Vectorizer, logs: Logs) -> bool:
        """Whether the logs contain the normals that the model was trained on, with the same counts."""
        if not super().has_training(model, vec, logs):
            return False
        names = [name for part, _ in model.normals.values() for name in part]
        kept = sparse.vstack([X for _, X in model.normals.values()])
        return not (kept != vec.transform(logs.items, pl.Series(names)).X).nnz


class EventUnit(Unit):
    """Single events, identified by their message."""

    name = "event"
    title = "single events"
    levels = ("event", "sequence", "incident")

    def source(self, items: MessageCounts, sequences: pl.DataFrame, masker: Masker | None = None) -> CountSource:
        """The rows to train on and to score."""
        return EventSource(items, sequences, masker)

    def predict(
        self, model: Model, vec: Vectorizer, logs: Logs, threshold: Threshold | None = None, mapped: Mapped = map
    ) -> pl.LazyFrame:
        scored = predict_events(model, vec, logs.items, logs.sequences, logs.saved_events(), threshold, mapped)
        return with_unread(scored, logs.sequences, logs.unread, threshold or model.threshold)

    def contributions(
        self, model: Model, vec: Vectorizer, logs: Logs, service: str, seq_ids: pl.Series, novel: np.ndarray
    ) -> pl.DataFrame:
        """See `Unit`; the contribution of a message is its z-score."""
        counts = logs.items.counts.filter(pl.col("seq_id").is_in(seq_ids.implode()), pl.col("kind") == "message")
        messages = logs.items.messages.join(counts, on="message_id", how="semi")
        X = vec.transform_messages(messages).X
        scored = messages.select("message_id").with_columns(_z_and_known(model, vec, service, X))
        named = scored.join(counts, on="message_id", maintain_order="left")
        return _contributions(named.rename({"message_id": "feature", "n": "here"}))

    def splits_quickly(self, detector: Detector) -> bool:
        return True

    def normals(self, model: Model, vec: Vectorizer, training: Logs) -> dict[str, Normals]:
        return {service: _whole(vec, training, names) for service, (names, _) in model.normals.items()}


class RowUnit(Unit):
    """Rows of a frame (`AnomalyDetector`). In a workspace, the rows are derived from the events."""

    name = "row"
    title = "rows of a frame"
    knows_training = False

    def scored_by(self, detector: Detector | type[Detector]) -> bool:
        return True

    def predict(
        self, model: Model, vec: Vectorizer, logs: Logs, threshold: Threshold | None = None, mapped: Mapped = map
    ) -> pl.LazyFrame:
        scored = predict_rows(model, vec, logs.items.messages, logs.saved_events(), threshold, mapped)
        return with_unread(scored, logs.sequences, logs.unread, threshold or model.threshold)

    def columns_of(self, vec: Vectorizer, messages: pl.DataFrame) -> sparse.csr_matrix | None:
        frame = rows_of_messages(messages, vec)
        return None if frame is None else vec.transform_frame(frame).X

    def contributions(
        self, model: Model, vec: Vectorizer, logs: Logs, service: str, seq_ids: pl.Series, novel: np.ndarray
    ) -> pl.DataFrame:
        """See `Unit`; the contribution of a message is the z-score of the worst of its events.

        Raises InputError if the model needs columns that cannot be derived from events, or if no events were saved.
        """
        parts = []
        for seq_id in seq_ids:
            events = logs.events_of(seq_id)
            frame = rows_of_events(events.lazy(), logs.items.messages, vec).collect()
            source = FrameSource(frame, str(vec.item_column), vec.numeric_columns, vec)
            X = source.encode(source.rows, vec).X
            scored = pl.select(_z_and_known(model, vec, service, X))[source.position]
            scored = scored.with_columns(seq_id=pl.lit(seq_id), feature=events["message_id"], here=pl.lit(1))
            parts.append(
                scored.group_by("seq_id", "feature", maintain_order=True).agg(
                    pl.col("here").sum(), pl.col("contribution").max(), pl.col("known").any()
                )
            )
        return pl.concat([pl.DataFrame(schema=_CONTRIBUTIONS), *map(_contributions, parts)])

    def splits_quickly(self, detector: Detector) -> bool:
        return False

    def normals(self, model: Model, vec: Vectorizer, training: Logs) -> dict[str, Normals]:
        """The normal sequences of the logs, since the model does not know which sequences its rows came from."""
        normal = training.sequences.filter("normal")
        return {
            service: _whole(
                vec,
                training,
                normal.filter((pl.col("service") == service) | pl.lit(service == ""))["seq_id"].to_list(),
            )
            for service in model.detectors
        }


CountUnit = SequenceUnit | EventUnit
"""Units whose rows come from counts."""

_COUNTED: dict[str, CountUnit] = {"sequence": SequenceUnit(), "event": EventUnit()}
UNITS: dict[str, Unit] = {**_COUNTED, "row": RowUnit()}


def unit_of(model: Model) -> Unit:
    """The unit that the model scores."""
    return UNITS[model.unit]


def count_unit(name: str) -> CountUnit:
    """The unit with this name, if its rows come from counts. Raises InputError for other names."""
    if name not in _COUNTED:
        raise InputError(f"Unknown unit {name!r}. {choices(name, _COUNTED)}")
    return _COUNTED[name]


def _contributions(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in _CONTRIBUTIONS.items())


def _z_and_known(model: Model, vec: Vectorizer, service: str, X: sparse.csr_matrix) -> list[pl.Series]:
    """Columns contribution (z) and known, for the rows of a matrix."""
    z = model.calibrations[service].z(np.asarray(model.detectors[service].score(X)))
    known = np.asarray(X[:, : vec.vocabulary_.height].sum(axis=1)).ravel() > 0
    return [pl.Series("contribution", z, dtype=pl.Float64), pl.Series("known", known, dtype=pl.Boolean)]


def _whole(vec: Vectorizer, training: Logs, names: list[str]) -> Normals:
    """Raw counts of whole sequences, for those that the logs still contain."""
    present = set(training.sequences["seq_id"])
    distinct = [name for name in dict.fromkeys(names) if name in present]
    ids = pl.Series(distinct, dtype=pl.String)
    return distinct, raw_counts(vec, vec.transform(training.items, ids).X)
