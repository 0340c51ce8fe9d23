"""What a script hands to the public API: types and frames are checked first, errors of libraries become sentences."""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cache, wraps
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast, get_args, get_origin, get_type_hints

from lo2core.base.errors import InputError, Lo2Error, reason

if TYPE_CHECKING:
    import polars as pl

P = ParamSpec("P")
R = TypeVar("R")


def checked_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which raises InputError for an argument that is not of the annotated type."""
    signature = inspect.signature(function)
    name = function.__qualname__.removesuffix(".__init__")

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        given, hints = signature.bind(*args, **kwargs).arguments, _hints(function)
        for parameter, value in given.items():
            _check(f"{name}: {parameter}", value, hints.get(parameter, Any))
        return function(*args, **kwargs)

    return checked


def check_fields(given: Any) -> None:
    """Raises InputError for a field of a dataclass that is not of the annotated type."""
    hints = _hints(cast(Hashable, type(given)))
    for field in fields(given):
        _check(f"{type(given).__name__}: {field.name}", getattr(given, field.name), hints[field.name])


@contextmanager
def understood(what: str, hint: str = "Check the types and values that you gave") -> Iterator[None]:
    """Whatever a library raises about unusual values becomes an InputError: `what`, its reason, and the hint."""
    try:
        yield
    except Lo2Error:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # which polars raises
            raise
        why = f"{type(error).__name__}: {reason(error)}"[:300].rstrip(".: ")
        raise InputError(f"{what} ({why}). {hint}.") from error


def as_frame(value: Any, name: str) -> pl.DataFrame:
    """A frame that a script gave, as a polars frame; tables of pandas and pyarrow, and dicts of columns, are converted.

    Raises InputError for anything else.
    """
    import polars as pl

    if isinstance(value, pl.LazyFrame):
        raise InputError(f"{name} is a LazyFrame: call .collect() on it first.")
    if not isinstance(value, pl.DataFrame | dict) and not hasattr(value, "__dataframe__"):
        raise InputError(f"{name} is of the type {type(value).__name__}; expected a polars DataFrame.")
    with understood(f"{name} cannot be converted to a polars DataFrame", "Give one, with each column named once"):
        return pl.DataFrame(value)


def check_column(frame: pl.DataFrame, column: str, fits: Callable[[Any], bool], expected: str) -> None:
    """Raises InputError if the column exists with a type that does not fit, and is not empty (null)."""
    import polars as pl

    dtype = frame.schema.get(column, pl.Null())
    if dtype != pl.Null and not fits(dtype):
        raise InputError(f"The column {column} has the type {dtype}; expected {expected}. Convert it, or leave it out.")


@cache
def _hints(owner: Any) -> dict[str, Any]:
    unknown: dict[str, Any] = {}
    while True:
        try:
            return get_type_hints(owner, localns=unknown)
        except NameError as error:  # a type that is imported for type checkers only
            unknown[str(error.name)] = Any


def _check(name: str, value: object, hint: Any) -> None:
    if not _fits(value, hint):
        expected = hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
        expected = expected.replace("typing.", "").replace("collections.abc.", "")
        shown = repr(value)
        raise InputError(f"{name} must be {expected}, found {shown if len(shown) < 80 else type(value).__name__}.")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type; numbers of numpy, and any kind of sequence, count as those of Python."""
    origin, of = get_origin(hint), get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in of)
    if origin is typing.Literal:
        return any(value is one or (isinstance(value, str) and value == one) for one in of)
    if origin in (tuple, list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection):
        if isinstance(value, str | bytes | dict) or not hasattr(value, "__iter__"):
            return False
        return not hasattr(value, "__len__") or all(_fits(one, of[0] if of else Any) for one in value)
    if hint is float:
        return isinstance(value, Real)
    if hint is int:
        return isinstance(value, Integral)
    plain = origin or hint
    if (
        plain is Any
        or not isinstance(plain, type)
        or typing.is_typeddict(plain)
        or getattr(plain, "_is_protocol", False)
    ):
        return True
    return isinstance(value, plain)
