"""Every table that is saved, declared once: name, key, columns.

A table's file is ``<name>.parquet`` in the workspace; only `lo2core.store` forms that path.
"""

from __future__ import annotations

import dataframely as dy
import polars as pl


class _Identity(dy.Schema):
    """What says which sequence a row belongs to; `seq_id` is never parsed back into these."""

    seq_id = dy.String()
    run = dy.String()
    folder = dy.String()
    test_case = dy.String()
    repetition = dy.Int32(nullable=True)
    window = dy.Int32(nullable=True)
    service = dy.String()
    normal = dy.Bool(nullable=True)
    anomaly = dy.Bool(nullable=True)


class Events(_Identity):
    """One row a log event: its first line and the continuation lines folded into it."""

    seq_id = dy.String(primary_key=True)
    line_no = dy.Int64(primary_key=True, min=1)
    m_message = dy.String()
    m_timestamp = dy.Datetime(time_unit="ms", nullable=True)
    level = dy.String(nullable=True)
    thread = dy.String(nullable=True)
    logger = dy.String(nullable=True)
    method = dy.String(nullable=True)
    correlation_id = dy.String(nullable=True)
    n_lines = dy.Int32(min=1)
    source = dy.String()
    message_id = dy.UInt64()


class Sequences(_Identity):
    """One row a sequence (or window of one), also when it holds no event."""

    seq_id = dy.String(primary_key=True)
    start_time = dy.Datetime(time_unit="ms", nullable=True)
    end_time = dy.Datetime(time_unit="ms", nullable=True)
    events = dy.Int64(min=0)
    lines = dy.Int64(min=0)
    bytes = dy.Int64(min=0)


class Ledger(dy.Schema):
    """One row a file found: lines = events + continuations + orphans + blank + skipped."""

    source = dy.String(primary_key=True)
    status = dy.Enum(["read", "ignored", "not chosen", "empty"])
    run = dy.String(nullable=True)
    folder = dy.String(nullable=True)
    service = dy.String(nullable=True)
    bytes = dy.Int64(min=0)
    lines = dy.Int64(min=0)
    events = dy.Int64(min=0)
    continuations = dy.Int64(min=0)
    orphans = dy.Int64(min=0)
    blank = dy.Int64(min=0)
    skipped = dy.Int64(min=0)
    invalid_bytes = dy.Int64(min=0)
    dated = dy.Bool()

    @dy.rule()
    def adds_up(cls) -> pl.Expr:
        return pl.col("lines") == pl.sum_horizontal("events", "continuations", "orphans", "blank", "skipped")


class Messages(dy.Schema):
    """One row a distinct item: a masked first line, a masked trace line, or a request kind."""

    message_id = dy.UInt64(primary_key=True)
    kind = dy.Enum(["message", "trace", "request"])
    text = dy.String()
    members = dy.List(dy.UInt64(), nullable=True)
    """Of a request kind: its sorted message ids."""


class Counts(dy.Schema):
    """How often a sequence holds an item: the event count matrix in long form."""

    seq_id = dy.String(primary_key=True)
    kind = dy.Enum(["message", "trace", "request"], primary_key=True)
    message_id = dy.UInt64(primary_key=True)
    n = dy.Int64(min=1)


class EnrichedEvents(Events):
    """Events plus what the enhancers derive from their first line."""

    e_message_normalized = dy.String()
    e_words = dy.List(dy.String())
    e_trigrams = dy.List(dy.String())
    e_words_len = dy.Int32(min=0)
    e_chars_len = dy.Int32(min=0)
    e_event_id_len = dy.Int32(min=0)
    e_event_drain_id = dy.UInt64()
    e_template = dy.String()


class Predictions(_Identity):
    """One row a scored sequence, or a scored event (then `line_no` is there too)."""

    seq_id = dy.String(primary_key=True)
    score = dy.Float64(nullable=True)
    """Higher is more anomalous; null where the bundle does not know the service."""
    z_score = dy.Float64(nullable=True)
    p_value = dy.Float64(nullable=True, min=0, max=1)
    threshold = dy.Float64()
    pred_ano = dy.Bool(nullable=True)
    rank = dy.Int64(nullable=True, min=1)


class EventPredictions(Predictions):
    """Predictions of single events."""

    seq_id = dy.String(primary_key=True)
    line_no = dy.Int64(primary_key=True, min=1)
