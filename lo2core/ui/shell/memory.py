"""Keeps imported libraries out of Streamlit's garbage collections, which would otherwise cost 0.1 s per click."""

from __future__ import annotations

import gc
import sys

_set_aside = 0
"""Number of modules in memory at the last call of `set_modules_aside`."""


def set_modules_aside() -> None:
    """Where modules were imported since the last call, keep what is in memory out of further garbage collections.

    Streamlit collects all of it after each run of a script, 0.1 s a click for libraries that stay anyway, and no answer
    reaches the browser meanwhile.
    """
    global _set_aside
    if len(sys.modules) > _set_aside:
        _set_aside = len(sys.modules)
        gc.collect()
        gc.freeze()
