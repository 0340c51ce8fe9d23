"""The masks and templates that enhancers apply to events: those of a fitted vectorizer, for example."""

from __future__ import annotations

from typing import Protocol

from lo2core.messages.drain import Drain
from lo2core.messages.masks import Masker


class Normalizer(Protocol):
    """`masker` masks texts; `drain_` contains the learned templates, or is None if none were learned."""

    masker: Masker
    drain_: Drain | None
