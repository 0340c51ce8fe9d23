"""From a score to raw lines: those that show it, beside the nearest normal, one request through all services."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from lo2core import answers, diff, explain, lines, summary
from lo2core.explain import Evidence
from lo2core.ui import scores
from lo2core.ui.explaining import Chosen
from lo2core.ui.widgets import downloads, notice, raw

MOST_LINES = 1_000
"""Lines that hold one item: so many are sent to the browser."""
PAGE = 400
"""Rows of a diff or of a raw log on one page."""
_NO_EVENTS = "These logs were loaded with --no-save-events: there are counts, but no lines to show."


def show_lines(shown: Chosen, feature: int | None) -> None:
    """Three views of the log of the chosen service; `feature` is an item that was picked among those of the score."""
    if not shown.scored:
        return
    if scores.evidence(shown.scores).here.events is None:
        notice(_NO_EVENTS)
        return
    names = ["Lines", "Beside the nearest normal", "One request through all services"]
    views = st.tabs(names, on_change="rerun", key="lines-tabs")
    for tab, view in zip(views, (_lines, _beside_normal, _request), strict=True):
        if tab.open:
            with tab:
                view(shown, feature)


def raw_event(shown: Chosen, seq_id: str, line_no: int) -> None:
    """One event as it stands in its file, the stack trace below it, with file and line number."""
    event = summary.whole_event(shown.scores.logs, seq_id, line_no)
    st.text(f"{event['source']}, line {event['line_no']:,}")
    header = " ".join(str(part) for part in _header(event) if part)
    raw(f"{header} - {event['m_message']}", height=320 if int(str(event["n_lines"])) > 15 else None)


def _header(event: dict[str, Any]) -> list[Any]:
    moment = event["m_timestamp"]
    clock = f"{moment:%H:%M:%S.%f}"[:-3] if moment else None
    thread = f"[{event['thread']}]" if event["thread"] else None
    return [clock, thread, event["correlation_id"], event["level"], event["logger"], event["method"]]


def _lines(shown: Chosen, feature: int | None) -> None:
    if feature is None:
        found = scores.ask(shown.scores, _telling, shown.seq_id)
        st.caption("The lines that show the items above, numbered, with their neighbours. Select one to see it in full.")
    else:
        found = scores.ask(shown.scores, _holding, shown.seq_id, feature)
        st.caption(_count_of(found))
    if not found.height:
        notice("No raw line shows this: the items that made the score are missing here, or stand in no event.")
        return
    key = f"lines-{shown.key}-{feature}"
    event = st.dataframe(
        _line_view(found),
        column_config=_LINE_COLUMNS,
        hide_index=True,
        height=min(36 + 28 * found.height, 460),
        row_height=28,
        key=key,
        on_select="rerun",
        selection_mode="single-row",
    )
    for row in event["selection"]["rows"]:
        raw_event(shown, shown.seq_id, found["event_line"][row])
    downloads(found, f"lines_{shown.incident.file_name}_{shown.service['service']}", key="lines")


def _telling(evidence: Evidence, seq_id: str) -> pl.DataFrame:
    found = lines.lines(evidence, seq_id, explain.items(evidence, seq_id))
    return found.sort("near", "line_no")


def _holding(evidence: Evidence, seq_id: str, feature: int) -> pl.DataFrame:
    """The lines that hold one item, each marked."""
    items = explain.items(evidence, seq_id).filter(pl.col("feature") == feature)
    held = lines.odd_lines(evidence, seq_id, items).unique("line_no", keep="first", maintain_order=True)
    place = pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    return held.head(MOST_LINES).with_columns(place=place, total=pl.lit(held.height))


def _count_of(found: pl.DataFrame) -> str:
    if not found.height:
        return "The picked item."
    total = int(found["total"][0])
    first = f" The first {MOST_LINES:,} are shown." if total > found.height else ""
    return f"{total:,} lines hold the picked item. Take the selection back to see all that made the score.{first}"


def _line_view(found: pl.DataFrame) -> pl.DataFrame:
    number = pl.col("place").cast(pl.String).fill_null("")
    return found.select(number.alias("place"), "line_no", "m_timestamp", pl.col("share").replace(0.0, None), "text")


_LINE_COLUMNS = {
    "place": st.column_config.TextColumn("", width=35),
    "line_no": st.column_config.NumberColumn("line", width=65, format="localized"),
    "m_timestamp": st.column_config.DatetimeColumn("time", width=95, format="HH:mm:ss.SSS"),
    "share": st.column_config.ProgressColumn("of score", width=90, format="percent", min_value=0, max_value=1),
    "text": st.column_config.TextColumn("line", width=None),
}


def _beside_normal(shown: Chosen, feature: int | None) -> None:
    nearest = scores.ask(shown.scores, explain.nearest_normals, shown.seq_id)
    if not nearest.height:
        notice("The bundle holds no other normal of this service to set beside it.")
        return
    names = {row["place"]: _normal_name(row) for row in nearest.iter_rows(named=True)}
    place = st.selectbox("Nearest normal", list(names), format_func=names.get, key=f"normal-{shown.key}")
    sides = scores.ask(shown.scores, answers.diff_sides, shown.seq_id, place)
    if sides is None:
        notice("The log of that normal is not there any more: the workspace that the model was trained on was moved or loaded anew.")
        return
    aligned = scores.ask(shown.scores, _aligned, shown.seq_id, place)
    st.text(_diff_sentence(aligned, sides))
    both = st.toggle("Both sides in full", key="diff-raw")
    _raw_sides(sides, shown.key) if both else _diff_table(shown, aligned, place)
    summed = scores.ask(shown.scores, _frequencies, shown.seq_id, place)
    with st.expander(f"{summed.height:,} messages are more or less frequent than there"):
        st.dataframe(summed.drop("message_id"), hide_index=True, row_height=28, height=min(36 + 28 * summed.height, 320))
        downloads(summed, f"frequencies_{shown.incident.file_name}_{shown.service['service']}", key="frequencies")


def _normal_name(row: dict[str, Any]) -> str:
    where = "  ·  ".join(str(part) for part in (row["folder"], row["run"]) if part) or row["normal"]
    return f"{row['place']}  ·  {where}  ·  distance {row['distance']:.1f}"


def _aligned(evidence: Evidence, seq_id: str, place: int) -> pl.DataFrame:
    """The two logs line by line, common stretches folded."""
    sides = answers.diff_sides(evidence, seq_id, place)
    assert sides is not None
    here, normal = sides
    stretches = diff.aligned_diff(here["message_id"], normal["message_id"])
    return diff.unfolded(stretches, here, normal, context=1)


def _frequencies(evidence: Evidence, seq_id: str, place: int) -> pl.DataFrame:
    sides = answers.diff_sides(evidence, seq_id, place)
    assert sides is not None
    texts = pl.concat([evidence.here.items.messages, evidence.training.items.messages]).unique("message_id")
    return diff.summary(sides[0]["message_id"], sides[1]["message_id"], texts)


def _diff_sentence(aligned: pl.DataFrame, sides: tuple[pl.DataFrame, pl.DataFrame]) -> str:
    n = {change: int(aligned.filter(pl.col("change") == change)["n"].sum()) for change in ("extra", "missing")}
    return (
        f"{sides[0].height:,} events here, {sides[1].height:,} in the normal: {n['extra']:,} are here alone, "
        f"{n['missing']:,} in the normal alone; what both have in the same order is folded."
    )


def _diff_table(shown: Chosen, aligned: pl.DataFrame, place: int) -> None:
    page = _page(aligned.height, f"diff-{shown.key}-{place}")
    rows = aligned.slice(page * PAGE, PAGE)
    folded = pl.col("change") == "folded"
    fold = pl.format("⋯ {} events alike", "n")
    event = st.dataframe(
        rows.select(
            pl.col("change").replace_strict(_SIGNS).alias("change"),
            "here_line",
            pl.when(folded).then(fold).otherwise("here_text").alias("here_text"),
            "normal_line",
            pl.when(folded).then(fold).otherwise("normal_text").alias("normal_text"),
        ),
        column_config=_DIFF_COLUMNS,
        hide_index=True,
        height=min(36 + 26 * rows.height, 480),
        row_height=26,
        key=f"diff-{shown.key}-{place}-{page}",
        on_select="rerun",
        selection_mode="single-row",
    )
    for row in event["selection"]["rows"]:
        _both_events(rows.row(row, named=True))
    downloads(aligned, f"diff_{shown.incident.file_name}_{shown.service['service']}", key="diff")


_SIGNS = {"extra": ["only here"], "missing": ["only normal"], "common": ["both"], "folded": ["⋯"]}
_DIFF_COLUMNS = {
    "change": st.column_config.MultiselectColumn(
        "", width=95, options=["only here", "only normal", "both", "⋯"], color=["orange", "blue", "gray", "gray"]
    ),
    "here_line": st.column_config.NumberColumn("line", width=60, format="localized"),
    "here_text": st.column_config.TextColumn("here", width=360),
    "normal_line": st.column_config.NumberColumn("line", width=60, format="localized"),
    "normal_text": st.column_config.TextColumn("nearest normal", width=360),
}


def _both_events(row: dict[str, Any]) -> None:
    for side, where in (("here", "Here"), ("normal", "In the normal")):
        if row[f"{side}_text"]:
            st.text(f"{where}, line {row[f'{side}_line']:,}")
            raw(row[f"{side}_text"])


def _raw_sides(sides: tuple[pl.DataFrame, pl.DataFrame], key: str) -> None:
    page = _page(max(side.height for side in sides), f"raw-{key}")
    for column, side, name in zip(st.columns(2), sides, ("here", "nearest normal"), strict=True):
        columns = {
            "line_no": st.column_config.NumberColumn("line", width=60, format="localized"),
            "m_timestamp": st.column_config.DatetimeColumn("time", width=95, format="HH:mm:ss.SSS"),
            "text": st.column_config.TextColumn(name, width=None),
        }
        rows = side.slice(page * PAGE, PAGE).select("line_no", "m_timestamp", "text")
        column.dataframe(rows, column_config=columns, hide_index=True, height=480, row_height=26)


def _page(height: int, key: str) -> int:
    """The page chosen, from 0; no pager where there is one page."""
    pages = -(-height // PAGE)
    return st.pagination(pages, key=f"page-{key}") - 1 if pages > 1 else 0


def _request(shown: Chosen, feature: int | None) -> None:
    kinds = scores.ask(shown.scores, lines.requests, shown.seq_id)
    example = _foreign_kinds(shown, kinds)
    offered = _offered(kinds, scores.ask(shown.scores, _telling, shown.seq_id), example)
    if not offered:
        notice("No line that shows the score carries a correlation id.")
        return
    cid = st.selectbox("Correlation id", offered, key=f"cid-{shown.key}-{example}", accept_new_options=True)
    path = scores.ask(shown.scores, lines.request_path, shown.seq_id, str(cid).strip())
    if not path.height:
        notice(f"No event of this incident carries the correlation id {cid}.")
        return
    services = " → ".join(path["service"].unique(maintain_order=True))
    st.text(f"{path.height:,} events in time order: {services}")
    columns = {
        "m_timestamp": st.column_config.DatetimeColumn("time", width=95, format="HH:mm:ss.SSS"),
        "service": st.column_config.TextColumn("service", width=100),
        "line_no": st.column_config.NumberColumn("line", width=65, format="localized"),
        "text": st.column_config.TextColumn("event", width=None),
    }
    event = st.dataframe(
        path.select(list(columns)),
        column_config=columns,
        hide_index=True,
        height=min(36 + 28 * path.height, 420),
        row_height=28,
        key=f"path-{shown.key}-{cid}",
        on_select="rerun",
        selection_mode="single-row",
    )
    for row in event["selection"]["rows"]:
        raw_event(shown, path["seq_id"][row], path["line_no"][row])
    downloads(path, f"request_{shown.incident.file_name}", key="path")


def _foreign_kinds(shown: Chosen, kinds: pl.DataFrame) -> str | None:
    """Request kinds that no normal has; gives the example of the one picked, else of the first."""
    if not kinds.height:
        st.text("Every kind of request here is known from normals.")
        return None
    n_normals = kinds["n_normals"][0]
    st.text(f"{int(kinds['n'].sum()):,} requests are of {kinds.height} kinds that none of {n_normals} normals has:")
    columns = {
        "n": st.column_config.NumberColumn("requests", width=75, format="localized"),
        "title": st.column_config.TextColumn("kind, by its most telling message", width=None),
    }
    event = st.dataframe(
        kinds.select(list(columns)),
        column_config=columns,
        hide_index=True,
        height=min(36 + 28 * kinds.height, 176),
        row_height=28,
        key=f"kinds-{shown.key}",
        on_select="rerun",
        selection_mode="single-row",
    )
    rows = event["selection"]["rows"]
    if rows:
        raw(kinds["item"][rows[0]])
    downloads(kinds, f"requests_{shown.incident.file_name}_{shown.service['service']}", key="kinds")
    example: str | None = kinds["example"][rows[0] if rows else 0]
    return example


def _offered(kinds: pl.DataFrame, found: pl.DataFrame, first: str | None) -> list[str]:
    """Correlation ids to choose from: the one asked for, examples of foreign kinds, those of the lines shown."""
    shown = found.drop_nulls("place").sort("place")["correlation_id"].drop_nulls()
    ids = [first, *kinds["example"].drop_nulls(), *shown]
    return list(dict.fromkeys(one for one in ids if one))
