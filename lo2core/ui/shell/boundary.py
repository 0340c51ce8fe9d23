"""Error boundaries: an error is shown where it happened, and the rest of the page is drawn.

Streamlit calls a page's script, its fragments, its dialogs and the callbacks of its widgets. The script is drawn inside
`frame.page`, everything that it calls is a `section`, and fragments and dialogs are made here. A test checks that pages
contain nothing else. What is left, the callbacks, Streamlit passes to `show_uncaught` instead of showing a traceback.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from lo2core.base.disk import disk_error
from lo2core.base.errors import Lo2Error, reason
from lo2core.base.untrusted import printable
from lo2core.store.parquet import DAMAGE
from lo2core.ui.shell.widgets import problem

P = ParamSpec("P")
T = TypeVar("T")

MOST_CHARACTERS = 500
"""Of the text of an unexpected error that a page shows."""


def section(draw: Callable[P, T]) -> Callable[P, T | None]:
    """A part of a page. An error in it is shown in its place as a sentence; it then returns None."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T | None:
        with apart():
            return draw(*args, **kwargs)
        return None

    return drawn


def fragment(draw: Callable[P, T], run_every: float | None = None) -> Callable[P, T | None]:
    """A section that is drawn again alone when something in it is clicked, and every so many seconds."""
    drawn: Callable[P, T | None] = st.fragment(section(draw), run_every=run_every)
    return drawn


def dialog(title: str, **look: Any) -> Callable[[Callable[P, object]], Callable[P, object]]:
    """A section in a window of its own."""
    return lambda draw: st.dialog(title, **look)(section(draw))


@contextmanager
def apart() -> Iterator[None]:
    """Show an error inside the block as a sentence, and continue after the block, within the same section."""
    try:
        yield
    except (Exception, *DAMAGE) as error:
        _tell(error)


def show_uncaught(error: Exception) -> bool:
    """For Streamlit: show an error that no boundary has caught, such as one in a callback of a widget, as they do."""
    _tell(error)
    return True


def _tell(error: BaseException) -> None:
    error = disk_error(error) or error
    if isinstance(error, Lo2Error):
        problem(printable(str(error)))
        return
    print(printable("".join(traceback.format_exception(error))), file=sys.stderr)
    if isinstance(error, DAMAGE):
        why = printable(reason(error))[:MOST_CHARACTERS]
        problem(f"A table cannot be read: {why}.", "Load the logs again. Your data is unchanged.")
        return
    problem(
        f"Unexpected error: {type(error).__name__}: {printable(reason(error))[:MOST_CHARACTERS]}",
        "Reload the page. If it happens again, report it with the output of the terminal. Your data is unchanged.",
    )
