"""Small parts that several pages share: text that stays text, numbers and dates for people, downloads.

Whatever comes from a log, a file name or an exception is shown by `st.text` or `st.dataframe`, or escaped by
`lo2core.report.html`: never as Markdown, or as HTML of its own.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import NoReturn

import polars as pl
import streamlit as st

from lo2core.base import text as base_text
from lo2core.pipeline.commands import Command
from lo2core.report import html
from lo2core.store.parquet import flat
from lo2core.ui.shell import address
from lo2core.ui.shell.session import WORKSPACE, Lead


def count(n: int) -> str:
    """12345 -> '12,345'."""
    return f"{n:,}"


def short(n: float) -> str:
    """4_400_000 -> '4.4 M'; below 10,000 all digits."""
    if abs(n) < 10_000:
        return f"{n:,.0f}"
    for unit, power in (("k", 1e3), ("M", 1e6)):
        if abs(n) < 999.5 * power:
            return f"{n / power:.3g} {unit}"
    return f"{n / 1e9:,.3g} G"


def size(n_bytes: float) -> str:
    """720_000_000 -> '720 MB' (powers of ten, as file managers show them)."""
    for unit, power in (("B", 1), ("kB", 1e3), ("MB", 1e6)):
        if n_bytes < 999.5 * power:
            return f"{n_bytes / power:.3g} {unit}"
    return f"{n_bytes / 1e9:.3g} GB"


def duration(seconds: float) -> str:
    """6.4 -> '6 s'; 200 -> '3 min 20 s'; 4000 -> '1 h 7 min'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def when(moment: datetime, now: datetime | None = None) -> str:
    """'today 09:12', 'yesterday 17:40', '23 Nov 09:12', '23 Nov 2024'; an aware moment is turned into local time."""
    local = moment.astimezone().replace(tzinfo=None) if moment.tzinfo else moment
    today = (now or datetime.now()).date()
    if local.date() == today:
        return f"today {local:%H:%M}"
    if local.date() == today - timedelta(days=1):
        return f"yesterday {local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}" if local.year == today.year else f"{local.day} {local:%b %Y}"


def raw(text: str) -> None:
    """A stretch of log or a message, verbatim: long lines wrap, many scroll.

    No `st.code`: its highlighter is 1.6 MB of JavaScript, for which the first click on a row waited 0.2 s.
    """
    st.html(html.preformatted(text))


def terminal_command(command: Command) -> None:
    """A command of lo2core to copy; one of each stage on a page. No `st.code`, as in `raw`."""
    with st.container(key=f"terminal-{command.stage()}"):
        st.text(base_text.folded_command(command.arguments()))


def notice(text: str, icon: str = ":material/info:", lead: Lead | None = None) -> None:
    """A calm box with plain text, and at its end a link to where it goes on."""
    with st.container(border=True, horizontal=True, wrap=False, vertical_alignment="center"):
        st.markdown(icon, width="content")
        st.text(text, width="stretch")
        if lead:
            query = same_workspace() | dict(lead.params)
            st.page_link(lead.page, label=lead.label, icon=":material/arrow_forward:", query_params=query)


def problem(sentence: str, advice: str = "") -> None:
    """What went wrong, in one sentence, and what to do about it: both plain text."""
    notice(f"{sentence}\n{advice}" if advice else sentence, icon=":orange[:material/warning:]")


def empty_state(sentence: str, page: str, label: str) -> None:
    """Instead of results that are not there yet: why, and a button to the `page` script that makes them."""
    with st.container(border=True, horizontal_alignment="center", gap="medium"):
        st.space("small")
        st.text(sentence, width="content")
        if st.button(label, type="primary", icon=":material/arrow_forward:"):
            go_to(page)
        st.space("small")


def go_to(page: str, params: Mapping[str, str] | None = None) -> NoReturn:
    """Go to the `page` script at once, in the same workspace."""
    query = same_workspace() | dict(params or {})
    address.leave(query)
    st.switch_page(page, query_params=query)


def same_workspace() -> dict[str, str]:
    """Query parameters that keep the workspace when a link leads to another page."""
    return {WORKSPACE: st.session_state[WORKSPACE]} if WORKSPACE in st.session_state else {}


def log_lines(lines: pl.DataFrame, key: str, height: int = 420) -> list[int]:
    """A table of log lines; gives the indices of the rows picked (none or one).

    Shows those of ``line_no, m_timestamp, service, level, m_message, source`` that the frame has, and no others. Send
    at most a few thousand rows: all of them go to the browser.
    """
    columns = {
        "line_no": st.column_config.NumberColumn("line", width=70, format="localized"),
        "m_timestamp": st.column_config.DatetimeColumn("time", width=110, format="HH:mm:ss.SSS"),
        "service": st.column_config.TextColumn("service", width=100),
        "level": st.column_config.TextColumn("level", width=70),
        "m_message": st.column_config.TextColumn("message", width=None),
        "source": st.column_config.TextColumn("file", width=160),
    }
    event = st.dataframe(
        lines.select(name for name in columns if name in lines.columns),
        column_config=columns,
        hide_index=True,
        height=height,
        row_height=28,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
    )
    return list(event["selection"]["rows"])


def downloads(frame: pl.DataFrame, stem: str, key: str) -> None:
    """Two buttons: `frame` as CSV and as Parquet. Nothing is written before a click."""
    kinds = {"CSV": (to_csv, "text/csv"), "Parquet": (to_parquet, "application/vnd.apache.parquet")}
    with st.container(horizontal=True):
        for kind, (write, mime) in kinds.items():
            st.download_button(
                kind,
                partial(write, frame),
                f"{stem}.{kind.lower()}",
                mime,
                key=f"{key}-{kind}",
                on_click="ignore",
                icon=":material/download:",
            )


def to_csv(frame: pl.DataFrame) -> bytes:
    """UTF-8 CSV, as the store keeps it."""
    return flat(frame).write_csv().encode()


def to_parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
