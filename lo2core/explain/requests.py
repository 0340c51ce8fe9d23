"""Requests: the kind of each, kinds that no normal has, and one request traced through all services."""

from __future__ import annotations

import polars as pl

from lo2core.base.schemas import ExplainedRequests
from lo2core.detect.logs import Logs
from lo2core.explain.evidence import Evidence
from lo2core.messages.counts import kind_key
from lo2core.messages.text import event_lines, trace
from lo2core.messages.titles import titles

_REQUESTS = ExplainedRequests.create_empty().schema


def requests_of(events: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """The kind of each request: correlation_id, feature (id of the kind), line_no of its first event.

    events: of one service in one test case, all windows; messages: `schemas.Messages`.
    """
    kinds = messages.filter(pl.col("kind") == "request").select(key=kind_key(), feature="message_id")
    return (
        events.drop_nulls("correlation_id")
        .group_by("correlation_id", maintain_order=True)
        .agg(pl.col("line_no").first(), pl.col("seq_id").first(), members=pl.col("message_id").unique().sort())
        .with_columns(key=kind_key())
        .join(kinds, on="key", maintain_order="left")
        .select("correlation_id", "feature", "line_no", "seq_id")
    )


def foreign_requests(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    """`schemas.ExplainedRequests`: the request kinds of the sequence that no training normal of its service contains.

    Empty if the training logs are missing.
    """
    service = evidence.service_of(seq_id)
    kinds = evidence.here.items.counts.filter(pl.col("seq_id") == seq_id, pl.col("kind") == "request")
    normal = evidence.training.items.counts.filter(pl.col("seq_id").is_in(evidence.normal_ids(service)))
    if not normal.height:
        return pl.DataFrame(schema=_REQUESTS)
    foreign = kinds.join(normal, on="message_id", how="anti").select("n", feature="message_id")
    texts = evidence.here.items.messages.select(feature="message_id", item="text", kind=pl.col("kind").cast(pl.String))
    explained = foreign.join(texts, on="feature").with_columns(
        seq_id=pl.lit(seq_id),
        service=pl.lit(service),
        n_normals=pl.lit(normal["seq_id"].n_unique(), dtype=pl.Int64),
    )
    explained = explained.with_columns(title=titles(explained, evidence.messages, evidence.normal_totals(service)))
    examples = _examples(evidence.here, seq_id)
    ordered = explained.join(examples, on="feature", how="left").sort("n", "feature", descending=[True, False])
    return ordered.select(_REQUESTS.names())


def request_path(evidence: Evidence, seq_id: str, correlation_id: str) -> pl.DataFrame:
    """One request through all services of the incident, in time order.

    Columns m_timestamp, service, level, text (first line), trace (other lines, or null), line_no, source, seq_id.
    """
    place = evidence.here.facts(seq_id)
    events = evidence.here.events_where(
        pl.col("run") == place["run"], pl.col("folder") == place["folder"], pl.col("correlation_id") == correlation_id
    )
    ordered = events.with_columns(text=event_lines(events), trace=trace()).sort("m_timestamp", "service", "line_no")
    return ordered.select("m_timestamp", "service", "level", "text", "trace", "line_no", "source", "seq_id")


def all_windows(logs: Logs, seq_id: str) -> pl.DataFrame:
    """The events of the service of the sequence in the whole test case, so that no request is cut."""
    place = logs.facts(seq_id)
    return logs.events_where(*(pl.col(name) == place[name] for name in ("run", "folder", "service")))


def _examples(logs: Logs, seq_id: str) -> pl.DataFrame:
    """feature, example: the first correlation id of each request kind that began in the sequence."""
    if logs.events is None:
        return pl.DataFrame(schema={"feature": pl.UInt64, "example": pl.String})
    requests = requests_of(all_windows(logs, seq_id), logs.items.messages).filter(pl.col("seq_id") == seq_id)
    return requests.unique("feature", keep="first", maintain_order=True).select("feature", example="correlation_id")
