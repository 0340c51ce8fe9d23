"""From the bytes of log files to events: text is split, folded and dated in one pass over a test case folder.

A line that begins with a time stamp starts an event; the lines below it (stack traces) are folded into it. Lines before
the first time stamp of a file are orphans. Everything that depends only on a line's text is done once per distinct text.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

_STAMP = r"^(?:\d{4}-\d\d-\d\d[ T])?\d\d:\d\d:\d\d[.,]\d{3}\b"
_LEVELS = "TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE"
_HEADER = (
    r"^(?:(?P<date>\d{4}-\d\d-\d\d)[ T])?(?P<time>\d\d:\d\d:\d\d[.,]\d{3})"
    rf"(?: \[(?P<thread>[^\]]*)\])?(?: +(?P<sid>\S*))??(?: (?P<cid>\S*))?? +(?P<line>(?:{_LEVELS}) .*)$"
)
_PLAIN_HEADER = r"^(?:(?P<date>\d{4}-\d\d-\d\d)[ T])?(?P<time>\d\d:\d\d:\d\d[.,]\d{3})(?P<thread>)(?P<sid>)(?P<cid>) ?(?P<line>.*)$"
_LINE = r"^(?P<level>[A-Z]+) +(?P<logger>\S+)(?: (?P<method>\S+))? - (?P<text>.*)$"
_DAY = 86_400_000
_UNDATED = datetime(1970, 1, 1)


@dataclass(frozen=True)
class Parsed:
    """The lines of some files. Column `file` is the index of the file in the input.

    events: file, line_no, m_timestamp, thread, correlation_id, line, n_lines, n_bytes, trace (lines below; may be null)
    traces: file, event (row of events; null for an orphan), text: one row a continuation line
    tally: file, lines, events, continuations, orphans, blank, skipped
    """

    events: pl.DataFrame
    traces: pl.DataFrame
    tally: pl.DataFrame


def decode(data: bytes) -> tuple[str, int]:
    """Text of a log file and the number of its bytes that were not UTF-8.

    Foreign bytes are read as Latin-1 and NUL bytes become a visible sign, so that nothing is lost or hidden.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _clean(data.decode("utf-16", errors="replace")), 0
    try:
        return _clean(data.decode("utf-8-sig")), 0
    except UnicodeDecodeError:
        foreign = _Foreign()
        return _clean(foreign.decode(data)), foreign.count


class _Foreign:
    """Decodes UTF-8 with every byte that does not fit read as Latin-1, and counts those."""

    def __init__(self) -> None:
        self.count = 0

    def decode(self, data: bytes) -> str:
        text = data.decode("utf-8-sig", errors="surrogateescape")
        escaped = {code: code - 0xDC00 for code in range(0xDC80, 0xDD00)}
        self.count = sum(0xDC80 <= ord(char) < 0xDD00 for char in text)
        return text.translate(escaped)


def _clean(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "␀") if "\0" in text else text


def parse(texts: Sequence[str], epoch: datetime | None = None, skip_lines: int = 0) -> Parsed:
    """Events, continuation lines and a tally of the given files, which belong to one test case folder.

    `epoch` is the start of the run (UTC): it gives the day. Without it days begin at 1970-01-01.
    `skip_lines` leaves out that many lines at the head of each file; they are counted as skipped.
    """
    lines = _lines(texts, skip_lines)
    tally = _tally(lines, len(texts))
    lines = lines.filter(pl.col("what") != "skipped")
    starts = lines.filter(pl.col("what") == "event")
    traces = lines.filter(pl.col("what").is_in(["continuation", "orphan"])).select(
        "file",
        event=pl.when(pl.col("what") == "continuation").then(pl.col("event")),
        text=pl.col("text").str.strip_chars_end(),
    )
    folded = (
        traces.drop_nulls("event")
        .group_by("event", maintain_order=True)
        .agg(
            trace=pl.col("text").str.join("\n"),
            below=pl.len().cast(pl.Int32),
            trace_bytes=(pl.col("text").str.len_bytes() + 1).sum(),
        )
    )
    events = (
        _headers(starts)
        .with_row_index("event")
        .join(folded, on="event", how="left", maintain_order="left")
        .with_columns(
            n_lines=1 + pl.col("below").fill_null(0), n_bytes=pl.col("n_bytes") + pl.col("trace_bytes").fill_null(0)
        )
        .drop("below", "trace_bytes", "event")
    )
    return Parsed(_dated(events, epoch), traces, tally)


