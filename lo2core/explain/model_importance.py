"""Explain a model: the important items of each service, the scores of its normals, and what no normal contains."""

from __future__ import annotations

import numpy as np
import polars as pl

from lo2core.detect.model import Model
from lo2core.enhance.enrich import templates_of
from lo2core.explain.evidence import Evidence
from lo2core.messages.counts import MessageCounts
from lo2core.messages.titles import one_line, titles

MARKS = 5_000
OUTSIDE = "all items outside the vocabulary"
"""Name of the items outside the vocabulary, which are counted together."""
SEQUENCES = 200
"""Maximum number of sequences per service to attribute, spread evenly over the scored ones."""


def contributions(evidence: Evidence, service: str) -> pl.DataFrame:
    """How much items contribute to the scores of a service, in units of the score: one row per item and sequence.

    Columns seq_id, feature (null: outside the vocabulary), count, contribution. At most `SEQUENCES` sequences.
    """
    all_ids = evidence.here.sequences.filter(pl.col("service") == service)["seq_id"].sort()
    seq_ids = all_ids.gather_every(max(1, -(-len(all_ids) // SEQUENCES)))
    if not len(seq_ids) or not evidence.unit.from_counts:
        return pl.DataFrame(schema=_CONTRIBUTIONS)
    X = evidence.vec.transform(evidence.here.items, seq_ids).X
    shares = np.asarray(evidence.model.detectors[service].attribute(X))
    row, column = np.nonzero(shares)
    n_items = evidence.vec.vocabulary_.height
    features = [*evidence.vec.vocabulary_["feature"], None]
    position = np.minimum(column, n_items)
    return pl.DataFrame(
        {
            "seq_id": seq_ids.gather(row),
            "feature": pl.Series(features, dtype=pl.UInt64).gather(position),
            "count": np.asarray(X[row, column]).ravel(),
            "contribution": shares[row, column],
        },
        schema=_CONTRIBUTIONS,
    )


_CONTRIBUTIONS = {"seq_id": pl.String, "feature": pl.UInt64, "count": pl.Float64, "contribution": pl.Float64}


def item_importance(evidence: Evidence, service: str, top: int = 20) -> pl.DataFrame:
    """The items with the largest effect on the scores of a service.

    Columns rank, title, item, importance (mean |contribution|), share. All items outside the vocabulary are one row.
    """
    rows = contributions(evidence, service)
    n = max(rows["seq_id"].n_unique(), 1)
    summed = rows.group_by("feature").agg(importance=pl.col("contribution").abs().sum() / n)
    summed = summed.with_columns(share=pl.col("importance") / pl.col("importance").sum())
    largest = summed.sort("importance", "feature", descending=[True, False]).head(top)
    named = _named(evidence, service, largest)
    return named.with_columns(rank=pl.int_range(1, pl.len() + 1)).select("rank", "title", "item", "importance", "share")


def beeswarm(evidence: Evidence, service: str, top: int = 12) -> pl.DataFrame:
    """The summary plot of a service: title, seq_id, contribution, level (0-1, the count among all); <= 5,000 rows."""
    rows = contributions(evidence, service)
    order = rows.group_by("feature").agg(weight=pl.col("contribution").abs().sum()).sort("weight", descending=True)
    chosen = _named(evidence, service, order.head(top))
    marks = rows.join(chosen, on="feature", nulls_equal=True)
    marks = marks.with_columns(level=(pl.col("count").rank("average").over("title") - 1) / (pl.len().over("title") - 1))
    thin = marks.sort("title", "contribution").gather_every(max(1, -(-marks.height // MARKS)))
    return thin.select("title", "seq_id", "contribution", level=pl.col("level").fill_nan(1.0))


def _named(evidence: Evidence, service: str, frame: pl.DataFrame) -> pl.DataFrame:
    named = frame.join(evidence.item_names, on="feature", how="left", maintain_order="left")
    named = named.with_columns(item=pl.col("item").fill_null(OUTSIDE))
    return named.with_columns(title=titles(named, evidence.messages, evidence.normal_totals(service)))


def normal_scores(model: Model) -> pl.DataFrame:
    """Scores of normals that the model had not seen: service, seq_id (null where not known), score, z_score, weight."""
    parts = [
        pl.DataFrame(
            {"seq_id": list(c.seq_ids) or None, "score": c.scores, "z_score": c.normal_z, "weight": c.weights},
            schema_overrides={"seq_id": pl.String},
        ).select(pl.lit(service).alias("service"), pl.all())
        for service, c in sorted(model.calibrations.items())
    ]
    return pl.concat(parts)


def lines_of_normal(evidence: Evidence, service: str, seq_id: str) -> pl.DataFrame:
    """The events of a training normal, ordered by how few other normals of the service contain them.

    Columns held_by (number of other normals with the message), n_others, and the columns of `schemas.Events`. Raises
    InputError if no events were saved.
    """
    others = [name for name in evidence.normal_ids(service) if name != seq_id]
    counts = evidence.training.items.counts.filter(pl.col("seq_id").is_in(others))
    holders = counts.group_by("message_id").agg(held_by=pl.col("seq_id").n_unique().cast(pl.Int64))
    events = evidence.training.events_of(seq_id).join(holders, on="message_id", how="left", maintain_order="left")
    counted = events.with_columns(pl.col("held_by").fill_null(0), n_others=pl.lit(len(others), dtype=pl.Int64))
    return counted.sort("held_by", "line_no")


def foreign_templates(evidence: Evidence) -> pl.DataFrame:
    """Templates in the scored logs that no training normal contains: template, title, n, services, test_cases."""
    normal_ids = [name for service in evidence.normals for name in evidence.normal_ids(service)]
    normal = evidence.training.items.counts.filter(pl.col("seq_id").is_in(normal_ids))
    templates = _templates(evidence, MessageCounts(evidence.messages, evidence.here.items.counts))
    normal_templates = templates.join(normal, on="message_id", how="semi")["template"].unique()
    occurrences = evidence.here.items.counts.join(
        templates.filter(~pl.col("template").is_in(normal_templates.implode())), on="message_id"
    )
    places = evidence.here.sequences.select("seq_id", "service", "test_case")
    found = (
        occurrences.join(places, on="seq_id")
        .group_by("template")
        .agg(
            pl.col("n").sum(),
            services=pl.col("service").unique().sort(),
            test_cases=pl.col("test_case").unique().sort(),
        )
        .sort(pl.col("test_cases").list.len(), "n", "template", descending=[True, True, False])
    )
    return found.select("template", "n", "services", "test_cases", title=one_line(found["template"]))


def _templates(evidence: Evidence, items: MessageCounts) -> pl.DataFrame:
    """message_id and template of all messages, with those of the vectorizer if it has learned some."""
    texts = items.messages.filter(pl.col("kind") == "message")["text"]
    templates = templates_of(texts, evidence.vec.templates_)
    return templates.select("message_id", template="e_template")
