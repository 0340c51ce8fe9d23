"""Whether lines are of a format: by Python's `re`, for a few lines and many formats, which polars would compile anew.

A pattern is tried in a shorter form first, in which time stamps are matched roughly, since most patterns fail by it and
the full ones take long to compile. Patterns that people type run on the engine of polars only, which never backtracks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import polars as pl

from lo2core.load.formats.format import Format, expanded
from lo2core.load.formats.objects import is_entry

LONGEST = 2_000
"""Characters of a line that are compared; runs of blanks are shortened, since Python's engine backtracks over them."""
_BLANKS = re.compile(r"[ \t]{40,}")
_DATE = (
    r"(?:[A-Za-z]{3,9},? )?(?:[0-9]{1,4}[./-][0-9]{2}[./-][0-9]{2,4}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}|[0-9]{8}"
    r"|[0-9]{1,2}(?:\. |[ /-])[A-Za-z]{3,9}(?:[ /-][0-9]{2,4})?|[A-Za-z]{3,9} {1,2}[0-9]{1,2}(?:,? [0-9]{4})?)"
    r"(?:[T_:-]| - | at |::|,? {1,2}|,)?"
)
_TIME = (
    r"[0-9]{1,2}(?::[0-9]{2}:?|\.?[0-9]{2}\.?)[0-9]{1,2}(?:[.,:][0-9]{1,9})?(?:[ \u202f]?[aApP]\.?[mM]\.?)?"
    r"(?: ?(?:[A-Z]{1,5}|(?:GMT|UTC)?[+-][0-9]{1,2}:?(?:[0-9]{2})?|[A-Z][a-z]+/[\w/+-]+)\b(?:\[[\w/]+\])?)?"
)
_ROUGH = {
    "stamp": rf"(?:{_DATE}{_TIME}(?: \([\w ]+\)| [0-9]{{4}}\b)?)",
    "when": rf"(?:(?:{_DATE})?{_TIME}(?: \([\w ]+\))?)",
    "clock": rf"(?:{_TIME})",
    "internet": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}(?:Z|[+-][0-9:]{4,5})",
    "epoch": r"[0-9]{9,19}(?:\.[0-9]{1,9})?",
}


def shortened(line: str) -> str:
    """A line as it is compared with patterns."""
    return _BLANKS.sub(" " * 40, line[:LONGEST])


@lru_cache(maxsize=512)
def _rough(pattern: str) -> re.Pattern[str]:
    for name, part in _ROUGH.items():
        pattern = pattern.replace("{" + name + "}", part)
    return _compiled(expanded(pattern))


_FIRST_PART = re.compile(r"\^(?:\\\[\??)?\{(?:stamp|when|clock)\}(?![?*])")


def _matches_roughly(pattern: str, line: str) -> bool:
    """Whether the rough form of a pattern matches. Half of all patterns begin in one of four ways, which are tried
    first: those that fail need not be compiled."""
    first = _FIRST_PART.match(pattern)
    if first and not _rough(first[0]).match(line):
        return False
    return bool(_rough(pattern).match(line))


@lru_cache(maxsize=512)
def _exact(pattern: str) -> re.Pattern[str]:
    return _compiled(expanded(pattern))


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(r"\x{FEFF}", "\ufeff"))


def match(pattern: str, line: str) -> re.Match[str] | None:
    """The match of a pattern of the catalogue, which may contain the parts of `format.Format`."""
    return _exact(pattern).match(line) if _matches_roughly(pattern, line) else None


def is_of(known: Format, line: str) -> bool:
    """Whether a line is of a format."""
    return of_format(known, [line])[0]


def of_format(known: Format, lines: Sequence[str]) -> list[bool]:
    """Which lines are of a format."""
    if known.typed:
        return pl.Series(lines, dtype=pl.String).str.contains(known.regex).to_list()
    if known.objects:
        return [_matches_roughly(known.pattern, line) and is_entry(line, known.objects) for line in lines]
    return [match(known.pattern, line) is not None for line in lines]


def could_be(known: Format, line: str) -> bool:
    """A quick test; true for every line of the format, and for a few others."""
    return is_of(known, line) if known.typed else _matches_roughly(known.pattern, line)
