"""Choices that live in the address bar: what stands there is shown, so that a place can be shared and gone back to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

import streamlit as st

T = TypeVar("T")
Params = Mapping[str, Any]
"""Names and values of query parameters; None takes a parameter away."""

COMPARED, EXPLAINED = TABS = ("view", "about")
"""Keys of rows of tabs, which Streamlit binds to query parameters of these names: one a page, or they would mix."""
_PAGE = "page"
_LEFT = "left_addresses"
_LAST = "last_addresses"


def said(name: str) -> str | None:
    """What the address bar says; None where it is silent."""
    value: str | None = st.query_params.get(name)
    return value or None


def say(params: Params) -> None:
    """Write into the address bar; what is not named stays."""
    for name, value in params.items():
        if value is None:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = str(value)


def leave(params: Mapping[str, str]) -> None:
    """Call it before `st.switch_page` with `params`, so that Back finds what this page had in its address.

    Streamlit (1.67) writes the parameters of the next page into the address of this one first, and the browser keeps
    that as a place of its own: this page, with an address it never had.
    """
    page, before = st.session_state[_PAGE], st.query_params.to_dict()
    st.session_state.setdefault(_LEFT, {})[page, urlencode(params)] = before


def arrive(page: str) -> None:
    """Begin a page, and put right the address that `leave` tells of.

    A link to a place does not lead to the tab that was open when another one was left, though Streamlit would.
    """
    if st.session_state.get(_PAGE) != page:
        for name in {*TABS} - st.query_params.keys():
            st.session_state.pop(name, None)
    st.session_state[_PAGE] = page
    before = st.session_state.get(_LEFT, {}).get((page, urlencode(st.query_params.to_dict())))
    if before:
        st.query_params.from_dict(before)
        if before.keys() & {*TABS}:
            st.rerun()  # what is bound was read from the address that was wrong


def remember() -> None:
    """Keep what the address of this page says, for `last`."""
    st.session_state.setdefault(_LAST, {})[st.session_state[_PAGE]] = st.query_params.to_dict()


def last(page: str) -> dict[str, str]:
    """What another page had in its address when it was last drawn; empty for the page itself, so that it can begin
    anew, and for one that was not opened yet.
    """
    if page == st.session_state[_PAGE]:
        return {}
    found: dict[str, str] = st.session_state[_LAST].get(page, {})
    return found


def choice(label: str, options: Sequence[T], chosen: T, params: Callable[[T], Params], **look: Any) -> T:
    """A select box that shows `chosen`; another choice is written into the address bar as `params` has it."""
    key = f"choice-{label}"
    st.session_state[key] = chosen
    return st.selectbox(label, options, key=key, on_change=_follow, args=(key, params), **look)


def _follow(key: str, params: Callable[[Any], Params]) -> None:
    say(params(st.session_state[key]))
