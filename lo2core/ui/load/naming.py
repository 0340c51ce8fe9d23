"""What page Load asks about logs that are not LO2's: layout of the paths, normal test cases, format of the lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import polars as pl
import streamlit as st

from lo2core.base.frames import visible_frame
from lo2core.load.compression import pieces
from lo2core.load.containers import of_container
from lo2core.load.formats.custom import chosen
from lo2core.load.layouts import TABLE, LogFile
from lo2core.load.parse import decode, parse
from lo2core.load.plan import LoadOptions
from lo2core.ui.load.preview import Logs, is_archive_of, plan_of
from lo2core.ui.shell.widgets import say

_FILES, _LINES, _MOST = 8, 50, 1 << 20


def ask() -> LoadOptions:
    """The options that say how names and lines are read. Raises InputError for one that cannot be used."""
    with st.expander("Other layouts and formats", icon=":material/account_tree:"):
        st.caption("Leave these empty for LO2's logs, and wherever the preview below is right.")
        layout = st.text_input(
            "Layout of the paths", key="load-layout", placeholder="{run}/{test_case}/{service}.log", max_chars=200
        )
        normal = st.text_input(
            "Names of the normal test cases", key="load-normal", placeholder="correct, baseline*", max_chars=500
        )
        form = st.text_input(
            "Format of the lines", key="load-format", placeholder="^{stamp} {level} {message}", max_chars=1_000
        )
        return LoadOptions(
            layout=layout.strip() or None,
            normal=tuple(name.strip() for name in normal.split(",") if name.strip()),
            formats=(form.strip(),) if form.strip() else (),
        )


def preview(logs: Logs, options: LoadOptions) -> None:
    """What the options make of the first files, and of the first lines of the first log."""
    plan = plan_of(logs, options)
    with st.expander("Preview of names and lines", icon=":material/preview:"):
        st.dataframe(visible_frame(_names(plan.chosen[:_FILES])), hide_index=True)
        if is_archive_of(logs) or not plan.chosen or plan.chosen[0].layout == TABLE:
            st.caption("The lines of archives and tables are shown once they are loaded.")
            return
        first = plan.chosen[0]
        events, known = _events(first, options)
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


def _head(file: LogFile) -> str:
    piece = of_container([file.path], file.container) if file.container else next(iter(pieces(file.path)), b"")
    text, _ = decode(piece[:_MOST])
    return "".join(f"{line}\n" for line in islice(text.split("\n"), _LINES))


def _events(file: LogFile, options: LoadOptions) -> tuple[pl.DataFrame, str | None]:
    parsed = parse([_head(file)], file.epoch, formats=chosen(options.formats, options.described))
    events = parsed.events.join(parsed.lines, on="line", how="left", maintain_order="left")
    time = pl.col("m_timestamp").dt.to_string("%F %H:%M:%S%.3f").alias("time")
    shown = events.select("line_no", time, "level", "logger", message="text", lines="n_lines")
    return shown, parsed.tally["format"].to_list()[0]
