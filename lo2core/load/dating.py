"""Dates events: the texts of their time stamps become points in time, in UTC and to the millisecond."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import polars as pl

from lo2core.load.formats.stamps import (
    DAY,
    SLASHED,
    WHOLE,
    by_distinct,
    day_first,
    day_number,
    epoch_ms,
    is_yearless,
    slashed,
    time_of_day,
    zone_ms,
)

_UNDATED = datetime(1970, 1, 1)


def dated(events: pl.DataFrame, epoch: datetime | None, folder: pl.Series, written: datetime | None) -> pl.DataFrame:
    """The events with m_timestamp, and has_date: whether their line says the day. Events without a time get null.

    events: columns file, date, time, zone, epoch and, of the wrapper around the line, outer_date and so on. The day of
    a time without a date is the one nearest to the start of the run, and increases when midnight is crossed within a
    file. If some lines of a file contain a date, it is used for the others, too. Times with a zone are converted to
    UTC. written: about when the file was written, for dates without a year.
    """
    near = epoch or written
    of_day, full = _parsed(events, "", near)
    if "outer_time" in events.columns:
        outer_day, outer_full = _parsed(events, "outer_", near)
        full, of_day = _first(full, outer_full), _first(of_day, outer_day)
    events = events.with_columns(folder.alias("folder"), of_day=of_day, full=full)
    jump = pl.col("of_day").diff().over("file").fill_null(0)
    crossed = (jump < -DAY // 2).cast(pl.Int64) - (jump > DAY // 2).cast(pl.Int64)
    start = pl.lit(_milliseconds(epoch)) if epoch else pl.col("of_day").drop_nulls().first().over("folder")
    start = pl.coalesce(pl.col("full").drop_nulls().first().over("file"), start)
    nearest = ((start - pl.col("of_day").drop_nulls().first().over("file")) / DAY).round()
    day = nearest.cast(pl.Int64) + crossed.cum_sum().over("file")
    stamp = pl.coalesce("full", pl.col("of_day") + day * DAY).cast(pl.Datetime("ms"))
    return events.with_columns(m_timestamp=stamp, has_date=pl.col("full").is_not_null()).drop(
        "folder", "of_day", "full"
    )


def _first(one: pl.Series, other: pl.Series) -> pl.Series:
    return one.zip_with(one.is_not_null(), other)


def _parsed(events: pl.DataFrame, prefix: str, near: datetime | None) -> tuple[pl.Series, pl.Series]:
    """Milliseconds since midnight UTC, and since 1970 where the day is known."""
    day = _days(events, f"{prefix}date", near)
    of_day = time_of_day(events[f"{prefix}time"]) - _zones(events, prefix, near)
    full = day * DAY + of_day
    if events[f"{prefix}epoch"].null_count() < events.height:
        full = _first(full, events.select(epoch_ms(pl.col(f"{prefix}epoch"))).to_series())
    return of_day, full


def _days(events: pl.DataFrame, column: str, near: datetime | None) -> pl.Series:
    """Days since 1970. Whether dates such as 03/04/2026 begin with the day is decided for each file."""
    slashed = events[column].str.contains(_WITH_SLASHES)
    if not slashed.any():
        return by_distinct(column, lambda text: day_number(text, near), events)
    files = events["file"] if "file" in events.columns else pl.zeros(events.height, pl.UInt32, eager=True)
    keyed = pl.DataFrame({"file": files, column: events[column]})
    first = {
        file: day_first(dates, near)
        for file, dates in keyed.drop_nulls().group_by("file").agg(pl.col(column).unique()).iter_rows()
    }
    keyed = keyed.select(key=pl.format("{} {}", "file", column))

    def read(key: str) -> int | None:
        file, _, text = key.partition(" ")
        return day_number(text, near, first[int(file)])

    return by_distinct("key", read, keyed)


_WITH_SLASHES = f"^(?:{SLASHED.pattern})$"


def _zones(events: pl.DataFrame, prefix: str, near: datetime | None) -> pl.Series:
    """Milliseconds east of UTC; 0 without a zone, and for a name that is not used."""
    column = f"{prefix}zone"
    if not events[column].str.contains("/", literal=True).any():
        return by_distinct(column, zone_ms, events).fill_null(0)
    dates = pl.col(f"{prefix}date").fill_null("")

    def read(key: str) -> int | None:
        zone, _, text = key.partition(" ")
        number = day_number(text, near) if text else None
        return zone_ms(zone, near.date() if number is None and near else date.fromordinal(_1970 + (number or 0)))

    return by_distinct("key", read, events.select(key=pl.format("{} {}", column, dates))).fill_null(0)


_1970 = date(1970, 1, 1).toordinal()


def assumptions(events: pl.DataFrame, epoch: datetime | None, written: datetime | None) -> pl.DataFrame:
    """What had to be assumed to date the events of each file: file, notes (sentences, or null).

    events: with m_timestamp, as `dated` returns them.
    """
    columns = [name for name in ("date", "zone", "outer_date", "outer_zone") if name in events.columns]
    facts = events.group_by("file").agg(
        pl.col("m_timestamp").count().alias("times"),
        *(pl.col(name).drop_nulls().unique().sort().alias(name) for name in columns),
        years=pl.col("m_timestamp").dt.year().drop_nulls().unique().sort(),
    )
    near = epoch or written
    rows = [{"file": row["file"], "notes": _notes(row, columns, near)} for row in facts.iter_rows(named=True)]
    return pl.DataFrame(rows, schema={"file": pl.UInt32, "notes": pl.String})


def _notes(row: dict[str, Any], columns: Sequence[str], near: datetime | None) -> str | None:
    zones = sorted({zone for name in columns if name.endswith("zone") for zone in row[name] if zone_ms(zone) is None})
    dates = [text for name in columns if name.endswith("date") for text in row[name]]
    notes = [f"the time zone {zone} is not used" for zone in zones]
    if not row["times"]:
        notes.append("no line has a time: only the order of the lines counts")
    if near and any(is_yearless(text) for text in dates):
        notes.append(f"the year {', '.join(map(str, row['years']))} is assumed")
    if any(slashed(text) for text in dates) and day_first(dates, near) is None:
        notes.append(f"dates such as {dates[0]} are read as month, day")
    return "; ".join(notes) or None


def points_in_time(texts: pl.Series) -> pl.Series:
    """Texts that are nothing but time stamps as points in time, in UTC; null for any other text, and for a wrong date.

    Dates such as 03/04/2026 begin with the month unless another one shows that they begin with the day.
    """
    parts = texts.to_frame("text").select(parts=pl.col("text").str.extract_groups(WHOLE)).unnest("parts")
    parts = parts.with_columns(
        time=pl.when(pl.col("date").is_not_null()).then(pl.col("time").fill_null("00:00:00.000"))
    )
    _, full = _parsed(parts, "", None)
    return full.cast(pl.Datetime("ms"))


def _milliseconds(moment: datetime) -> int:
    return int((moment - _UNDATED).total_seconds() * 1000)
