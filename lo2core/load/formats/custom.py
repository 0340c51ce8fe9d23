"""Formats that a person names or describes: `--format NAME`, `--format PATTERN`, and those of `formats.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache

import polars as pl

from lo2core.base.errors import InputError
from lo2core.load.formats.catalogue import FORMATS
from lo2core.load.formats.format import FIELDS, PARTS, Format, expanded
from lo2core.load.formats.recognition import PLAIN
from lo2core.messages.patterns import group_names, linear_pattern

_NAMES = {known.name: known for known in (*FORMATS, PLAIN)}
_NAMED = re.compile(r"([A-Za-z0-9][\w .-]{0,39})=(\^.*)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9][\w .-]{0,39}")


def chosen(formats: Sequence[str], described: Sequence[str] = ()) -> tuple[Format, ...]:
    """The formats to read logs by: the catalogue, or only those that are given, by name or as a pattern.

    A pattern has named groups (see `format.FIELDS`), of which `message` is required, and may contain `{stamp}`,
    `{level}` and the other parts of `format.Format`. The format `text` takes every line as an event. described: further
    formats, each as NAME=PATTERN, which are tried before the catalogue. Raises InputError for an unknown name and an
    invalid pattern.

    Examples:
        >>> from lo2core.load.formats.custom import chosen
        >>> [known.name for known in chosen(["kafka", r"^{stamp} <(?P<level>[a-z]+)> {message}"])]
        ['kafka', 'pattern 2']
        >>> [known.name for known in chosen(["payment"], ["payment=^{stamp} {message}"])]
        ['payment']
    """
    own = {known.name: known for known in (parsed_format(text, 0) for text in described)}
    if not formats:
        return (*own.values(), *FORMATS)
    names = _NAMES | own
    return tuple(_format(text, number, names) for number, text in enumerate(formats, start=1))


def _format(text: str, number: int, names: Mapping[str, Format]) -> Format:
    if known := names.get(text):
        return replace(known, loose=False) if known.loose else known  # who names a format knows that the logs have it
    if not set("^({\\") & set(text):
        near = get_close_matches(text, names, 1)
        raise InputError(
            f"There is no format {text!r}. {f'Did you mean {near[0]!r}? ' if near else ''}docs/formats.md lists the "
            "names; or describe it by a pattern."
        )
    return parsed_format(text, number)


def check_name(name: str) -> str:
    """The name of a new format. Raises InputError for one that is taken by the catalogue, or no name."""
    if name in _NAMES or not _NAME.fullmatch(name):
        why = (
            "is one of the catalogue" if name in _NAMES else "must have letters, digits, spaces, '.', '-' and '_' only"
        )
        raise InputError(f"The name {name!r} cannot be used for a format: it {why}. Choose another name.")
    return name


@lru_cache(maxsize=64)
def parsed_format(text: str, number: int) -> Format:
    """The format that NAME=PATTERN or a pattern describes; without a name it is called by its number."""
    named = _NAMED.fullmatch(text)
    name, pattern = (named[1], named[2]) if named else (f"pattern {number}", text)
    pattern = pattern if pattern.startswith("^") else f"^{pattern}"
    try:
        regex = _linear(pattern)
        groups = {group for group in group_names(regex) if not group.isdigit()}
    except InputError as error:
        raise InputError(f"The format {text!r} cannot be used: {_with_parts(str(error))}.") from error
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"The format {text!r} cannot be used: a part such as {{stamp}} may occur once, without repetition."
        ) from error
    if "message" not in groups or not groups <= {*FIELDS, *_OF_PARTS}:
        raise InputError(
            f"The format {text!r} cannot be used: it needs the group message, such as in '^{{stamp}} {{level}} "
            f"{{message}}', and may have the groups {', '.join(FIELDS)}; found "
            f"{', '.join(sorted(groups - set(_OF_PARTS))) or 'none'}."
        )
    return Format(name, regex, typed=True, opening=_opening(pattern))


def _linear(pattern: str) -> str:
    """The pattern for the engine of polars, with all parts inserted; the limits hold for what was typed."""
    for part, sign in _SIGNS.items():
        pattern = pattern.replace(part, sign)
    if unknown := _PLACEHOLDER.search(pattern):
        near = get_close_matches(unknown[1].lower(), PARTS, 1)
        raise InputError(
            f"there is no part {{{unknown[1]}}}{f'; did you mean {{{near[0]}}}' if near else ''}; the parts are "
            f"{', '.join(_SIGNS)}; a brace of the log is written as \\{{"
        )
    pattern = linear_pattern(pattern)
    for part, sign in _SIGNS.items():
        pattern = pattern.replace(sign, expanded(part))
    return pattern


def _with_parts(text: str) -> str:
    for part, sign in _SIGNS.items():
        text = text.replace(repr(sign)[1:-1], part)
    return text


_PLACEHOLDER = re.compile(r"(?<!\\)(?<!\\[pPxuU])\{([A-Za-z_]\w*)\}")
"""What looks like a part in braces, but not a class of characters such as `\\p{Greek}`."""
_SIGNS = {f"{{{name}}}": chr(0xE000 + number) for number, name in enumerate(PARTS)}
_OF_PARTS = ("monthday", "clock", "clock_zone", "year")
"""Further groups of the parts."""


def _opening(text: str) -> str:
    """The pattern of a line that begins as the given one does, with its time stamp."""
    return Format("", text).start or ""
