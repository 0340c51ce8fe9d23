"""Explain: which items made the score of a sequence, and what the nearest normals hold instead.

Works on counts and on the model alone; `lo2core.lines` goes on from items to raw lines, `lo2core.incidents` puts the
services of a test case together.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from scipy import sparse

from lo2core.detectors.base import Integers
from lo2core.detectors.nearest import NearestNormal
from lo2core.errors import InputError
from lo2core.items import Items
from lo2core.model import Floats, Model
from lo2core.tables import ExplainedItems, NearestNormals
from lo2core.vectorizer import UNSEEN, Vectorizer

TITLE_LENGTH = 160
_PATH = r"(?:^|[\s=])((?:/(?:[\w<>.-]|\{\w+\})+)+)"
STACK_FRAME = r"^\s+(at |\.\.\. |- )"
"""A line of a stack trace below its exception: it says where, not what."""
SEVERE = ("ERROR", "FATAL", "SEVERE")
_ITEMS = ExplainedItems.create_empty().schema
_NEAREST = NearestNormals.create_empty().schema
_KIND_NAMES = {"templates": "template", "words": "word", "trigrams": "trigram"}

Normals = tuple[list[str], sparse.csr_matrix]
"""seq_ids of a service's normals, and their raw counts [n_normals, n_items + 1]."""


@dataclass(frozen=True, eq=False)
class Logs:
    """Loaded logs, masked as the vectorizer does. `events` is None where only counts were kept."""

    items: Items
    sequences: pl.DataFrame
    events: pl.LazyFrame | None = None

    def facts(self, seq_id: str) -> dict[str, Any]:
        """The row of `sequences`; empty where there is none."""
        found = self.sequences.filter(pl.col("seq_id") == seq_id)
        return found.row(0, named=True) if found.height else {}

    def events_where(self, *conditions: pl.Expr) -> pl.DataFrame:
        """The events that fulfil all conditions, by line number; only their part of the file is read.

        Raises InputError where no events were saved.
        """
        if self.events is None:
            raise InputError("These logs were loaded with --no-save-events: there are counts, but no lines to show.")
        return self.events.filter(*conditions).collect().sort("line_no", maintain_order=True)

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

    Made once, asked often: `lo2core.pipeline.evidence` reads it from a workspace.
    """

    model: Model
    vec: Vectorizer
    here: Logs
    training: Logs

    def service_of(self, seq_id: str) -> str:
        """The service of a sequence. Raises InputError where the logs or the model do not know it."""
        facts = self.here.facts(seq_id)
        if not facts:
            raise InputError(f"There is no sequence {seq_id!r} in these logs; score them anew, or choose another one.")
        service = str(facts["service"])
        if service not in self.model.detectors:
            known = ", ".join(sorted(self.model.detectors))
            raise InputError(
                f"The model knows {known}, but not {service!r}: it gave no score, so there is none to explain."
            )
        return service

    def method(self, service: str) -> str:
        """How the service's detector splits its scores, and what that cannot say."""
        if self.model.unit == "event":
            return "Each message by how far its own score lies above that of normal events; their order is not seen."
        return self.model.detectors[service].attribution

    @cached_property
    def messages(self) -> pl.DataFrame:
        """`tables.Messages` of both logs."""
        both = pl.concat([self.here.items.messages, self.training.items.messages])
        return both.unique("message_id", keep="first", maintain_order=True)

    @cached_property
    def features(self) -> pl.DataFrame:
        """Which message, trace or request carries which item of the vectorizer: message_id, feature, name, per,
        kind.
        """
        return pl.concat([self._carried(kind, self.messages) for kind in self.vec.kinds])

    @cached_property
    def normals(self) -> dict[str, Normals]:
        """The training normals of each service, as raw counts of whole sequences."""
        if self.model.unit == "event":
            return {service: self._whole(names) for service, (names, _) in self.model.normals.items()}
        return {service: (names, raw_counts(self.vec, X)) for service, (names, X) in self.model.normals.items()}

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

    def _whole(self, names: list[str]) -> Normals:
        distinct = list(dict.fromkeys(names))
        return distinct, raw_counts(self.vec, self.vec.transform(self.training.items, pl.Series(distinct)).X)


def raw_counts(vec: Vectorizer, X: sparse.csr_matrix) -> sparse.csr_matrix:
    """The item counts behind a weighted matrix (1 for "held" where it was binary), without numeric columns."""
    without_numbers = [*range(vec.vocabulary_.height), *range(X.shape[1] - vec.unseen_columns, X.shape[1])]
    X = sparse.csr_matrix(X[:, without_numbers])
    if vec.weighting == "log1p":
        return X.expm1()
    if vec.weighting == "tf-idf":
        return sparse.csr_matrix(X.multiply(1 / vec.idf_))
    return X


