"""Dataclass fields that are options of the command line: declared once, read from arguments, turned back into them.

    @dataclass(frozen=True)
    class Draw:
        runs: int | None = option(None, "--runs", metavar="N", help="only the first N runs, by time")

`add_options` adds the options of a dataclass to a parser, `parsed` makes the dataclass from what was parsed, and
`arguments` is the way back. The type of a field says how it is read: a bool is a switch, a tuple takes one or more
values, and a dataclass brings options of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from types import NoneType
from typing import Any, NoReturn, TypeVar, cast, get_args, get_origin, get_type_hints

from lo2core.base.errors import InputError

REQUIRED: Any = MISSING
"""In place of a default: the option must be given."""

_OPTION = "option"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Form:
    """A way to write an option: its flag, and what else `argparse` wants to know. Without dashes it is positional."""

    flag: str
    keywords: Mapping[str, Any]

    @property
    def positional(self) -> bool:
        return not self.flag.startswith("-")


@dataclass(frozen=True)
class Option:
    """How a field is written: `forms` exclude each other, and so do the options of one `group`."""

    forms: tuple[Form, ...]
    group: str
    always: bool


def form(flag: str, **keywords: Any) -> Form:
    """Another form of an option; of a switch that is on by default, the one that turns it off."""
    return Form(flag, keywords)


def option(default: Any, flag: str, *others: Form, group: str = "", always: bool = False, **keywords: Any) -> Any:
    """A dataclass field that is an option. `keywords` are those of `add_argument`, as far as the type does not say it.

    `arguments` leaves it out where it has its default, unless `always`.
    """
    return field(default=default, metadata={_OPTION: Option((Form(flag, keywords), *others), group, always)})


def same_option(owner: type, name: str) -> Any:
    """A field like that of another dataclass."""
    declared = next(one for one in fields(owner) if one.name == name)
    return field(default=declared.default, metadata=declared.metadata)


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are one sentence, like all our errors."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, found {text!r}")
    return int(text)


def add_options(parser: argparse.ArgumentParser, owner: type) -> None:
    """Add the options of a dataclass; those that are not given leave no trace in the namespace."""
    groups: dict[str, Any] = {}
    for one, hint in _fields(owner):
        if is_dataclass(hint):
            add_options(parser, cast(type, hint))
        declared: Option | None = one.metadata.get(_OPTION)
        if declared is None:
            continue
        target: Any = parser
        if declared.group or len(declared.forms) > 1:
            name = declared.group or one.name
            target = groups[name] = groups.get(name) or parser.add_mutually_exclusive_group()
        for number, way in enumerate(declared.forms):
            target.add_argument(way.flag, **_keywords(one, hint, way, is_first=number == 0))


def parsed(owner: type[_T], found: Mapping[str, Any]) -> _T:
    """The dataclass with the options that were given, and its own defaults for the others."""
    values: dict[str, Any] = {}
    for one, hint in _fields(owner):
        if is_dataclass(hint):
            values[one.name] = parsed(cast(type, hint), found)
        elif one.name in found:
            values[one.name] = _frozen(found[one.name])
    return owner(**values)


def arguments(given: Any) -> list[str]:
    """The arguments that `parsed` would make this dataclass of; positional ones come first."""
    positional: list[str] = []
    flagged: list[str] = []
    for one, hint in _fields(type(given)):
        value, declared = getattr(given, one.name), one.metadata.get(_OPTION)
        if is_dataclass(hint):
            flagged += arguments(value)
        elif declared is not None and (declared.always or value != one.default):
            way = declared.forms[0]
            if way.positional:
                positional += [str(each) for each in (value if isinstance(value, tuple) else (value,))]
            else:
                flagged += _written(declared, value)
    return positional + flagged


def defaults(owner: type) -> dict[str, Any]:
    """The default of each option, by the name of its field; `REQUIRED` where it has none."""
    found: dict[str, Any] = {}
    for one, hint in _fields(owner):
        if is_dataclass(hint):
            found |= defaults(cast(type, hint))
        elif _OPTION in one.metadata:
            found[one.name] = one.default
    return found


def _fields(owner: type) -> Iterator[tuple[Field[Any], Any]]:
    """The fields of a dataclass with their types."""
    hints = get_type_hints(owner)
    return ((one, hints[one.name]) for one in fields(owner))


def _keywords(one: Field[Any], hint: Any, way: Form, *, is_first: bool) -> dict[str, Any]:
    """What `add_argument` is told: what the type of the field says, overruled by what is declared."""
    if hint is bool:
        implied: dict[str, Any] = {"action": "store_true" if is_first else "store_false"}
    elif get_origin(hint) is tuple:
        implied = {"type": _scalar(hint), "nargs": "+", "action": "extend"}
    else:
        implied = {"type": _scalar(hint)}
    if not way.positional:
        implied |= {"dest": one.name, "default": argparse.SUPPRESS, "required": is_first and one.default is MISSING}
    return implied | dict(way.keywords)


def _scalar(hint: Any) -> Any:
    """The type of a single value: of `int | None` int, of `tuple[Path, ...]` Path."""
    inner = [each for each in get_args(hint) if each not in (NoneType, Ellipsis)]
    return _scalar(inner[0]) if inner else hint


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _written(declared: Option, value: Any) -> list[str]:
    """A flag and its values. A value that looks like a flag is joined to its own by `=`."""
    flag = declared.forms[0].flag
    if isinstance(value, bool):
        return [flag if value else declared.forms[1].flag]
    if not isinstance(value, tuple):
        text = _text(value)
        return [f"{flag}={text}"] if text.startswith("-") else [flag, text]
    if value and isinstance(value[0], tuple):
        return [part for each in value for part in (flag, *map(_text, each))]
    texts = [_text(each) for each in value]
    return [f"{flag}={text}" for text in texts] if any(text.startswith("-") for text in texts) else [flag, *texts]


def _text(value: Any) -> str:
    """A value as a person would type it; a float reads as itself again."""
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value)
