"""The log explorer: all saved lines, filtered, over time, with what was logged around one of them.

What is shown is in the address: `lines` contains the filter as options of the command `search`, `by` the groups of the
chart, `columns` those of the list, `at` the page and `around` the line whose surroundings are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.errors import InputError
from lo2core.base.schemas import Events
from lo2core.base.text import file_name, visible
from lo2core.detect.logs import NO_EVENTS
from lo2core.messages.patterns import LONGEST_SEARCH
from lo2core.messages.secrets import masked_text
from lo2core.pipeline import search
from lo2core.pipeline.commands import Search
from lo2core.pipeline.line_filter import LineFilter
from lo2core.pipeline.template_values import template_values
from lo2core.report import charts
from lo2core.store.workspace import Workspace
from lo2core.ui.shell import address, tables
from lo2core.ui.shell.boundary import fragment
from lo2core.ui.shell.cache import remembered
from lo2core.ui.shell.line_list import TITLES, line_list
from lo2core.ui.shell.links import LINES
from lo2core.ui.shell.session import with_secrets
from lo2core.ui.shell.values_table import show_values
from lo2core.ui.shell.widgets import count, notice, problem, say, script_button, terminal_command, to_csv

PAGE = 100
"""Lines of a page of the list."""
MOST_EXPORTED = 100_000
"""Events of a download; the command prints any number."""
DEFAULT = ("time", "service", "level", "message")
_LISTS = {
    "runs": ("Run", "run"),
    "test_cases": ("Test case", "folder"),
    "services": ("Service", "service"),
    "levels": ("Level", "level"),
    "loggers": ("Logger", "logger"),
}
"""The fields of a filter that have a widget of their own, with its label and the values that it offers."""
_OTHERS = ("methods", "threads", "templates", "correlation_ids", "exclude", "since", "until")


@fragment
def show(workspace: Workspace) -> None:
    """The explorer of the events of a workspace; a click inside draws only this part again."""
    st.subheader("Lines", anchor=False)
    if not workspace.has(Events):
        notice(NO_EVENTS)
        return
    wanted = _filter()
    _texts(wanted)
    _values(wanted, workspace)
    over_time, found, surroundings = st.container(), st.container(), st.container()
    page = _page()
    shown = remembered(search.find_lines, workspace, wanted, (page - 1) * PAGE, PAGE)
    if page > 1 and not shown.height:  # the address is of logs with more events
        page, shown = 1, remembered(search.find_lines, workspace, wanted, 0, PAGE)
    _list(workspace, wanted, shown)
    with over_time:
        events = _over_time(workspace, wanted)
    with found:
        _found(workspace, wanted, events, page)
    with surroundings:
        _around(workspace)
        _values_behind(workspace, wanted)
    _command(workspace, wanted)


def _filter() -> LineFilter:
    """The filter in the address; one that cannot be read is reported, and nothing is filtered.

    A pattern that is invalid, perhaps since it is typed just now, stays in its field: the search reports it.
    """
    try:
        return LineFilter.typed(address.read(LINES) or "")
    except InputError as error:
        problem(str(error), "The filter was left out.")
        return LineFilter()


def _write(wanted: LineFilter) -> None:
    address.write({LINES: wanted.as_typed(), "at": None})


def _texts(wanted: LineFilter) -> None:
    def changed() -> None:
        new = {name: st.session_state[f"lines-{name}"] for name in ("text", "without", "regex", "match_case")}
        _write(replace(wanted, **new))

    for name in ("text", "without", "regex", "match_case"):
        st.session_state[f"lines-{name}"] = getattr(wanted, name)
    look: dict[str, Any] = {"max_chars": LONGEST_SEARCH, "on_change": changed}
    text, without, how = st.columns([4, 2, 2], vertical_alignment="bottom")
    placeholder = "part of a raw line"
    text.text_input("Search", key="lines-text", icon=":material/search:", placeholder=placeholder, **look)
    without.text_input("Without", key="lines-without", placeholder="not in the line", **look)
    with how.container(horizontal=True):
        st.toggle("Regular expression", key="lines-regex", on_change=changed)
        st.toggle("Match case", key="lines-match_case", on_change=changed)


def _values(wanted: LineFilter, workspace: Workspace) -> None:
    offered = remembered(search.values, workspace)
    others = _other_conditions(wanted)

    def changed(name: str) -> None:
        chosen: dict[str, Any] = {name: tuple(st.session_state[f"lines-{name}"])}
        _write(replace(wanted, **chosen))

    def removed() -> None:
        left = {others[one] for one in st.session_state["lines-others"]}
        gone = [condition for condition in others.values() if condition not in left]
        new = wanted
        for name, value in gone:
            now = getattr(new, name)
            left_over: dict[str, Any] = {name: None if now == value else tuple(one for one in now if one != value)}
            new = replace(new, **left_over)
        _write(new)

    for column, (name, (label, values)) in zip(st.columns(len(_LISTS)), _LISTS.items(), strict=True):
        chosen = getattr(wanted, name)
        st.session_state[f"lines-{name}"] = list(chosen)
        options = list(dict.fromkeys((*offered[values], *chosen)))
        look: dict[str, Any] = {"format_func": visible, "placeholder": "all", "on_change": changed, "args": (name,)}
        column.multiselect(label, options, key=f"lines-{name}", **look)
    if others:
        st.session_state["lines-others"] = list(others)
        st.multiselect("Further conditions", list(others), key="lines-others", on_change=removed)


def _other_conditions(wanted: LineFilter) -> dict[str, tuple[str, str]]:
    """The conditions without a widget of their own: a name to show, the field and the value."""
    found = {}
    for name in _OTHERS:
        value = getattr(wanted, name)
        for one in value if isinstance(value, tuple) else filter(None, (value,)):
            label = {"exclude": "not", "since": "from", "until": "until"}.get(name, name.rstrip("s").replace("_", " "))
            found[visible(f"{label} {one}")] = (name, one)
    return found


def _over_time(workspace: Workspace, wanted: LineFilter) -> int:
    """The chart of the found events; returns how many there are."""
    by = "service" if address.read("by") == "service" else "level"
    counts = remembered(search.over_time, workspace, wanted, by)
    timed = counts.drop_nulls("start")
    if timed.height:
        key = f"lines-over-time-{workspace.root}-{hash((wanted, by))}"

        def brushed() -> None:
            chosen = st.session_state[key]["selection"].get("brush", {}).get("start", [])
            if len(chosen) == 2 and round(chosen[0]) < round(chosen[1]):
                _write(replace(wanted, since=_moment(chosen[0]), until=_moment(chosen[1])))

        st.altair_chart(charts.events_over_time(timed, by), on_select=brushed, selection_mode="brush", key=key)
        tables.beside_chart(timed, "lines_over_time", "lines-over-time-table")
    return int(counts["events"].sum())


def _moment(ms: float) -> str:
    return datetime.fromtimestamp(round(ms) / 1000, UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def _found(workspace: Workspace, wanted: LineFilter, events: int, page: int) -> None:
    """How many events were found, pages, and what to do with them."""
    pages = max(1, -(-events // PAGE))
    with st.container(horizontal=True, vertical_alignment="center"):
        say(f"{count(events)} events")
        if pages > 1:
            key = f"lines-page-{page}-{hash(wanted)}"
            st.pagination(pages, default=page, key=key, on_change=_turn, args=(key,))
        _columns()
        if wanted != LineFilter():
            st.button("Reset filters", key="lines-reset", on_click=_write, args=(LineFilter(),), type="tertiary")
        _exports(workspace, wanted, events)


def _page() -> int:
    asked = address.read("at") or ""
    return max(1, int(asked)) if asked.isdecimal() and len(asked) < 10 else 1


def _turn(key: str) -> None:
    address.write({"at": st.session_state[key]})


def _shown_columns() -> tuple[str, ...]:
    asked = (address.read("columns") or "").split(",")
    return tuple(name for name in TITLES if name in asked) or DEFAULT


def _columns() -> None:
    def changed() -> None:
        address.write({"columns": ",".join(st.session_state["lines-columns"]), "by": st.session_state["lines-by"]})

    with st.popover("View", icon=":material/view_column:"):
        st.session_state["lines-columns"] = list(_shown_columns())
        st.multiselect("Columns", list(TITLES), key="lines-columns", format_func=TITLES.__getitem__, on_change=changed)
        st.session_state["lines-by"] = "service" if address.read("by") == "service" else "level"
        st.radio("Chart by", ["level", "service"], key="lines-by", horizontal=True, on_change=changed)


def _list(workspace: Workspace, wanted: LineFilter, found: pl.DataFrame) -> None:
    if not found.height:
        notice("No event matches these filters.")
        return
    lines = search.with_hits(found, search.raw_lines(workspace, found), wanted)

    def narrow(sign: str, column: str, value: object) -> None:
        _write(wanted.narrowed(sign, column, value))

    line_list(lines, _shown_columns(), "lines-list", on_filter=narrow, on_around=_ask_around, keys=True)


def _ask_around(row: dict[str, Any]) -> None:
    address.write({"around": f"{row['line_no']}:{row['seq_id']}"})


def _around(workspace: Workspace) -> None:
    """The lines of all services around one line, in time order."""
    line_no, _, seq_id = (address.read("around") or "").partition(":")
    if not line_no.isdecimal() or len(line_no) > 18:
        return
    near = search.around(workspace, seq_id, int(line_no))
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            say(f"Around line {int(line_no):,} of {seq_id}: all services of the test case, in time order")
            st.button("Close", key="lines-around-close", on_click=address.write, args=({"around": None},))
        if not near.height:
            notice("There is no such line in these logs.")
            return
        lines = search.with_hits(near, search.raw_lines(workspace, near), LineFilter())
        same = (pl.col("seq_id") == seq_id) & (pl.col("line_no") == int(line_no))
        line_list(
            lines.with_columns(marked=same),
            _shown_columns(),
            "lines-around",
            on_filter=lambda sign, column, value: _write(LineFilter().narrowed(sign, column, value)),
        )


def _values_behind(workspace: Workspace, wanted: LineFilter) -> None:
    """The values at the placeholders of the template, if the filter names one."""
    if len(wanted.templates) != 1:
        return
    below = st.expander("Values behind the placeholders", on_change="rerun", key="lines-values")
    if below.open:
        values = remembered(template_values, workspace, wanted)
        with below:
            if not values.height:
                notice("This template has no placeholder.")
                return
            show_values(values, "values", key="lines-values-table")


def _exports(workspace: Workspace, wanted: LineFilter, events: int) -> None:
    secrets = with_secrets()
    writers: dict[str, tuple[Callable[..., bytes], str]] = {"CSV": (as_csv, "csv"), "Text": (as_text, "txt")}
    for label, (write, ending) in writers.items():
        st.download_button(
            label,
            partial(write, workspace, wanted, secrets),
            f"{file_name(f'lines_{workspace.root.name}')}.{ending}",
            key=f"lines-{label}",
            on_click="ignore",
            icon=":material/download:",
            help=f"The first {MOST_EXPORTED:,} of them" if events > MOST_EXPORTED else None,
        )


def as_csv(workspace: Workspace, wanted: LineFilter, secrets: bool) -> bytes:
    """The found events as CSV, secrets masked unless `secrets` is true."""
    found = search.find_lines(workspace, wanted, limit=MOST_EXPORTED)
    columns = [field for field in TITLES if field in found.columns]
    return to_csv(found.select("m_timestamp", *columns, raw=search.raw_lines(workspace, found)), secrets)


def as_text(workspace: Workspace, wanted: LineFilter, secrets: bool) -> bytes:
    """The raw lines of the found events, secrets masked unless `secrets` is true."""
    raw = search.raw_lines(workspace, search.find_lines(workspace, wanted, limit=MOST_EXPORTED))
    text = visible("".join(f"{line}\n" for line in raw))
    return (text if secrets else masked_text(text)).encode()


def _command(workspace: Workspace, wanted: LineFilter) -> None:
    if wanted == LineFilter():
        return
    is_sample = workspace.root.parent.name == "samples"
    root = workspace.root.parent.parent if is_sample else workspace.root
    with st.expander("The same search in a terminal"):
        command = Search(wanted=wanted, output_dir=root, sample=workspace.root.name if is_sample else None)
        terminal_command(command)
        script_button(command)
