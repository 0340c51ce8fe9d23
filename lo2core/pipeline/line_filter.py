"""Which events a search finds: a filter for the command line, the pages and assistants. It imports no heavy library."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import Any

from lo2core.base.arguments import Parser, add_options, arguments, option, parsed
from lo2core.base.errors import InputError, choices
from lo2core.load.period import Period

COLUMNS = {
    "run": "run",
    "test-case": "folder",
    "service": "service",
    "level": "level",
    "logger": "logger",
    "method": "method",
    "thread": "thread",
    "correlation-id": "correlation_id",
    "template": "message_id",
}
"""What values of events can be excluded, and the column of each."""

_FIELDS = {
    "run": "runs",
    "test-case": "test_cases",
    "service": "services",
    "level": "levels",
    "logger": "loggers",
    "method": "methods",
    "thread": "threads",
    "correlation-id": "correlation_ids",
    "template": "templates",
}


def message_id(text: str) -> int | None:
    """The id of a message or template, an unsigned 64-bit number; None if the text is no id."""
    number = int(text) if text.isdecimal() and len(text) <= 20 else 2**64
    return number if number < 2**64 else None


@dataclass(frozen=True)
class LineFilter:
    """A filter of events; all its parts must hold, and an empty one does not filter.

    text: part of a raw line (see `pipeline.search`), upper and lower case alike unless `match_case` is true; with
    `regex` a regular expression, without look-around. without: the same for lines that are not wanted. runs,
    test_cases (names or folders), services, levels, loggers, methods, threads, correlation_ids: any of these values.
    templates: ids of messages or templates. exclude: values that are not wanted, as NAME=VALUE with the names of
    `COLUMNS`. since, until: see `load.period.Period`.
    Raises InputError for an empty period and for an exclusion of another form.

    Examples:
        >>> from lo2core import LineFilter
        >>> LineFilter("timeout", services=("client",), exclude=("level=DEBUG",)).as_typed()
        'timeout --service client --exclude level=DEBUG'
    """

    text: str = option("", "text", nargs="?", metavar="TEXT", help="part of a line")
    regex: bool = option(False, "--regex", help="TEXT is a regular expression")
    match_case: bool = option(False, "--match-case", help="distinguish upper and lower case")
    without: str = option("", "--without", metavar="TEXT", help="only lines that do not contain this")
    runs: tuple[str, ...] = option((), "--run", metavar="NAME", help="only these runs")
    test_cases: tuple[str, ...] = option((), "--test-case", metavar="NAME", help="only these test cases")
    services: tuple[str, ...] = option((), "--service", metavar="NAME", help="only these services")
    levels: tuple[str, ...] = option((), "--level", metavar="LEVEL", help="only these levels")
    loggers: tuple[str, ...] = option((), "--logger", metavar="NAME", help="only these loggers")
    methods: tuple[str, ...] = option((), "--method", metavar="NAME", help="only these methods")
    threads: tuple[str, ...] = option((), "--thread", metavar="NAME", help="only these threads")
    templates: tuple[str, ...] = option(
        (), "--template", metavar="ID", help="only lines of these templates or messages, by their ids"
    )
    correlation_ids: tuple[str, ...] = option((), "--correlation-id", metavar="ID", help="only these requests")
    exclude: tuple[str, ...] = option(
        (),
        "--exclude",
        metavar="NAME=VALUE",
        help=f"leave out a value, such as level=DEBUG (NAME: {', '.join(COLUMNS)})",
    )
    since: str | None = option(
        None, "--since", metavar="TIME", help="only lines from this date or time of day on, such as 2024-06-28T16:40"
    )
    until: str | None = option(None, "--until", metavar="TIME", help="only lines before this time, or up to this date")

    def __post_init__(self) -> None:
        _ = self.period, self.excluded

    @classmethod
    def typed(cls, text: str) -> LineFilter:
        """The filter that `as_typed` has written; raises InputError for any other text."""
        parser = Parser(prog="search", add_help=False, allow_abbrev=False)
        add_options(parser, cls)
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise InputError(f"The filter {text!r} has a quotation mark too many or too few.") from error
        return parsed(cls, vars(parser.parse_args(words)))

    def as_typed(self) -> str:
        """The filter as options of the command `search`, for an address."""
        return shlex.join(arguments(self))

    def narrowed(self, sign: str, column: str, value: object) -> LineFilter:
        """The filter with only one value of a column (`sign` +), or without it (-)."""
        name = next(name for name, known in COLUMNS.items() if known == column)
        others = tuple(one for one in self.exclude if one != f"{name}={value}")
        if sign == "-":
            return replace(self, exclude=(*others, f"{name}={value}"))
        only: dict[str, Any] = {_FIELDS[name]: (str(value),)}
        return replace(self, exclude=others, **only)

    @property
    def period(self) -> Period | None:
        """The part of the logs that is searched; None for all of them."""
        return Period(self.since, self.until) if self.since or self.until else None

    @property
    def excluded(self) -> list[tuple[str, str]]:
        """The columns and values that are not wanted."""
        pairs = [one.partition("=")[::2] for one in self.exclude]
        for name, _ in pairs:
            if name not in COLUMNS:
                raise InputError(f"{name!r} cannot be excluded; write NAME=VALUE. {choices(name, COLUMNS)}")
        return [(COLUMNS[name], value) for name, value in pairs]
