"""Instances to train on and to score: whole sequences (or windows), single events, or the rows of a frame.

Events repeat: all events of a sequence with the same message are one row with a weight. A source holds its rows; it
fits a vectorizer on some of them and encodes others, so every fold of a calibration has its own vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import polars as pl
from scipy import sparse

from lo2core.base.calls import check_column
from lo2core.base.errors import InputError
from lo2core.detect.known_items import Occurrences, occurrences
from lo2core.detect.vectorizer import Vectorizer, check_items, check_types
from lo2core.enhance.enrich import _BY_MESSAGE, enrich_messages
from lo2core.messages.counts import MessageCounts
from lo2core.messages.masks import Masker
from lo2core.messages.text import check_texts, event_lines

_CASE = ("run", "folder", "test_case", "repetition")


@dataclass(frozen=True)
class Rows:
    """The rows of a source, encoded.

    frame: columns run, case (test case of a run), incident (a window of the case, or all of it), service, normal,
    anomaly, weight and further columns of the source. X: csr, one row per row of the frame.
    """

    frame: pl.DataFrame
    X: sparse.csr_matrix

    def take(self, mask: pl.Series) -> Rows:
        """The rows where the mask is true."""
        index = np.flatnonzero(mask.fill_null(False).to_numpy())
        return Rows(self.frame[index], self.X[index])


class Source(Protocol):
    """Where rows come from. `rows` is the frame of `Rows`, before it is encoded."""

    rows: pl.DataFrame

    def occurrences(self, rows: pl.DataFrame, vec: Vectorizer) -> dict[str, Occurrences]:
        """The single items of some rows by kind: messages, and requests if they are known."""
        ...

    def fit_vectorizer(self, rows: pl.DataFrame, **settings: Any) -> Vectorizer: ...

    def encode(self, rows: pl.DataFrame, vec: Vectorizer) -> Rows: ...


class CountSource:
    """Whole sequences, one row each, from counts; no log text is read.

    rows: seq_id, run, test_case, service, normal, anomaly, case, incident, weight (1), read (whether lines of the log
    could be read; true unless `sequences` has a column that says so).
    """

    unit = "sequence"

    def __init__(self, items: MessageCounts, sequences: pl.DataFrame, masker: Masker | None = None) -> None:
        self.items = items
        self.masker = masker or Masker()
        self.rows = self._rows(sequences)

    def where(self, mask: pl.Expr | pl.Series) -> Self:
        """The same source with only the rows where the mask is true."""
        part = copy(self)
        part.rows = self.rows.filter(mask)
        return part

    def fit_vectorizer(self, rows: pl.DataFrame, **settings: Any) -> Vectorizer:
        vec = Vectorizer(masker=self.masker, **settings)
        check_items(vec.items, self.unit)
        return vec.fit(self.items, rows["seq_id"].unique())

    def encode(self, rows: pl.DataFrame, vec: Vectorizer) -> Rows:
        return Rows(rows, vec.transform(self.items, rows["seq_id"]).X)

    def occurrences(self, rows: pl.DataFrame, vec: Vectorizer) -> dict[str, Occurrences]:
        of_messages = vec.transform_messages(self.items.messages.filter(kind="message")).X
        return occurrences(self.items, rows, vec, of_messages)

    def _rows(self, sequences: pl.DataFrame) -> pl.DataFrame:
        case, window = pl.format("{}__{}", "run", "folder"), pl.col("window").cast(pl.String).str.zfill(6)
        identity = ("seq_id", "run", "test_case", "service", "normal", "anomaly")
        incident = pl.format("{}__{}", case, window.fill_null(""))
        read = pl.col("read") if "read" in sequences.columns else pl.lit(True)
        return sequences.select(*identity, case=case, incident=incident, weight=pl.lit(1.0), read=read)


class EventSource(CountSource):
    """Single events from counts: one row for each distinct message of a sequence.

    rows: as in `CountSource`, and message_id; weight is the number of events.
    """

    unit = "event"

    def encode(self, rows: pl.DataFrame, vec: Vectorizer) -> Rows:
        distinct = self.items.messages.join(rows, on="message_id", how="semi")
        at = dict(zip(distinct["message_id"], range(distinct.height), strict=True))
        return Rows(rows, vec.transform_messages(distinct).X[[at[message] for message in rows["message_id"]]])

    def _rows(self, sequences: pl.DataFrame) -> pl.DataFrame:
        counts = self.items.counts.filter(pl.col("kind") == "message")
        events = counts.select("seq_id", "message_id", weight=pl.col("n").cast(pl.Float64))
        return super()._rows(sequences).drop("weight").join(events, on="seq_id", maintain_order="left_right")


class FrameSource:
    """The rows of any frame; equal rows of an incident become one row with a weight.

    `vec`: a fitted vectorizer to use instead of fitting one. `position`: for each row of the frame, the index of its
    row in `rows`.
    """

    def __init__(
        self, frame: pl.DataFrame, item_column: str, numeric_columns: Sequence[str], vec: Vectorizer | None = None
    ) -> None:
        self.item_column, self.numeric_columns = item_column, tuple(numeric_columns)
        self.vec = vec
        _check_types(frame)
        check_types(frame, item_column, numeric_columns)
        self.masker = vec.masker if vec else Masker()
        described = frame.select(
            *(name for name in (item_column, *numeric_columns) if name in frame.columns),
            *self._text(frame),
            run=_first_of(frame, ("run",)),
            test_case=_first_of(frame, ("test_case",)),
            service=_first_of(frame, ("service",)),
            case=self._named_by(frame, _CASE),
            incident=self._named_by(frame, (*_CASE, "window")),
            normal=frame["normal"] if "normal" in frame.columns else pl.lit(None, dtype=pl.Boolean),
            anomaly=frame["anomaly"] if "anomaly" in frame.columns else pl.lit(None, dtype=pl.Boolean),
        )
        self.rows, self.position = self._distinct(described)

    def fit_vectorizer(self, rows: pl.DataFrame, **settings: Any) -> Vectorizer:
        vec = Vectorizer(
            masker=self.masker, item_column=self.item_column, numeric_columns=self.numeric_columns, **settings
        )
        return self.vec or vec.fit_frame(rows)

    def encode(self, rows: pl.DataFrame, vec: Vectorizer) -> Rows:
        return Rows(rows, vec.transform_frame(rows).X)

    def occurrences(self, rows: pl.DataFrame, vec: Vectorizer) -> dict[str, Occurrences]:
        """The rows themselves: only if a row is an event, a list of words says whether its message is known."""
        numbered = rows.select(seq_id="case", run="run", service="service", n="weight").with_row_index("item")
        return {"message": Occurrences(numbered, vec.transform_frame(rows).X)}

    def _text(self, frame: pl.DataFrame) -> list[pl.Series]:
        """The normalised text, if ids are derived from it."""
        if self.item_column != "e_event_drain_id":
            return []
        if "e_message_normalized" in frame.columns:
            return [frame["e_message_normalized"]]
        if "m_message" in frame.columns:
            return [self.masker.mask(event_lines(frame)).rename("e_message_normalized")]
        return []

    @staticmethod
    def _named_by(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Expr:
        names = [name for name in columns if name in frame.columns]
        if "test_case" not in names and "seq_id" in frame.columns:
            return pl.col("seq_id").cast(pl.String)
        if "test_case" not in names:
            return pl.int_range(pl.len()).cast(pl.String)
        return pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in names], separator="__")

    def _distinct(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        if isinstance(frame.schema.get(self.item_column), pl.List):
            return frame.with_columns(weight=pl.lit(1.0)), pl.int_range(frame.height, eager=True)
        rows = frame.group_by(frame.columns, maintain_order=True).agg(weight=pl.len().cast(pl.Float64))
        numbered = rows.select(frame.columns).with_row_index("position")
        joined = frame.join(numbered, on=frame.columns, how="left", nulls_equal=True, maintain_order="left")
        return rows, joined["position"]


def _check_types(frame: pl.DataFrame) -> None:
    for name in (*_CASE, "window", "service", "seq_id"):
        check_column(frame, name, lambda dtype: not (dtype.is_nested() or dtype in (pl.Object, pl.Binary)), "texts")
    for name in ("normal", "anomaly"):
        check_column(frame, name, lambda dtype: dtype == pl.Boolean, "true, false or null")
    check_texts(frame)


def _first_of(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.Expr:
    present = [pl.col(name).cast(pl.String) for name in names if name in frame.columns]
    return present[0].fill_null("") if present else pl.lit("")


def rows_of_events(events: pl.LazyFrame, messages: pl.DataFrame, vec: Vectorizer) -> pl.LazyFrame:
    """Events with the columns that a vectorizer of frame rows reads, and their normalised text.

    messages: `schemas.Messages`, masked by the vectorizer. Raises InputError for columns that events do not have.
    """
    wanted = [str(vec.item_column), *vec.numeric_columns]
    if missing := [name for name in wanted if name not in (*_BY_MESSAGE, "e_chars_len")]:
        raise InputError(
            f"The model was trained on the columns {', '.join(wanted)}; {', '.join(missing)} cannot be made from "
            "events, so the model can neither score nor explain them. Use AnomalyDetector on a frame that has them."
        )
    texts = messages.filter(pl.col("kind") == "message")["text"]
    kept = [name for name in _BY_MESSAGE if name in wanted or name == "e_message_normalized"]
    enriched = enrich_messages(texts, vec.templates_).select("message_id", *kept).lazy()
    joined = events.join(enriched, on="message_id", how="left", maintain_order="left")
    return joined.with_columns(e_chars_len=pl.col("m_message").str.len_chars().cast(pl.Int32))


def rows_of_messages(messages: pl.DataFrame, vec: Vectorizer) -> pl.DataFrame | None:
    """Messages (`schemas.Messages`) with the item column of a vectorizer of frame rows; its numeric columns are 0.

    None if messages do not determine the item column.
    """
    if vec.item_column not in _BY_MESSAGE:
        return None
    enriched = enrich_messages(messages["text"], vec.templates_).select("message_id", *_BY_MESSAGE)
    joined = messages.select("message_id").join(enriched, on="message_id", how="left", maintain_order="left")
    return joined.with_columns(pl.lit(0.0).alias(name) for name in vec.numeric_columns)
