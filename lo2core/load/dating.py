"""Dates events: the texts of their time stamps become points in time, in UTC and to the millisecond."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from lo2core.load.formats.stamps import DAY, WHOLE, by_distinct, day_first, day_number, epoch_ms, time_of_day, zone_ms

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
    zone = by_distinct(f"{prefix}zone", zone_ms, events).fill_null(0)
    of_day = time_of_day(events[f"{prefix}time"]) - zone
    column = f"{prefix}date"
    first = day_first(events[column].drop_nulls().unique())
    day = by_distinct(column, lambda text: day_number(text, near, first), events)
    full = day * DAY + of_day
    if events[f"{prefix}epoch"].null_count() < events.height:
        full = _first(full, events.select(epoch_ms(pl.col(f"{prefix}epoch"))).to_series())
    return of_day, full


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
