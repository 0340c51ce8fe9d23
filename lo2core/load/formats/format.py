"""What a log format is: a pattern with named groups, and examples with the values that belong to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from lo2core.load.formats import stamps

LEVELS = (
    "TRACE|DEBUG|INFORMATION|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|ALERT|EMERGENCY|EMERG|FATAL|SEVERE|CONFIG"
    "|FINEST|FINER|FINE|VERBOSE|DPANIC|PANIC|SUCCESS|SYSTEM|NOTE|CRIT|ERR|INF|WRN|DBG|TRC|FTL|VRB"
)
_WORDS = (
    *("trace", "debug", "info", "information", "notice", "warn", "warning", "error", "err", "critical", "fatal"),
    *("severe", "verbose"),
)
"""Levels that are recognised in small letters, or with a capital one, where a sentence could begin as well."""
PARTS = {
    "stamp": stamps.STAMP,
    "when": stamps.WHEN,
    "clock": stamps.TIME_OF_DAY,
    "syslog": stamps.SYSLOG,
    "epoch": stamps.EPOCH,
    "internet": stamps.INTERNET,
    "level": rf"(?P<level>(?i:{LEVELS}))",
    "word": rf"(?P<level>{LEVELS}|{'|'.join([*_WORDS, *map(str.capitalize, _WORDS)])})",
    "letter": r"(?P<level>[TVDIWEFC])",
    "brackets": r"[^\[\]]*(?:\[[^\[\]]*\][^\[\]]*)*",
    "message": r"(?P<message>.*)$",
}
FIELDS = ("date", "time", "zone", "epoch", "level", "thread", "logger", "method", "correlation_id", "message")
"""The groups that a pattern may have. `session` stands in for a correlation id that a line lacks; `mark` is a level, in
logs in which only some lines have one."""
_LONG = {
    "T": "TRACE", "V": "VERBOSE", "D": "DEBUG", "I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL", "C": "CRITICAL",
    "TRC": "TRACE", "VRB": "VERBOSE", "DBG": "DEBUG", "INF": "INFO", "INFORMATION": "INFO", "WRN": "WARN",
    "ERR": "ERROR", "FTL": "FATAL", "CRIT": "CRITICAL", "EMERG": "EMERGENCY", "NOTE": "INFO", "SYSTEM": "INFO",
    "LOG": "INFO", "STATEMENT": "INFO", "DETAIL": "INFO", "HINT": "INFO",
    "TRAC": "TRACE", "DEBU": "DEBUG", "ERRO": "ERROR", "FATA": "FATAL", "PANI": "PANIC", "PNC": "PANIC",
    "VERB": "VERBOSE", "TRCE": "TRACE", "DBUG": "DEBUG", "FAIL": "ERROR", "HTTP": "INFO", "SILLY": "TRACE",
    "FATAL ERROR": "FATAL", "PARSE ERROR": "ERROR", "DEPRECATED": "WARN", "IGNORED": "DEBUG", "ANY": "INFO",
    "0": "EMERGENCY", "1": "ALERT", "2": "CRITICAL", "3": "ERROR", "4": "WARNING", "5": "NOTICE", "6": "INFO",
    "7": "DEBUG",
    "*": "NOTICE", "#": "WARN", "-": "DEBUG", ".": "DEBUG",
    "10": "TRACE", "20": "DEBUG", "30": "INFO", "40": "WARN", "50": "ERROR", "60": "FATAL",
}  # fmt: skip


def full_level(written: str) -> str:
    """A level in capitals, abbreviations in full: `inf` -> INFO, `W` -> WARN, `30` (bunyan, pino) -> INFO."""
    capitals = written.strip().upper()
    return _LONG.get(capitals, capitals)


@dataclass(frozen=True)
class Example:
    """A line, and what its format makes of it; fields that are not named are empty."""

    line: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Format:
    """A log format. It is data: what a line looks like, and examples that are tested.

    name: for people and for `--format`. pattern: for the `regex` crate of Rust (no look-around), with groups named as
    in `FIELDS`, or `head` in place of `message`, which is then what follows it. `{stamp}`, `{when}` (date optional),
    `{clock}` (no date), `{syslog}`, `{epoch}`, `{level}`, `{word}` (a level, but not one that is rather the
    first word of a sentence), `{letter}`, `{brackets}` and `{message}` insert common parts.
    loose: such a general form that any other format explains a line better. objects: lines are objects, "json" or
    "logfmt", whose fields are found by their usual keys; the pattern only recognises them. opening: the pattern of a
    line that begins with the format's time stamp and goes on otherwise, if `pattern` does not begin with one of the
    parts. typed: whether a person typed the pattern. second: the pattern of a second line with level and message, of
    formats that take two.
    """

    name: str
    pattern: str
    examples: tuple[Example, ...] = field(default=(), compare=False)
    loose: bool = False
    objects: str = ""
    typed: bool = False
    opening: str = ""
    second: str = ""

    @cached_property
    def regex(self) -> str:
        """The pattern with all parts inserted."""
        return expanded(self.pattern)

    @cached_property
    def has_time(self) -> bool:
        """Whether its lines contain a time."""
        return bool(self.objects) or any(f"(?P<{name}>" in self.regex for name in ("time", "epoch"))

    @cached_property
    def has_level(self) -> bool:
        """Whether its lines contain a level, or may do so."""
        return bool(self.objects) or "(?P<level>" in self.regex

    @cached_property
    def has_marks(self) -> bool:
        """Whether lines without a level are as usual as those with one."""
        return "(?P<mark>" in self.regex

    @cached_property
    def start(self) -> str | None:
        """The pattern of a line that begins with this format's time stamp; None for a format without one in front."""
        if self.opening:
            return expanded(self.opening)
        for part in ("stamp", "when", "clock", "syslog", "epoch"):
            for opening in ("", r"\["):
                if self.pattern.startswith(rf"^{opening}{{{part}}}"):
                    return expanded(rf"^{opening}{{{part}}}(?P<message>(?:[^0-9].*)?)$")
        return None


def expanded(pattern: str) -> str:
    """A pattern with its common parts inserted."""
    for name, part in PARTS.items():
        pattern = pattern.replace("{" + name + "}", part)
    return pattern


def example(line: str, /, **fields: str) -> Example:
    """An `Example`."""
    return Example(line, fields)
