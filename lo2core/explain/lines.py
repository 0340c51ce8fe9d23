"""From items to raw lines: the lines that best show what made a score, each with the lines around it."""

from __future__ import annotations

from typing import Any

import polars as pl

from lo2core.base.schemas import ExplainedLines
from lo2core.explain.evidence import Evidence
from lo2core.explain.raw_lines import raw_lines
from lo2core.explain.requests import all_windows, requests_of
from lo2core.messages.salience import STACK_FRAME, informative_messages, severity
from lo2core.messages.text import event_lines, trace

_LINES = ExplainedLines.create_empty().schema
SMALL_SHARE = 0.01
"""Items with a smaller share are shown only if there is nothing else to show."""


def explained_lines(
    evidence: Evidence, seq_id: str, items: pl.DataFrame, *, around: int = 2, limit: int = 10
) -> pl.DataFrame:
    """`schemas.ExplainedLines`: the raw lines that show items of a sequence, and `around` events on both sides.

    There is one line for each item that made the score, unless an earlier line shows it too, at most `limit`. All items
    that no normal of the service contains count as one item at first, so that errors among them come before items that
    are merely frequent. The lines are numbered by what they tell (`_telling`): errors and warnings that no normal
    contains first, then by share. Each event is shown once, by its most informative line.
    """
    events, _ = evidence.remember(_events, seq_id)
    hits = _hits(evidence, seq_id, items)
    places = _places(_chosen(hits, limit))
    if not places.height:
        return empty()
    return (
        _with_neighbours(events, hits, places, around)
        .with_columns(seq_id=pl.lit(seq_id), service=pl.lit(evidence.service_of(seq_id)))
        .select(_LINES.names())
    )


def empty() -> pl.DataFrame:
    """No lines, for logs whose events were not saved."""
    return pl.DataFrame(schema=_LINES)


