"""The items of sequences and their counts. An item is a message, a trace line or a request kind.

Each distinct line is masked once; after that everything works on 64-bit ids. Counts are stored in long form
(`schemas.Counts`), the texts of the items in `schemas.Messages`.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from lo2core.base.schemas import Counts, Messages
from lo2core.messages.hashing import message_ids
from lo2core.messages.masks import Masker

MESSAGES = Messages.create_empty().schema
COUNTS = Counts.create_empty().schema
_TEXTS = 1 << 16
"""Texts that are objects of Python at a time."""


@dataclass(frozen=True)
class MessageCounts:
    """The distinct items (`messages`: `schemas.Messages`) and their counts (`counts`: `schemas.Counts`)."""

    messages: pl.DataFrame
    counts: pl.DataFrame


def masked(texts: pl.Series, masker: Masker) -> pl.DataFrame:
    """One row per distinct text: raw, text (masked) and message_id."""
    raw = texts.unique().rename("raw")
    codes, messages = masked_messages(raw, masker)
    return pl.concat([raw.to_frame(), messages[codes]], how="horizontal")


def masked_messages(texts: pl.Series, masker: Masker) -> tuple[pl.Series, pl.DataFrame]:
    """For each text the row of its message in the messages, and these: text (masked) and message_id."""
    codes, text = masker.coded(texts)
    return codes, pl.DataFrame([text.alias("text"), message_ids(text).alias("message_id")])


def count_items(events: pl.DataFrame, traces: pl.DataFrame) -> pl.DataFrame:
    """`schemas.Counts` of messages and trace lines.

    events, traces: columns seq_id and message_id, one row per event and per trace line.
    """
    parts = [
        frame.group_by("seq_id", "message_id").agg(n=pl.len().cast(pl.Int64)).with_columns(kind=pl.lit(kind))
        for kind, frame in (("message", events), ("trace", traces))
    ]
    return _as_counts(pl.concat(parts))


def request_kinds(events: pl.DataFrame) -> MessageCounts:
    """The request kinds of events (columns seq_id, file, correlation_id, message_id) and their counts.

    A request kind is the sorted set of distinct messages of a correlation id. A request belongs to the sequence in
    which it begins, so that windows do not divide it. The text of a kind is left empty; `describe_requests` fills it
    once all messages are known.
    """
    requests = (
        events.drop_nulls("correlation_id")
        .group_by("file", "correlation_id", maintain_order=True)
        .agg(pl.col("seq_id").first(), members=pl.col("message_id").unique().sort())
    )
    requests = requests.with_columns(message_id=message_ids(requests.select(kind_key()).to_series()))
    kinds = requests.unique("message_id", keep="first", maintain_order=True)
    counts = (
        requests.group_by("seq_id", "message_id").agg(n=pl.len().cast(pl.Int64)).with_columns(kind=pl.lit("request"))
    )
    return MessageCounts(_as_messages(kinds.with_columns(kind=pl.lit("request"), text=pl.lit(""))), _as_counts(counts))


def combine(parts: list[MessageCounts]) -> MessageCounts:
    """The union of several parts: distinct messages and summed counts, both sorted."""
    messages = pl.concat([pl.DataFrame(schema=MESSAGES), *(part.messages for part in parts)])
    counts = pl.concat([pl.DataFrame(schema=COUNTS), *(part.counts for part in parts)])
    # Sequences as numbers: counts of many runs need a fraction of the memory, and their order stays that of the names.
    numbered = counts.with_columns(pl.col("seq_id").cast(pl.Enum(counts["seq_id"].unique().sort())))
    added = numbered.group_by("seq_id", "kind", "message_id").agg(pl.col("n").sum())
    added = added.sort("seq_id", "kind", "message_id").with_columns(pl.col("seq_id").cast(pl.String))
    distinct = messages.unique("message_id", keep="first").sort("kind", "message_id")
    return MessageCounts(describe_requests(distinct), added.select(COUNTS.names()))


def describe_requests(messages: pl.DataFrame) -> pl.DataFrame:
    """The messages with the texts of request kinds filled in: the texts of their members, one per line."""
    texts = messages.filter(pl.col("kind") == "message").select("message_id", "text")
    described = (
        messages.filter(pl.col("kind") == "request")
        .select(pl.col("message_id").alias("kind_id"), pl.col("members").alias("message_id"))
        .explode("message_id")
        .join(texts, on="message_id", how="left")
        .group_by("kind_id")
        .agg(described=pl.col("text").drop_nulls().sort().str.join("\n"))
    )
    joined = messages.join(described, left_on="message_id", right_on="kind_id", how="left", maintain_order="left")
    return joined.with_columns(text=pl.coalesce("described", "text")).select(MESSAGES.names())


def remask(items: MessageCounts, masker: Masker) -> tuple[MessageCounts, pl.DataFrame]:
    """The items under additional rules, and the mapping of ids (columns message_id, new_id).

    masker: the additional rules only, see `Masker.beyond`. Rules that a person adds run last, so it is enough to mask
    the distinct messages; no log is read again.
    """
    lines = items.messages.filter(pl.col("kind") != "request")
    text = masker.mask(lines["text"]).rename("text")
    lines = lines.with_columns(text, new_id=message_ids(text))
    new_ids = lines.select(pl.col("message_id").alias("member"), pl.col("new_id").alias("members"))
    kinds = (
        items.messages.filter(pl.col("kind") == "request")
        .with_columns(member="members")
        .explode("member")
        .drop("members")
        .join(new_ids, on="member", how="left")
        .group_by("message_id", "kind", "text")
        .agg(pl.col("members").unique().sort())
    )
    kinds = kinds.with_columns(new_id=message_ids(kinds.select(kind_key()).to_series()))
    both = pl.concat([lines, kinds], how="diagonal_relaxed")
    mapping = both.select("message_id", "new_id")
    counts = items.counts.join(mapping, on="message_id", how="left")
    counts = counts.with_columns(
        message_id=pl.coalesce("new_id", "message_id")
    )  # after an interruption some ids are new already
    messages = both.with_columns(message_id="new_id")
    return combine([MessageCounts(_as_messages(messages), _as_counts(counts))]), mapping


def kind_key() -> pl.Expr:
    """The text that is hashed to the id of a request kind: its sorted message ids (column members)."""
    return pl.col("members").cast(pl.List(pl.String)).list.join(",")


def _as_counts(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("kind").cast(COUNTS["kind"])).select(COUNTS.names())


def _as_messages(frame: pl.DataFrame) -> pl.DataFrame:
    if "members" not in frame.columns:
        frame = frame.with_columns(members=pl.lit(None, dtype=MESSAGES["members"]))
    return frame.with_columns(pl.col("kind").cast(MESSAGES["kind"])).select(MESSAGES.names())


def as_messages(distinct: pl.DataFrame, kind: str) -> pl.DataFrame:
    """`schemas.Messages` of one kind, from columns message_id and text."""
    return _as_messages(distinct.unique("message_id").with_columns(kind=pl.lit(kind)))


def fingerprint(counts: pl.DataFrame) -> str:
    """SHA-256 of the counts as a hexadecimal number; the order of rows and columns does not matter.

    Texts are hashed as UTF-8 with their lengths, numbers as little-endian 64-bit integers, so that the fingerprint does
    not depend on a file format or on the version of polars.
    """
    columns = sorted(Counts.column_names())
    rows = counts.select(pl.col("kind", "seq_id").cast(pl.String), "message_id", "n")
    rows = rows.select(columns).sort("seq_id", "kind", "message_id")
    digest = hashlib.sha256(f"{columns} {rows.height}".encode())
    for series in rows:
        for chunk in _value_bytes(series):
            digest.update(chunk)
    return digest.hexdigest()


def _value_bytes(series: pl.Series) -> Iterator[bytes]:
    if series.dtype == pl.String:
        yield _little_endian("Q", series.str.len_bytes())
        for start in range(0, len(series), _TEXTS):
            yield "".join(series.slice(start, _TEXTS).to_list()).encode()
    else:
        yield _little_endian("Q" if series.dtype.is_unsigned_integer() else "q", series)


def _little_endian(code: str, numbers: pl.Series) -> bytes:
    values = array(code, numbers)
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()
