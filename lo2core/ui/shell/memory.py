"""Excludes imported libraries from garbage collection, which otherwise costs 0.1 s per click."""

from __future__ import annotations

import gc
import sys

_set_aside = 0
"""Number of modules in memory at the last call of `set_modules_aside`."""


def set_modules_aside() -> None:
    """If modules were imported since the last call, exclude all current objects from garbage collection.

    Streamlit collects garbage after each run of a script. With these libraries in memory that takes 0.1 s, and the
    browser waits for it.
    """
    global _set_aside
    if len(sys.modules) > _set_aside:
        _set_aside = len(sys.modules)
        gc.collect()
        gc.freeze()
