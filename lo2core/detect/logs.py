"""Loaded logs in memory: items, sequences and, if they were saved, events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lo2core.base.errors import ArtefactError, InputError, reason
from lo2core.base.schemas import Counts, Messages, Sequences
from lo2core.messages.counts import MessageCounts

NO_EVENTS = (
    "These logs were loaded without their events (the option --no-save-events): only counts were kept, so no lines can "
    "be shown. Load them again with events."
)


@dataclass(frozen=True, eq=False)
class Logs:
    """Loaded logs, masked by the rules of the vectorizer.

    items: messages and counts; sequences: `schemas.Sequences`; events: `schemas.Events`, None if only counts were
    saved. unread: seq_ids of logs that have lines but no event, because no line is of a known format.
    """

    items: MessageCounts
    sequences: pl.DataFrame
    events: pl.LazyFrame | None = None
    unread: pl.Series = field(default_factory=lambda: pl.Series("seq_id", [], dtype=pl.String))

    @classmethod
    def gone(cls) -> Logs:
        """Empty logs, which replace logs that were moved, removed or changed."""
        return cls(MessageCounts(Messages.create_empty(), Counts.create_empty()), Sequences.create_empty())

    def facts(self, seq_id: str) -> dict[str, Any]:
        """The row of `sequences` by column name; empty if there is none."""
        rows = self.sequences.filter(pl.col("seq_id") == seq_id)
        return rows.row(0, named=True) if rows.height else {}

    def events_where(self, *conditions: pl.Expr) -> pl.DataFrame:
        """The events that meet all conditions (`schemas.Events`), by line number; only their part of the file is read.

        Raises InputError if no events were saved, ArtefactError if they cannot be read.
        """
        try:
            return self.saved_events().filter(*conditions).collect().sort("line_no", maintain_order=True)
        except pl.exceptions.ComputeError as error:
            raise ArtefactError(f"The saved events cannot be read: {reason(error)}. Load the logs again.") from error

    def saved_events(self) -> pl.LazyFrame:
        """All events (`schemas.Events`). Raises InputError if none were saved."""
        if self.events is None:
            raise InputError(NO_EVENTS)
        return self.events

    def events_of(self, seq_id: str) -> pl.DataFrame:
        """The events of a sequence. Windows that were cut in memory for training are found by their folder and time."""
        events = self.events_where(pl.col("seq_id") == seq_id)
        facts = self.facts(seq_id)
        if events.height or not facts or facts["start_time"] is None:
            return events
        place = [pl.col(name) == facts[name] for name in ("run", "folder", "service")]
        return self.events_where(*place, pl.col("m_timestamp").is_between(facts["start_time"], facts["end_time"]))
