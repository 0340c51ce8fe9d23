"""From a score to raw lines: those that show it, one request through all services; `diffview` sets a normal beside."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.clock import time_of_day
from lo2core.base.text import are, plural
from lo2core.detect.logs import NO_EVENTS
from lo2core.explain.evidence import Evidence
from lo2core.explain.lines import explained_lines, in_stretches, odd_lines
from lo2core.explain.requests import foreign_requests, request_path
from lo2core.pipeline import summary
from lo2core.store.workspace import Workspace
from lo2core.ui.explain.choice import Chosen
from lo2core.ui.explain.diff import beside_normal
from lo2core.ui.explain.why import items_of, unit_of
from lo2core.ui.shell import scores, tables
from lo2core.ui.shell.widgets import downloads, notice, raw

MOST_LINES = 1_000
"""Lines that hold one item: so many are sent to the browser."""


def show_lines(shown: Chosen, feature: int | None) -> None:
    """Three views of the log of the chosen service; `feature` is an item that was picked among those of the score."""
    if not shown.scored:
        return
    if scores.evidence(shown.scores).here.events is None:
        notice(NO_EVENTS)
        return
    names = ["Lines", "Beside the nearest normal", "One request through all services"]
    marked, beside, request = st.tabs(names, on_change="rerun", key="lines-tabs")
    with marked:
        if marked.open:
            _lines(shown, feature)
    with beside:
        if beside.open:
            beside_normal(shown)
    with request:
        if request.open:
            _request(shown)


def raw_event(logs: Workspace, seq_id: str, line_no: int) -> None:
    """One event as it stands in its file, the stack trace below it, with file and line number."""
    event = summary.whole_event(logs, seq_id, line_no)
    st.text(f"{event['source']}, line {event['line_no']:,}")
    header = " ".join(str(part) for part in _header(event) if part)
    raw(f"{header} - {event['m_message']}")
    with st.expander("What stands around it"):
        near = summary.events_around(logs, seq_id, line_no)
        raw("\n".join(f"{'▸' if n == line_no else ' '} {n:>7}  {text}" for n, text in near.iter_rows()))


def _header(event: dict[str, Any]) -> list[Any]:
    moment = event["m_timestamp"]
    thread = f"[{event['thread']}]" if event["thread"] else None
    return [
        time_of_day(moment) if moment else None,
        thread,
        event["correlation_id"],
        event["level"],
        event["logger"],
        event["method"],
    ]


def _lines(shown: Chosen, feature: int | None) -> None:
    if feature is None:
        found = _telling_lines(shown)
        st.caption(
            "The lines that show these items, numbered by what they add, each among its neighbours in time order. "
            "A neighbour that holds an item of a numbered line bears the sign =. Select one to see it in full."
        )
    else:
        found = scores.ask(shown.scores, _holding, shown.seq_id, feature, items=_items(shown))
        st.caption(_count_of(found))
    if not found.height:
        notice("No raw line shows this: what made the score is missing here, or stands in no event.")
        return
    view = _line_view(found)
    row = tables.pick(view, _columns(shown, feature), f"lines-{shown.key}-{feature}")
    if row is not None and view["event_line"][row] is not None:
        raw_event(shown.scores.logs, shown.seq_id, view["event_line"][row])
    downloads(found, f"lines_{shown.name}", key="lines")


def _items(shown: Chosen) -> pl.DataFrame:
    return items_of(shown.scores, shown.seq_id)


def _telling_lines(shown: Chosen) -> pl.DataFrame:
    return scores.ask(shown.scores, _in_stretches, shown.seq_id, items=_items(shown))


def _in_stretches(evidence: Evidence, seq_id: str, items: pl.DataFrame) -> pl.DataFrame:
    """`explained_lines` of what made the score of a sequence, each with its neighbours around it, and its oddness.

    oddness: the largest contribution of its items; it says something where events are scored.
    """
    found = in_stretches(explained_lines(evidence, seq_id, items))
    numbered = found.drop_nulls("place").select("line_no", title="items").explode("title")
    odd = numbered.join(items, on="title").group_by("line_no").agg(oddness=pl.col("contribution").max())
    return found.join(odd, on="line_no", how="left", maintain_order="left")


def _holding(evidence: Evidence, seq_id: str, feature: int, items: pl.DataFrame) -> pl.DataFrame:
    """The lines that hold one item, numbered; `total` says how many there are."""
    found = odd_lines(evidence, seq_id, items.filter(pl.col("feature") == feature))
    held = found.unique("line_no", keep="first", maintain_order=True)
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return held.head(MOST_LINES).with_columns(place=place, total=pl.lit(held.height))


def _count_of(found: pl.DataFrame) -> str:
    if not found.height:
        return "The picked item."
    total = int(found["total"][0])
    first = f" The first {MOST_LINES:,} are shown." if total > found.height else ""
    return f"{plural(total, 'line')} with the picked item.{first} Select it no more to see all that made the score."


def _line_view(found: pl.DataFrame) -> pl.DataFrame:
    """As text, an empty cell where there is nothing to say; a row of dots between two stretches of the log."""
    same = pl.col("items").list.len() > 0 if "items" in found.columns else pl.lit(False)
    mark = pl.when(pl.col("place").is_null() & same).then(pl.lit("=")).otherwise(pl.col("place").cast(pl.String))
    view = found.with_columns(
        place=mark,
        number=pl.col("line_no").map_elements(lambda n: f"{n:,}", return_dtype=pl.String),
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
    """Of the lines of one item all have the same share: it stands among the items."""
    left_out = {"part", "odd"} if feature is not None else {"odd"} if unit_of(shown).measure.adds_up else {"part"}
    return {name: column for name, column in _LINE_COLUMNS.items() if name not in left_out}


_LINE_COLUMNS = {
    "place": st.column_config.TextColumn("", width=35),
    "number": st.column_config.TextColumn("line", width=65),
    "time": st.column_config.TextColumn("time", width=95),
    "part": st.column_config.TextColumn(
        "of the score", width=90, help="By its items; an item counts once, at the first numbered line that holds it."
    ),
    "odd": st.column_config.TextColumn("oddness", width=70, help="The z-score of the event"),
    "text": st.column_config.TextColumn("text", width=610),
}


def _request(shown: Chosen) -> None:
    kinds = scores.ask(shown.scores, foreign_requests, shown.seq_id)
    example = _foreign_kinds(shown, kinds)
    offered = _offered(kinds, _telling_lines(shown), example)
    if not offered:
        notice("No line that shows the score carries a correlation id.")
        return
    cid = st.selectbox("Correlation id", offered, key=f"cid-{shown.key}-{example}", accept_new_options=True)
    path = scores.ask(shown.scores, request_path, shown.seq_id, str(cid).strip())
    if not path.height:
        notice(f"No event of this incident carries the correlation id {cid}.")
        return
    services = " → ".join(path["service"].unique(maintain_order=True))
    st.text(f"{path.height:,} events in time order, through {services}")
    row = tables.pick(path, _PATH_COLUMNS, f"path-{shown.key}-{cid}")
    if row is not None:
        raw_event(shown.scores.logs, path["seq_id"][row], path["line_no"][row])
    downloads(path, f"request_{shown.name}", key="path")


def _foreign_kinds(shown: Chosen, kinds: pl.DataFrame) -> str | None:
    """Request kinds that no normal has; gives the example of the one picked, else of the first."""
    if not kinds.height:
        gone = scores.evidence(shown.scores).remark
        st.text("" if gone else "Every kind of request here is known from normals.")
        return None
    n, n_normals = int(kinds["n"].sum()), kinds["n_normals"][0]
    of = "a kind" if kinds.height == 1 else f"{kinds.height:,} kinds"
    st.text(f"{are(n, 'request')} of {of} that none of {n_normals} normals has. Select one to see it in full.")
    row = tables.pick(kinds, _KIND_COLUMNS, f"kinds-{shown.key}", most=5)
    if row is not None:
        raw(kinds["item"][row])
    downloads(kinds, f"requests_{shown.name}", key="kinds")
    example: str | None = kinds["example"][row or 0]
    return example


def _offered(kinds: pl.DataFrame, found: pl.DataFrame, first: str | None) -> list[str]:
    """Correlation ids to choose from: the one asked for, examples of foreign kinds, those of the lines shown."""
    shown = found.drop_nulls("place").sort("place")["correlation_id"].drop_nulls()
    ids = [first, *kinds["example"].drop_nulls(), *shown]
    return list(dict.fromkeys(one for one in ids if one))


_PATH_COLUMNS = {
    "m_timestamp": st.column_config.DatetimeColumn("time", width=95, format="HH:mm:ss.SSS"),
    "service": st.column_config.TextColumn("service", width=100),
    "line_no": st.column_config.NumberColumn("line", width=65, format="localized"),
    "text": st.column_config.TextColumn("event", width=640),
}
_KIND_COLUMNS = {
    "n": st.column_config.NumberColumn("requests", width=75, format="localized"),
    "title": st.column_config.TextColumn("kind, by its most telling message", width=830),
}
