"""Search in the saved events: pages of lines, how many there are over time, and what was logged around a line.

A text or pattern is searched in the raw line, that is in `messages.raw_text.raw_text`: time stamp, thread, correlation
id, level, logger, method and message, and in each line of a stack trace. Masks play no part in it, so values behind a
mask are found like any other text.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lo2core.base.calls import checked_arguments
from lo2core.base.schemas import Events, Ledger, Messages, Sequences
from lo2core.enhance.enrich import templates_of
from lo2core.load.ledger import of_logs
from lo2core.messages.raw_text import raw_text
from lo2core.pipeline.line_filter import LineFilter, message_id
from lo2core.pipeline.search_rows import Rows, events_at, found_rows, pattern_of
from lo2core.store.workspace import Workspace

PAGE = 500
"""Lines of a page."""
BINS = 120
"""About how many bars a chart over time has."""
HIT_START, HIT_END = "\ue000", "\ue001"
"""Characters for private use, which are around hits in texts to be shown."""
_STEPS = (
    *(1, 10, 50, 100, 250, 500),
    *(1_000 * step for step in (1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400, 604_800)),
)
_SPANS = (timedelta(milliseconds=200), timedelta(seconds=2), timedelta(seconds=20), timedelta(minutes=5))


@checked_arguments
def find_lines(workspace: Workspace, wanted: LineFilter, skip: int = 0, limit: int = PAGE) -> pl.DataFrame:
    """`limit` of the events that pass the filter, without the first `skip`, in the order of the files.

    Columns of `schemas.Events`. Events are read only as far as needed. Raises ArtefactError if no events are saved, and
    InputError for a pattern that is not one.

    Examples:
        >>> from lo2core import LineFilter, Workspace, find_lines
        >>> workspace = Workspace("demo/result/sample")
        >>> found = find_lines(workspace, LineFilter("CLIENT_NOT_FOUND", services=("client",)), limit=3)
        >>> found["level"].to_list()
        ['ERROR', 'ERROR', 'ERROR']
    """
    numbers: list[NDArray[np.int64]] = []
    there = 0
    for rows in _rows(workspace, wanted):
        numbers.append(rows.numbers)
        there += len(numbers[-1])
        if there >= skip + limit:
            break
    chosen = np.concatenate(numbers)[skip : skip + limit] if numbers else np.zeros(0, np.int64)
    return events_at(workspace, chosen)


def count_lines(workspace: Workspace, wanted: LineFilter) -> int:
    """How many events pass the filter."""
    return sum(int(rows.mask.sum()) for rows in _rows(workspace, wanted))


def _rows(workspace: Workspace, wanted: LineFilter) -> Iterator[Rows]:
    is_lo2 = _is_lo2(workspace) if wanted.text or wanted.without else True
    return found_rows(workspace, wanted, _places(workspace, wanted), is_lo2)


def over_time(workspace: Workspace, wanted: LineFilter, by: str = "level", bins: int = BINS) -> pl.DataFrame:
    """How many events pass the filter over time: start, end, `by` (level or service), events.

    There are at most about `bins` intervals of equal length. Events without a time have null in `start` and `end`.
    """
    first, last = _span(workspace, wanted)
    step = next((step for step in _STEPS if (last - first) / step <= bins), _STEPS[-1])
    origin = first // step * step
    start = (pl.col("m_timestamp").dt.epoch("ms") - origin) // step
    events = workspace.scan(Events, columns=["m_timestamp", by])
    counted = [
        workspace.collect(events.slice(rows.start, len(rows.mask)))
        .filter(pl.Series(rows.mask))
        .group_by(by, bin=start)
        .agg(events=pl.len().cast(pl.Int64))
        for rows in _rows(workspace, wanted)
        if rows.mask.any()
    ]
    edge = [
        pl.from_epoch(pl.col("bin") * step + (origin + past), "ms").cast(pl.Datetime("ms")).alias(name)
        for name, past in (("start", 0), ("end", step))
    ]
    empty = pl.DataFrame(schema={by: pl.String, "bin": pl.Int64, "events": pl.Int64})
    binned = pl.concat([empty, *counted]).group_by(by, "bin").agg(pl.col("events").sum())
    return binned.sort("bin", by, nulls_last=True).select(*edge, by, "events")


def around(workspace: Workspace, seq_id: str, line_no: int, k: int = 20) -> pl.DataFrame:
    """An event and the `k` events before and after it, by time over all services of its test case.

    Columns of `schemas.Events`; empty if there is no such event. Without times, the lines of its own file.
    """
    events = workspace.scan(Events)
    own = workspace.collect(events.filter(pl.col("seq_id") == seq_id, pl.col("line_no") == line_no))
    if not own.height:
        return own
    place = own.row(0, named=True)
    moment = place["m_timestamp"]
    if moment is None:
        near = workspace.collect(events.filter(pl.col("seq_id") == seq_id)).sort("line_no")
        return _window(near, place, k)
    case = events.filter(pl.col("run") == place["run"], pl.col("folder") == place["folder"])
    for span in _SPANS:
        near = workspace.collect(case.filter(pl.col("m_timestamp").is_between(moment - span, moment + span)))
        before = int((near["m_timestamp"] < moment).sum())
        if min(before, near.height - before) > k:
            break
    return _window(near.sort("m_timestamp", "service", "seq_id", "line_no"), place, k)


def _window(near: pl.DataFrame, place: dict[str, Any], k: int) -> pl.DataFrame:
    same = (near["seq_id"] == place["seq_id"]) & (near["line_no"] == place["line_no"])
    at = int(same.arg_max() or 0)
    return near.slice(max(0, at - k), min(at, k) + k + 1)


def values(workspace: Workspace) -> dict[str, list[str]]:
    """The values to filter by: run, folder, service, level and logger, each sorted."""
    sequences = workspace.read(Sequences, columns=["run", "folder", "service"])
    columns = ("level", "logger")
    found = workspace.collect(workspace.scan(Events, columns=columns).select(pl.all().unique().implode()))
    here = {name: sequences[name].unique().sort().to_list() for name in sequences.columns}
    return here | {name: found[name].explode().drop_nulls().sort().to_list() for name in columns}


def raw_lines(workspace: Workspace, events: pl.DataFrame) -> pl.Series:
    """The raw text of events, with their stack traces."""
    return events.select(raw_text(_is_lo2(workspace))).to_series().rename("raw")


def whole_event(workspace: Workspace, seq_id: str, line_no: int) -> dict[str, object]:
    """One event with all its columns, its text in full with the stack trace; empty if there is no such event."""
    found = workspace.collect(workspace.scan(Events).filter(pl.col("seq_id") == seq_id, pl.col("line_no") == line_no))
    return found.row(0, named=True) if found.height else {}


def folded(events: pl.DataFrame, wanted: LineFilter) -> pl.DataFrame:
    """The events with the first line of their message only, and how many lines are below it.

    The first of these that contains the text is shown, too.
    """
    first = pl.col("m_message").str.splitn("\n", 2).struct.field("field_0")
    below = pl.lit("")
    if pattern := hits(wanted):
        line = (
            pl.col("m_message")
            .str.split("\n")
            .list.slice(1)
            .list.eval(pl.element().filter(pl.element().str.contains(pattern)).str.strip_chars())
        )
        below = pl.format(": {}", line.list.first()).fill_null("")
    more = pl.format("{}   [+{} lines{}]", first, pl.col("n_lines") - 1, below)
    return events.with_columns(m_message=pl.when(pl.col("n_lines") > 1).then(more).otherwise(first))


def hits(wanted: LineFilter) -> str:
    """The pattern of what is searched for, to show where it is; empty without a text."""
    return pattern_of(wanted.text, wanted) if wanted.text else ""


def with_hits(events: pl.DataFrame, raw: pl.Series, wanted: LineFilter) -> pl.DataFrame:
    """The events with columns message (folded) and raw, in both of which hits are between `HIT_START` and `HIT_END`."""
    shown = folded(events, wanted).select(message="m_message", raw=raw)
    shown = shown.with_columns(pl.all().str.replace_all(f"[{HIT_START}{HIT_END}]", "\ufffd"))
    if pattern := hits(wanted):
        shown = shown.with_columns(pl.all().str.replace_all(pattern, f"{HIT_START}${{0}}{HIT_END}"))
    return events.hstack(shown)


def _places(workspace: Workspace, wanted: LineFilter) -> list[pl.Expr]:
    """What statistics of the file help with: where and when."""
    found = [
        _one_of(name, values)
        for name, values in (
            ("run", wanted.runs),
            ("service", wanted.services),
            ("level", wanted.levels),
            ("logger", wanted.loggers),
            ("method", wanted.methods),
            ("thread", wanted.threads),
            ("correlation_id", wanted.correlation_ids),
        )
        if values
    ]
    if wanted.test_cases:
        found.append(_one_of("folder", wanted.test_cases) | _one_of("test_case", wanted.test_cases))
    if wanted.templates:
        found.append(pl.col("message_id").is_in(_message_ids(workspace, wanted.templates)))
    for column, value in wanted.excluded:
        same = (
            pl.col(column).is_in(_message_ids(workspace, (value,)))
            if column == "message_id"
            else pl.col(column) == value
        )
        found.append(~same.fill_null(False))
    return found + ([wanted.period.contains(pl.col("m_timestamp"))] if wanted.period else [])


def _one_of(column: str, wanted: tuple[str, ...]) -> pl.Expr:
    return pl.col(column) == wanted[0] if len(wanted) == 1 else pl.col(column).is_in(list(wanted))


def _message_ids(workspace: Workspace, templates: tuple[str, ...]) -> list[int]:
    """The ids of the messages of templates; an id may also be that of a message."""
    asked = {one for one in map(message_id, templates) if one is not None}
    messages = workspace.read(Messages, columns=["message_id", "kind", "text"]).filter(pl.col("kind") == "message")
    found = asked & set(messages["message_id"])
    if found == asked:
        return sorted(found)
    known = templates_of(messages["text"]).filter(pl.col("e_event_drain_id").is_in(list(asked)))
    return sorted(found | set(known["message_id"]))


def _is_lo2(workspace: Workspace) -> pl.Expr | bool:
    """Which events are lines in LO2's form: those of files that were read as such."""
    if not workspace.has(Ledger):
        return False
    files = of_logs(workspace.read(Ledger)).filter(pl.col("events") > 0).select("source", "format")
    lo2 = files["format"].fill_null("lo2").str.contains(r"(^|> )lo2$")
    if lo2.all() or not lo2.any():
        return bool(lo2.all())
    return pl.col("source").is_in(files["source"].filter(lo2).to_list())


def _span(workspace: Workspace, wanted: LineFilter) -> tuple[int, int]:
    """The first and the last time that a found event can have, in milliseconds since 1970."""
    sequences = workspace.read(Sequences).filter(
        *(_one_of(name, values) for name, values in (("run", wanted.runs), ("service", wanted.services)) if values)
    )
    if wanted.test_cases:
        sequences = sequences.filter(_one_of("folder", wanted.test_cases) | _one_of("test_case", wanted.test_cases))
    first, last = sequences.select(
        pl.col("start_time").dt.epoch("ms").min(), pl.col("end_time").dt.epoch("ms").max()
    ).row(0)
    if first is None or last is None:
        return 0, 0
    return wanted.period.within(first, last) if wanted.period else (first, last)
