"""Choices kept in the address bar, so that a view can be shared, reloaded and reached with Back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import streamlit as st

from lo2core.base.text import visible

T = TypeVar("T")
Params = Mapping[str, Any]
"""Names and values of query parameters; None empties a parameter."""

COMPARED, EXPLAINED = TABS = ("view", "about")
"""Keys of rows of tabs, bound to query parameters of the same names; each page needs its own."""
_PAGE = "page"
_LEFT = "left_addresses"
_LAST = "last_addresses"


def read(name: str) -> str | None:
    """The value of a query parameter; None if it is absent or empty."""
    value: str | None = st.query_params.get(name)
    return value or None


def write(params: Params) -> None:
    """Set query parameters; others stay as they are. All of them are one entry in the history of the browser."""
    now = st.query_params.to_dict()
    wanted = {name: "" if value is None else str(value) for name, value in params.items()}
    changed = {name: value for name, value in wanted.items() if value != now.get(name, "")}
    if changed:
        st.query_params.update(changed)


def leave(params: Mapping[str, str]) -> None:
    """Call this before `st.switch_page` with `params`, so that Back restores the address of this page.

    Streamlit 1.67 first writes the parameters of the next page into the address of this page. The browser keeps that
    as an entry of its history: this page, with an address it never had.
    """
    page, before = st.session_state[_PAGE], st.query_params.to_dict()
    st.session_state.setdefault(_LEFT, {})[page, urlencode(params)] = before


def arrive(page: str) -> None:
    """Begin a page and correct the address that `leave` recorded.

    A link opens the first tab, not the one that was open on the last visit, which Streamlit would restore.
    """
    if st.session_state.get(_PAGE) != page:
        for name in {*TABS} - st.query_params.keys():
            st.session_state.pop(name, None)
    st.session_state[_PAGE] = page
    before = st.session_state.get(_LEFT, {}).get((page, urlencode(st.query_params.to_dict())))
    if before:
        st.query_params.from_dict(before)
        if before.keys() & {*TABS}:
            st.rerun()  # widgets bound to parameters have read the wrong address


def remember() -> None:
    """Keep the address of this page, for `last`."""
    st.session_state.setdefault(_LAST, {})[st.session_state[_PAGE]] = st.query_params.to_dict()


def last(page: str) -> dict[str, str]:
    """The query parameters that another page had when it was last drawn.

    Empty for the current page, so that its link resets it, and for pages that were not opened yet.
    """
    if page == st.session_state[_PAGE]:
        return {}
    found: dict[str, str] = st.session_state[_LAST].get(page, {})
    return found


def choice(label: str, options: Sequence[T], chosen: T | None, params: Callable[[T], Params], **look: Any) -> T | None:
    """A select box that shows `chosen`, or asks if that is None; returns None as long as nothing is chosen.

    A new choice is written to the address bar as `params` of it.
    """
    key, named = f"choice-{label}", look.pop("format_func", str)
    st.session_state[key] = chosen
    look |= {"format_func": lambda option: visible(named(option)), "placeholder": "Choose"}
    if chosen is None:
        look["index"] = None
    picked: T | None = st.selectbox(label, options, key=key, on_change=_follow, args=(key, params), **look)
    return picked


def _follow(key: str, params: Callable[[Any], Params]) -> None:
    write(params(st.session_state[key]))