def _lines(texts: Sequence[str], skip_lines: int) -> pl.DataFrame:
    """One row a line: file, line_no, text, what it is, and the row of the event that it starts or belongs to."""
    frame = pl.DataFrame(
        {"file": range(len(texts)), "text": [text.removesuffix("\n") for text in texts]},
        schema={"file": pl.UInt32, "text": pl.String},
    ).filter(pl.Series([bool(text) for text in texts], dtype=pl.Boolean))
    lines = (
        frame.with_columns(pl.col("text").str.split("\n"))
        .with_columns(line_no=pl.int_ranges(1, pl.col("text").list.len() + 1))
        .explode("text", "line_no")
        .with_columns(starts=pl.col("text").str.contains(_STAMP) & (pl.col("line_no") > skip_lines))
        .with_columns(event=pl.col("starts").cast(pl.Int64).cum_sum() - 1)
    )
    first = lines.filter("starts").group_by("file").agg(first=pl.col("line_no").min())
    what = (
        pl.when(pl.col("line_no") <= skip_lines)
        .then(pl.lit("skipped"))
        .when("starts")
        .then(pl.lit("event"))
        .when(pl.col("text").str.contains(r"^\s*$"))
        .then(pl.lit("blank"))
        .when(pl.col("line_no") < pl.col("first").fill_null(2**62))
        .then(pl.lit("orphan"))
        .otherwise(pl.lit("continuation"))
    )
    return (
        lines.join(first, on="file", how="left", maintain_order="left")
        .with_columns(what=what.cast(pl.Enum(["event", "continuation", "orphan", "blank", "skipped"])))
        .with_columns(pl.col("event").cast(pl.UInt32, strict=False))
        .drop("starts", "first")
    )


def _tally(lines: pl.DataFrame, n_files: int) -> pl.DataFrame:
    kinds = {"events": "event", "continuations": "continuation", "orphans": "orphan", "blank": "blank"}
    counted = lines.group_by("file").agg(
        lines=pl.len(), skipped=(pl.col("what") == "skipped").sum(), **{k: (pl.col("what") == v).sum() for k, v in kinds.items()}
    )
    files = pl.DataFrame({"file": range(n_files)}, schema={"file": pl.UInt32})
    tally = files.join(counted, on="file", how="left", maintain_order="left").fill_null(0)
    return tally.with_columns(pl.exclude("file").cast(pl.Int64))


def _headers(starts: pl.DataFrame) -> pl.DataFrame:
    """Header fields of event lines, `line` being `LEVEL logger method - text` as it stands."""
    fields = pl.col("text").str.extract_groups(_HEADER)
    plain = pl.col("text").str.extract_groups(_PLAIN_HEADER)
    found = starts.select("file", "line_no", "text", n_bytes=pl.col("text").str.len_bytes() + 1, header=fields)
    if found["header"].struct.field("line").has_nulls():
        misses = pl.col("header").struct.field("line").is_null()
        found = found.with_columns(header=pl.when(misses).then(plain).otherwise(pl.col("header")))
    cid = pl.coalesce(_filled("cid"), _filled("sid"))
    return found.drop("text").unnest("header").select(
        "file", "line_no", "n_bytes", "date", "time", "line", thread=_filled("thread"), correlation_id=cid
    )


def _filled(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name))


def split_line(lines: pl.Series) -> pl.DataFrame:
    """Columns line, level, logger, method, text of distinct event lines; without the usual form all is text."""
    frame = lines.to_frame("line").with_columns(pl.col("line").str.extract_groups(_LINE).alias("parts")).unnest("parts")
    return frame.with_columns(pl.col("text").fill_null(pl.col("line")))


def _dated(events: pl.DataFrame, epoch: datetime | None) -> pl.DataFrame:
    """m_timestamp from the time of day: the day nearest to the run's start, midnight crossed within a file."""
    clock = pl.col("time")
    of_day = sum(clock.str.slice(at, n).cast(pl.Int64) * ms for at, n, ms in _CLOCK)
    jump = pl.col("of_day").diff().over("file").fill_null(0)
    crossed = (jump < -_DAY // 2).cast(pl.Int64) - (jump > _DAY // 2).cast(pl.Int64)
    events = events.with_columns(of_day=of_day)
    start = _milliseconds(epoch) if epoch else int(events["of_day"][0] or 0) if events.height else 0
    nearest = ((start - pl.col("of_day").first().over("file")) / _DAY).round()
    day = nearest.cast(pl.Int64) + crossed.cum_sum().over("file")
    stamp = pl.from_epoch(pl.col("of_day") + day * _DAY, time_unit="ms")
    written = (pl.col("date") + " " + clock).str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", time_unit="ms", strict=False)
    return events.with_columns(m_timestamp=pl.coalesce(written, stamp)).drop("date", "time", "of_day")


_CLOCK = ((0, 2, 3_600_000), (3, 2, 60_000), (6, 2, 1_000), (9, 3, 1))


def _milliseconds(moment: datetime) -> int:
    return int((moment - _UNDATED).total_seconds() * 1000)
