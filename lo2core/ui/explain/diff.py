"""A log next to the nearest normal of the same service: aligned, with common parts folded, or both in full."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.text import plural
from lo2core.explain import diff, items
from lo2core.explain.evidence import NORMAL_GONE, Evidence
from lo2core.explain.explanation import diff_sides
from lo2core.messages.titles import one_line
from lo2core.ui.explain.choice import Chosen
from lo2core.ui.shell import scores, tables
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.widgets import downloads, notice, raw, say

PAGE = 400
"""Rows on one page."""
_SIGNS = {"extra": ["only here"], "missing": ["only normal"], "common": ["both"], "folded": ["⋯"], "left out": ["⋯"]}
_ONLY_HERE, _EVERY = _VIEWS = ("Only here", "All differences")

Sides = tuple[pl.DataFrame, pl.DataFrame]


@section
def beside_normal(shown: Chosen) -> None:
    """The aligned diff of the chosen service and a nearest normal, or both in full; differences in frequency."""
    nearest = scores.ask(shown.scores, items.nearest_normals, shown.seq_id)
    if not nearest.height:
        notice("The training data contains no other normal sequence of this service to compare with.")
        return
    names = {row["place"]: _name(row) for row in nearest.iter_rows(named=True)}
    place = st.selectbox("Nearest normal", list(names), format_func=names.__getitem__, key=f"normal-{shown.key}")
    sides = scores.ask(shown.scores, diff_sides, shown.seq_id, place)
    if sides is None:
        notice(NORMAL_GONE)
        return
    aligned = scores.ask(shown.scores, _aligned, shown.seq_id, place)
    in_full = st.toggle("Both sides in full", key="diff-raw")
    say(_in_words(aligned, sides, folded=not in_full))
    if in_full:
        _in_full(sides, shown.key)
    else:
        _diff(shown, _wanted(aligned), place)
    _frequencies(shown, place)


def _name(row: dict[str, Any]) -> str:
    where = "  ·  ".join(part for part in (row["folder"], row["run"]) if part) or row["normal"]
    return f"{row['place']}  ·  {where}  ·  distance {row['distance']:.1f}"


def _aligned(evidence: Evidence, seq_id: str, place: int) -> pl.DataFrame:
    here, normal = _sides(evidence, seq_id, place)
    stretches = diff.aligned_diff(here["message_id"], normal["message_id"])
    return diff.unfolded(stretches, here, normal, context=1)


def _more_or_less(evidence: Evidence, seq_id: str, place: int) -> pl.DataFrame:
    here, normal = _sides(evidence, seq_id, place)
    texts = pl.concat([evidence.here.items.messages, evidence.training.items.messages]).unique("message_id")
    return diff.summary(here["message_id"], normal["message_id"], texts)


def _sides(evidence: Evidence, seq_id: str, place: int) -> Sides:
    sides = diff_sides(evidence, seq_id, place)
    assert sides is not None
    return sides


def _in_words(aligned: pl.DataFrame, sides: Sides, folded: bool) -> str:
    extra, missing = (int(aligned.filter(pl.col("change") == one)["n"].sum()) for one in ("extra", "missing"))
    sizes = f"{sides[0].height:,} events here, {sides[1].height:,} in the normal"
    return f"{sizes}; {extra:,} only here, {missing:,} only in the normal." + " Common parts are folded." * folded


def _wanted(aligned: pl.DataFrame) -> pl.DataFrame:
    """The rows that are only here, with context, or all rows; no choice if no row is only here.

    A long normal may have thousands of rows of its own, a fault only a few.
    """
    if not aligned.filter(pl.col("change") == "extra").height:
        return aligned
    view = st.segmented_control("Show", _VIEWS, default=_ONLY_HERE, key="diff-view", required=True)
    return aligned if view == _EVERY else diff.around_extra(aligned)


def _diff(shown: Chosen, aligned: pl.DataFrame, place: int) -> None:
    page = _page(aligned.height, f"diff-{shown.key}-{place}-{aligned.height}")
    rows = aligned.slice(page * PAGE, PAGE)
    fold = (
        pl.when(pl.col("change") == "folded")
        .then(pl.format("⋯ {} common events", "n"))
        .when(pl.col("change") == "left out")
        .then(pl.format("⋯ {} events in both or only in the normal", "n"))
    )
    view = rows.with_columns(
        pl.col("change").replace_strict(_SIGNS, return_dtype=pl.List(pl.String)),
        here_text=fold.otherwise("here_text").fill_null(""),
        normal_text=fold.otherwise("normal_text").fill_null(""),
        here_at=pl.col("here_line").cast(pl.String).fill_null(""),
        normal_at=pl.col("normal_line").cast(pl.String).fill_null(""),
    )
    row = tables.pick(view, _DIFF_COLUMNS, f"diff-{shown.key}-{place}-{aligned.height}-{page}")
    if row is not None:
        _both(view.row(row, named=True))
    downloads(aligned, f"diff_{shown.name}", key="diff", what="Comparison")


_DIFF_COLUMNS = {
    "change": st.column_config.MultiselectColumn(
        "", width=100, options=["only here", "only normal", "both", "⋯"], color=["orange", "blue", "gray", "gray"]
    ),
    "here_at": st.column_config.TextColumn("line", width=55),
    "here_text": st.column_config.TextColumn("here", width=345),
    "normal_at": st.column_config.TextColumn("line", width=55),
    "normal_text": st.column_config.TextColumn("nearest normal", width=345),
}


def _both(row: dict[str, Any]) -> None:
    for side, where in (("here", "Here"), ("normal", "In the normal")):
        if row[f"{side}_line"]:
            say(f"{where}, line {row[f'{side}_line']:,}")
            raw(row[f"{side}_text"])


def _in_full(sides: Sides, key: str) -> None:
    page = _page(max(side.height for side in sides), f"raw-{key}")
    for column, side, name in zip(st.columns(2), sides, ("here", "nearest normal"), strict=True):
        columns = {
            "line_no": st.column_config.NumberColumn("line", width=60, format="localized"),
            "m_timestamp": st.column_config.DatetimeColumn("time", width=95, format="HH:mm:ss.SSS"),
            "text": st.column_config.TextColumn(name, width=700),
        }
        with column:
            tables.show(side.slice(page * PAGE, PAGE), columns)


def _page(rows: int, key: str) -> int:
    """The chosen page, from 0; no pager if there is only one."""
    pages = -(-rows // PAGE)
    return st.pagination(pages, key=f"page-{key}") - 1 if pages > 1 else 0


def _frequencies(shown: Chosen, place: int) -> None:
    found = scores.ask(shown.scores, _more_or_less, shown.seq_id, place)
    with st.expander(f"{plural(found.height, 'message')} with different frequency"):
        view = found.with_columns(title=one_line(found["text"]))
        row = tables.pick(view, _FREQUENCY_COLUMNS, f"frequencies-{shown.key}-{place}", most=10)
        if row is not None:
            raw(found["text"][row])
        downloads(found, f"frequencies_{shown.name}", key="frequencies", what="Frequencies")


_FREQUENCY_COLUMNS = {
    "change": st.column_config.TextColumn("", width=105),
    "here": st.column_config.NumberColumn("here", width=60, format="localized"),
    "normal": st.column_config.NumberColumn("normal", width=60, format="localized"),
    "title": st.column_config.TextColumn("message", width=680),
}
