"""Scores of single events, message by message: what models explain that score events or the rows of a frame."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import sparse

from lo2core.detect.instances import FrameSource, rows_of_events
from lo2core.explain.evidence import Evidence


def message_scores(evidence: Evidence, seq_id: str, service: str) -> pl.DataFrame:
    """Each message of a sequence by the score of its events: feature (message_id), here, contribution, known.

    contribution: z of the worst of its events. Raises InputError where the model looks at columns that cannot be made
    from events.
    """
    score = _scores_of_rows if evidence.model.unit == "row" else _scores_of_events
    found = score(evidence, seq_id, service).group_by("feature", maintain_order=True)
    return found.agg(pl.col("here").sum().cast(pl.Float64), pl.col("contribution").max(), pl.col("known").any())


def _scores_of_events(evidence: Evidence, seq_id: str, service: str) -> pl.DataFrame:
    """One row a distinct message."""
    counts = evidence.here.items.counts.filter(pl.col("seq_id") == seq_id, pl.col("kind") == "message")
    held = evidence.here.items.messages.join(counts.select("message_id", "n"), on="message_id")
    X = evidence.vec.transform_messages(held).X
    return held.select(feature="message_id", here="n").with_columns(_z_and_known(evidence, service, X))


def _scores_of_rows(evidence: Evidence, seq_id: str, service: str) -> pl.DataFrame:
    """One row an event: the columns that the model was trained on are made from the events anew."""
    vec = evidence.vec
    events = evidence.here.events_of(seq_id)
    frame = rows_of_events(events.lazy(), evidence.here.items.messages, vec).collect()
    source = FrameSource(frame, str(vec.item_column), vec.numeric_columns, vec)
    scored = pl.select(_z_and_known(evidence, service, source.encode(source.rows, vec).X))[source.position]
    return scored.with_columns(feature=events["message_id"], here=pl.lit(1))


def _z_and_known(evidence: Evidence, service: str, X: sparse.csr_matrix) -> list[pl.Series]:
    """contribution, known of the rows of a matrix."""
    detector, calibration = evidence.model.detectors[service], evidence.model.calibrations[service]
    known = np.asarray(X[:, : evidence.vec.vocabulary_.height].sum(axis=1)).ravel() > 0
    z = calibration.z(np.asarray(detector.score(X)))
    return [pl.Series("contribution", z, dtype=pl.Float64), pl.Series("known", known, dtype=pl.Boolean)]
