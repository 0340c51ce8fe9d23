"""Declarations of tables: columns with their types, keys and limits, and the check of a frame against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, ClassVar

import polars as pl
from polars.datatypes import DataTypeClass

DataType = pl.DataType | DataTypeClass


class ValidationError(ValueError):
    """A frame does not fit the declaration of its table."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    primary_key: part of the key, which is unique in each row. nullable: whether values may be missing. min, max: limits
    of numbers, which are always finite. min_length: of a text, in characters. added: whether tables of earlier versions
    lack this column.
    """

    dtype: pl.DataType
    primary_key: bool = False
    nullable: bool = False
    min: float | None = None
    max: float | None = None
    min_length: int | None = None
    added: bool = False

    def failures(self, name: str) -> dict[str, pl.Expr]:
        """The number of values that break each rule of the column, by the name of the rule."""
        value = pl.col(name)
        found = {} if self.nullable else {"nullability": value.null_count()}
        if self.min is not None:
            found["min"] = (value < self.min).sum()
        if self.max is not None:
            found["max"] = (value > self.max).sum()
        if self.min_length is not None:
            found["min_length"] = (value.str.len_chars() < self.min_length).sum()
        if self.dtype.is_float():
            found["finite"] = (~value.is_finite()).sum()
        if isinstance(self.dtype, pl.List):
            found["inner_nullability"] = (value.list.drop_nulls().list.len() < value.list.len()).sum()
        return found


String = partial(Column, pl.String())
Bool = partial(Column, pl.Boolean())
Int32 = partial(Column, pl.Int32())
Int64 = partial(Column, pl.Int64())
UInt32 = partial(Column, pl.UInt32())
UInt64 = partial(Column, pl.UInt64())
Float64 = partial(Column, pl.Float64())
Datetime = partial(Column, pl.Datetime("ms"))


def Enum(values: Sequence[str], **limits: Any) -> Column:
    """A column of which every value is one of these."""
    return Column(pl.Enum(values), **limits)


def List(of: Column, **limits: Any) -> Column:
    """A column of lists, of which no element is null."""
    return Column(pl.List(of.dtype), **limits)


class Table:
    """The declaration of a table: its columns are the attributes of a subclass. Columns of a base class come first,
    unless they are declared again.

    rules: further conditions that every row must meet, by their names.

    Examples:
        >>> import polars as pl
        >>> from lo2core.base.table import Int64, String, Table
        >>> class Totals(Table):
        ...     service = String(primary_key=True)
        ...     events = Int64(min=0)
        >>> Totals.validate(pl.DataFrame({"service": ["a", "a"], "events": [3, -1]}))
        Traceback (most recent call last):
            ...
        lo2core.base.table.ValidationError: events: 'min' failed for 1 row, 'primary_key' failed for 2 rows
    """

    rules: ClassVar[Mapping[str, pl.Expr]] = {}

    @classmethod
    @cache
    def columns(cls) -> dict[str, Column]:
        """The columns, by name."""
        found: dict[str, Column] = {}
        for declared in reversed(cls.__mro__):
            own = {name: value for name, value in vars(declared).items() if isinstance(value, Column)}
            found = {name: column for name, column in found.items() if name not in own} | own
        return found

    @classmethod
    def column_names(cls) -> list[str]:
        return list(cls.columns())

    @classmethod
    def primary_key(cls) -> list[str]:
        """The names of the columns that identify a row."""
        return [name for name, column in cls.columns().items() if column.primary_key]

    @classmethod
    def create_empty(cls) -> pl.DataFrame:
        """A frame with the declared columns and no row."""
        return pl.DataFrame(schema={name: column.dtype for name, column in cls.columns().items()})

    @classmethod
    def cast(cls, frame: pl.DataFrame) -> pl.DataFrame:
        """The declared columns of a frame, in their types."""
        return frame.select(pl.col(name).cast(column.dtype) for name, column in cls.columns().items())

    @classmethod
    def validate(cls, frame: pl.DataFrame) -> pl.DataFrame:
        """The declared columns of a frame. Raises ValidationError if its types, values or keys are not as declared."""
        types = {name: frame.schema.get(name) for name in cls.columns()}
        wrong = [f"{name}: {found}" for name, found in types.items() if found != cls.columns()[name].dtype]
        if wrong:
            raise ValidationError(f"columns that are missing or of another type: {', '.join(wrong)}")
        if failures := [f"{rule} failed for {n} row{'s' * (n > 1)}" for rule, n in cls._failures(frame).items() if n]:
            raise ValidationError(", ".join(failures))
        return frame.select(cls.column_names())

    @classmethod
    def _failures(cls, frame: pl.DataFrame) -> dict[str, int]:
        """The number of rows that break each rule."""
        counts = {
            f"{name}: {rule!r}": failed
            for name, column in cls.columns().items()
            for rule, failed in column.failures(name).items()
        }
        counts |= {repr(rule): (~holds).sum() for rule, holds in cls.rules.items()}
        found = frame.select(**counts).row(0, named=True)
        return found | {"'primary_key'": _repeated(frame, cls.primary_key())}


def _repeated(frame: pl.DataFrame, key: Sequence[str]) -> int:
    """The number of rows that have the same key as another one."""
    if not key or _is_in_order(frame, key) or frame.select(key).n_unique() == frame.height:
        return 0
    return int(frame.select(pl.struct(key).is_duplicated().sum()).item())


def _is_in_order(frame: pl.DataFrame, key: Sequence[str]) -> bool:
    """Whether all rows of a value of the first column are together, and the second column increases in them.

    Then keys of two columns are unique, which is seen faster than by comparing all of them.
    """
    if len(key) != 2:
        return False
    first, second = (frame[name] for name in key)
    same = (first == first.shift()).fill_null(False)
    firsts = first.filter(~same)
    return firsts.n_unique() == len(firsts) and bool(((second > second.shift()) | ~same).all())
