"""Time stamps of log lines: the texts of date, time of day, zone and epoch, turned into milliseconds.

Dates and zones repeat from line to line, so each distinct text is read once, in Python. Times of day are read by
polars.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime

import polars as pl

DATE = (
    r"[0-9]{4}[-/.][0-9]{2}[-/.][0-9]{2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}|[0-9]{2}/[0-9]{2}/[0-9]{2}|[0-9]{8}"
    r"|[0-9]{1,2}[ /-][A-Z][a-z]{2}[a-z]*[ /-][0-9]{4}|[A-Z][a-z]{2}[a-z]* [0-9]{1,2},? [0-9]{4}"
)
"""A date with its year."""
CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9]:(?:[0-5]?[0-9]|60)(?:[.,][0-9]{1,9})?(?: ?[AP]M)?"
BASIC_CLOCK = r"(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9]|60)(?:[.,][0-9]{1,9})?"
_EAST = {"Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9}
_WEST = {"EST": 5, "EDT": 4, "MST": 7, "MDT": 6, "PST": 8, "PDT": 7, "CDT": 5, "AKST": 9, "AKDT": 8, "HST": 10}
ZONES = _EAST | {name: -hours for name, hours in _WEST.items()}
"""Hours east of UTC of zone names that have one common meaning."""
UNCLEAR_ZONES = (
    "CST",
    "IST",
    "BST",
    "AST",
    "ADT",
    "AEST",
    "AEDT",
    "ACST",
    "AWST",
    "NZST",
    "NZDT",
    "SGT",
    "HKT",
    "SAST",
)
"""Zone names with several meanings or none in `ZONES`: recognised, but not used."""
ZONE = r"[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?|" + "|".join(sorted([*ZONES, *UNCLEAR_ZONES], key=len, reverse=True))
_ENDS = r"(?: ?(?P<zone>" + ZONE + r")\b(?:\[[A-Z]\w+/[\w/]+\])?)?"
STAMP = rf"(?:(?P<date>{DATE})(?:[T :-]|, ?| - )?(?P<time>{CLOCK}|{BASIC_CLOCK}){_ENDS})"
"""A date and a time of day, with or without a zone."""
TIME_OF_DAY = rf"(?:(?P<time>{CLOCK}){_ENDS})"
WHEN = rf"(?:(?:(?P<date>{DATE})(?:[T :-]|, ?)?)?(?P<time>{CLOCK}){_ENDS})"
"""As `STAMP`, or a time of day alone."""
SYSLOG = rf"(?:(?P<date>[A-Z][a-z]{{2}} {{1,2}}[0-9]{{1,2}}(?: [0-9]{{4}})?) (?P<time>{CLOCK}))"
EPOCH = r"(?P<epoch>[0-9]{9,10}(?:\.[0-9]{1,9})?|[0-9]{13}|[0-9]{16}|[0-9]{19})"
"""Seconds (also with a fraction), milliseconds, microseconds or nanoseconds since 1970."""
WHOLE = rf"^\s*(?:{EPOCH}|(?P<date>{DATE})(?:(?:[T :-]|, ?)?(?P<time>{CLOCK}|{BASIC_CLOCK}){_ENDS})?)\s*$"
"""A text that is nothing but a time stamp: a date with or without a time of day, or an epoch."""

DAY = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_USUAL_TIME = r"^[0-9]{2}:[0-9]{2}:[0-5][0-9][.,][0-9]{3}$"
_BASIC_TIME = r"^([0-9]{2})([0-9]{2})([0-9]{2})(?:[.,]([0-9]{1,9}))?()$"
_TIME = r"^([0-9]{1,2})[:.]([0-9]{1,2})[:.]([0-9]{1,2})(?:[.,:]([0-9]{1,9}))?(?: ?([AP])M)?$"


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
    fraction = parts.struct[3].fill_null("").str.pad_end(3, "0").str.slice(0, 3).cast(pl.Int64, strict=False)
    half = parts.struct[4]
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


def zone_ms(text: str) -> int | None:
    """Milliseconds east of UTC of a zone such as Z, +02:00, -0530 or CEST; None for a name of several meanings."""
    if match := re.fullmatch(r"([+-])([0-9]{2}):?([0-9]{2})?", text):
        minutes = int(match[2]) * 60 + int(match[3] or 0)
        return (minutes if match[1] == "+" else -minutes) * 60_000
    return ZONES[text] * 3_600_000 if text in ZONES else None


def day_first(dates: Iterable[str]) -> bool | None:
    """Whether dates such as 03/04/2026 begin with the day, by those that can be read in one way; None if none can."""
    pairs = [tuple(map(int, match.groups())) for text in dates if (match := _SLASHED.fullmatch(text))]
    if any(first > 12 for first, _ in pairs):
        return True
    return False if any(second > 12 for _, second in pairs) else None


_SLASHED = re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-][0-9]{4}")


def day_number(text: str, near: datetime | None, first: bool | None = None) -> int | None:
    """Days since 1970 of a date; None for one that does not exist.

    A date without a year is the one nearest to `near`; without `near` it is in 1970. first: see `day_first`; undecided
    dates begin with the month, as in the United States.
    """
    for pattern, order in _DATES:
        if match := pattern.fullmatch(text):
            parts = dict(zip(order, match.groups(), strict=True))
            if "x" in parts:
                named = ("d", "m") if first else ("m", "d")
                parts |= dict(zip(named, (parts.pop("x"), parts.pop("y")), strict=True))
            return _number(parts, near)
    return None


_DATES = [
    (re.compile(pattern), order)
    for pattern, order in (
        (r"([0-9]{4})[-/.]([0-9]{2})[-/.]([0-9]{2})", "Ymd"),
        (r"([0-9]{4})([0-9]{2})([0-9]{2})", "Ymd"),
        (r"([0-9]{2})[/]?([0-9]{2})[/]?([0-9]{2})", "Ymd"),
        (r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", "dmY"),
        (r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})", "xyY"),
        (r"([0-9]{1,2})[ /-]([A-Z][a-z]{2})[a-z]*[ /-]([0-9]{4})", "dmY"),
        (r"([A-Z][a-z]{2})[a-z]* +([0-9]{1,2}),? ([0-9]{4})", "mdY"),
        (r"([A-Z][a-z]{2}) +([0-9]{1,2})", "md"),
        (r"([0-9]{2})[-.]?([0-9]{2})", "md"),
    )
]


def _number(parts: dict[str, str], near: datetime | None) -> int | None:
    month = int(parts["m"]) if parts["m"].isdigit() else _MONTHS.get(parts["m"].lower(), 0)
    day = int(parts["d"])
    if "Y" in parts:
        year = int(parts["Y"]) + (2000 if len(parts["Y"]) == 2 else 0)
        return _ordinal(year, month, day)
    if near is None:
        return _ordinal(1970, month, day)
    candidates = [_ordinal(near.year + shift, month, day) for shift in (-1, 0, 1)]
    target = near.toordinal() - _EPOCH_DAY
    return min((c for c in candidates if c is not None), key=lambda c: abs(c - target), default=None)


def _ordinal(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
