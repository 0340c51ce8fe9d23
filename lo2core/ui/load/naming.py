"""What page Load asks about logs that are not LO2's: layout of the paths, normal test cases, format of the lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import polars as pl
import streamlit as st

from lo2core.base.errors import Lo2Error
from lo2core.base.frames import visible_frame
from lo2core.base.text import plural, visible
from lo2core.load import verdict
from lo2core.load.formats.catalogue import FORMATS
from lo2core.load.formats.custom import chosen
from lo2core.load.formats.proposal import propose
from lo2core.load.formats.recognition import recognised
from lo2core.load.log_file import TABLE, LogFile, distinct
from lo2core.load.parse import decode, parse
from lo2core.load.plan import LoadOptions, Plan
from lo2core.load.sampling import head, sampled_ledger
from lo2core.messages.secrets import masked_text
from lo2core.pipeline.formats import custom_formats, save_format, with_formats
from lo2core.store.workspace import Workspace
from lo2core.ui.load.preview import Logs, is_archive_of, plan_of
from lo2core.ui.shell import cache
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.widgets import notice, problem, say

_FILES, _LINES = 8, 50
EXPANDER = "Other layouts, names and formats"
_ADVICE = f'Describe the form of such lines under "{EXPANDER}".'
_FORMAT, _NOTE = "load-format", "load-format-note"
_MOST_LOGS = 50
"""Logs that are looked at to propose a pattern."""


def ask(workspace: Workspace, logs: Logs) -> LoadOptions:
    """The options that say how names and lines are read. Raises InputError for one that cannot be used."""
    with st.expander(EXPANDER, icon=":material/account_tree:"):
        st.caption("Leave these empty for LO2's logs, and wherever the preview below is right.")
        layout = st.text_input(
            "Layout of the paths",
            key="load-layout",
            placeholder="{run}/{test_case}/{service}.log",
            max_chars=200,
            persist_state="session",
        )
        named = LoadOptions(layout=layout.strip() or None)
        plan = plan_of(logs, named)
        normal = st.multiselect(
            "Normal test cases",
            distinct(file.test_case for file in plan.chosen),
            format_func=visible,
            accept_new_options=True,
            key="load-normal",
            persist_state="session",
            placeholder="correct; choose names, or type one such as baseline*",
        )
        form = _format(workspace, plan, logs)
        return LoadOptions(layout=named.layout, normal=tuple(normal), formats=(form,) if form else ())


def _format(workspace: Workspace, plan: Plan, logs: Logs) -> str:
    """The format of the lines: its name or a pattern, which can be proposed and saved."""
    own = custom_formats(workspace)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        form = st.text_input(
            "Format of the lines",
            key=_FORMAT,
            persist_state="session",
            placeholder="^{stamp} {level} {message}",
            max_chars=1_000,
            help="A pattern, or the name of a format. The preview below shows what it makes of the first lines.",
        ).strip()
        readable = not is_archive_of(logs) and plan.chosen and plan.chosen[0].layout != TABLE
        st.button("Propose", icon=":material/lightbulb:", on_click=_propose, args=(plan.chosen,), disabled=not readable)
        name = st.text_input("Save as", key="load-format-name", max_chars=40, width=160, placeholder="name").strip()
        st.button("Save", on_click=_save, args=(workspace, name, form), disabled=not (name and form))
    if note := st.session_state.pop(_NOTE, ""):
        say(note)
    if own:
        say(f"Saved in this workspace: {', '.join(own)}. They are tried first.")
    return form


def _propose(files: Sequence[LogFile]) -> None:
    """Put a pattern into the box, proposed from the first log that is not understood."""
    try:
        heads = [_first_lines(file, 200) for file in files[:_MOST_LOGS]]
        unknown = [lines for lines in heads if lines and not recognised(lines, FORMATS)]
        pattern = propose((unknown or heads)[0])
    except Lo2Error as error:
        st.session_state[_NOTE] = str(error)
        return
    if pattern:
        st.session_state[_FORMAT] = pattern
    else:
        st.session_state[_NOTE] = "No time and no level was found in the first lines, so no pattern can be proposed."


def _save(workspace: Workspace, name: str, pattern: str) -> None:
    try:
        path = save_format(workspace, name, pattern)
        st.session_state[_FORMAT] = ""
        st.session_state[_NOTE] = f"{name} is saved in {path}."
    except Lo2Error as error:
        st.session_state[_NOTE] = str(error)


@section
def verdicts(workspace: Workspace, logs: Logs, options: LoadOptions) -> None:
    """What is understood of the first lines of some logs, with a warning if a log has no event."""
    plan = plan_of(logs, options)
    if is_archive_of(logs) or all(file.layout == TABLE for file in plan.chosen):
        return
    ledger = _ledger(logs, with_formats(workspace, options))
    found = verdict.verdicts(ledger)
    words = verdict.not_read_well(ledger, _ADVICE)
    if plan.chosen and not any(file.bytes for file in plan.chosen):
        problem(
            "All logs are empty. Nothing can be learned from them, and scores only say that the services are silent."
        )
    if found.filter(verdict=verdict.NOT_READ).height:
        problem(words, "What is not read is not scored.")
    elif found.height:
        formats = "; ".join(found["format"].drop_nulls().unique().sort())
        fine = f"The first lines of {plural(found.height, 'log')} are understood: {formats}."
        notice(
            "\n".join(filter(None, [fine, words])),
            icon=":green[:material/check_circle:]" if not words else ":material/info:",
        )
    if found.height:
        with st.expander("What is understood, log by log", icon=":material/fact_check:", expanded=bool(words)):
            st.dataframe(visible_frame(_table(found)), hide_index=True, column_config=_SHARES)


_SHARES = {
    name: st.column_config.NumberColumn(name, format="percent")
    for name in ("of this format", "with level", "with time")
}


def _table(found: pl.DataFrame) -> pl.DataFrame:
    order = [verdict.NOT_READ, verdict.IN_PART, verdict.WELL]
    events = pl.col("events")
    shares = {"of this format": "explained", "with level": "leveled", "with time": "timed"}
    shown = found.sort(pl.col("verdict").cast(pl.Enum(order)), "source", maintain_order=True)
    return shown.select(
        "verdict",
        "service",
        pl.col("format").fill_null("unknown"),
        "lines",
        "events",
        *((pl.col(column) / events).fill_nan(None).alias(name) for name, column in shares.items()),
        pl.col("why").fill_null("").alias("what is missing"),
        pl.Series("first such line", map(masked_text, shown["unknown"].fill_null("")), dtype=pl.String),
        pl.col("source").alias("log"),
    )


def _ledger(logs: Logs, options: LoadOptions) -> pl.DataFrame:
    plan = plan_of(logs, options)
    stamps = tuple((file.source, cache.file_stamp(file.path)) for file in plan.chosen[:200])
    return cache.PLANS.get(("understood", logs.roots, stamps, options), lambda: sampled_ledger(plan, options))


def preview(workspace: Workspace, logs: Logs, options: LoadOptions) -> None:
    """What the options make of the first files, and of the first lines of the first log."""
    plan = plan_of(logs, options)
    with st.expander("Preview of names and lines", icon=":material/preview:", expanded=bool(options.formats)):
        st.dataframe(visible_frame(_names(plan.chosen[:_FILES])), hide_index=True)
        if is_archive_of(logs) or not plan.chosen or plan.chosen[0].layout == TABLE:
            st.caption("The lines of archives and tables are shown once they are loaded.")
            return
        first = plan.chosen[0]
        events, known = _events(first, with_formats(workspace, options))
        st.dataframe(visible_frame(events), hide_index=True, height=220)
        say(f"The first {_LINES} lines of {first.source}: {known or 'no known format'}.")


def _names(files: Sequence[LogFile]) -> pl.DataFrame:
    meaning = {True: "normal", False: "faulty", None: "unknown"}
    return pl.DataFrame(
        {
            "file": [file.source for file in files],
            "run": [file.run for file in files],
            "test case": [file.test_case for file in files],
            "service": [file.service for file in files],
            "label": [meaning[file.normal] for file in files],
        },
        schema=dict.fromkeys(("file", "run", "test case", "service", "label"), pl.String),
    )


def _first_lines(file: LogFile, n: int) -> list[str]:
    return list(islice(decode(head(file)[0])[0].split("\n"), n))


def _events(file: LogFile, options: LoadOptions) -> tuple[pl.DataFrame, str | None]:
    lines = "".join(f"{line}\n" for line in _first_lines(file, _LINES))
    parsed = parse([lines], file.epoch, formats=chosen(options.formats, options.described))
    events = parsed.events.join(parsed.lines, on="line", how="left", maintain_order="left")
    time = pl.col("m_timestamp").dt.to_string("%F %H:%M:%S%.3f").alias("time")
    shown = events.select("line_no", time, "level", "logger", message="text", lines="n_lines")
    return shown, parsed.tally["format"].to_list()[0]
