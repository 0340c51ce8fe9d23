"""Small parts that several pages share: plain text, formatted numbers and dates, notices, downloads.

Text from a log, a file name or an exception is shown with `say` or in tables, or escaped by
`lo2core.report.html`, never as Markdown or HTML.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Literal, NoReturn, TypeVar

import polars as pl
import streamlit as st

from lo2core.base import text as base_text
from lo2core.base.csv import csv_bytes
from lo2core.detect.fitness import FITS, NOT_AT_ALL, Fitness
from lo2core.messages.secrets import exported, masked_frame
from lo2core.pipeline.commands import Command
from lo2core.pipeline.script import script
from lo2core.report import html
from lo2core.ui.shell import address
from lo2core.ui.shell.session import WORKSPACE, Lead, with_secrets

T = TypeVar("T")


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


def when(moment: datetime, now: datetime | None = None) -> str:
    """'today 09:12', 'yesterday 17:40', '23 Nov 09:12', '23 Nov 2024'; an aware time is converted to local time."""
    local = moment.astimezone().replace(tzinfo=None) if moment.tzinfo else moment
    today = (now or datetime.now()).date()
    if local.date() == today:
        return f"today {local:%H:%M}"
    if local.date() == today - timedelta(days=1):
        return f"yesterday {local:%H:%M}"
    return f"{local.day} {local:%b %H:%M}" if local.year == today.year else f"{local.day} {local:%b %Y}"


def say(text: str, width: Literal["content", "stretch"] = "content") -> None:
    """Plain text that may contain names or parts of a log."""
    st.text(base_text.visible(text), width=width)


def raw(text: str) -> None:
    """Log text, verbatim: long lines wrap, many lines scroll.

    Not `st.code`, whose highlighter loads 1.6 MB of JavaScript: 0.2 s at the first click on a row.
    """
    st.html(html.preformatted(text))


def terminal_command(command: Command) -> None:
    """A command of lo2core to copy; one of each stage on a page. No `st.code`, as in `raw`."""
    with st.container(key=f"terminal-{command.stage()}"):
        say(base_text.folded_command(command.arguments()))


def script_button(command: Command) -> None:
    """A download of a Python script that does what a command does; nothing where there is none."""
    if text := script(command):
        st.download_button(
            "Python script",
            text,
            f"{command.stage()}.py",
            "text/x-python",
            key=f"script-{command.stage()}",
            on_click="ignore",
            icon=":material/code:",
            type="tertiary",
            help="The same with the Python API",
        )


def asked_or(asked: T | None, default: T, options: Sequence[T], missing: str) -> T | None:
    """What the address bar asks for, or `default` if it asks for nothing.

    If there is no such option any more, that is said with the sentence `missing`; another one is not taken instead.
    """
    if asked is None or asked in options:
        return default if asked is None else asked
    notice(f"{missing} Choose another one.", icon=":orange[:material/warning:]")
    return None


def notice(text: str, icon: str = ":material/info:", lead: Lead | None = None) -> None:
    """A box with plain text, and a link to the next step."""
    with st.container(border=True, horizontal=True, wrap=False, vertical_alignment="center"):
        st.markdown(icon, width="content")
        say(text, width="stretch")
        if lead:
            query = same_workspace() | dict(lead.params)
            st.page_link(lead.page, label=lead.label, icon=":material/arrow_forward:", query_params=query)


def statement(fits: Fitness, before: str = "") -> None:
    """A box that says whether a model fits some logs. before: what this rests on."""
    fine = ":green[:material/check_circle:]" if fits.verdict == FITS else ":material/info:"
    first, *rest = fits.sentences
    notice(
        "\n".join([f"{before} {first}".strip(), *rest]),
        icon=":orange[:material/warning:]" if fits.verdict == NOT_AT_ALL else fine,
    )


def problem(sentence: str, advice: str = "") -> None:
    """A box that says what went wrong and what to do about it, both plain text."""
    notice(f"{sentence}\n{advice}" if advice else sentence, icon=":orange[:material/warning:]")


def empty_state(sentence: str, page: str, label: str) -> None:
    """Shown while there are no results: the reason, and a button to the `page` script that creates them."""
    with st.container(border=True, horizontal_alignment="center", gap="medium"):
        st.space("small")
        say(sentence)
        if st.button(label, type="primary", icon=":material/arrow_forward:"):
            go_to(page)
        st.space("small")


def go_to(page: str, params: Mapping[str, str] | None = None) -> NoReturn:
    """Go to the `page` script at once, in the same workspace."""
    query = same_workspace() | dict(params or {})
    address.leave(query)
    st.switch_page(page, query_params=query)


def same_workspace() -> dict[str, str]:
    """Query parameters that keep the workspace when following a link to another page."""
    return {WORKSPACE: st.session_state[WORKSPACE]} if WORKSPACE in st.session_state else {}


def downloads(frame: pl.DataFrame, stem: str, key: str, what: str = "") -> None:
    """Two buttons: `frame` as CSV and as Parquet. The files are created on click; secrets in them are masked.

    They are not where the switch in the side bar says so. what: names the frame on the buttons, where a page has
    several of them.
    """
    secrets = with_secrets()
    kinds = {"CSV": (to_csv, "text/csv"), "Parquet": (to_parquet, "application/vnd.apache.parquet")}
    with st.container(horizontal=True):
        for kind, (write, mime) in kinds.items():
            st.download_button(
                f"{what} as {kind}" if what else kind,
                partial(write, frame, secrets),
                f"{base_text.file_name(stem)}.{kind.lower()}",
                mime,
                key=f"{key}-{kind}",
                on_click="ignore",
                icon=":material/download:",
            )


def to_csv(frame: pl.DataFrame, secrets: bool = False) -> bytes:
    """CSV in UTF-8, in the form in which the store saves it."""
    return csv_bytes(exported(frame, secrets))


def to_parquet(frame: pl.DataFrame, secrets: bool = False) -> bytes:
    """The frame as it is, with secrets masked unless `secrets` is true."""
    buffer = io.BytesIO()
    (frame if secrets else masked_frame(frame)).write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
