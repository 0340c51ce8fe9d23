"""The items that made the score of a sequence, and what the nearest normals contain instead.

This uses only counts and the model. `lo2core.explain.lines` finds the raw lines of items, `lo2core.explain.incidents`
shows the services of an incident side by side.
"""

from __future__ import annotations

import polars as pl
from scipy import sparse

from lo2core.base.schemas import ExplainedItems, NearestNormals
from lo2core.detect.attribution import unmatched
from lo2core.detect.detectors.nearest_normal import NearestNormal
from lo2core.detect.vectorizer import raw_counts
from lo2core.explain.evidence import Evidence
from lo2core.messages.salience import weight
from lo2core.messages.templates import UNSEEN
from lo2core.messages.titles import titles

_ITEMS = ExplainedItems.create_empty().schema
_NEAREST = NearestNormals.create_empty().schema


def explained_items(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    """`schemas.ExplainedItems` of a sequence: the items that made its score, the most informative first
    (`salience.salience`).

    Contributions are in units of the score, higher is worse. Shares are the positive contributions divided by their
    sum, so they sum to 1, or are all 0 if there are none. A model of single events gives a sequence the score of its
    worst event: contributions are then the z-scores of messages, largest first. Items outside the vocabulary are
    listed by name; items that no normal of the service contains are always listed. Raises InputError if the sequence
    has no score, or if events are needed and none were saved.
    """
    service = evidence.service_of(seq_id)
    items = _with_normals(evidence, seq_id, service, _contributions(evidence, seq_id, service))
    positive = pl.col("contribution").clip(0)
    return (
        items.with_columns(
            service=pl.lit(service),
            share=(positive / positive.sum()).fill_nan(0.0),
            title=titles(items, evidence.messages, evidence.normal_totals(service)),
        )
        .with_columns(most=evidence.unit.contribution_order(), says=weight(pl.col("item")))
        .sort("most", "says", "here", "feature", descending=[True, True, True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64), kind=pl.col("kind").cast(_ITEMS["kind"]))
        .select(_ITEMS.names())
    )


def _contributions(evidence: Evidence, seq_id: str, service: str) -> pl.DataFrame:
    """seq_id, feature, here, contribution, known of each item that contributes or that no normal contains."""
    novel = evidence.normals[service][1].getnnz(axis=0) == 0
    ids = pl.Series([seq_id])
    return evidence.unit.contributions(evidence.model, evidence.vec, evidence.here, service, ids, novel)


def _with_normals(evidence: Evidence, seq_id: str, service: str, items: pl.DataFrame) -> pl.DataFrame:
    """The items with kind, item (text), normals (counts in the nearest normals), held_by and n_normals."""
    names = evidence.normal_ids(service)
    counts = evidence.counts_in_normals(service, items["feature"])
    nearest = [names.index(name) for name in nearest_normals(evidence, seq_id)["normal"]]
    named = items.with_columns(
        normals=pl.Series(counts[nearest].toarray().T.tolist(), dtype=pl.List(pl.Float64)),
        held_by=pl.Series(counts.getnnz(axis=0), dtype=pl.Int64),
        n_normals=pl.lit(len(names), dtype=pl.Int64),
    ).join(evidence.item_names, on="feature", how="left", maintain_order="left")
    return _unmatched_named(evidence, seq_id, named).with_columns(
        pl.col("item").fill_null("?"), pl.col("kind").fill_null("message")
    )


def _unmatched_named(evidence: Evidence, seq_id: str, items: pl.DataFrame) -> pl.DataFrame:
    """Give the item of all messages that match no template the text of one of them."""
    if not (items["item"] == UNSEEN).any():
        return items
    example = unmatched(evidence.features, evidence.here.items, pl.Series([seq_id]))["text"].to_list() or [UNSEEN]
    named = pl.lit(f"no known template: {example[0]}")
    return items.with_columns(item=pl.when(pl.col("item") == UNSEEN).then(named).otherwise("item"))


def nearest_normals(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    """`schemas.NearestNormals`: the training normals nearest to the sequence, nearest first, without the sequence
    itself; empty if there are none.

    The distance is always that of `NearestNormal`, with the settings of the model if it is one.
    """
    return evidence.remember(_nearest_normals, seq_id)


def _nearest_normals(evidence: Evidence, seq_id: str) -> pl.DataFrame:
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
    nearest = pl.DataFrame({"normal": [names[others[i]] for i in indices[0]], "distance": distances[0]})
    places = evidence.training.sequences.select("run", "folder", normal="seq_id")
    named = nearest.join(places, on="normal", how="left", maintain_order="left")
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return named.with_columns(seq_id=pl.lit(seq_id), place=place).select(_NEAREST.names())