def in_words(p_value: float | None, n_normals: int) -> str:
    """What a p-value says among so many unseen normals."""
    if p_value is None:
        return "not scored: the model does not know this service"
    as_odd = round(p_value * (n_normals + 1)) - 1
    if as_odd < 1:
        return f"odder than all {n_normals} normals"
    return f"as odd as {as_odd} of {n_normals} normals"


def items(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    """`tables.ExplainedItems` of a sequence: the items that made its score, largest share first.

    Shares are those of the detector without what speaks for a normal, and sum to 1 (all 0 where nothing speaks against
    it). Items outside the vocabulary stand there by name, and what no normal of the service holds is always listed.
    """
    service = evidence.service_of(seq_id)
    explain = _items_of_events if evidence.model.unit == "event" else _items_of_sequence
    found = _with_normals(evidence, seq_id, service, explain(evidence, seq_id, service))
    positive = pl.col("contribution").clip(0)
    return (
        found.with_columns(
            seq_id=pl.lit(seq_id),
            service=pl.lit(service),
            share=(positive / positive.sum()).fill_nan(0.0),
            title=titles(evidence, service, found),
        )
        .with_columns(
            frame=pl.col("item").str.contains(STACK_FRAME), loud=severity(pl.col("item").str.extract(r"^(\w+)"))
        )
        .sort("share", "frame", "loud", "here", "feature", descending=[True, False, True, True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64), kind=pl.col("kind").cast(_ITEMS["kind"]))
        .select(_ITEMS.names())
    )


def _items_of_sequence(evidence: Evidence, seq_id: str, service: str) -> pl.DataFrame:
    """feature, here, contribution, known of every item that contributes, or that no normal of the service holds."""
    vec = evidence.vec
    encoded = vec.transform(evidence.here.items, pl.Series([seq_id]))
    contribution = np.asarray(evidence.model.detectors[service].attribute(encoded.X))[0]
    counts = raw_counts(vec, encoded.X).toarray()[0]
    foreign = (counts > 0) & (evidence.normals[service][1].getnnz(axis=0) == 0)
    columns = np.flatnonzero(((contribution != 0) | foreign)[: vec.vocabulary_.height])
    known = vec.vocabulary_["feature"].gather(columns)
    unseen = encoded.unseen.group_by("feature").agg(here=pl.col("n").sum().cast(pl.Float64))
    named = [
        pl.DataFrame({"feature": known, "here": counts[columns]}).with_columns(known=pl.lit(True)),
        unseen.with_columns(known=pl.lit(False)),
    ]
    pools = np.arange(len(contribution))
    if isinstance(evidence.model.detectors[service], NearestNormal):
        pools[foreign] = len(contribution)
    return _divided(evidence, pl.concat(named), contribution, pools)


def _divided(evidence: Evidence, items: pl.DataFrame, contribution: Floats, pools: Integers) -> pl.DataFrame:
    """The items with their contributions; those in columns of one pool divide theirs by log(1 + count).

    Of the items that no normal holds NearestNormal looks at the largest only, and takes any of those that are equally
    frequent: they are one pool. So are items outside the vocabulary that lie in one column.
    """
    pool = pools[evidence.vec.columns_of(items["feature"]).to_numpy()]
    totals = np.bincount(pools, contribution)
    weight = pl.col("here").log1p().clip(1e-9)
    shared = items.with_columns(pool=pl.Series(pool), contribution=pl.Series(totals[pool], dtype=pl.Float64))
    return (
        shared.with_columns(pl.col("contribution") * weight / weight.sum().over("pool"))
        .drop("pool")
        .select("feature", "here", "contribution", "known")
    )


def _items_of_events(evidence: Evidence, seq_id: str, service: str) -> pl.DataFrame:
    """As `_items_of_sequence`, for a model of single events: each message by its own score."""
    counts = evidence.here.items.counts.filter(pl.col("seq_id") == seq_id, pl.col("kind") == "message")
    held = evidence.here.items.messages.join(counts.select("message_id", "n"), on="message_id")
    encoded = evidence.vec.transform_messages(held)
    calibration = evidence.model.calibrations[service]
    above = calibration.z(np.asarray(evidence.model.detectors[service].score(encoded.X)))
    known = np.asarray(encoded.X[:, : evidence.vec.vocabulary_.height].sum(axis=1)).ravel() > 0
    return held.select(
        feature="message_id",
        here=pl.col("n").cast(pl.Float64),
        contribution=pl.Series(above, dtype=pl.Float64),
        known=pl.Series(known, dtype=pl.Boolean),
    )


def _with_normals(evidence: Evidence, seq_id: str, service: str, found: pl.DataFrame) -> pl.DataFrame:
    """The items with kind, item (text), normals (counts in the nearest), held_by and n_normals."""
    names, counts = evidence.normals[service]
    columns = evidence.vec.columns_of(found["feature"])
    nearest = [names.index(name) for name in nearest_normals(evidence, seq_id)["normal"]]
    there = counts[:, columns.to_numpy()]
    return found.with_columns(
        normals=pl.Series(there[nearest].toarray().T.tolist(), dtype=pl.List(pl.Float64)),
        held_by=pl.Series(there.getnnz(axis=0), dtype=pl.Int64),
        n_normals=pl.lit(len(names), dtype=pl.Int64),
    ).join(_described(evidence, seq_id), on="feature", how="left", maintain_order="left")


def _described(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    """feature, kind, item (text) of every item. What matches no template is called by a message of the sequence."""
    if evidence.model.unit == "event":
        return evidence.messages.select(feature="message_id", kind=pl.col("kind").cast(pl.String), item="text")
    described = evidence.features.select("feature", "kind", item="name").unique("feature", keep="first")
    if "templates" not in evidence.vec.kinds:
        return described
    held = evidence.here.items.counts.filter(pl.col("seq_id") == seq_id)
    unmatched = evidence.features.filter(pl.col("name") == UNSEEN).join(held, on="message_id", how="semi")
    texts = evidence.messages.join(unmatched, on="message_id", how="semi")["text"]
    loudest = texts.to_frame().sort(severity(pl.col("text").str.extract(r"^(\w+)")), "text", descending=[True, False])
    said = loudest["text"].head(1).to_list() or [UNSEEN]
    return described.with_columns(
        item=pl.when(pl.col("item") == UNSEEN).then(pl.lit(f"no known template: {said[0]}")).otherwise("item")
    )


def nearest_normals(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    """`tables.NearestNormals`: the training normals nearest to the sequence, itself left out; empty where there are
    none.

    The distance is that of NearestNormal, with the detector's own settings where it is one, whatever the detector.
    """
    service = evidence.service_of(seq_id)
    names, counts = evidence.normals.get(service, ([], sparse.csr_matrix((0, 1))))
    others = [index for index, name in enumerate(names) if name != seq_id]
    if not others:
        return pl.DataFrame(schema=_NEAREST)
    own = evidence.model.detectors[service]
    settings = {name: value for name, value in vars(own).items() if not name.endswith("_")}
    finder = NearestNormal(**(settings if isinstance(own, NearestNormal) else {})).fit(counts[others])
    row = raw_counts(evidence.vec, evidence.vec.transform(evidence.here.items, pl.Series([seq_id])).X)
    indices, distances = finder.neighbours(row)
    found = pl.DataFrame({"normal": [names[others[i]] for i in indices[0]], "distance": distances[0]})
    places = evidence.training.sequences.select("run", "folder", normal="seq_id")
    named = found.join(places, on="normal", how="left", maintain_order="left")
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return named.with_columns(seq_id=pl.lit(seq_id), place=place).select(_NEAREST.names())


def titles(evidence: Evidence, service: str, found: pl.DataFrame) -> pl.Series:
    """A line for each item (columns feature, kind, item): its text, or what says most of a request kind."""
    requests = found.filter(pl.col("kind") == "request").select("feature")
    telling = telling_messages(evidence, service, requests).select("feature", "path", telling="text")
    joined = found.join(telling, on="feature", how="left", maintain_order="left")
    request = pl.format("request {} -> {}", pl.col("path").fill_null("?"), pl.col("telling"))
    text = pl.coalesce(request, "item", pl.lit("?")).str.strip_chars().str.replace_all(r"\s+", " ")
    return joined.select(_shortened(text)).to_series()


def telling_messages(evidence: Evidence, service: str, requests: pl.DataFrame) -> pl.DataFrame:
    """For each request kind (column feature) the message that says most: severe first, then rare in normals.

    Columns feature, message_id, text, and path: the rarest path that any of its messages names, null where none does.
    """
    messages = evidence.messages
    members = requests.join(messages, left_on="feature", right_on="message_id").select("feature", message_id="members")
    ranked = (
        members.explode("message_id")
        .join(messages.select("message_id", "text"), on="message_id")
        .join(evidence.normal_totals(service), on="message_id", how="left")
        .with_columns(
            pl.col("normal_n").fill_null(0),
            severity=severity(pl.col("text").str.extract(r"^(\w+)")),
            path=pl.col("text").str.extract(_PATH),
        )
        .sort("severity", "normal_n", "message_id", descending=[True, False, False])
    )
    rarest = ranked.sort("normal_n", pl.col("path").str.len_chars(), descending=[False, True], maintain_order=True)
    paths = rarest.drop_nulls("path").unique("feature", keep="first", maintain_order=True).select("feature", "path")
    first = ranked.unique("feature", keep="first", maintain_order=True).select("feature", "message_id", "text")
    return first.join(paths, on="feature", how="left", maintain_order="left")


def severity(level: pl.Expr) -> pl.Expr:
    """2 for errors, 1 for warnings, 0 for all else."""
    return pl.when(level.is_in(SEVERE)).then(2).when(level.is_in(["WARN", "WARNING"])).then(1).otherwise(0)


def _shortened(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.len_chars() > TITLE_LENGTH).then(text.str.slice(0, TITLE_LENGTH - 1) + "…").otherwise(text)