def in_stretches(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines grouped into stretches of the log, numbered from 1 in `stretch`; that of the first line comes first.

    Lines whose surroundings touch form one stretch. The others, and the lines in each, have the order of the log.
    """
    ordered = lines.sort("event_line", "line_no")
    end = pl.col("event_line") + pl.col("trace").str.count_matches("\n").fill_null(-1) + 1
    apart = (pl.col("event_line") > end.cum_max().shift() + 1).fill_null(False)
    number = apart.cum_sum().cast(pl.Int64)
    has_first = (pl.col("near") == ordered["near"].min()).any().over(number)
    order = pl.when(has_first).then(-1).otherwise(number)
    return ordered.with_columns(stretch=order.rank("dense").cast(pl.Int64)).sort("stretch", maintain_order=True)


def odd_lines(evidence: Evidence, seq_id: str, items: pl.DataFrame) -> pl.DataFrame:
    """Every raw line that contains one of the items: line_no, event_line, m_timestamp, level, text, feature, title."""
    events, _ = evidence.remember(_events, seq_id)
    hits = _hits(evidence, seq_id, items)
    times = events.select(event_line="line_no", m_timestamp="m_timestamp")
    return hits.join(times, on="event_line", how="left", maintain_order="left")


def _events(evidence: Evidence, seq_id: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The events of a sequence and their `raw_lines`."""
    events = evidence.here.events_of(seq_id)
    return events, raw_lines(events, evidence.vec.masker)


def _hits(evidence: Evidence, seq_id: str, items: pl.DataFrame) -> pl.DataFrame:
    """Raw lines that contain items with a share: event_line, line_no, level, text, feature, share, held, title."""
    events, raw = evidence.remember(_events, seq_id)
    wanted = _worth_showing(items).select("feature", "share", "held", "title", "kind")
    carried = wanted.join(evidence.carriers, on="feature")
    columns = ("event_line", "line_no", "level", "text", "feature", "share", "held", "title")
    plain = raw.join(carried.filter(pl.col("kind") != "request"), on="message_id").select(columns)
    asked = wanted.filter(pl.col("kind") == "request")
    if not asked.height:
        return plain.sort("line_no", maintain_order=True)
    shown = _request_lines(evidence, seq_id, raw, events, asked).select(columns)
    return pl.concat([plain, shown]).sort("line_no", maintain_order=True)


def _worth_showing(items: pl.DataFrame) -> pl.DataFrame:
    """The items with a share; if there are none, the items that no normal contains, with equal shares.

    held: whether any normal of the service contains the item.
    """
    marked = items.with_columns(held=pl.col("held_by") > 0)
    if marked["share"].sum() > 0:
        return marked.filter(pl.col("share") > 0)
    return marked.filter(~pl.col("held"), pl.col("here") > 0).with_columns(share=pl.lit(1.0) / pl.len())


def _request_lines(
    evidence: Evidence, seq_id: str, raw: pl.DataFrame, events: pl.DataFrame, asked: pl.DataFrame
) -> pl.DataFrame:
    """Replace a request kind by its most informative message."""
    telling = informative_messages(
        asked.select("feature"), evidence.messages, evidence.normal_totals(evidence.service_of(seq_id))
    )
    kinds = requests_of(all_windows(evidence.here, seq_id), evidence.here.items.messages)
    owners = events.select("correlation_id", event_line="line_no").join(kinds, on="correlation_id")
    owned = raw.join(owners.select("event_line", "feature"), on="event_line")
    return owned.join(telling, on=["feature", "message_id"], how="semi").join(asked, on="feature")


def _chosen(hits: pl.DataFrame, limit: int) -> list[dict[str, Any]]:
    """The events to show, in order; at most `limit`."""
    candidates = _candidates(hits)
    shown: set[int] = set()
    chosen: list[dict[str, Any]] = []
    for share, wanted in _wanted(hits):
        fresh = [c for c in candidates if wanted & c["features"].keys()]
        small = share < SMALL_SHARE and chosen
        if len(chosen) == limit or small or wanted & shown or not fresh:
            continue
        best = max(_frequent(fresh, wanted), key=lambda c: _worth(c, shown, len(wanted) > 1))
        candidates.remove(best)
        shown |= best["features"].keys()
        chosen.append(best)
    return sorted(chosen, key=_telling, reverse=True)


def _telling(event: dict[str, Any]) -> int:
    """How much an event tells a person, before shares count: an error that no normal contains most, then a warning."""
    unseen = not event["lines"]["held"].all()
    return int(event["severity"]) + unseen if event["severity"] else 0


def _frequent(candidates: list[dict[str, Any]], wanted: set[int]) -> list[dict[str, Any]]:
    """Drop candidates with far smaller shares than the largest one: the lines of a first use occur once each."""
    largest = [max(share for feature, share in c["features"].items() if feature in wanted) for c in candidates]
    return [c for c, share in zip(candidates, largest, strict=True) if share >= max(largest) / 3]


def _wanted(hits: pl.DataFrame) -> list[tuple[float, set[int]]]:
    """What to show, largest share first: each item on its own, and any one of the items that no normal contains."""
    distinct = hits.unique("feature", keep="first", maintain_order=True)
    unseen = distinct.filter(~pl.col("held"))
    wanted: list[tuple[float, set[int]]] = []
    if unseen.height:
        wanted.append((float(unseen["share"].sum()), set(unseen["feature"])))
    wanted += [(share, {feature}) for feature, share in distinct.select("feature", "share").iter_rows()]
    return sorted(wanted, key=lambda pair: -pair[0])


def _candidates(hits: pl.DataFrame) -> list[dict[str, Any]]:
    """Events to choose from: the first of those with the same items. `features` maps items to shares."""
    events = (
        hits.unique(["event_line", "feature"], keep="first", maintain_order=True)
        .sort("event_line", "feature")
        .group_by("event_line", maintain_order=True)
        .agg(
            severity=severity(pl.col("level").first()).first(),
            features="feature",
            shares="share",
            titles="title",
        )
        .unique(["features", "severity"], keep="first", maintain_order=True)
    )
    rows = events.to_dicts()
    lines_of = hits.join(events, on="event_line", how="semi").partition_by("event_line", as_dict=True)
    for row in rows:
        row["features"] = dict(zip(row["features"], row.pop("shares"), strict=True))
        row["lines"] = lines_of[(row["event_line"],)]
    return rows


def _worth(candidate: dict[str, Any], shown: set[int], severe_first: bool) -> tuple[float, ...]:
    """What an event adds: for items that no normal contains, an error says more than a count."""
    new = round(sum(share for feature, share in candidate["features"].items() if feature not in shown), 6)
    order = (candidate["severity"], new) if severe_first else (new, candidate["severity"])
    return (*order, -candidate["event_line"])


def _places(chosen: list[dict[str, Any]]) -> pl.DataFrame:
    """place, event_line, line_no, text, share and items of the chosen events; an item counts for the first one only."""
    rows = []
    above: set[int] = set()
    for place, event in enumerate(chosen, start=1):
        telling = _telling_line(event["lines"])
        shown = {"place": place, "event_line": event["event_line"], "items": event["titles"]}
        added = sum(share for feature, share in event["features"].items() if feature not in above)
        above |= event["features"].keys()
        rows.append(shown | {"line_no": telling["line_no"], "text": telling["text"], "share": added})
    names = ("place", "event_line", "line_no", "text", "share", "items")
    return pl.DataFrame(rows, schema={name: _LINES[name] for name in names})


def _telling_line(lines: pl.DataFrame) -> dict[str, Any]:
    """The line of an event to show: the root cause of a trace, else no stack frame, in no normal, the first."""
    cause = pl.col("text").str.starts_with("Caused by:")
    return (
        lines.group_by("line_no", "text", maintain_order=True)
        .agg(pl.col("share").sum(), pl.col("held").all())
        .with_columns(frame=pl.col("text").str.contains(STACK_FRAME), cause=pl.when(cause).then("line_no").otherwise(0))
        .sort("frame", "cause", "held", "share", "line_no", descending=[False, True, False, True, False])
        .row(0, named=True)
    )


def _with_neighbours(events: pl.DataFrame, hits: pl.DataFrame, places: pl.DataFrame, around: int) -> pl.DataFrame:
    """The chosen lines and the first lines of the events around them, by place and line number.

    The items of a neighbour are those that it shares with any of the chosen lines.
    """
    order = events.select(event_line="line_no").with_row_index("at").with_columns(pl.col("at").cast(pl.Int64))
    near = (
        places.select("event_line", near="place")
        .join(order, on="event_line")
        .with_columns(at=pl.int_ranges(pl.col("at") - around, pl.col("at") + around + 1))
        .explode("at")
        .drop("event_line")
        .join(order, on="at")
        .with_columns(line_no="event_line")
        .join(places, on="line_no", how="anti")
        .sort("near")
        .unique("line_no", keep="first", maintain_order=True)
        .select("near", "event_line", "line_no")
    )
    shared = hits.select("event_line", items="title").unique().join(near, on="event_line")
    shared = shared.join(places.select(pl.col("items").explode()), on="items", how="semi")
    shared = shared.group_by("event_line").agg(pl.col("items").sort())
    near = near.join(shared, on="event_line", how="left")
    marked = places.with_columns(near="place")
    facts = events.select(
        "m_timestamp",
        "level",
        "correlation_id",
        "source",
        event_line="line_no",
        first=event_lines(events),
        trace=trace(),
    )
    both = pl.concat([marked, near], how="diagonal").join(facts, on="event_line", how="left")
    return both.with_columns(
        text=pl.coalesce("text", "first"),
        share=pl.col("share").fill_null(0.0),
        items=pl.col("items").fill_null([]),
    ).sort("near", "line_no")
