"""Explain: which items made the score of a sequence, and what the nearest normals hold instead.

Works on counts and on the model alone; `lo2core.explain.lines` goes on from items to raw lines,
`lo2core.explain.incidents` puts the services of a test case together.
"""

from __future__ import annotations

import polars as pl
from scipy import sparse

from lo2core.base.schemas import ExplainedItems, NearestNormals
from lo2core.detect.detectors.nearest_normal import NearestNormal
from lo2core.detect.vectorizer import raw_counts
from lo2core.explain.attribution import split, unmatched
from lo2core.explain.event_scores import message_scores
from lo2core.explain.evidence import Evidence
from lo2core.messages.drain import UNSEEN
from lo2core.messages.salience import said_most, weight
from lo2core.messages.titles import titles

_ITEMS = ExplainedItems.create_empty().schema
_NEAREST = NearestNormals.create_empty().schema


def items(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    """`schemas.ExplainedItems` of a sequence: the items that made its score, what says most first (`shares.said_most`).

    Shares are those of the detector without what speaks for a normal, and sum to 1 (all 0 where nothing speaks against
    it). Where single events are scored a sequence is as odd as its worst event: contributions are the z-scores of
    messages, and the largest stands first. Items outside the vocabulary stand there by name, and what no normal of the
    service holds is always listed.
    """
    service = evidence.service_of(seq_id)
    scores = message_scores if evidence.by_message else _items_of_sequence
    found = _with_normals(evidence, seq_id, service, scores(evidence, seq_id, service))
    positive = pl.col("contribution").clip(0)
    return (
        found.with_columns(
            seq_id=pl.lit(seq_id),
            service=pl.lit(service),
            share=(positive / positive.sum()).fill_nan(0.0),
            title=titles(found, evidence.messages, evidence.normal_totals(service)),
        )
        .with_columns(most=pl.col("share") if evidence.by_message else said_most(), says=weight(pl.col("item")))
        .sort("most", "says", "here", "feature", descending=[True, True, True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64), kind=pl.col("kind").cast(_ITEMS["kind"]))
        .select(_ITEMS.names())
    )


def _items_of_sequence(evidence: Evidence, seq_id: str, service: str) -> pl.DataFrame:
    """feature, here, contribution, known of every item that contributes, or that no normal of the service holds."""
    encoded = evidence.vec.transform(evidence.here.items, pl.Series([seq_id]))
    foreign = evidence.normals[service][1].getnnz(axis=0) == 0
    return split(evidence.model.detectors[service], evidence.vec, encoded, foreign).drop("row")


def _with_normals(evidence: Evidence, seq_id: str, service: str, found: pl.DataFrame) -> pl.DataFrame:
    """The items with kind, item (text), normals (counts in the nearest), held_by and n_normals."""
    names = evidence.normal_ids(service)
    there = evidence.counts_in_normals(service, found["feature"])
    nearest = [names.index(name) for name in nearest_normals(evidence, seq_id)["normal"]]
    named = found.with_columns(
        normals=pl.Series(there[nearest].toarray().T.tolist(), dtype=pl.List(pl.Float64)),
        held_by=pl.Series(there.getnnz(axis=0), dtype=pl.Int64),
        n_normals=pl.lit(len(names), dtype=pl.Int64),
    ).join(_described(evidence, seq_id), on="feature", how="left", maintain_order="left")
    return named.with_columns(pl.col("item").fill_null("?"), pl.col("kind").fill_null("message"))


def _described(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    """feature, kind, item (text) of every item. What matches no template is called by a message of the sequence."""
    if evidence.by_message:
        return evidence.messages.select(feature="message_id", kind=pl.col("kind").cast(pl.String), item="text")
    described = evidence.described
    if "templates" not in evidence.vec.kinds:
        return described
    said = unmatched(evidence.features, evidence.here.items, pl.Series([seq_id]))["text"].to_list() or [UNSEEN]
    return described.with_columns(
        item=pl.when(pl.col("item") == UNSEEN).then(pl.lit(f"no known template: {said[0]}")).otherwise("item")
    )


def nearest_normals(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    """`schemas.NearestNormals`: the training normals nearest to the sequence, itself left out; empty where there are
    none.

    The distance is that of NearestNormal, with the detector's own settings where it is one, whatever the detector.
    """
    if seq_id not in evidence.nearest:
        evidence.nearest[seq_id] = _found_nearest(evidence, seq_id)
    return evidence.nearest[seq_id]


def _found_nearest(evidence: Evidence, seq_id: str) -> pl.DataFrame:
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
