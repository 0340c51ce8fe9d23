"""When messages are counted by templates: the one place of that decision.

Messages are counted as they are as long as a load has at most `MOST_MESSAGES` distinct ones; LO2's logs have hundreds.
If there are more, templates are learned from those that were read so far, and the load begins again with these. If
that leaves too many, because later parts of the logs say other things, more templates are learned, each time with twice
the limit.
"""

from __future__ import annotations

import polars as pl

from lo2core.messages.counts import MessageCounts
from lo2core.messages.masks import Masker
from lo2core.messages.templates import Templates

MOST_MESSAGES = 20_000
"""Distinct messages of a load from which on they are counted by templates."""


class TooManyMessages(Exception):
    """A load has more distinct messages than it may have; `masker` reduces them."""

    def __init__(self, masker: Masker) -> None:
        super().__init__()
        self.masker = masker


class DistinctMessages:
    """Counts the distinct messages and trace lines of a load, which come in parts.

    limit: raise `TooManyMessages` if there are more; None counts nothing.
    """

    def __init__(self, masker: Masker, limit: int | None) -> None:
        self.masker = masker
        self.limit = limit
        self._known = pl.DataFrame(schema={"message_id": pl.UInt64, "text": pl.String})

    def add(self, items: MessageCounts) -> None:
        """Raises TooManyMessages where the limit is exceeded."""
        if self.limit is None:
            return
        lines = items.messages.filter(pl.col("kind") != "request").select("message_id", "text")
        self._known = pl.concat([self._known, lines]).unique("message_id", keep="first", maintain_order=True)
        if self._known.height > self.limit:
            raise TooManyMessages(Masker(self.masker.rules, self._learned()))

    def _learned(self) -> Templates:
        texts = self._known["text"].sort()
        return (self.masker.templates or Templates()).extended(texts.filter(~texts.str.contains(r"^\s")))
