"""Which rows of the saved events a filter finds.

Putting the raw line of every event together would take seconds for millions of them. A word of a search text is always
within one column, since what is between columns contains spaces and brackets. So each column is searched for words on
its own, which is fast: texts that repeat are searched once. Only rows in which the text may reach over several columns,
or that may match a regular expression, are put together and searched; the result is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lo2core.base.schemas import Events
from lo2core.messages.patterns import linear_pattern, literals_of, search_pattern
from lo2core.messages.raw_text import CLOCK_FORM, DATE_FORM, RAW_COLUMNS, raw_text
from lo2core.pipeline.line_filter import LineFilter
from lo2core.store.workspace import Workspace

Mask: TypeAlias = NDArray[np.bool_]

FIRST_BLOCK = 131_072
"""Rows that are put together before the first look whether they are enough; each further block is twice as large."""
_SEPARATORS = re.compile(r"[ \[\]]+")
_STATIC = ("thread", "level", "logger", "method")
"""Columns with few distinct values."""


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
    table = _Table(workspace.scan(Events), workspace, is_lo2)
    rows = workspace.artefact(Events).rows
    keep = np.ones(rows, dtype=np.bool_)
    if places:
        keep = _mask(table.numbers(*places), rows)
    some = np.flatnonzero(keep)
    if not some.size:
        return
    start, end = int(some[0]), int(some[-1]) + 1
    table = _Table(table.events.slice(start, end - start), workspace, is_lo2)
    keep = keep[start:end]
    texts = [(text, sign) for text, sign in ((wanted.text, True), (wanted.without, False)) if text]
    searches = [(_searched(table, text, wanted), sign) for text, sign in texts]
    for first, last in _blocks(len(keep), any(search.maybe is not None for search, _ in searches)):
        block = keep[first:last]
        for search, sign in searches:
            hit = _hits(table, search, first, block)
            block = block & hit if sign else block & ~hit
        yield Rows(start + first, block)


@dataclass(frozen=True)
class _Table:
    """Part of the saved events."""

    events: pl.LazyFrame
    workspace: Workspace
    is_lo2: pl.Expr | bool
    _distinct: dict[str, pl.Series] = field(default_factory=dict)

    def numbers(self, *conditions: pl.Expr) -> pl.Series:
        """The numbers of the rows that meet all conditions."""
        found = self.events.with_row_index("row").filter(*conditions).select("row")
        return self.workspace.collect(found)["row"]

    @property
    def height(self) -> int:
        return int(self.workspace.collect(self.events.select(pl.len())).item())


@dataclass(frozen=True)
class _Search:
    """A text: its pattern, the rows that contain it, and those that have to be looked at (None for none)."""

    pattern: str
    sure: Mask
    maybe: Mask | None


def _hits(table: _Table, search: _Search, first: int, block: Mask) -> Mask:
    """Which rows of a block contain the text; rows that the block leaves out do not matter."""
    hit = search.sure[first : first + len(block)].copy()
    if search.maybe is None:
        return hit
    check = search.maybe[first : first + len(block)] & block & ~hit
    at = np.flatnonzero(check)
    if at.size:
        low, high = int(at[0]), int(at[-1]) + 1
        part = table.events.slice(first + low, high - low).select(RAW_COLUMNS)
        chosen = table.workspace.collect(part).filter(pl.Series(check[low:high]))
        found = chosen.select(raw_text(table.is_lo2).str.contains(search.pattern)).to_series()
        hit[at] = found.to_numpy()
    return hit


def pattern_of(text: str, wanted: LineFilter) -> str:
    """The pattern of a text in a filter; `^` and `$` are the ends of a line."""
    if not wanted.regex:
        return search_pattern(text, match_case=wanted.match_case)
    return f"(?m{'' if wanted.match_case else 'i'}){linear_pattern(text)}"


def _searched(table: _Table, text: str, wanted: LineFilter) -> _Search:
    pattern, rows = pattern_of(text, wanted), table.height
    nothing = np.zeros(rows, dtype=np.bool_)
    if wanted.regex:
        words = [word for literal in literals_of(text) for word in _words(literal)]
        return _Search(pattern, nothing, _with_all(table, words, wanted, rows))
    words = _words(text)
    if words == [text]:
        return _Search(pattern, _with_all(table, words, wanted, rows), None)
    sure = _mask(table.numbers(pl.col("m_message").str.contains(pattern)), rows)
    if not words:
        return _Search(pattern, sure, np.ones(rows, dtype=np.bool_))
    return _Search(pattern, sure, _in_header(table, text, words, wanted, rows))


def _words(text: str) -> list[str]:
    """The parts of a text that are within one column wherever it is in a raw line."""
    return [word for word in _SEPARATORS.split(text) if word.strip("-")]


def _in_header(table: _Table, text: str, words: list[str], wanted: LineFilter, rows: int) -> Mask | None:
    """The rows in which the text may begin in front of the message; None if there are none."""
    begins = _with(table, words[0], wanted, rows, message=text[0] in " -[]")
    if len(words) > 1 and begins.any():
        begins &= _with(table, words[-1], wanted, rows)
    return begins if begins.any() else None


def _with_all(table: _Table, words: list[str], wanted: LineFilter, rows: int) -> Mask:
    found = np.ones(rows, dtype=np.bool_)
    for word in sorted(set(words), key=len, reverse=True)[:2]:
        found &= _with(table, word, wanted, rows)
    return found


def _with(table: _Table, word: str, wanted: LineFilter, rows: int, *, message: bool = True) -> Mask:
    """The rows with a word in one of the columns of the raw line; message: whether also in the message."""
    pattern = search_pattern(word, match_case=wanted.match_case)
    columns = ["correlation_id", *(["m_message"] if message else []), *_static_with(table, pattern)]
    conditions = [pl.col(name).str.contains(pattern) for name in columns]
    if _fits(word, CLOCK_FORM):
        conditions.append(pl.col("m_timestamp").dt.strftime("%H:%M:%S%.3f").str.contains(pattern))
    if table.is_lo2 is not True and _fits(word, DATE_FORM):
        dated = pl.col("m_timestamp").dt.strftime("%Y-%m-%d").str.contains(pattern)
        conditions.append(dated if table.is_lo2 is False else dated & ~table.is_lo2)
    found = np.zeros(rows, dtype=np.bool_)
    for condition in conditions:
        found[table.numbers(condition).to_numpy()] = True
    return found


def _static_with(table: _Table, pattern: str) -> list[str]:
    """The columns with few values of which one matches."""
    if not table._distinct:
        distinct = table.workspace.collect(table.events.select(pl.col(_STATIC).unique().implode()))
        table._distinct.update({name: distinct[name].explode() for name in _STATIC})
    return [name for name in _STATIC if table._distinct[name].str.contains(pattern).any()]


def _fits(word: str, form: str) -> bool:
    """Whether a word can be part of a time stamp of this form, in which d is a digit."""
    shape = re.sub("[0-9]", "d", word)
    return "d" not in re.sub("[0-9]", "", word) and shape in form


def _mask(numbers: pl.Series, rows: int) -> Mask:
    mask = np.zeros(rows, dtype=np.bool_)
    mask[numbers.to_numpy()] = True
    return mask


def _blocks(rows: int, growing: bool) -> Iterator[tuple[int, int]]:
    start, size = 0, FIRST_BLOCK if growing else rows
    while start < rows:
        yield start, min(start + size, rows)
        start, size = start + size, 2 * size
