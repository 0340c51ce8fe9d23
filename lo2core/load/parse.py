"""Parses log files into events: several files are split into lines, folded into events and dated in one pass.

A line that begins with a time stamp starts an event; the lines after it (stack traces) belong to that event. Lines
before the first time stamp of a file are orphans. Whatever depends only on the text of a line is computed once per
distinct text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9][.,][0-9]{3}"
_FINER = "[0-9]{0,6}"
"""Digits after the milliseconds, which are ignored."""
_ZONE = "Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9]"
_STAMP = rf"^(?:{_DATE}[ T])?{_TIME}{_FINER}(?:[^0-9]|$)"
_LEVELS = "TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE"
_WHEN = rf"(?:(?P<date>{_DATE})[ T])?(?P<time>{_TIME}){_FINER}(?: ?(?P<zone>{_ZONE})\b)?"
_HEADERS = (
    # The format of LO2. It is unambiguous, so that the regex engine reads each character once.
    rf"^(?P<head>(?P<date>)(?P<time>{_TIME}){_FINER}(?P<zone>) "
    rf"\[(?P<thread>[^\]]*)\] (?P<sid>[^ ]*) (?P<cid>[^ ]*) )(?:{_LEVELS}) ",
    rf"^(?P<head>{_WHEN}(?: \[(?P<thread>[^\]]*)\])?(?: +(?P<sid>\S*))??(?: (?P<cid>\S*))?? +)(?:{_LEVELS}) ",
    rf"^(?P<head>{_WHEN}(?P<thread>)(?P<sid>)(?P<cid>) ?)",
)
"""Patterns from the strictest to the loosest; `head` is everything before `LEVEL logger method - text`."""

_LINE = r"^(?P<level>[A-Z]+) +(?P<logger>\S+)(?: (?P<method>\S+))? - (?P<text>.*)$"
_CLOCK = ((0, 2, 3_600_000), (3, 2, 60_000), (6, 2, 1_000), (9, 3, 1))
_DAY = 86_400_000
_UNDATED = datetime(1970, 1, 1)
_NEVER = 2**62


@dataclass(frozen=True)
class Parsed:
    """The parsed lines of some files. Column `file` is the index of the file in the input.

    events: one row per event: file, line_no, m_timestamp, thread, correlation_id, line, n_lines, n_bytes, trace (the
    continuation lines, or null), line_offsets (their distances from the first line; null without blank lines between)
    traces: one row per continuation line or orphan: file, event (row in events; null for an orphan), text
    tally: one row per file: file, lines, events, continuations, orphans, blank, skipped, dated (whether its lines
    contain dates)
    """

    events: pl.DataFrame
    traces: pl.DataFrame
    tally: pl.DataFrame


def decode(data: bytes) -> tuple[str, int]:
    """The text of a log file and the number of its bytes that are not UTF-8.

    Such bytes are read as Latin-1, and NUL bytes are replaced by a visible character, so that nothing is lost.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _clean(data.decode("utf-16", errors="replace")), 0
    try:
        return _clean(data.decode("utf-8-sig")), 0
    except UnicodeDecodeError:
        escaped = data.decode("utf-8-sig", errors="surrogateescape")
        text, invalid = re.subn("[\udc80-\udcff]", lambda byte: chr(ord(byte[0]) - 0xDC00), escaped)
        return _clean(text), invalid


def _clean(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "␀") if "\0" in text else text


def parse(
    texts: Sequence[str], epoch: datetime | None = None, skip_lines: int = 0, folders: Sequence[int] | None = None
) -> Parsed:
    """Events, continuation lines and a tally of the given files, which belong to one run.

    epoch: start of the run in UTC, which determines the day. Without it, days count from 1970-01-01, separately for
    each folder. folders: the number of the folder of each file; without it all files are in one folder. skip_lines:
    number of lines to skip at the start of each file.
    """
    lines = _lines(texts, skip_lines)
    traces = lines.filter(pl.col("what").is_in(["continuation", "orphan"])).select(
        "file",
        event=pl.when(pl.col("what") == "continuation").then(pl.col("event")),
        text=pl.col("text").str.strip_chars_end(),
        line_no="line_no",
        n_bytes=pl.col("text").str.len_bytes() + 1,
    )
    heads = _headers(lines.filter(pl.col("what") == "event"))
    dated = heads.filter(pl.col("date").is_not_null())["file"].unique()
    tally = _tally(lines, len(texts)).with_columns(dated=pl.col("file").is_in(dated.implode()))
    folder = pl.Series(folders or [0] * len(texts), dtype=pl.UInt32).gather(heads["file"])
    return Parsed(_folded(_dated(heads, epoch, folder), traces), traces.drop("line_no", "n_bytes"), tally)


def _lines(texts: Sequence[str], skip_lines: int) -> pl.DataFrame:
    """One row per line: file, line_no, text, what (its kind), event (row of the event that it belongs to)."""
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
        .when(pl.col("line_no") < pl.col("first").fill_null(_NEVER))
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
    what = pl.col("what")
    counted = lines.group_by("file").agg(
        lines=pl.len(),
        events=(what == "event").sum(),
        continuations=(what == "continuation").sum(),
        orphans=(what == "orphan").sum(),
        blank=(what == "blank").sum(),
        skipped=(what == "skipped").sum(),
    )
    files = pl.DataFrame({"file": range(n_files)}, schema={"file": pl.UInt32})
    tally = files.join(counted, on="file", how="left", maintain_order="left").fill_null(0)
    return tally.with_columns(pl.exclude("file").cast(pl.Int64))


