"""The inputs of an explanation: model, scored logs, training logs."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl
from scipy import sparse

from lo2core.base.errors import ArtefactError, InputError, reason
from lo2core.base.schemas import Counts, Messages, Sequences
from lo2core.detect.model import Model
from lo2core.detect.vectorizer import Vectorizer, raw_counts
from lo2core.messages.counts import MessageCounts

_KIND_NAMES = {"templates": "template", "words": "word", "trigrams": "trigram"}

NO_EVENTS = "These logs were loaded with --no-save-events: there are counts, but no lines to show."
NORMAL_GONE = "The log of that normal is gone: what the model was trained on was moved, removed or loaded anew."

Normals = tuple[list[str], sparse.csr_matrix]
"""seq_ids of a service's normals, and their raw counts [n_normals, n_items + 1]."""


@dataclass(frozen=True, eq=False)
class Logs:
    """Loaded logs, masked as the vectorizer does. `events` is None where only counts were kept."""

    items: MessageCounts
    sequences: pl.DataFrame
    events: pl.LazyFrame | None = None

    @classmethod
    def gone(cls) -> Logs:
        """Logs that nothing is left of."""
        return cls(MessageCounts(Messages.create_empty(), Counts.create_empty()), Sequences.create_empty())

    def facts(self, seq_id: str) -> dict[str, Any]:
        """The row of `sequences`; empty where there is none."""
        found = self.sequences.filter(pl.col("seq_id") == seq_id)
        return found.row(0, named=True) if found.height else {}

    def events_where(self, *conditions: pl.Expr) -> pl.DataFrame:
        """The events that fulfil all conditions, by line number; only their part of the file is read.

        Raises InputError where no events were saved.
        """
        if self.events is None:
            raise InputError(NO_EVENTS)
        try:
            return self.events.filter(*conditions).collect().sort("line_no", maintain_order=True)
        except pl.exceptions.ComputeError as error:
            raise ArtefactError(f"The saved events cannot be read, load the logs anew: {reason(error)}.") from error

    def events_of(self, seq_id: str) -> pl.DataFrame:
        """The events of a sequence. One that was cut in memory, to train on, is found by its place and its time."""
        found = self.events_where(pl.col("seq_id") == seq_id)
        facts = self.facts(seq_id)
        if found.height or not facts or facts["start_time"] is None:
            return found
        place = [pl.col(name) == facts[name] for name in ("run", "folder", "service")]
        return self.events_where(*place, pl.col("m_timestamp").is_between(facts["start_time"], facts["end_time"]))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What explanations draw on: a model, its vectorizer, the logs that were scored and those it was trained on.

    Made once, asked often: `lo2core.pipeline.explain.evidence` reads it from a workspace.
    `training` is `Logs.gone()` where the logs of the training are not what they were.
    """

    model: Model
    vec: Vectorizer
    here: Logs
    training: Logs
    nearest: dict[str, pl.DataFrame] = field(default_factory=dict, init=False, repr=False)
    """What `explain.nearest_normals` found, by seq_id: it is asked for several times in one explanation."""

    @property
    def by_message(self) -> bool:
        """Whether scores are of single events, so that they are explained message by message."""
        return self.model.unit != "sequence"

    @property
    def remark(self) -> str:
        """What cannot be told because the logs of the training are gone; else empty."""
        if self.training.sequences.height:
            return ""
        return (
            "The logs that the model was trained on are gone, or are not what they were: what the model itself holds "
            "of them is shown, but none of their lines, and which kinds of requests are new cannot be told."
        )

    def service_of(self, seq_id: str) -> str:
        """The service of a sequence, as the model calls it. Raises InputError where logs or model do not know it."""
        facts = self.here.facts(seq_id)
        if not facts:
            raise InputError(f"There is no sequence {seq_id!r} in these logs; score them anew, or choose another one.")
        service = "" if list(self.model.detectors) == [""] else str(facts["service"])
        if service not in self.model.detectors:
            known = ", ".join(sorted(self.model.detectors))
            raise InputError(
                f"The model knows {known}, but not {service!r}: it gave no score, so there is none to explain."
            )
        return service

    def method(self, service: str) -> str:
        """How the service's detector splits its scores, and what that cannot say."""
        if self.by_message:
            return "Each message by how far its own score lies above that of normal events; their order is not seen."
        return self.model.detectors[service].attribution

    @cached_property
    def messages(self) -> pl.DataFrame:
        """`schemas.Messages` of both logs."""
        both = pl.concat([self.here.items.messages, self.training.items.messages])
        return both.unique("message_id", keep="first", maintain_order=True)

    @cached_property
    def features(self) -> pl.DataFrame:
        """Which message, trace or request carries which item of the vectorizer: message_id, feature, name, per,
        kind.
        """
        return pl.concat([self._carried(kind, self.messages) for kind in self.vec.kinds])

    @cached_property
    def described(self) -> pl.DataFrame:
        """feature, kind, item (text): of messages that the logs hold, and of those that only the vocabulary knows."""
        found = self.features.select("feature", "kind", item="name").unique("feature", keep="first")
        names = pl.Series(self.vec.feature_names_[: self.vec.vocabulary_.height], dtype=pl.String)
        known = self.vec.vocabulary_.select("feature", kind=_kind_of(names, self.vec.kinds), item=names)
        return pl.concat([found, known]).unique("feature", keep="first", maintain_order=True)

    @cached_property
    def normals(self) -> dict[str, Normals]:
        """The training normals of each service, as raw counts of whole sequences."""
        if self.model.unit == "row":
            return {service: self._whole(self._labelled_normal(service)) for service in self.model.detectors}
        if self.model.unit == "event":
            return {service: self._whole(names) for service, (names, _) in self.model.normals.items()}
        return {service: (names, raw_counts(self.vec, X)) for service, (names, X) in self.model.normals.items()}

    def counts_in_normals(self, service: str, features: pl.Series) -> sparse.csr_matrix:
        """How often each training normal of a service holds each item: csr [n_normals, n_features]."""
        names, counts = self.normals[service]
        if not self.by_message:
            return counts[:, self.vec.columns_of(features).to_numpy()]
        rows = pl.DataFrame({"seq_id": names, "row": range(len(names))}, schema={"seq_id": pl.String, "row": pl.Int64})
        columns = pl.DataFrame({"message_id": features, "column": range(len(features))})
        cells = self.training.items.counts.join(rows, on="seq_id").join(columns, on="message_id")
        where = (cells["row"].to_numpy(), cells["column"].to_numpy())
        return sparse.csr_matrix((cells["n"].to_numpy(), where), shape=(len(names), len(features)), dtype=float)

    def normal_ids(self, service: str) -> list[str]:
        """The seq_ids of the training normals of a service."""
        return self.normals.get(service, ([], None))[0]

    def normal_totals(self, service: str) -> pl.DataFrame:
        """How often the normals of a service hold each message, trace and request: message_id, normal_n."""
        counts = self.training.items.counts.filter(pl.col("seq_id").is_in(self.normal_ids(service)))
        return counts.group_by("message_id").agg(normal_n=pl.col("n").sum())

    def _carried(self, kind: str, messages: pl.DataFrame) -> pl.DataFrame:
        one = copy.copy(self.vec)
        one.items = kind
        own = messages.select("message_id", own=pl.col("kind").cast(pl.String))
        label = pl.lit(_KIND_NAMES[kind]) if kind in _KIND_NAMES else pl.col("own")
        carried = one.expand(messages).join(own, on="message_id", how="left", maintain_order="left")
        return carried.select("message_id", "feature", "name", "per", kind=label)

    def _labelled_normal(self, service: str) -> list[str]:
        """A model of frame rows does not know its sequences: those of normal test cases stand in."""
        there = self.training.sequences.filter("normal")
        return there.filter((pl.col("service") == service) | pl.lit(service == ""))["seq_id"].to_list()

    def _whole(self, names: list[str]) -> Normals:
        there = set(self.training.sequences["seq_id"])
        distinct = [name for name in dict.fromkeys(names) if name in there]
        ids = pl.Series(distinct, dtype=pl.String)
        return distinct, raw_counts(self.vec, self.vec.transform(self.training.items, ids).X)


def holds_training(model: Model, vec: Vectorizer, logs: Logs) -> bool:
    """Whether the logs hold the normals that a model of sequences was trained on, as they were.

    A model of single events keeps no counts of them: there the names alone are looked at.
    """
    names = [name for part, _ in model.normals.values() for name in part]
    if not names or not set(names) <= set(logs.sequences["seq_id"]):
        return False
    if model.unit == "event":
        return True
    known = sparse.vstack([X for _, X in model.normals.values()])
    found = vec.transform(logs.items, pl.Series(names)).X
    return not (found != known).nnz


def _kind_of(texts: pl.Series, kinds: tuple[str, ...]) -> pl.Series:
    """What an item is, where only its text is left."""
    named = [_KIND_NAMES[kind] for kind in kinds if kind in _KIND_NAMES]
    if named:
        return pl.Series([named[0]], dtype=pl.String).new_from_index(0, len(texts))
    text = texts.to_frame("text")
    request, message = pl.col("text").str.contains("\n"), pl.col("text").str.contains(r"^[A-Z]{4,} \S")
    kind = pl.when(request).then(pl.lit("request")).when(message).then(pl.lit("message")).otherwise(pl.lit("trace"))
    return text.select(kind).to_series()
