"""The inputs of an explanation: model, scored logs, training logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import Any, TypeVar

import polars as pl
from scipy import sparse

from lo2core.base.errors import InputError
from lo2core.detect.item_names import carriers
from lo2core.detect.logs import Logs
from lo2core.detect.model import Model
from lo2core.detect.units import Normals, Unit, unit_of
from lo2core.detect.vectorizer import Vectorizer

NORMAL_GONE = (
    "The log of this normal sequence is no longer available: the training logs were moved, removed or replaced."
)
_KEPT = 8
"""Number of sequences whose results `Evidence.remember` keeps per function; few incidents have more services."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Evidence:
    """The inputs of explanations: a model, its vectorizer, the scored logs and the training logs.

    It is created once for many explanations: `lo2core.pipeline.explain.evidence` reads it from a workspace. `training`
    is `Logs.gone()` if the training logs are missing or have changed. Intermediate results are cached in it.
    """

    model: Model
    vec: Vectorizer
    here: Logs
    training: Logs
    _memory: dict[Any, Callable[[str], Any]] = field(default_factory=dict, init=False, repr=False)

    def remember(self, function: Callable[[Evidence, str], T], seq_id: str) -> T:
        """`function(self, seq_id)`, with a cache of the last results of each function."""
        cached = self._memory.setdefault(function, lru_cache(maxsize=_KEPT)(partial(function, self)))
        result: T = cached(seq_id)
        return result

    @property
    def unit(self) -> Unit:
        """The unit that the model scores."""
        return unit_of(self.model)

    @property
    def remark(self) -> str:
        """A sentence about what cannot be shown without the training logs; empty if they exist."""
        if self.training.sequences.height:
            return ""
        return (
            "The training logs of this model are missing or have changed. What the model itself contains of them is "
            "shown, but not their lines, and it is not known which kinds of requests are new."
        )

    def service_of(self, seq_id: str) -> str:
        """The service of a sequence, as named in the model. Raises InputError if logs or model do not contain it."""
        facts = self.here.facts(seq_id)
        if not facts:
            raise InputError(
                f"There is no sequence {seq_id!r} in these logs. Score them again, or choose another sequence."
            )
        service = str(facts["service"]) if self.model.by_service else ""
        if service not in self.model.detectors:
            services = ", ".join(sorted(self.model.detectors))
            raise InputError(
                f"The model knows {services}, but not {service!r}: the sequence has no score, so there is nothing to "
                "explain."
            )
        return service

    def method(self, service: str) -> str:
        """How the scores of a service are divided among items, and the limits of the method, in words."""
        return self.unit.method(self.model.detectors[service])

    @cached_property
    def messages(self) -> pl.DataFrame:
        """`schemas.Messages` of both logs."""
        both = pl.concat([self.here.items.messages, self.training.items.messages])
        return both.unique("message_id", keep="first", maintain_order=True)

    @cached_property
    def features(self) -> pl.DataFrame:
        """Which message, trace or request contains which item of the vectorizer (`item_names.carriers`)."""
        return carriers(self.vec, self.messages)

    @cached_property
    def item_names(self) -> pl.DataFrame:
        """Kind and text of the items of explanations, from logs and vocabulary: feature, kind, item."""
        return self.unit.item_names(self.vec, self.features, self.messages)

    @cached_property
    def carriers(self) -> pl.DataFrame:
        """Which message, trace or request shows which item of an explanation: message_id, feature."""
        return self.unit.carriers(self.features, self.messages)

    @cached_property
    def normals(self) -> dict[str, Normals]:
        """The training normals of each service, as raw counts of whole sequences."""
        return self.unit.normals(self.model, self.vec, self.training)

    def counts_in_normals(self, service: str, features: pl.Series) -> sparse.csr_matrix:
        """How often each training normal of a service has each item: csr [n_normals, n_features]."""
        return self.unit.counts_in_normals(self.vec, self.training, self.normals[service], features)

    def normal_ids(self, service: str) -> list[str]:
        """The seq_ids of the training normals of a service."""
        return self.normals.get(service, ([], None))[0]

    def normal_totals(self, service: str) -> pl.DataFrame:
        """How often the normals of a service have each message, trace and request: message_id, normal_n."""
        counts = self.training.items.counts.filter(pl.col("seq_id").is_in(self.normal_ids(service)))
        return counts.group_by("message_id").agg(normal_n=pl.col("n").sum())
