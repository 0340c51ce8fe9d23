"""Time stamps: recorded in UTC, shown on the reader's own clock."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The current time in ISO 8601, in UTC and to the second: '2026-11-24T20:10:41+00:00'."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def moment(stamp: object) -> datetime | None:
    """A recorded time stamp (ISO 8601 with a time zone); None for anything else, and for years that no clock shows."""
    try:
        found = datetime.fromisoformat(stamp) if isinstance(stamp, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo and 1970 <= found.year < 9999 else None


def moment_of(seconds: float) -> datetime | None:
    """The time of a directory entry, in UTC; None for one that no calendar has, since a file can claim any time."""
    try:
        found = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.year < 9999 else None


def local(stamp: object) -> datetime | None:
    """A recorded time stamp in the time zone of this machine; None as for `moment`."""
    found = moment(stamp)
    return found.astimezone() if found else None


def local_time(stamp: str) -> str:
    """A recorded time stamp in the time zone of this machine, as text: '24 Nov 2026 21:10'."""
    found = local(stamp)
    return f"{found:%-d %b %Y %H:%M}" if found else stamp


def time_of_day(moment: datetime | None) -> str:
    """The time of day of a log line, to the millisecond: '17:08:51.728'."""
    return f"{moment:%H:%M:%S.%f}"[:-3] if moment else "at an unknown time"
