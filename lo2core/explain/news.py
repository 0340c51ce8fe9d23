"""What is new in a prediction: which faults earlier predictions knew already, and which messages no log had before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from lo2core.base.text import plural
from lo2core.detect.incidents import not_fully_scored
from lo2core.explain.groups import CAUSE, similar

_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

Earlier = Sequence[tuple[datetime, pl.DataFrame]]
"""When an earlier prediction was made (UTC), and its groups (`schemas.Groups`)."""


def known_since(groups: pl.DataFrame, earlier: Earlier) -> pl.DataFrame:
    """The groups with `since`, the time of the first earlier prediction with a similar group; null if there is none.

    A known cause (columns cause and when of `triage.judged_groups`) counts from the day it was named.
    """
    parts = [pl.DataFrame(schema={"group": pl.Int64, "since": pl.Datetime("ms")})]
    for made, theirs in earlier:
        close = similar(groups, theirs.select(*CAUSE, other="group"), "group", "other").select("group").unique()
        parts.append(close.with_columns(since=pl.lit(made, dtype=pl.Datetime("ms"))))
    named = groups.filter(pl.col("cause").is_not_null()).select("group", since=pl.col("when").cast(pl.Datetime("ms")))
    first = pl.concat([*parts, named]).group_by("group").agg(pl.col("since").min())
    return groups.join(first, on="group", how="left", maintain_order="left")


def sentence(day: str, made: datetime, flags: pl.Series, groups: pl.DataFrame, new_messages: int) -> str:
    """What a colleague would say about new scores, as one sentence.

    day: the day of `made`, when they were made, in words such as "Today". flags: of all incidents. groups: the result
    of `known_since`. new_messages: of the logs, that no log had before.
    """
    partly = not_fully_scored(flags)
    parts = [f"{day}: {int(flags.fill_null(False).sum()):,} of {plural(len(flags), 'incident')} flagged{partly}"]
    if groups.height:
        parts.append(_faults(groups, made, "earlier today" if day == "Today" else "earlier that day"))
    if new_messages:
        parts.append(f"{plural(new_messages, 'message')} never seen before")
    return f"{'; '.join(parts)}."


def _faults(groups: pl.DataFrame, made: datetime, same_day: str) -> str:
    known = groups.drop_nulls("since")
    new = groups.height - known.height
    if not known.height:
        return f"{_number(new)} new {'fault' if new == 1 else 'faults'}, none known from earlier scores"
    since = min(known["since"].to_list()).replace(tzinfo=UTC).astimezone()
    day = same_day if since.date() == made.astimezone().date() else f"{since.day} {since:%b}"
    faults = f"{_number(known.height)} {'fault' if known.height == 1 else 'faults'} known since {day}"
    return f"{faults}, {_number(new) if new else 'none'} new"


def _number(n: int) -> str:
    return _SMALL[n] if n < len(_SMALL) else f"{n:,}"
