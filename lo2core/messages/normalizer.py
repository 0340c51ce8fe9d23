"""What gives the text of events its masks and templates: a fitted vectorizer, or anything with these two members."""

from __future__ import annotations

from typing import Protocol

from lo2core.messages.drain import Drain
from lo2core.messages.masks import Masker


class Normalizer(Protocol):
    """`masker` masks texts; `drain_` holds the learned templates, or None where none were learned."""

    masker: Masker
    drain_: Drain | None
