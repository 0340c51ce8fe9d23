"""Raw lines that explain a score, and one request through all services; `diff` compares with a normal."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.clock import time_of_day
from lo2core.base.frames import with_separators
from lo2core.base.text import plural
from lo2core.detect.logs import NO_EVENTS
from lo2core.explain.evidence import Evidence
from lo2core.explain.lines import explained_lines, in_stretches, odd_lines
from lo2core.explain.requests import foreign_requests, request_path
from lo2core.pipeline.line_filter import LineFilter
from lo2core.ui.explain.choice import Chosen
from lo2core.ui.explain.diff import beside_normal
from lo2core.ui.explain.increase import show_increase
from lo2core.ui.explain.why import items_of, unit_of
from lo2core.ui.shell import scores, tables
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.links import explore
from lo2core.ui.shell.log_table import pick_line, show_event
from lo2core.ui.shell.widgets import downloads, notice, raw, say

MOST_LINES = 1_000
"""Lines with one item that are sent to the browser."""


@section
def most_telling(shown: Chosen) -> None:
    """The line that tells most about the incident, on top of the page, with a link to all lines at that moment."""
    if not shown.scored or scores.evidence(shown.scores).here.events is None:
        return
    first = _telling_lines(shown).filter(pl.col("place") == 1)
    if not first.height:
        return
    line = first.row(0, named=True)
    at = f"{time_of_day(line['m_timestamp'])}  " if line["m_timestamp"] else ""
    with st.container(key="telling", gap="xsmall"):
        st.caption("The most telling line")
        raw(f"{at}{line['service']}, line {line['line_no']:,}  {line['text'].strip()}")
        _link(shown, around=f"{line['event_line']}:{shown.seq_id}")


def _link(shown: Chosen, around: str | None = None, feature: int | None = None) -> None:
    wanted = LineFilter(
        runs=(str(shown.incident.run),),
        test_cases=(str(shown.incident.folder),),
        services=(str(shown.service["service"]),),
        templates=() if feature is None else (str(feature),),
    )
    label = "All services at that moment" if around else "Open in the log explorer"
    explore(wanted, label, sample=shown.scores.source.sample, around=around)


@section
def show_lines(shown: Chosen, feature: int | None) -> None:
    """Four views of the log of the chosen service; `feature` is the selected item of the score, if any."""
    if not shown.scored:
        return
    if scores.evidence(shown.scores).here.events is None:
        notice(NO_EVENTS)
        return
    names = ["Lines", "Nearest normal", "One request", "What increased"]
    marked, beside, request, increase = st.tabs(names, on_change="rerun", key="lines-tabs")
    with marked:
        if marked.open:
            _lines(shown, feature)
    with beside:
        if beside.open:
            beside_normal(shown)
    with request:
        if request.open:
            _request(shown)
    with increase:
        if increase.open:
            show_increase(shown)


@section
def _lines(shown: Chosen, feature: int | None) -> None:
    if feature is None:
        found = _telling_lines(shown)
        st.caption(
            "Lines that contain these items, numbered: first errors and warnings that no normal contains, then by "
            "contribution. Line 1 and what is near it comes first, everything else in time order. "
            '"=" marks nearby lines that contain one of these items. Select a line to see it in full.'
        )
    else:
        found = scores.ask(shown.scores, _holding, shown.seq_id, feature, items=_items(shown))
        st.caption(_count_of(found))
    if not found.height:
        notice("No line contains these items: they are missing in this log, or not part of any event.")
        return
    view = _line_view(found)
    numbered = view["place"].str.contains("^[0-9]")
    row = tables.pick(view, _columns(shown, feature), f"lines-{shown.key}-{feature}", marked=numbered)
    if row is not None and view["event_line"][row] is not None:
        show_event(shown.scores.logs, shown.seq_id, view["event_line"][row])
    with st.container(horizontal=True, vertical_alignment="center"):
        downloads(found, f"lines_{shown.name}", key="lines", what="Lines")
        messages = _items(shown).filter(pl.col("kind") == "message")["feature"].to_list()
        _link(shown, feature=feature if feature in messages else None)


def _items(shown: Chosen) -> pl.DataFrame:
    return items_of(shown.scores, shown.seq_id)


def _telling_lines(shown: Chosen) -> pl.DataFrame:
    return scores.ask(shown.scores, _in_stretches, shown.seq_id, items=_items(shown))


def _in_stretches(evidence: Evidence, seq_id: str, items: pl.DataFrame) -> pl.DataFrame:
    """`explained_lines` of a sequence with the lines around them.

    oddness: the largest contribution of the items of a line; the z-score of the event if events are scored.
    """
    found = in_stretches(explained_lines(evidence, seq_id, items))
    numbered = found.drop_nulls("place").select("line_no", title="items").explode("title")
    odd = numbered.join(items, on="title").group_by("line_no").agg(oddness=pl.col("contribution").max())
    return found.join(odd, on="line_no", how="left", maintain_order="left")


def _holding(evidence: Evidence, seq_id: str, feature: int, items: pl.DataFrame) -> pl.DataFrame:
    """The lines with one item, numbered; `total` is how many there are."""
    found = odd_lines(evidence, seq_id, items.filter(pl.col("feature") == feature))
    held = found.unique("line_no", keep="first", maintain_order=True)
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return held.head(MOST_LINES).with_columns(place=place, total=pl.lit(held.height))


def _count_of(found: pl.DataFrame) -> str:
    if not found.height:
        return "The selected item."
    total = int(found["total"][0])
    first = f" The first {MOST_LINES:,} are shown." if total > found.height else ""
    return f"{plural(total, 'line')} with the selected item.{first} Deselect it to see all items."


def _line_view(found: pl.DataFrame) -> pl.DataFrame:
    """As text with empty cells for nulls, and a row of dots between two parts of the log."""
    same = pl.col("items").list.len() > 0 if "items" in found.columns else pl.lit(False)
    mark = pl.when(pl.col("place").is_null() & same).then(pl.lit("=")).otherwise(pl.col("place").cast(pl.String))
    view = found.with_columns(
        place=mark,
        number=with_separators(found["line_no"]),
        time=pl.col("m_timestamp").dt.strftime("%H:%M:%S%.3f"),
        part=(pl.col("share") * 100).replace(0.0, None).round().cast(pl.Int64).cast(pl.String) + " %",
        odd=pl.col("oddness").round(1).cast(pl.String) if "oddness" in found.columns else pl.lit(None, pl.String),
    )
    if "stretch" in view.columns:
        gaps = view.select(
            pl.col("stretch").unique().sort().head(pl.col("stretch").n_unique() - 1), text=pl.lit("· · ·")
        )
        view = pl.concat([view, gaps], how="diagonal").sort("stretch", maintain_order=True)
    return view.with_columns(pl.col("place", "number", "time", "part", "odd").fill_null(""))


def _columns(shown: Chosen, feature: int | None) -> dict[str, Any]:
    """The columns that differ between lines: lines of one item all have the same share."""
    left_out = {"part", "odd"} if feature is not None else {"odd"} if unit_of(shown).measure.adds_up else {"part"}
    return {name: column for name, column in _LINE_COLUMNS.items() if name not in left_out}


_LINE_COLUMNS = {
    "place": st.column_config.TextColumn("", width=35),
    "time": st.column_config.TextColumn("time", width=95),
    "text": st.column_config.TextColumn("text", width=610),
    "number": st.column_config.TextColumn("line", width=65),
    "part": st.column_config.TextColumn(
        "of the score",
        width=90,
        help="The share of its items; each counts at its first line only.",
    ),
    "odd": st.column_config.TextColumn("z", width=70, help="The z-score of the event"),
}


@section
def _request(shown: Chosen) -> None:
    kinds = scores.ask(shown.scores, foreign_requests, shown.seq_id)
    example = _foreign_kinds(shown, kinds)
    offered = _offered(kinds, _telling_lines(shown), example)
    if not offered:
        notice("None of these lines has a correlation id.")
        return
    cid = st.selectbox("Correlation id", offered, key=f"cid-{shown.key}-{example}", accept_new_options=True)
    path = scores.ask(shown.scores, request_path, shown.seq_id, str(cid).strip())
    if not path.height:
        notice(f"No event of this incident has the correlation id {cid}.")
        return
    services = " → ".join(path["service"].unique(maintain_order=True))
    say(f"{path.height:,} events in time order, through {services}")
    row = pick_line(path.drop("level", "source"), f"path-{shown.key}-{cid}")
    if row is not None:
        show_event(shown.scores.logs, path["seq_id"][row], path["line_no"][row])
    downloads(path, f"request_{shown.name}", key="path", what="Request")


def _foreign_kinds(shown: Chosen, kinds: pl.DataFrame) -> str | None:
    """Request kinds that no normal has; returns the example of the selected one, else of the first."""
    if not kinds.height:
        gone = scores.evidence(shown.scores).remark
        say("" if gone else "All request kinds here also occur in normals.")
        return None
    n, n_normals = int(kinds["n"].sum()), kinds["n_normals"][0]
    new = f"{plural(n, 'request')} of {plural(kinds.height, 'kind')}"
    say(f"{new}, not found in any of {n_normals} normals. Select one to see it in full.")
    row = tables.pick(kinds, _KIND_COLUMNS, f"kinds-{shown.key}", most=5)
    if row is not None:
        raw(kinds["item"][row])
    downloads(kinds, f"requests_{shown.name}", key="kinds", what="Request kinds")
    example: str | None = kinds["example"][row or 0]
    return example


def _offered(kinds: pl.DataFrame, found: pl.DataFrame, first: str | None) -> list[str]:
    """Correlation ids to choose from: the selected one, examples of new request kinds, those of the shown lines."""
    shown = found.drop_nulls("place").sort("place")["correlation_id"].drop_nulls()
    ids = [first, *kinds["example"].drop_nulls(), *shown]
    return list(dict.fromkeys(one for one in ids if one))


_KIND_COLUMNS = {
    "n": st.column_config.NumberColumn("requests", width=75, format="localized"),
    "title": st.column_config.TextColumn("request kind (most severe message)", width=830),
}
