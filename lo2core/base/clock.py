"""Time stamps: recorded in UTC, shown on the reader's own clock."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The current time in ISO 8601, in UTC and to the second: '2026-11-24T20:10:41+00:00'."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def local(stamp: str | None) -> datetime | None:
    """A recorded time stamp (ISO 8601) in the time zone of this machine; None without one."""
    return datetime.fromisoformat(stamp).astimezone() if stamp else None


def local_time(stamp: str) -> str:
    """A recorded time stamp (ISO 8601) in the time zone of this machine, as text: '24 Nov 2026 21:10'."""
    return f"{local(stamp):%-d %b %Y %H:%M}"


def time_of_day(moment: datetime | None) -> str:
    """The time of day of a log line, to the millisecond: '17:08:51.728'."""
    return f"{moment:%H:%M:%S.%f}"[:-3] if moment else "at an unknown time"
