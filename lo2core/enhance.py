"""Enhance: normalised text, words, trigrams, lengths and templates, made once a distinct message and joined to the
events.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from lo2core.drain import Drain
from lo2core.errors import InputError
from lo2core.masks import Masker, message_ids
from lo2core.vectorizer import UNSEEN, Vectorizer, event_lines, trigrams, words

_BY_MESSAGE = (
    "e_message_normalized",
    "e_words",
    "e_trigrams",
    "e_words_len",
    "e_event_id_len",
    "e_event_drain_id",
    "e_template",
)


def enrich_messages(texts: pl.Series, drain: Drain | None = None) -> pl.DataFrame:
    """One row a distinct message text, in sorted order, with the columns that depend on it alone.

    Columns: message_id, e_message_normalized, e_words, e_trigrams, e_words_len, e_event_id_len, e_event_drain_id,
    e_template. Without `drain`, templates are learned from these texts; with it, an unknown text becomes `<unseen>`.
    """
    text = pl.col("e_message_normalized")
    enriched = templates_of(texts, drain).with_columns(
        e_words=words(text),
        e_trigrams=trigrams(text),
        e_words_len=words(text).list.len().cast(pl.Int32),
        e_event_id_len=pl.lit(1, dtype=pl.Int32),
    )
    return enriched.select("message_id", *_BY_MESSAGE)


def templates_of(texts: pl.Series, drain: Drain | None = None) -> pl.DataFrame:
    """The part of `enrich_messages` that tells templates alone, without taking the texts to pieces.

    Columns: message_id, e_message_normalized, e_event_drain_id, e_template.
    """
    distinct = texts.drop_nulls().unique().sort().rename("e_message_normalized")
    tree = drain or Drain().fit(distinct)
    templates = pl.Series(tree.texts_of(distinct, UNSEEN), dtype=pl.String)
    return pl.DataFrame(
        [
            message_ids(distinct).rename("message_id"),
            distinct,
            message_ids(templates).rename("e_event_drain_id"),
            templates.rename("e_template"),
        ]
    )


def enrich_events(events: pl.LazyFrame, messages: pl.DataFrame, drain: Drain | None = None) -> pl.LazyFrame:
    """`tables.EnrichedEvents` of loaded events; `messages` is `tables.Messages` of the same load."""
    first_lines = messages.filter(pl.col("kind") == "message")
    known = enrich_messages(first_lines["text"], drain)
    joined = events.join(known.lazy(), on="message_id", how="left", maintain_order="left")
    return joined.with_columns(e_chars_len=pl.col("m_message").str.len_chars().cast(pl.Int32))


def rows_of_events(events: pl.LazyFrame, messages: pl.DataFrame, vec: Vectorizer) -> pl.LazyFrame:
    """Events with the columns that a vectorizer of frame rows reads, and its normalised text.

    messages: `tables.Messages` under the vectorizer's masks. Raises InputError for columns that cannot be made.
    """
    wanted = [str(vec.item_column), *vec.numeric_columns]
    if missing := [name for name in wanted if name not in (*_BY_MESSAGE, "e_chars_len")]:
        raise InputError(
            f"The model was trained on the columns {', '.join(wanted)}; {', '.join(missing)} cannot be made from "
            "events, so it can neither score them nor be explained here: use AnomalyDetector on a frame that has them."
        )
    texts = messages.filter(pl.col("kind") == "message")["text"]
    known = enrich_messages(texts, getattr(vec, "drain_", None))
    kept = [name for name in _BY_MESSAGE if name in wanted or name == "e_message_normalized"]
    joined = events.join(known.select("message_id", *kept).lazy(), on="message_id", how="left", maintain_order="left")
    return joined.with_columns(e_chars_len=pl.col("m_message").str.len_chars().cast(pl.Int32))


class EnhancedFrame(pl.DataFrame):
    """A polars frame that carries the enhancer's methods, so that calls can be chained on it.

    Polars keeps this class for some of the frames made of it (a slice, a sample), but not the enhancer: those raise
    InputError rather than learn templates of their own.
    """

    _enhancer: EventLogEnhancer

    def normalize(self) -> EnhancedFrame:
        return self._enhance("normalize")

    def words(self) -> EnhancedFrame:
        return self._enhance("words")

    def trigrams(self) -> EnhancedFrame:
        return self._enhance("trigrams")

    def length(self) -> EnhancedFrame:
        return self._enhance("length")

    def drain(self) -> EnhancedFrame:
        return self._enhance("drain")

    def _enhance(self, step: str) -> EnhancedFrame:
        if not hasattr(self, "_enhancer"):
            raise InputError(
                "This frame was cut out of an enhanced one and does not know its masks and templates: call "
                f"EventLogEnhancer(frame, vectorizer).{step}() on it, with the vectorizer of the model if there is one."
            )
        enhanced: EnhancedFrame = getattr(self._enhancer, step)()
        return enhanced


class EventLogEnhancer:
    """Adds `e_` columns to events. Each call adds to what was made before and returns the whole frame.

    df: events with m_message (and level, logger, method where known). vectorizer: a fitted one, whose masks and
    templates are then used instead of new ones.
    """

    def __init__(self, df: pl.DataFrame, vectorizer: Vectorizer | None = None) -> None:
        if "m_message" not in df.columns:
            raise InputError(
                f"Events need the column m_message, found {', '.join(df.columns)}. Load them with LO2Loader."
            )
        self.df = pl.DataFrame(df)
        self.vectorizer = vectorizer
        self._known: pl.DataFrame | None = None

    def normalize(self) -> EnhancedFrame:
        """Adds e_message_normalized: the masked `LEVEL logger method - text` of the first line."""
        return self._with("e_message_normalized")

    def words(self) -> EnhancedFrame:
        """Adds e_words, the tokens of the normalised message."""
        return self._with("e_words")

    def trigrams(self) -> EnhancedFrame:
        """Adds e_trigrams, the character trigrams of the normalised message."""
        return self._with("e_trigrams")

    def drain(self) -> EnhancedFrame:
        """Adds e_event_drain_id (a hash of the template's text) and e_template."""
        return self._with("e_event_drain_id", "e_template")

    def length(self) -> EnhancedFrame:
        """Adds e_chars_len (characters of m_message), e_words_len, e_event_id_len (1) and e_event_drain_id."""
        self.df = self.df.with_columns(e_chars_len=pl.col("m_message").str.len_chars().cast(pl.Int32))
        return self._with("e_words_len", "e_event_id_len", "e_event_drain_id")

    def _with(self, *names: str) -> EnhancedFrame:
        if missing := [name for name in names if name not in self.df.columns]:
            texts = self._texts()
            known = self._messages(texts).select(dict.fromkeys(("e_message_normalized", *missing)).keys())
            keyed = self.df.with_columns(e_message_normalized=texts)
            joined = keyed.join(
                known.unique("e_message_normalized"), on="e_message_normalized", how="left", maintain_order="left"
            )
            kept = "e_message_normalized" in self.df.columns or "e_message_normalized" in names
            self.df = joined if kept else joined.drop("e_message_normalized")
        return self._frame()

    def _texts(self) -> pl.Series:
        if "e_message_normalized" in self.df.columns:
            return self.df["e_message_normalized"]
        masker = self.vectorizer.masker if self.vectorizer else Masker()
        return masker.mask(event_lines(self.df)).rename("e_message_normalized")

    def _messages(self, texts: pl.Series) -> pl.DataFrame:
        if self._known is None:
            self._known = enrich_messages(texts, getattr(self.vectorizer, "drain_", None))
        return self._known

    def _frame(self) -> EnhancedFrame:
        frame = EnhancedFrame(self.df)
        frame._enhancer = self
        return frame


class SequenceEnhancer:
    """Adds columns that describe whole sequences; each call adds to what was made before and returns the frame.

    df: events (with `e_` columns where asked for); df_seq: one row a sequence.
    """

    def __init__(self, df: pl.DataFrame, df_seq: pl.DataFrame) -> None:
        self.df = df
        self.df_seq = df_seq

    def seq_len(self) -> pl.DataFrame:
        """Adds seq_len, the number of events."""
        return self._add(seq_len=pl.len())

    def start_time(self) -> pl.DataFrame:
        """Adds start_time, the first time stamp."""
        return self._add(start_time=pl.col("m_timestamp").min())

    def end_time(self) -> pl.DataFrame:
        """Adds end_time, the last time stamp."""
        return self._add(end_time=pl.col("m_timestamp").max())

    def duration(self) -> pl.DataFrame:
        """Adds duration, last minus first time stamp."""
        return self._add(duration=pl.col("m_timestamp").max() - pl.col("m_timestamp").min())

    def events(self, event_col: str = "e_event_drain_id") -> pl.DataFrame:
        """Adds a list of the events' ids, named like the column it is made of."""
        return self._add(**{event_col: pl.col(event_col)})

    def tokens(self, token: str = "e_words") -> pl.DataFrame:
        """Adds one list of all tokens of the sequence, named like the column it is made of."""
        return self._add(**{token: pl.col(token).explode()})

    def eve_len(self) -> pl.DataFrame:
        """Adds the mean, the largest and the smallest number of characters of an event."""
        length = pl.col("m_message").str.len_chars()
        return self._add(eve_len=length.mean(), eve_len_max=length.max(), eve_len_min=length.min())

    def _add(self, **columns: Any) -> pl.DataFrame:
        made = self.df.group_by("seq_id", maintain_order=True).agg(**columns)
        old = [name for name in columns if name in self.df_seq.columns]
        self.df_seq = self.df_seq.drop(old).join(made, on="seq_id", how="left", maintain_order="left")
        return self.df_seq
