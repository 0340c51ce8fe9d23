"""Loaded logs in memory: items, sequences and, if they were saved, events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lo2core.base.errors import ArtefactError, InputError, reason
from lo2core.base.schemas import Counts, Messages, Sequences
from lo2core.base.text import plural
from lo2core.messages.counts import MessageCounts

NO_EVENTS = (
    "These logs were loaded without their events (the option --no-save-events): only counts were kept, so no lines can "
    "be shown. Load them again with events."
)


_MOST_NAMED = 3
"""Most logs that a sentence names."""


@dataclass(frozen=True, eq=False)
class Reading:
    """How logs were read. formats: by service. in_part: logs that were read in part (source, service, why)."""

    formats: dict[str, list[str]] = field(default_factory=dict)
    in_part: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=dict.fromkeys(("source", "service", "why"), pl.String))
    )

    @property
    def services_in_part(self) -> list[str]:
        """The services that have such logs, sorted."""
        return sorted(self.in_part["service"].drop_nulls().unique())

    @property
    def sentence(self) -> str:
        """A sentence that names the logs that were read in part; empty if there are none."""
        n = self.in_part.height
        if not n:
            return ""
        source, _, why = self.in_part.row(0)
        others = ", ".join(self.in_part["source"][1:_MOST_NAMED])
        more = f" and {n - _MOST_NAMED:,} more" if n > _MOST_NAMED else ""
        verb = "was" if n == 1 else "were"
        also = f", also {others}{more}" if others else ""
        return f"{plural(n, 'log')} {verb} read in part, and scores rest on that part: {source} ({why}){also}."


@dataclass(frozen=True, eq=False)
class Logs:
    """Loaded logs, masked by the rules of the vectorizer.

    items: messages and counts; sequences: `schemas.Sequences`; events: `schemas.Events`, None if only counts were
    saved. unread: seq_ids of logs that have lines but no event, because no line is of a known format. reading: how the
    others were read.
    """

    items: MessageCounts
    sequences: pl.DataFrame
    events: pl.LazyFrame | None = None
    unread: pl.Series = field(default_factory=lambda: pl.Series("seq_id", [], dtype=pl.String))
    reading: Reading = field(default_factory=Reading)

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
