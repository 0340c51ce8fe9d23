"""The part of the logs between two points in time, as `--since` and `--until` choose it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from lo2core.base.errors import InputError

if TYPE_CHECKING:
    import polars as pl

_FORM = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})?(?:(?<=[0-9])[T ](?=[0-9]))?"
    r"(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_EPOCH = datetime(1970, 1, 1)
_DAY = timedelta(days=1)
_DAY_MS = 86_400_000
Moments = TypeVar("Moments", "pl.Series", "pl.Expr")


@dataclass(frozen=True)
class _Bound:
    day: date | None
    of_day: timedelta | None

    def at(self, day: date) -> datetime:
        return datetime.combine(self.day or day, time()) + (self.of_day or timedelta())


class Period:
    """A period from `since` to before `until`; None leaves it open.

    Each is a date (for `until`, the whole day belongs to the period), a time of day, or both, in UTC unless a zone
    follows. Two times of day choose this part of each day, also across midnight. A time of day beside a date belongs
    to that date, or to the day before or after it, so that the period is not empty.
    Raises InputError for anything else, and for an empty period.

    Examples:
        >>> from datetime import datetime
        >>> import polars as pl
        >>> stamps = pl.Series([datetime(2024, 6, 28, 16), datetime(2024, 6, 29, 1), None])
        >>> Period("16:30", "02:00").contains(stamps).to_list()
        [False, True, None]
        >>> Period(None, "2024-06-28").contains(stamps).to_list()
        [True, False, None]
    """

    def __init__(self, since: str | None, until: str | None) -> None:
        first, last = _bound(since, "since"), _bound(until, "until")
        days = [bound.day for bound in (first, last) if bound and bound.day]
        self.has_dates = bool(days)
        try:
            self._from, self._to = (self._moments if days else self._times_of_day)(first, last, days)
        except OverflowError as error:
            raise InputError(f"The period from {since} until {until} is not within the years 1 to 9999.") from error
        if self.has_dates and self._from is not None and self._to is not None and self._from >= self._to:
            raise InputError(f"The period from {since} until {until} is empty: since must be earlier than until.")

    @staticmethod
    def _moments(first: _Bound | None, last: _Bound | None, days: list[date]) -> tuple[int | None, int | None]:
        start = first.at(days[0]) if first else None
        end = last.at(days[-1]) if last else None
        if last and end and last.of_day is None:
            end = min(end, datetime.max - _DAY) + _DAY
        if start and end and start >= end and first and last:
            start -= _DAY * (first.day is None)
            end += _DAY * (last.day is None)
        return _ms(start), _ms(end)

    @staticmethod
    def _times_of_day(first: _Bound | None, last: _Bound | None, days: list[date]) -> tuple[int | None, int | None]:
        start, end = (bound.at(date(1970, 1, 1)) if bound else None for bound in (first, last))
        return _ms(start), _ms(end)

    def contains(self, stamps: Moments) -> Moments:
        """Whether each point in time is in the period; null for null."""
        if self.has_dates:
            dated: Moments = _between(stamps, _moment(self._from), _moment(self._to))
            return dated
        of_day = stamps.dt.epoch("ms") % _DAY_MS
        if self._from is not None and self._to is not None and self._from >= self._to:  # across midnight
            return (of_day >= self._from) | (of_day < self._to)
        within: Moments = _between(of_day, self._from, self._to)
        return within

    def within(self, first: int, last: int) -> tuple[int, int]:
        """The part of a stretch of time that dates leave, in milliseconds since 1970; times of day leave all of it."""
        if not self.has_dates:
            return first, last
        start = first if self._from is None else max(first, self._from)
        return start, max(start, last if self._to is None else min(last, self._to))


def _between(at: Any, first: Any, last: Any) -> Any:
    if first is None or last is None:
        return at >= first if last is None else at < last
    return (at >= first) & (at < last)


def _bound(text: str | None, name: str) -> _Bound | None:
    if text is None:
        return None
    found = _FORM.fullmatch(text.strip())
    try:
        if not found or not (found["date"] or found["time"]) or (found["zone"] and not found["time"]):
            raise ValueError
        day = date.fromisoformat(found["date"]) if found["date"] else None
        if not found["time"]:
            return _Bound(day, None)
        clock = time.fromisoformat(found["time"].zfill(5) if found["time"].count(":") == 1 else found["time"])
        return _in_utc(day, clock, found["zone"])
    except (ValueError, OverflowError):
        raise InputError(
            f"{name} must be a date, a time of day or both, such as 2024-06-28, 16:40 or 2024-06-28T16:40, found "
            f"{text!r}."
        ) from None


def _in_utc(day: date | None, clock: time, zone: str | None) -> _Bound:
    sign, digits = (zone or "Z")[0], (zone or "").replace(":", "")
    east = timedelta() if sign == "Z" else timedelta(hours=int(digits[1:3]), minutes=int(digits[3:]))
    moment = datetime.combine(day or date(1970, 1, 2), clock) - (east if sign == "+" else -east)
    return _Bound(moment.date() if day else None, moment - datetime.combine(moment.date(), time()))


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(milliseconds=1)


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else _EPOCH + timedelta(milliseconds=ms)
