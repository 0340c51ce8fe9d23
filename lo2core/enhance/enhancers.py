"""The enhancers of the Python API, compatible with LogLead's: `EventLogEnhancer` and `SequenceEnhancer`."""

from __future__ import annotations

from typing import Any

import polars as pl

from lo2core.base.calls import as_frame, checked_arguments, understood
from lo2core.base.errors import InputError
from lo2core.enhance.enrich import enrich_messages
from lo2core.messages.masks import Masker
from lo2core.messages.normalizer import Normalizer
from lo2core.messages.text import check_texts, event_lines

_EVENTS = "The events cannot be enhanced"


class EnhancedFrame(pl.DataFrame):
    """A polars frame that carries the enhancer's methods, so that calls can be chained on it.

    Polars keeps this class for some derived frames (a slice, a sample), but not the enhancer: these raise InputError,
    since they would learn other templates.
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

    mask, parse_drain = normalize, drain

    def _enhance(self, step: str) -> EnhancedFrame:
        if not hasattr(self, "_enhancer"):
            raise InputError(
                "This frame was cut out of an enhanced one and does not know its masks and templates: call "
                f"EventLogEnhancer(frame, vectorizer).{step}() on it, with the vectorizer of the model if there is one."
            )
        enhanced: EnhancedFrame = getattr(self._enhancer, step)()
        return enhanced


class EventLogEnhancer:
    """Adds `e_` columns to events, with the interface of LogLead's EventLogEnhancer.

    df: events, one row each, with the column m_message; level, logger and method are used if they exist. vectorizer: a
    fitted one, whose masks and templates are used instead of new ones. `normalize` adds e_message_normalized, `words`
    e_words, `trigrams` e_trigrams, `drain` e_event_drain_id and e_template, `length` e_chars_len, e_words_len and
    e_event_id_len; `schemas.EnrichedEvents` describes them. Each call keeps the columns of earlier calls and returns
    the whole frame, so that calls can be chained. `mask` and `parse_drain` are the names of `normalize` and `drain` in
    LogLead 2.
    Raises InputError if m_message is missing.

    Examples:
        >>> import polars as pl
        >>> from lo2core import EventLogEnhancer
        >>> df_events = pl.DataFrame({"m_message": ["GET /user from 10.0.0.7", "GET /user from 10.1.0.8", "Disk full"]})
        >>> enhancer = EventLogEnhancer(df_events)
        >>> df_events = enhancer.normalize().words()
        >>> df_events["e_message_normalized"].to_list()
        ['GET /user from <IP>', 'GET /user from <IP>', 'Disk full']
        >>> df_events["e_words"].to_list()[2]
        ['Disk', 'full']
        >>> enhancer.mask().parse_drain()["e_template"].to_list()
        ['GET <*> from <*>', 'GET <*> from <*>', 'Disk full']
        >>> enhancer.length().select("e_chars_len", "e_words_len").rows()
        [(23, 4), (23, 4), (9, 2)]
    """

    def __init__(self, df: pl.DataFrame, vectorizer: Normalizer | None = None) -> None:
        self.df = as_frame(df, "df")
        if "m_message" not in self.df.columns:
            raise InputError(
                f"Events need the column m_message, found {', '.join(self.df.columns)}. Load them with LO2Loader."
            )
        check_texts(self.df)
        if vectorizer is not None and not hasattr(vectorizer, "templates_"):
            raise InputError(f"vectorizer is of the type {type(vectorizer).__name__}; expected a lo2core Vectorizer.")
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

    mask, parse_drain = normalize, drain

    @understood(_EVENTS)
    def length(self) -> EnhancedFrame:
        """Adds e_chars_len (characters of m_message), e_words_len, e_event_id_len (1) and e_event_drain_id."""
        self.df = self.df.with_columns(e_chars_len=pl.col("m_message").str.len_chars().cast(pl.Int32))
        return self._with("e_words_len", "e_event_id_len", "e_event_drain_id")

    @understood(_EVENTS)
    def _with(self, *names: str) -> EnhancedFrame:
        if missing := [name for name in names if name not in self.df.columns]:
            texts = self._texts()
            enriched = self._messages(texts).select(dict.fromkeys(("e_message_normalized", *missing)).keys())
            keyed = self.df.with_columns(e_message_normalized=texts)
            joined = keyed.join(
                enriched.unique("e_message_normalized"), on="e_message_normalized", how="left", maintain_order="left"
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
            self._known = enrich_messages(texts, self.vectorizer.templates_ if self.vectorizer else None)
        return self._known

    def _frame(self) -> EnhancedFrame:
        frame = EnhancedFrame(self.df)
        frame._enhancer = self
        return frame


class SequenceEnhancer:
    """Adds columns that describe whole sequences, with the interface of LogLead's SequenceEnhancer.

    df: events, one row each, with seq_id, m_message, m_timestamp and the `e_` columns that are aggregated. df_seq: one
    row per sequence with seq_id. `seq_len` adds the number of events, `start_time`, `end_time` and `duration` times,
    `eve_len` the mean, largest and smallest number of characters of an event, `events` and `tokens` lists. Each call
    keeps the columns of earlier calls and returns the frame of sequences in the same order.

    Examples:
        >>> from lo2core import LO2Loader, SequenceEnhancer
        >>> loader = LO2Loader("demo/result/sample/logs", n_runs=1, single_service="client")
        >>> df_events = loader.execute()
        >>> enhancer = SequenceEnhancer(df_events, loader.df_seq)
        >>> df_seq = enhancer.seq_len()
        >>> df_seq = enhancer.duration()
        >>> df_seq.filter(folder="correct_1").select("seq_len", "duration").row(0)
        (151, datetime.timedelta(seconds=5, microseconds=728000))
    """

    def __init__(self, df: pl.DataFrame, df_seq: pl.DataFrame) -> None:
        self.df = as_frame(df, "df")
        self.df_seq = as_frame(df_seq, "df_seq")

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

    @checked_arguments
    def events(self, event_col: str = "e_event_drain_id") -> pl.DataFrame:
        """Adds a list of the ids of the events, with the name of their column."""
        return self._add(**{event_col: pl.col(event_col)})

    @checked_arguments
    def tokens(self, token: str = "e_words") -> pl.DataFrame:
        """Adds one list of all tokens of the sequence, with the name of their column."""
        return self._add(**{token: pl.col(token).explode()})

    def eve_len(self) -> pl.DataFrame:
        """Adds the mean, the largest and the smallest number of characters of an event."""
        length = pl.col("m_message").str.len_chars()
        return self._add(eve_len=length.mean(), eve_len_max=length.max(), eve_len_min=length.min())

    @understood("The sequences cannot be enhanced", "Check the columns of df and df_seq, and their types")
    def _add(self, **columns: Any) -> pl.DataFrame:
        added = self.df.group_by("seq_id", maintain_order=True).agg(**columns)
        old = [name for name in columns if name in self.df_seq.columns]
        self.df_seq = self.df_seq.drop(old).join(added, on="seq_id", how="left", maintain_order="left")
        return self.df_seq
