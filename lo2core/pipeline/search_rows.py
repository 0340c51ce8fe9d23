"""Which rows of the saved events a filter finds.

Putting the raw line of every event together would take seconds for millions of them. A word of a search text is always
within one column, since what is between columns contains spaces and brackets. So each column is searched for words on
its own, which is fast: texts that repeat are searched once. Only rows in which the text may reach over several columns,
or that may match a regular expression, are put together and searched; the result is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lo2core.base.schemas import Events
from lo2core.messages.patterns import linear_pattern, literals_of, search_pattern
from lo2core.messages.raw_text import CLOCK_FORM, DATE_FORM, RAW_COLUMNS, raw_text
from lo2core.pipeline.line_filter import LineFilter
from lo2core.store.parquet import ROW_GROUP
from lo2core.store.workspace import Workspace

Mask: TypeAlias = NDArray[np.bool_]

FIRST_BLOCK, BLOCK = 131_072, 1_048_576
"""Rows that are searched at a time: few at first, which often are enough for a page."""
_SEPARATORS = re.compile(r"[ \[\]]+")


@dataclass(frozen=True)
class Rows:
    """Some events of the table: `mask` says which of the rows from `start` on."""

    start: int
    mask: Mask

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Their row numbers in the table."""
        return np.flatnonzero(self.mask) + self.start


def found_rows(
    workspace: Workspace, wanted: LineFilter, places: list[pl.Expr], is_lo2: pl.Expr | bool
) -> Iterator[Rows]:
    """The rows that pass the filter, in one or more blocks.

    places: the filter without its texts, as expressions. is_lo2: as in `raw_text`.
    """
    events, rows = workspace.scan(Events), workspace.artefact(Events).rows
    start, end, keep = 0, rows, np.ones(rows, dtype=np.bool_)
    if places:
        keep = _Table(events, workspace, is_lo2, rows).where(*places)
        some = np.flatnonzero(keep)
        start, end = (int(some[0]), int(some[-1]) + 1) if some.size else (0, 0)
    texts = [(text, sign) for text, sign in ((wanted.text, True), (wanted.without, False)) if text]
    for first, last in _blocks(start, end) if texts else [(start, end)]:
        block = keep[first:last]
        table = _Table(events.slice(first, last - first), workspace, is_lo2, last - first)
        for text, sign in texts:
            if block.any():
                hit = _hits(table, text, wanted, block)
                block = block & hit if sign else block & ~hit
        yield Rows(first, block)


@dataclass(frozen=True)
class _Table:
    """Part of the saved events."""

    events: pl.LazyFrame
    workspace: Workspace
    is_lo2: pl.Expr | bool
    height: int

    def where(self, *conditions: pl.Expr) -> Mask:
        """The rows that meet all conditions.

        Counting them is several times as fast as numbering them, and often there are none.
        """
        found = np.zeros(self.height, dtype=np.bool_)
        met = self.events.filter(*conditions)
        if self.workspace.collect(met.select(pl.len())).item():
            numbered = self.events.with_row_index("row").filter(*conditions).select("row")
            found[self.workspace.collect(numbered)["row"].to_numpy()] = True
        return found

    def all(self, condition: pl.Expr) -> Mask:
        """As `where`, for a condition that takes long for each row."""
        found = self.workspace.collect(self.events.select(condition.fill_null(False))).to_series()
        return found.to_numpy().copy()


def _hits(table: _Table, text: str, wanted: LineFilter, block: Mask) -> Mask:
    """Which rows contain a text; those that `block` leaves out do not matter."""
    sure, maybe = _searched(table, text, wanted)
    at = np.flatnonzero(maybe & block & ~sure)
    if at.size:
        low, high = int(at[0]), int(at[-1]) + 1
        part = table.workspace.collect(table.events.slice(low, high - low).select(RAW_COLUMNS))
        raw = part[at - low].select(raw_text(table.is_lo2).str.contains(pattern_of(text, wanted)))
        sure[at] = raw.to_series().to_numpy()
    return sure


