"""Time stamps of log lines: the texts of date, time of day, zone and epoch, turned into milliseconds.

Dates and zones repeat from line to line, so each distinct text is read once, in Python. Times of day are read by
polars.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)(?i:[a-z]*)"
_WEEKDAY = r"(?:(?i:mon|tue|wed|thu|fri|sat|sun)(?i:[a-z]*),? )?"
DATE = (
    r"[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}|[0-9]{2}/[0-9]{2}/[0-9]{2}"
    r"|[0-9]{2}\.[0-9]{2}\.[0-9]{2}|(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
    rf"|[0-9]{{1,2}}(?:\. |[ /-]){_MONTH}[ /-](?:[0-9]{{4}}|[0-9]{{2}}\b)|{_MONTH} {{1,2}}[0-9]{{1,2}},? [0-9]{{4}}"
)
"""A date with its year."""
_YEARLESS = rf"{_MONTH} {{1,2}}[0-9]{{1,2}}|[0-9]{{1,2}} {_MONTH}"
CLOCK = (
    r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]:(?:[0-5]?[0-9]|60)(?:[.,][0-9]{1,9}|:[0-9]{3}\b)?"
    r"(?:[ \u202f]?(?i:[ap]\.?m\b\.?))?"
).replace("\\u202f", "\u202f")
"""A time of day. Java writes a narrow space before AM and PM."""
_CLOSE_CLOCK = (
    r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9]|60)(?:[.,][0-9]{1,9})?"
    r"|(?:[01][0-9]|2[0-3])\.[0-5][0-9]\.[0-5][0-9](?:[.,][0-9]{1,9})?"
)
"""Times of day that are recognised behind a date only: 164052, 16.40.52."""
_EAST: dict[str, float] = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "EET": 2, "EEST": 3,
    "CAT": 2, "EAT": 3, "WAT": 1, "SAST": 2, "MSK": 3, "TRT": 3, "PKT": 5, "NPT": 5.75, "ICT": 7, "WIB": 7, "HKT": 8,
    "SGT": 8, "PHT": 8, "AWST": 8, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "ACDT": 10.5, "NZST": 12, "NZDT": 13,
}  # fmt: skip
_WEST = {
    "EST": 5, "EDT": 4, "MST": 7, "MDT": 6, "PST": 8, "PDT": 7, "CDT": 5, "AKST": 9, "AKDT": 8, "HST": 10, "NST": 3.5,
    "NDT": 2.5, "BRT": 3, "CLT": 4, "COT": 5, "ADT": 3,
}  # fmt: skip
ZONES = _EAST | {name: -hours for name, hours in _WEST.items()}
"""Hours east of UTC of zone names that have one common meaning."""
UNCLEAR_ZONES = (
    *("CST", "IST", "BST", "AST", "ACST", "AMT", "BDT", "ECT", "GST", "SST", "WST", "PYT", "UYT", "LMT", "AMST"),
    *("BRST", "CLST", "PYST", "NOVT", "OMST", "YEKT", "SAMT", "KRAT", "IRKT", "VLAT", "UZT", "ALMT", "WITA", "MMT"),
    *("MYT", "CHST", "CHAST", "VET", "GFT", "AZT", "IRST", "IDT"),
)
"""Zone names with several meanings, or rare ones: recognised, but not used. GET and other words are not among them."""
_REGION = r"(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc)/[A-Z][\w/+-]+"
ZONE = "|".join(
    (
        r"(?:(?:GMT|UTC)?[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?|(?:GMT|UTC)[+-][0-9])",
        _REGION,
        *sorted([*ZONES, *UNCLEAR_ZONES], key=len, reverse=True),
    )
)
_ENDS = rf"(?: ?(?P<zone>{ZONE})\b(?:\[(?:UTC|GMT|Z|[A-Z]\w+/[\w/+-]+)\])?(?: \([A-Z][\w ]+ Time\))?)?"
_BETWEEN = r"(?:[T_:-]| - | at |::|,? {1,2}|,)?"
STAMP = (
    rf"(?:{_WEEKDAY}(?:(?P<date>{DATE}){_BETWEEN}(?P<time>{CLOCK}|{_CLOSE_CLOCK}){_ENDS}"
    rf"|(?P<monthday>{_YEARLESS}) (?P<clock>{CLOCK})(?: (?P<clock_zone>{ZONE})\b)?"
    r"(?: (?P<year>(?:19|20)[0-9]{2})\b)?))"
)
"""A date and a time of day, with or without a zone. The year of a date without one may follow the time."""
TIME_OF_DAY = rf"(?:(?P<time>{CLOCK}){_ENDS})"
WHEN = rf"(?:(?:{_WEEKDAY}(?P<date>{DATE}|{_YEARLESS}){_BETWEEN})?(?P<time>{CLOCK}){_ENDS})"
"""As `STAMP`, or a time of day alone."""
INTERNET = (
    r"(?:(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})T(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)"
    r"(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2}))"
)
"""RFC 3339, as container engines write it."""
SYSLOG = rf"(?:(?P<date>[A-Z][a-z]{{2}} {{1,2}}[0-9]{{1,2}}(?: [0-9]{{4}})?) (?P<time>{CLOCK}))"
EPOCH = r"(?P<epoch>[0-9]{9,10}(?:\.[0-9]{1,9})?|[0-9]{13}(?:\.[0-9]{1,6})?|[0-9]{16}|[0-9]{19})"
"""Seconds (also with a fraction), milliseconds, microseconds or nanoseconds since 1970."""
WHOLE = rf"^\s*(?:{EPOCH}|{_WEEKDAY}(?P<date>{DATE})(?:{_BETWEEN}(?P<time>{CLOCK}|{_CLOSE_CLOCK}){_ENDS})?)\s*$"
"""A text that is nothing but a time stamp: a date with or without a time of day, or an epoch."""

DAY = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_USUAL_TIME = r"^[0-9]{2}:[0-9]{2}:[0-5][0-9][.,][0-9]{3}$"
_BASIC_TIME = r"^([0-9]{2})([0-9]{2})([0-9]{2})(?:[.,]([0-9]{1,9}))?()$"
_TIME = (
    r"^([0-9]{1,2})[:.]([0-9]{1,2})(?:[:.]([0-9]{1,2}))?(?:[.,:]([0-9]{1,9}))?(?:[ \u202f]?([AaPp])\.?[Mm]\.?)?$"
).replace("\\u202f", "\u202f")


def time_of_day(times: pl.Series) -> pl.Series:
    """Milliseconds since midnight of texts such as 16:40:52.234, 4:40:52 PM or 164052; second 60 is 59.999."""
    usual = times.str.contains(_USUAL_TIME).all()
    return times.to_frame("time").select((_sliced if usual else _taken_apart)(pl.col("time"))).to_series()


def _sliced(time: pl.Expr) -> pl.Expr:
    hour, minute, second = (time.str.slice(at, 2).cast(pl.Int64) for at in (0, 3, 6))
    return hour * 3_600_000 + minute * 60_000 + second * 1000 + time.str.slice(9, 3).cast(pl.Int64)


def _taken_apart(time: pl.Expr) -> pl.Expr:
    basic = ~time.str.contains(r"[:.]\d+[:.]|:")
    parts = pl.when(basic).then(time.str.extract_groups(_BASIC_TIME)).otherwise(time.str.extract_groups(_TIME))
    hour, minute, second = (parts.struct[i].cast(pl.Int64, strict=False) for i in range(3))
    second = second.fill_null(0)
    digits = parts.struct[3].fill_null("")
    is_number = time.str.contains(r"^(?:[0-9]+:){3}")  # milliseconds behind a colon need not have three digits
    padded = pl.when(is_number).then(digits.str.zfill(3)).otherwise(digits.str.pad_end(3, "0"))
    fraction = padded.str.slice(0, 3).cast(pl.Int64, strict=False)
    half = parts.struct[4].str.to_uppercase()
    hour = pl.when(half == "P").then(hour % 12 + 12).when(half == "A").then(hour % 12).otherwise(hour)
    whole = hour * 3_600_000 + minute * 60_000
    return pl.when(second == 60).then(whole + 59_999).otherwise(whole + second * 1000 + fraction)


def epoch_ms(text: pl.Expr) -> pl.Expr:
    """Milliseconds since 1970 of an epoch in seconds, milliseconds, microseconds or nanoseconds, by its digits."""
    digits = text.str.extract(r"^([0-9]+)", 1)
    whole = digits.cast(pl.Int64, strict=False)
    seconds = text.cast(pl.Float64, strict=False)
    size = digits.str.len_bytes()
    return (
        pl.when(size <= 11)
        .then((seconds * 1000 + 1e-3).floor().cast(pl.Int64, strict=False))
        .when(size <= 14)
        .then(whole)
        .when(size <= 17)
        .then(whole // 1000)
        .otherwise(whole // 1_000_000)
    )


def by_distinct(column: str, read: Callable[[str], int | None], of: pl.DataFrame) -> pl.Series:
    """`read` of each text of a column, called once for each distinct text; null where it returns None."""
    if of[column].null_count() == of.height:
        return pl.Series([None], dtype=pl.Int64).new_from_index(0, of.height)
    texts = of[column].drop_nulls().unique()
    known = pl.DataFrame({column: texts, "value": pl.Series([read(text) for text in texts], dtype=pl.Int64)})
    return of.select(column).join(known, on=column, how="left", maintain_order="left")["value"]


def zone_ms(text: str, day: date | None = None) -> int | None:
    """Milliseconds east of UTC of a zone: Z, +02:00, -0530, GMT+2, CEST, or Europe/Berlin on the given day.

    None for a name of several meanings.
    """
    if match := re.fullmatch(r"(?:GMT|UTC)?([+-])([0-9]{1,2}):?([0-9]{2})?", text):
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        return (minutes if match[1] == "+" else -minutes) * 60_000
    if "/" in text:
        return _region_ms(text, day or date(1970, 1, 1))
    return int(ZONES[text] * 3_600_000) if text in ZONES else None


def _region_ms(name: str, day: date) -> int | None:
    try:
        offset = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(name)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return None if offset is None else int(offset.total_seconds() * 1000)


def day_first(dates: Iterable[str], near: datetime | None = None) -> bool | None:
    """Whether dates such as 03/04/2026 begin with the day, by those that can be read in one way only.

    Without such a date, by which reading is within two days of `near`; None if neither or both are.
    """
    numbers = [tuple(int(n or -1) for n in match.groups()) for text in dates if (match := slashed(text))]
    if any(first > 12 for first, _, _ in numbers):
        return True
    if any(second > 12 for _, second, _ in numbers):
        return False
    return _first_by_nearness(numbers[0], near) if numbers and near else None


def _first_by_nearness(numbers: tuple[int, ...], near: datetime) -> bool | None:
    first, second, year = numbers
    year = near.year if year < 0 else year
    target = near.toordinal() - _EPOCH_DAY
    days = [_ordinal(year + 2000 * (year < 100), *order) for order in ((second, first), (first, second))]
    by_day, by_month = (day is not None and abs(day - target) <= _NEAR for day in days)
    return by_day if by_day != by_month else None


_NEAR = 2
"""Days between a date and the time when the file was written, or the run started."""
SLASHED = re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})(?:[/-]((?:[0-9]{2})?[0-9]{2}))?")
_MONTH_DAY = re.compile(r"[0-9]{1,2}-[0-9]{1,2}")


def slashed(text: str) -> re.Match[str] | None:
    """The numbers of a date that begins with the day or the month, or with a year of two digits; its year may be
    missing, except in 06-28, which is always month and day."""
    return None if _MONTH_DAY.fullmatch(text) else SLASHED.fullmatch(text)


def day_number(text: str, near: datetime | None, first: bool | None = None) -> int | None:
    """Days since 1970 of a date; None for one that does not exist.

    A date without a year is the one nearest to `near`; without `near` it is in 1970. first: see `day_first`; undecided
    dates begin with the month, as in the United States. A year of two digits in front, as in 17/06/09, is one unless
    another reading is nearer to `near`.
    """
    for pattern, order in _DATES:
        if match := pattern.fullmatch(text):
            found = _number(dict(zip(order, match.groups(), strict=True)), near, first)
            if found is not None:
                return found
    return None


_DATES = [
    (re.compile(pattern), order)
    for pattern, order in (
        (r"([0-9]{4})[-/.]([0-9]{2})[-/.]([0-9]{2})", "Ymd"),
        (r"([0-9]{4})([0-9]{2})([0-9]{2})", "Ymd"),
        (r"([0-9]{2})/([0-9]{2})/([0-9]{2})", "abc"),
        (r"([0-9]{2})([0-9]{2})([0-9]{2})", "Ymd"),
        (r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4}|[0-9]{2})", "dmY"),
        (r"([0-9]{2})\.([0-9]{2})\.([0-9]{2})", "Ymd"),
        (r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})", "xyY"),
        (r"([0-9]{1,2})(?:\. |[ /-])([A-Za-z]{3})[A-Za-z]*[ /-]([0-9]{4}|[0-9]{2})", "dmY"),
        (r"([A-Za-z]{3})[A-Za-z]* +([0-9]{1,2}),? ([0-9]{4})", "mdY"),
        (r"([A-Za-z]{3})[A-Za-z]* +([0-9]{1,2})", "md"),
        (r"([0-9]{1,2}) ([A-Za-z]{3})[A-Za-z]*", "dm"),
        (r"([0-9]{2})/([0-9]{2})", "xy"),
        (r"([0-9]{2})[-./]?([0-9]{2})", "md"),
    )
]
"""Forms of dates: year, month, day; x and y are day and month in either order; a, b, c any order of all three."""


def is_yearless(text: str) -> bool:
    """Whether a date has no year."""
    return bool(re.fullmatch(rf"{_YEARLESS}|[0-9]{{2}}[-./]?[0-9]{{2}}", text))


def _number(parts: dict[str, str], near: datetime | None, first: bool | None) -> int | None:
    if "a" in parts:
        return _of_two_digit_years(parts, near, first)
    if "x" in parts:
        named = ("d", "m") if first else ("m", "d")
        parts |= dict(zip(named, (parts.pop("x"), parts.pop("y")), strict=True))
    month = int(parts["m"]) if parts["m"].isdigit() else _MONTHS.get(parts["m"].lower(), 0)
    day = int(parts["d"])
    if "Y" in parts:
        year = int(parts["Y"]) + (2000 if len(parts["Y"]) == 2 else 0)
        return _ordinal(year, month, day)
    if near is None:
        return _ordinal(1970, month, day)
    return _nearest((_ordinal(near.year + shift, month, day) for shift in (-1, 0, 1)), near)


def _of_two_digit_years(parts: dict[str, str], near: datetime | None, first: bool | None) -> int | None:
    """The day of three numbers: year, month and day, or day and month in either order, and the year."""
    a, b, c = (int(parts[name]) for name in "abc")
    year_first = _ordinal(2000 + a, b, c)
    year_last = _ordinal(2000 + c, *((b, a) if first else (a, b)))
    return _nearest((year_first, year_last), near) if near else year_first if year_first is not None else year_last


def _nearest(days: Iterable[int | None], near: datetime) -> int | None:
    target = near.toordinal() - _EPOCH_DAY
    return min((day for day in days if day is not None), key=lambda day: abs(day - target), default=None)


def _ordinal(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
