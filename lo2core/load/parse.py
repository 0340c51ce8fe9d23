"""Parses log files into events: several files are split into lines, folded into events and dated in one pass.

The format of each file is recognised by a sample of its lines (`lo2core.load.formats`). A line of a known format, or
one that begins with the time stamp of the file's own format, starts an event; the lines after it (stack traces) belong
to that event. Lines before the first event of a file are orphans. Whatever depends only on the text of a line is
computed once per distinct text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from lo2core.load.dating import assumptions, dated
from lo2core.load.formats.catalogue import FORMATS
from lo2core.load.formats.documents import as_lines
from lo2core.load.formats.format import Format
from lo2core.load.formats.lines import read_lines
from lo2core.load.formats.recognition import Reading, recognise
from lo2core.load.formats.wrappers import without_escapes
from lo2core.load.period import Period
from lo2core.messages.hashing import factorize
from lo2core.messages.text import first_line

_HEADER = r"^([A-Z]+ +\S+(?: \S+)? - )"
_HEADER_PARTS = r"^(?P<level>[A-Z]+) +(?P<logger>\S+)(?: (?P<method>\S+))? - $"
_NEVER = 2**62
_WHAT = pl.Enum(["event", "continuation", "orphan", "blank", "skipped", "not chosen"])
_SHOWN = 200
_HEAD = 400
_BLANK = ["", " ", "\t"]


@dataclass(frozen=True)
class Parsed:
    """The parsed lines of some files. Column `file` is the index of the file in the input.

    events: one row per event: file, line_no, m_timestamp, thread, correlation_id, line, line_code (row in lines),
    n_lines, n_bytes, trace (the continuation lines, or null), line_offsets (their distances from the first line; null
    without blank lines between)
    lines: one row per distinct line of events: line, level, logger, method, text
    traces: one row per continuation line or orphan: file, event (row in events; null for an orphan), text
    tally: one row per file: file, lines, events, continuations, orphans, blank, skipped, not_chosen, dated (whether its
    lines contain dates), explained (events of a known format), format (what it was read as; null if unknown), notes
    (what was assumed about times; null if nothing), unindented (continuations that are not), leveled and timed
    (events with a level, and with a time), unknown (the
    first line that is an orphan, or of which only the time stamp is known; null if there is none)
    """

    events: pl.DataFrame
    lines: pl.DataFrame
    traces: pl.DataFrame
    tally: pl.DataFrame


def decode(data: bytes) -> tuple[str, int]:
    """The text of a log file and the number of its bytes that are not UTF-8.

    Such bytes are read as Latin-1, and NUL bytes are replaced by a visible character, so that nothing is lost. Control
    sequences of terminals, such as colours, are left out, and records that are no lines become lines (`as_lines`).
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data[: len(data) // 2 * 2]  # a damaged file may be cut within a character
        return _clean(data.decode("utf-16", errors="replace")), 0
    if wide := _utf16(data[:_HEAD]):
        return _clean(data.decode(wide, errors="replace")), 0
    try:
        return _clean(data.decode("utf-8-sig")), 0
    except UnicodeDecodeError:
        escaped = data.decode("utf-8-sig", errors="surrogateescape")
        text, invalid = re.subn("[\udc80-\udcff]", lambda byte: chr(ord(byte[0]) - 0xDC00), escaped)
        return _clean(text), invalid


def is_rewritten(data: bytes) -> bool:
    """Whether a log, of which this is the beginning, holds records that are no lines (see `as_lines`)."""
    text = data[: len(data) // 2 * 2].decode("utf-16" if is_utf16(data) else "utf-8-sig", errors="replace")
    return as_lines(text) != text


def is_utf16(data: bytes) -> bool:
    """Whether a log begins as a text in UTF-16."""
    return data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or bool(_utf16(data[:_HEAD]))


def _utf16(head: bytes) -> str:
    """The encoding of a text in UTF-16 without a byte order mark; empty for any other."""
    for start, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[start::2].count(0) > 0.9 * len(head) / 2 and not head[1 - start :: 2].count(0):
            return name
    return ""


def _clean(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return as_lines(without_escapes(text.replace("\0", "␀") if "\0" in text else text))


def parse(
    texts: Sequence[str],
    epoch: datetime | None = None,
    skip_lines: int = 0,
    folders: Sequence[int] | None = None,
    written: datetime | None = None,
    formats: Sequence[Format] = FORMATS,
    period: Period | None = None,
) -> Parsed:
    """Events, continuation lines and a tally of the given files, which belong to one run.

    epoch: start of the run in UTC, which determines the day. Without it, days count from 1970-01-01, separately for
    each folder. folders: the number of the folder of each file; without it all files are in one folder. skip_lines:
    number of lines to skip at the start of each file. written: about when the files were written, for dates without a
    year, if there is no epoch. formats: to choose from. period: events outside of it are left out.
    """
    split = _split(texts)
    readings = recognise(split.filter(pl.col("line_no") > skip_lines), len(texts), formats)
    lines = _kinds(
        read_lines(split, readings, formats), skip_lines, [bool(text) and not text.endswith("\n") for text in texts]
    )
    events = lines.filter(pl.col("what") == "event")
    folder = pl.Series(folders or [0] * len(texts), dtype=pl.UInt32).gather(events["file"])
    traces = _traces(lines)
    events = dated(events, epoch, folder, written)
    days = events.filter("has_date")["file"].unique()
    if period:
        lines, events = _within(period, lines, events)
        traces = _traces(lines)
    tally = _tally(lines, readings, events, days, assumptions(events, epoch, written))
    heads, distinct = _first_lines(events)
    return Parsed(_folded(heads, traces), distinct, traces.drop("line_no", "n_bytes", "offset"), tally)


def _split(texts: Sequence[str]) -> pl.DataFrame:
    """One row per line: file, text, line_no."""
    frame = pl.DataFrame(
        {"file": range(len(texts)), "text": texts},
        schema={"file": pl.UInt32, "text": pl.String},
    ).filter(pl.Series([bool(text) for text in texts], dtype=pl.Boolean))
    return (
        frame.with_columns(pl.col("text").str.strip_suffix("\n").str.split("\n"))
        .with_columns(line_no=pl.int_ranges(1, pl.col("text").list.len() + 1))
        .explode("text", "line_no")
    )


def _kinds(lines: pl.DataFrame, skip_lines: int, cut: list[bool]) -> pl.DataFrame:
    """The lines with what (their kind) and event (row of the event that they belong to).

    cut: whether the last line of each file has no end. If it begins as an event does, but is not of the file's format,
    it is skipped, since it would be a message that was never written.
    """
    skipped = pl.col("line_no") <= skip_lines
    if any(cut):
        skipped |= _torn(pl.Series(cut).gather(lines["file"]))
    starts = pl.col("message").is_not_null() & ~pl.col("joined") & ~skipped
    lines = lines.with_columns(starts=starts, skipped=skipped)
    first = lines.filter("starts").group_by("file").agg(first=pl.col("line_no").min())
    what = (
        pl.when("skipped")
        .then(pl.lit("skipped"))
        .when("starts")
        .then(pl.lit("event"))
        .when(pl.when(~pl.col("starts")).then("inner").str.contains(r"^\s*$") & ~pl.col("joined"))  # also in a wrapper
        .then(pl.lit("blank"))
        .when(pl.col("line_no") < pl.col("first").fill_null(_NEVER))
        .then(pl.lit("orphan"))
        .otherwise(pl.lit("continuation"))
    )
    return (
        lines.with_columns(event=(pl.col("starts").cast(pl.Int64).cum_sum() - 1).cast(pl.UInt32, strict=False))
        .join(first, on="file", how="left", maintain_order="left")
        .with_columns(what=what.cast(_WHAT))
        .drop("starts", "skipped", "first")
    )


def _torn(cut: pl.Series) -> pl.Expr:
    """Whether a line is the last one of a file that was cut, and only begins as an event does."""
    last = pl.col("line_no") == pl.col("line_no").max().over("file")
    known = pl.col("message").is_not_null() & ~pl.col("opened")
    begun = pl.col("opened") | (pl.col("message").is_null() & pl.col("inner").str.contains(r"^[0-9\[{<]"))
    return last & cut & begun & pl.col("specific") & known.any().over("file")


def _within(period: Period, lines: pl.DataFrame, events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines, with those of events outside of the period as not chosen, and the other events.

    An event without a time, and the orphans of a file, belong to the event before or else to the one after them.
    """
    inside = events.with_columns(inside=period.contains(events["m_timestamp"])).select(
        "file", pl.col("inside").forward_fill().backward_fill().over("file").fill_null(False)
    )
    first = inside.group_by("file").agg(head=pl.col("inside").first())
    rows = lines.with_columns(inside=inside["inside"].gather(lines["event"])) if events.height else lines
    rows = rows.join(first, on="file", how="left", maintain_order="left")
    orphan = pl.col("what") == "orphan"
    chosen = pl.when(orphan).then("head").otherwise("inside") if events.height else pl.lit(True)
    outside = ~chosen.fill_null(True) & pl.col("what").is_in(["event", "continuation", "orphan"])
    rows = rows.with_columns(what=pl.when(outside).then(pl.lit("not chosen", _WHAT)).otherwise("what"))
    starts = (pl.col("what") == "event").cast(pl.Int64)
    rows = rows.with_columns(event=(starts.cum_sum() - 1).cast(pl.UInt32, strict=False))
    return rows.drop("inside", "head", strict=False), events.filter(inside["inside"])


def _traces(lines: pl.DataFrame) -> pl.DataFrame:
    """One row per continuation line, orphan, or line of a stack trace that an event has in a field of its own."""
    below = lines.filter(pl.col("what").is_in(["continuation", "orphan"]) & ~pl.col("joined")).select(
        "file",
        event=pl.when(pl.col("what") == "continuation").then(pl.col("event")),
        text=pl.col("inner").str.strip_chars_end(),
        line_no="line_no",
        n_bytes=pl.col("text").str.len_bytes() + 1,
    )
    if lines["trace"].null_count() == lines.height:
        return below.with_columns(offset=pl.lit(None, pl.Int32))
    inside = (
        lines.filter((pl.col("what") == "event") & pl.col("trace").is_not_null())
        .with_columns(text=pl.col("trace").str.split("\n"), n_bytes=pl.lit(0, pl.UInt32))
        .explode("text")
        .filter(pl.col("text").str.contains(r"\S"))
        .select("file", "event", pl.col("text").str.strip_chars_end(), "line_no", "n_bytes", offset=pl.lit(0, pl.Int32))
    )
    both = pl.concat([below.with_columns(offset=pl.lit(None, pl.Int32)), inside], how="vertical_relaxed")
    return both.sort("event", "line_no", nulls_last=True, maintain_order=True)


def _tally(
    lines: pl.DataFrame,
    readings: Sequence[Reading | None],
    heads: pl.DataFrame,
    days: pl.Series,
    notes: pl.DataFrame,
) -> pl.DataFrame:
    what = pl.col("what")
    counted = lines.group_by("file").agg(
        lines=pl.len(),
        events=(what == "event").sum(),
        continuations=(what == "continuation").sum(),
        orphans=(what == "orphan").sum(),
        blank=(what == "blank").sum(),
        skipped=(what == "skipped").sum(),
        not_chosen=(what == "not chosen").sum(),
        explained=((what == "event") & ~pl.col("opened")).sum(),
        unindented=(
            ~pl.when((what == "continuation") & ~pl.col("joined")).then("inner").str.slice(0, 1).is_in(_BLANK)
        ).sum(),
        leveled=((what == "event") & (pl.col("level").is_not_null() | pl.col("whole") | pl.col("marks"))).sum(),
    )
    timed = heads.group_by("file").agg(timed=pl.col("m_timestamp").count())
    unknown = pl.col("opened") & (what == "event") | (what == "orphan")
    first = lines.filter(unknown).group_by("file").agg(pl.col("inner").first().str.slice(0, _SHOWN).alias("unknown"))
    files = pl.DataFrame({"file": range(len(readings))}, schema={"file": pl.UInt32})
    for more in (counted, timed):
        files = files.join(more, on="file", how="left", maintain_order="left")
    tally = files.fill_null(0)
    return tally.with_columns(
        pl.exclude("file").cast(pl.Int64),
        dated=pl.col("file").is_in(days.implode()),
        format=pl.Series([reading.name if reading else None for reading in readings], dtype=pl.String),
    ).join(notes.join(first, on="file", how="full", coalesce=True), on="file", how="left", maintain_order="left")


def _first_lines(events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The events with `line`, their first line as `LEVEL logger method - text`, and `Parsed.lines`."""
    size = pl.col("text").str.len_bytes() + 1
    whole = bool(events["whole"].all())
    line = pl.when("whole").then("message").otherwise(first_line(pl.col("message")))
    events = events.with_columns(line=pl.col("message") if whole else line, n_bytes=size)
    codes, distinct = factorize(events["line"])
    if whole:
        lines = split_line(distinct)
    else:
        parts = events.filter(~pl.col("whole")).select("line", "level", "logger", "method", text="message")
        known = pl.concat([split_line(events.filter("whole")["line"].unique()), parts]).unique("line", keep="first")
        lines = distinct.to_frame("line").join(known, on="line", how="left", maintain_order="left")
    columns = ("file", "line_no", "m_timestamp", "has_date", "thread", "correlation_id", "line", "n_bytes")
    return events.select(*columns, codes.alias("line_code")), lines


def split_line(lines: pl.Series) -> pl.DataFrame:
    """One row per event line: line, level, logger, method, text. A line of another form is all text.

    Headers are few, so they are taken apart once each.
    """
    several = pl.col("line").str.contains("\n", literal=True)
    header = pl.when(~several).then(pl.col("line").str.extract(_HEADER))
    split = lines.to_frame("line").with_columns(header=header)
    parts = split["header"].drop_nulls().unique().to_frame()
    parts = parts.with_columns(parts=pl.col("header").str.extract_groups(_HEADER_PARTS)).unnest("parts")
    text = pl.col("line").str.strip_prefix(pl.col("header").fill_null(""))
    return split.join(parts, on="header", how="left", maintain_order="left").select(
        "line", "level", "logger", "method", text=text
    )


def _folded(events: pl.DataFrame, traces: pl.DataFrame) -> pl.DataFrame:
    """The events with n_lines, n_bytes, trace (the text of their continuation lines) and line_offsets."""
    owned = traces.drop_nulls("event")
    distance = (owned["line_no"] - events["line_no"].gather(owned["event"])).cast(pl.Int32)
    below = (
        owned.with_columns(offset=pl.coalesce("offset", distance))
        .group_by("event", maintain_order=True)
        .agg(
            trace=pl.col("text").str.join("\n"),
            below=pl.len().cast(pl.Int32),
            bytes_below=pl.col("n_bytes").sum(),
            line_offsets=pl.when(pl.col("offset").last() != pl.len()).then(pl.col("offset").implode()),
        )
    )
    lines, size = 1 + pl.col("below").fill_null(0), pl.col("n_bytes") + pl.col("bytes_below").fill_null(0)
    joined = events.drop("has_date").with_row_index("event").join(below, on="event", how="left", maintain_order="left")
    return joined.with_columns(n_lines=lines, n_bytes=size).drop("event", "below", "bytes_below")
