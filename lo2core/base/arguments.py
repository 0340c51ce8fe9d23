"""Command line options as dataclass fields: declared once, parsed from arguments, and converted back to arguments.

    @dataclass(frozen=True)
    class Draw:
        runs: int | None = option(None, "--runs", metavar="N", help="only the first N runs, by time")

`add_options` adds the options of a dataclass to a parser, `parsed` creates the dataclass from the parsed values, and
`arguments` is the inverse. The type of a field determines how it is parsed: a bool is a switch, a tuple takes one or
more values, and a dataclass adds its own options.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from types import NoneType
from typing import Any, NoReturn, TypeVar, cast, get_args, get_origin, get_type_hints

from lo2core.base.errors import InputError

REQUIRED: Any = MISSING
"""Instead of a default: the option must be given."""

_OPTION = "option"
_T = TypeVar("_T")


@dataclass(frozen=True)
class Form:
    """A way to write an option: its flag, and other arguments for `argparse`. Without dashes it is positional."""

    flag: str
    keywords: Mapping[str, Any]

    @property
    def positional(self) -> bool:
        return not self.flag.startswith("-")


@dataclass(frozen=True)
class Option:
    """The declaration of an option. Its `forms` are mutually exclusive, and so are the options of a `group`."""

    forms: tuple[Form, ...]
    group: str
    always: bool


def form(flag: str, **keywords: Any) -> Form:
    """Another form of an option, such as the one that turns a switch off."""
    return Form(flag, keywords)


def option(default: Any, flag: str, *others: Form, group: str = "", always: bool = False, **keywords: Any) -> Any:
    """A dataclass field that is an option. `keywords` are those of `add_argument` that do not follow from the type.

    `arguments` omits an option with its default value, unless `always` is true.
    """
    return field(default=default, metadata={_OPTION: Option((Form(flag, keywords), *others), group, always)})


def same_option(owner: type, name: str) -> Any:
    """A field with the same option as a field of another dataclass."""
    declared = next(spec for spec in fields(owner) if spec.name == name)
    return field(default=declared.default, metadata=declared.metadata)


class Parser(argparse.ArgumentParser):
    """An argument parser that reports an error in one sentence, like all our errors."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.")


def positive(text: str) -> int:
    """A whole number of at least 1."""
    return _whole(text, 1)


def not_negative(text: str) -> int:
    """A whole number of at least 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or len(text) > _MOST_DIGITS or int(text) < least:
        limit = f", with at most {_MOST_DIGITS} digits" if len(text) > _MOST_DIGITS else ""
        raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}{limit}, found {text[:100]!r}")
    return int(text)


_MOST_DIGITS = 18
"""So that sums of two such numbers still are 64-bit numbers."""


def add_options(parser: argparse.ArgumentParser, owner: type) -> None:
    """Add the options of a dataclass; options that are not given do not appear in the namespace."""
    groups: dict[str, Any] = {}
    for spec, hint in _fields(owner):
        if is_dataclass(hint):
            add_options(parser, cast(type, hint))
        declared: Option | None = spec.metadata.get(_OPTION)
        if declared is None:
            continue
        target: Any = parser
        if declared.group or len(declared.forms) > 1:
            name = declared.group or spec.name
            target = groups[name] = groups.get(name) or parser.add_mutually_exclusive_group()
        for number, way in enumerate(declared.forms):
            target.add_argument(way.flag, **_keywords(spec, hint, way, is_first=number == 0))


def parsed(owner: type[_T], given: Mapping[str, Any]) -> _T:
    """The dataclass with the given options, and with its defaults for the others."""
    values: dict[str, Any] = {}
    for spec, hint in _fields(owner):
        if is_dataclass(hint):
            values[spec.name] = parsed(cast(type, hint), given)
        elif spec.name in given:
            values[spec.name] = _frozen(given[spec.name])
    return owner(**values)


def arguments(given: Any) -> list[str]:
    """The arguments from which `parsed` creates this dataclass; positional ones come first.

    Those that look like flags come last, after `--`.
    """
    positional, flagged = _arguments(given)
    if any(each.startswith("-") for each in positional):
        return [*flagged, "--", *positional]
    return positional + flagged


def _arguments(given: Any) -> tuple[list[str], list[str]]:
    positional: list[str] = []
    flagged: list[str] = []
    for spec, hint in _fields(type(given)):
        value, declared = getattr(given, spec.name), spec.metadata.get(_OPTION)
        if is_dataclass(hint):
            inner_positional, inner_flagged = _arguments(value)
            positional += inner_positional
            flagged += inner_flagged
        elif declared is not None and (declared.always or value != spec.default):
            way = declared.forms[0]
            if way.positional:
                positional += [str(each) for each in (value if isinstance(value, tuple) else (value,))]
            else:
                flagged += _written(declared, value)
    return positional, flagged


def defaults(owner: type) -> dict[str, Any]:
    """The default of each option by the name of its field; `REQUIRED` if it has none."""
    values: dict[str, Any] = {}
    for spec, hint in _fields(owner):
        if is_dataclass(hint):
            values |= defaults(cast(type, hint))
        elif _OPTION in spec.metadata:
            values[spec.name] = spec.default
    return values


def _fields(owner: type) -> Iterator[tuple[Field[Any], Any]]:
    """The fields of a dataclass with their types."""
    hints = get_type_hints(owner)
    return ((spec, hints[spec.name]) for spec in fields(owner))


def _keywords(spec: Field[Any], hint: Any, way: Form, *, is_first: bool) -> dict[str, Any]:
    """The arguments of `add_argument`: derived from the type of the field, overridden by those that are declared."""
    if hint is bool:
        implied: dict[str, Any] = {"action": "store_true" if is_first else "store_false"}
    elif get_origin(hint) is tuple:
        implied = {"type": _scalar(hint), "nargs": "+", "action": "extend"}
    else:
        implied = {"type": _scalar(hint)}
    if not way.positional:
        implied |= {"dest": spec.name, "default": argparse.SUPPRESS, "required": is_first and spec.default is MISSING}
    elif spec.default is not MISSING:
        implied |= {"default": spec.default}
    return implied | dict(way.keywords)


def _scalar(hint: Any) -> Any:
    """The type of a single value: of `int | None` int, of `tuple[Path, ...]` Path."""
    inner = [each for each in get_args(hint) if each not in (NoneType, Ellipsis)]
    return _scalar(inner[0]) if inner else hint


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _written(declared: Option, value: Any) -> list[str]:
    """A flag and its values. A value that looks like a flag is joined to its flag by `=`."""
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
    """A value as a person would type it; a float is parsed back to the same float."""
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value)
