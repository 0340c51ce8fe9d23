"""Formats that a person names or describes: `--format NAME` or `--format PATTERN`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from lo2core.base.errors import InputError, choices
from lo2core.load.formats.catalogue import FORMATS
from lo2core.load.formats.format import FIELDS, Format, expanded
from lo2core.messages.patterns import group_names, linear_pattern

_NAMES = {known.name: known for known in FORMATS}


def chosen(formats: Sequence[str]) -> tuple[Format, ...]:
    """The formats to read logs by: the catalogue, or only those that are given, by name or as a pattern.

    A pattern has named groups (see `format.FIELDS`), of which `message` is required, and may contain `{stamp}`,
    `{level}` and the other parts of `format.Format`. Raises InputError for an unknown name and an invalid pattern.

    Examples:
        >>> from lo2core.load.formats.custom import chosen
        >>> [known.name for known in chosen(["kafka", r"^{stamp} <(?P<level>[a-z]+)> {message}"])]
        ['kafka', 'pattern 2']
    """
    if not formats:
        return FORMATS
    return tuple(_NAMES.get(text) or _described(text, number) for number, text in enumerate(formats, start=1))


@lru_cache(maxsize=64)
def _described(text: str, number: int) -> Format:
    if not set("^({\\") & set(text):
        raise InputError(f"There is no format {text!r}. {choices(text, list(_NAMES))} Or describe it by a pattern.")
    try:
        groups = {name for name in group_names(linear_pattern(expanded(text))) if not name.isdigit()}
    except InputError as error:
        raise InputError(f"The format {text!r} cannot be used: {error}") from error
    if "message" not in groups or not groups <= set(FIELDS):
        raise InputError(
            f"The format {text!r} cannot be used: it needs the group message, such as in '^{{stamp}} {{level}} "
            f"{{message}}', and may have the groups {', '.join(FIELDS)}; found {', '.join(sorted(groups)) or 'none'}."
        )
    return Format(f"pattern {number}", linear_pattern(expanded(text)), typed=True, opening=_opening(text))


def _opening(text: str) -> str:
    """The pattern of a line that begins as the given one does, with its time stamp."""
    return Format("", text).start or ""