def _headers(starts: pl.DataFrame) -> pl.DataFrame:
    """The header fields of event lines; `line` is `LEVEL logger method - text`, unchanged."""
    text = pl.col("text")
    fields = starts.with_columns(header=text.str.extract_groups(_HEADERS[0]))
    for pattern in _HEADERS[1:]:
        missed = pl.col("header").struct.field("head").is_null()
        if fields.select(missed.any()).item():
            fields = fields.with_columns(
                header=pl.when(missed).then(text.str.extract_groups(pattern)).otherwise("header")
            )
    return fields.unnest("header").select(
        "file",
        "line_no",
        "time",
        date=_filled("date"),
        zone=_filled("zone"),
        thread=_filled("thread"),
        correlation_id=pl.coalesce(_filled("cid"), _filled("sid")),
        line=text.str.strip_prefix(pl.col("head")),
        n_bytes=text.str.len_bytes() + 1,
    )


def _filled(name: str) -> pl.Expr:
    return pl.when(pl.col(name) != "").then(pl.col(name))


def split_line(lines: pl.Series) -> pl.DataFrame:
    """One row per distinct event line: line, level, logger, method, text. A line of another form is all text."""
    frame = lines.to_frame("line").with_columns(pl.col("line").str.extract_groups(_LINE).alias("parts")).unnest("parts")
    return frame.with_columns(pl.col("text").fill_null(pl.col("line")))


def _folded(events: pl.DataFrame, traces: pl.DataFrame) -> pl.DataFrame:
    """The events with n_lines, n_bytes, trace (the text of their continuation lines) and line_offsets."""
    owned = traces.drop_nulls("event")
    offset = (owned["line_no"] - events["line_no"].gather(owned["event"])).cast(pl.Int32)
    below = (
        owned.with_columns(offset=offset)
        .group_by("event", maintain_order=True)
        .agg(
            trace=pl.col("text").str.join("\n"),
            below=pl.len().cast(pl.Int32),
            bytes_below=pl.col("n_bytes").sum(),
            line_offsets=pl.when(pl.col("offset").last() > pl.len()).then(pl.col("offset").implode()),
        )
    )
    lines, size = 1 + pl.col("below").fill_null(0), pl.col("n_bytes") + pl.col("bytes_below").fill_null(0)
    joined = events.with_row_index("event").join(below, on="event", how="left", maintain_order="left")
    return joined.with_columns(n_lines=lines, n_bytes=size).drop("event", "below", "bytes_below")


def _dated(events: pl.DataFrame, epoch: datetime | None, folder: pl.Series) -> pl.DataFrame:
    """The events with m_timestamp in UTC, made from the time of day.

    The day is the one nearest to the start of the run, and increases when midnight is crossed within a file. If some
    lines of a file contain a date, it is used for the others, too. Times with a zone are converted to UTC.
    """
    of_day = sum(pl.col("time").str.slice(at, n).cast(pl.Int64) * ms for at, n, ms in _CLOCK) - _ahead()
    written = pl.format("{} {}", "date", pl.col("time").str.replace(",", ".", literal=True))
    written = written.str.to_datetime("%Y-%m-%d %H:%M:%S%.3f", time_unit="ms", strict=False)
    written = written - pl.duration(milliseconds=_ahead(), time_unit="ms")
    events = events.with_columns(folder.alias("folder"), of_day=of_day, written=written)
    jump = pl.col("of_day").diff().over("file").fill_null(0)
    crossed = (jump < -_DAY // 2).cast(pl.Int64) - (jump > _DAY // 2).cast(pl.Int64)
    start = pl.lit(_milliseconds(epoch)) if epoch else pl.col("of_day").first().over("folder")
    start = pl.coalesce(pl.col("written").drop_nulls().first().over("file").dt.epoch("ms"), start)
    nearest = ((start - pl.col("of_day").first().over("file")) / _DAY).round()
    day = nearest.cast(pl.Int64) + crossed.cum_sum().over("file")
    stamp = pl.from_epoch(pl.col("of_day") + day * _DAY, time_unit="ms")
    return events.with_columns(m_timestamp=pl.coalesce("written", stamp)).drop(
        "date", "time", "zone", "of_day", "folder", "written"
    )


def _ahead() -> pl.Expr:
    """The offset of the zone of a line (`Z`, `+02:00`, `+0200` or none) from UTC, in milliseconds."""
    digits = pl.col("zone").str.replace(":", "", literal=True)
    hours, minutes = (digits.str.slice(at, 2).cast(pl.Int64, strict=False) for at in (1, 3))
    sign = pl.when(digits.str.starts_with("-")).then(-1).otherwise(1)
    return (sign * (hours * 60 + minutes) * 60_000).fill_null(0)


def _milliseconds(moment: datetime) -> int:
    return int((moment - _UNDATED).total_seconds() * 1000)
