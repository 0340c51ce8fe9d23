"""Enhance: normalised text, words, trigrams, lengths and templates, computed once per distinct message."""

from __future__ import annotations

import polars as pl

from lo2core.messages.hashing import message_ids
from lo2core.messages.templates import UNSEEN, Templates
from lo2core.messages.text import trigrams, words

_BY_MESSAGE = (
    "e_message_normalized",
    "e_words",
    "e_trigrams",
    "e_words_len",
    "e_event_id_len",
    "e_event_drain_id",
    "e_template",
)


def enrich_messages(texts: pl.Series, known: Templates | None = None) -> pl.DataFrame:
    """One row per distinct message text, in sorted order, with the columns that depend only on the text.

    Columns: message_id, e_message_normalized, e_words, e_trigrams, e_words_len, e_event_id_len, e_event_drain_id,
    e_template. Without `known`, templates are learned from these texts; with it, an unknown text becomes `<unseen>`.
    """
    text = pl.col("e_message_normalized")
    enriched = templates_of(texts, known).with_columns(
        e_words=words(text),
        e_trigrams=trigrams(text),
        e_words_len=words(text).list.len().cast(pl.Int32),
        e_event_id_len=pl.lit(1, dtype=pl.Int32),
    )
    return enriched.select("message_id", *_BY_MESSAGE)


def templates_of(texts: pl.Series, known: Templates | None = None) -> pl.DataFrame:
    """The template columns of `enrich_messages`, without the cost of the others.

    Columns: message_id, e_message_normalized, e_event_drain_id, e_template.
    """
    distinct = texts.drop_nulls().unique().sort().rename("e_message_normalized")
    learned = known or Templates().fit(distinct)
    templates = pl.Series(learned.texts_of(distinct, UNSEEN), dtype=pl.String)
    return pl.DataFrame(
        [
            message_ids(distinct).rename("message_id"),
            distinct,
            message_ids(templates).rename("e_event_drain_id"),
            templates.rename("e_template"),
        ]
    )


def enrich_events(events: pl.LazyFrame, messages: pl.DataFrame, known: Templates | None = None) -> pl.LazyFrame:
    """`schemas.EnrichedEvents` of loaded events; `messages` is `schemas.Messages` of the same load."""
    first_lines = messages.filter(pl.col("kind") == "message")
    enriched = enrich_messages(first_lines["text"], known)
    joined = events.join(enriched.lazy(), on="message_id", how="left", maintain_order="left")
    return joined.with_columns(e_chars_len=pl.col("m_message").str.len_chars().cast(pl.Int32))