def pattern_of(text: str, wanted: LineFilter) -> str:
    """The pattern of a text in a filter; `^` and `$` are the ends of a line."""
    if not wanted.regex:
        return search_pattern(text, match_case=wanted.match_case)
    return f"(?m{'' if wanted.match_case else 'i'}){linear_pattern(text)}"


def _searched(table: _Table, text: str, wanted: LineFilter) -> tuple[Mask, Mask]:
    """The rows that contain a text, and others of which the whole line has to be looked at."""
    none = np.zeros(table.height, dtype=np.bool_)
    if wanted.regex:
        words = [word for literal in literals_of(text) for word in _words(literal)]
        return none, _with_all(table, words, wanted)
    words = _words(text)
    if words == [text]:
        return _with_all(table, words, wanted), none
    sure = table.where(pl.col("m_message").str.contains(pattern_of(text, wanted)))
    return sure, _in_header(table, text, words, wanted) if words else ~none


def _words(text: str) -> list[str]:
    """The parts of a text that are within one column wherever it is in a raw line."""
    return [word for word in _SEPARATORS.split(text) if word.strip("-")]


def _in_header(table: _Table, text: str, words: list[str], wanted: LineFilter) -> Mask:
    """The rows in which the text may begin in front of the message."""
    begins = _with(table, words[0], wanted, message=text[0] in " -[]")
    return begins & _with(table, words[-1], wanted) if len(words) > 1 and begins.any() else begins


def _with_all(table: _Table, words: list[str], wanted: LineFilter) -> Mask:
    """The rows with the two longest words."""
    found = np.ones(table.height, dtype=np.bool_)
    for word in sorted(set(words), key=len, reverse=True)[:2]:
        if found.any():
            found &= _with(table, word, wanted)
    return found


def _with(table: _Table, word: str, wanted: LineFilter, *, message: bool = True) -> Mask:
    """The rows with a word in one of the columns of the raw line; message: whether also in the message."""
    pattern = search_pattern(word, match_case=wanted.match_case)
    columns = ["thread", "correlation_id", "level", "logger", "method", *(["m_message"] if message else [])]
    conditions = [pl.col(name).str.contains(pattern) for name in columns]
    clock = pl.col("m_timestamp").dt.strftime("%H:%M:%S%.3f").str.contains(pattern)
    if table.is_lo2 is not True and _fits(word, DATE_FORM):
        dated = pl.col("m_timestamp").dt.strftime("%Y-%m-%d").str.contains(pattern)
        conditions.append(dated if table.is_lo2 is False else dated & ~table.is_lo2)
    found = table.all(clock) if _fits(word, CLOCK_FORM) else np.zeros(table.height, dtype=np.bool_)
    for condition in conditions:
        found |= table.where(condition)
    return found


def _fits(word: str, form: str) -> bool:
    """Whether a word can be part of a time stamp of this form, in which d is a digit."""
    shape = re.sub("[0-9]", "d", word)
    return "d" not in re.sub("[0-9]", "", word) and shape in form


def events_at(workspace: Workspace, numbers: NDArray[np.int64]) -> pl.DataFrame:
    """The events with these row numbers, which are in ascending order; only parts of the table with some are read."""
    events, found = workspace.scan(Events), []
    for part in np.unique(numbers // ROW_GROUP):
        inside = numbers[numbers // ROW_GROUP == part]
        low, high = int(inside[0]), int(inside[-1]) + 1
        rows = events.slice(low, high - low)
        if inside.size < high - low:
            chosen = pl.Series(inside - low, dtype=pl.UInt32).implode()
            rows = rows.with_row_index("row").filter(pl.col("row").is_in(chosen)).drop("row")
        found.append(workspace.collect(rows))
    return pl.concat(found) if found else workspace.collect(events.head(0))


def _blocks(start: int, end: int) -> Iterator[tuple[int, int]]:
    size = FIRST_BLOCK
    while start < end:
        yield start, min(start + size, end)
        start, size = start + size, max(size, BLOCK)
