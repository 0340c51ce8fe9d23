"""The masks and templates that enhancers apply to events: those of a fitted vectorizer, for example."""

from __future__ import annotations

from typing import Protocol

from lo2core.messages.masks import Masker
from lo2core.messages.templates import Templates


class Normalizer(Protocol):
    """`masker` masks texts; `templates_` are the learned templates, or None if none were learned."""

    masker: Masker
    templates_: Templates | None
