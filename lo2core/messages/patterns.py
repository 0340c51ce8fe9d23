r"""Patterns that a person types: regular expressions for the engine of polars, which never backtracks.

The syntax is that of Rust's `regex` crate. Where that crate refuses an ordinary pattern of Python's `re`, or gives it
another meaning, the meaning of `re` applies: `[` inside brackets, a brace that repeats nothing, `{,3}`, `\<`, `\>` and
`\Z`.
"""

from __future__ import annotations

import re
from functools import lru_cache

import polars as pl

from lo2core.base.errors import InputError

LONGEST = 2_000
"""Maximum number of characters of a pattern."""

MOST_PARTS = 1_000
"""Maximum number of parts (characters, classes, groups), with repetitions expanded: `(ab{3}){2}` has 10."""

LONGEST_SEARCH = 500
"""Maximum number of characters of a text to search for."""

# Possessive where alternatives overlap, so that no pattern makes this slow.
_TOKEN = re.compile(
    r"""(?P<escape>\\(?:[pPxuU]\{[^}]*+\}|.))
    |(?P<brackets>\[\^?\]?(?:\\.|\[:\^?[a-z]++:\]|[^\]\\])*+(?P<closed>\]?))
    |(?P<repeat>[*+?]|\{(?=[0-9,])[0-9]*,?[0-9]*\})(?P<mode>[?+]?)
    |(?P<flags>\(\?[a-zA-Z-]++\))
    |(?P<open>\((?:\?(?:[a-zA-Z-]*+:|P?<[^=!>][^>]*+>|P[=>]|<?[=!]|[>(\#]))?)
    |(?P<close>\))
    |.""",
    re.VERBOSE | re.DOTALL,
)
_IN_BRACKETS = re.compile(r"\\.|\[:\^?[a-z]+:\]|--|[\[ #&~]", re.DOTALL)
_INVALID = re.compile(r"^error: (.*)$", re.MULTILINE)

_LOOK_AROUND = "look-around: match the surrounding text in a group, too, and insert that again, for example with ${1}"
_REFERENCE = "a back-reference: write the repeated text instead"
_POSSESSIVE = "a possessive or atomic part: write it as an ordinary one, since this engine never backtracks"
_ASCII = r"a flag of Python: write [0-9] for digits and [A-Za-z0-9_] for the characters of a word"
_UNSUPPORTED = {
    "(?=": _LOOK_AROUND,
    "(?!": _LOOK_AROUND,
    "(?<=": _LOOK_AROUND,
    "(?<!": _LOOK_AROUND,
    "(?P=": _REFERENCE,
    "(?P>": _REFERENCE,
    "(?>": _POSSESSIVE,
    "(?(": "a condition: write the two cases as alternatives",
    "(?#": "a comment: remove it",
}
"""How groups begin that the engine does not support, and what to do instead."""


@lru_cache(maxsize=512)
def linear_pattern(typed: str) -> str:
    r"""The pattern in the syntax of polars, whose engine finds matches in time linear in the length of the text.

    Every pattern that a person types or that comes from a file goes through this function. Raises InputError if it is
    invalid, too large, or uses a feature that the engine does not have; the message begins with "the pattern".

    Examples:
        >>> from lo2core.messages.patterns import linear_pattern
        >>> linear_pattern(r'{"id":\d+}')
        '\\{"id":\\d+}'
    """
    if len(typed) > LONGEST:
        raise _wrong(typed, f"has {len(typed):,} characters; at most {LONGEST:,} are allowed")
    try:
        typed.encode()
        pattern = _translated(typed)
        pl.Series([""]).str.contains(pattern, literal=False)
    except UnicodeEncodeError as error:
        raise _wrong(typed, "contains bytes that are not UTF-8: write it in UTF-8") from error
    except pl.exceptions.ComputeError as error:
        raise _wrong(typed, _reason(error)) from error
    return pattern


def group_names(pattern: str) -> set[str]:
    """The groups that a replacement can insert: by name, or by number without a name, and "0" for the whole match."""
    fields = pl.Series([""]).str.extract_groups(pattern).struct.fields
    return {*fields, *map(str, range(len(fields) + 1))}


def search_pattern(text: str, *, match_case: bool = False) -> str:
    """A pattern that finds a text. Raises InputError for a text of more than 500 characters.

    match_case: whether upper and lower case differ.
    """
    if len(text) > LONGEST_SEARCH:
        raise InputError(
            f"The text to search for has {len(text):,} characters, at most {LONGEST_SEARCH} are allowed: search for a "
            "part of it."
        )
    return linear_pattern(f"{'' if match_case else '(?i)'}{pl.escape_regex(text)}")


def literals_of(typed: str) -> list[str]:
    """Texts that every match of a pattern contains; empty where that is not easily told.

    Only plain characters outside of groups and brackets count, and none at all if the pattern has alternatives.

    Examples:
        >>> literals_of("user [a-z]+ not found(, again)?")
        ['user ', ' not found']
    """
    found, depth = [""], 0
    for token in _TOKEN.finditer(typed):
        text = token[0]
        if (text == "|" and not depth) or token["flags"] or re.match(r"\(\?[a-zA-Z-]*x", text):
            return []
        depth += bool(token["open"]) - bool(token["close"])
        if token["repeat"] and not depth:
            found[-1] = found[-1][:-1]
            found.append("")
        elif depth or token["close"] or token["escape"] or token["brackets"] or text in ".^$":
            found.append("")
        else:
            found[-1] += text
    return [literal for literal in found if literal]


def _translated(typed: str) -> str:
    """The pattern in the syntax of the engine; its size is counted first, so that a large one is never compiled."""
    written = []
    groups = [[0, 0]]  # of each open group: the number of parts, and how many of them the last item has
    for token in _TOKEN.finditer(typed):
        written.append(_written(token, typed))
        if token["open"]:
            groups.append([0, 0])
        elif token["repeat"]:
            total, last = groups[-1]
            times = max(1, *map(int, re.findall("[0-9]+", token["repeat"])), 1)
            groups[-1] = [total + last * (times - 1), last * times]
            _check_size(typed, sum(parts for parts, _ in groups))
        elif not token["flags"]:
            size = 1 + (groups.pop()[0] if token["close"] and len(groups) > 1 else 0)
            groups[-1] = [groups[-1][0] + size, size]
    return "".join(written)


def _check_size(typed: str, parts: int) -> None:
    if parts > max(MOST_PARTS, len(typed)):
        raise _wrong(
            typed,
            f"is too large: with its repetitions written out it has {parts:,} parts or more, at most {MOST_PARTS:,} "
            "are allowed; use smaller numbers, or * and +",
        )


def _written(token: re.Match[str], typed: str) -> str:
    text = token[0]
    if token["escape"]:
        return _escape(text, typed)
    if token["closed"]:
        return f"[{_IN_BRACKETS.sub(lambda part: _in_brackets(part[0], typed), text[1:-1])}]"
    if token["repeat"]:
        if token["mode"] == "+":
            raise _wrong(typed, f"contains {_POSSESSIVE}")
        return text.replace("{,", "{0,")
    if text in _UNSUPPORTED:
        raise _wrong(typed, f"contains {_UNSUPPORTED[text]}")
    if text.startswith("(?") and re.match(r"\(\?[a-zA-Z]*[aL]", text):
        raise _wrong(typed, f"contains {_ASCII}")
    return r"\{" if text == "{" else text


def _escape(text: str, typed: str) -> str:
    if text[1] in "123456789":
        raise _wrong(typed, f"contains {_REFERENCE}")
    if text[1] in "<>" or not text[1].isascii():
        return text[1:]
    return r"\z" if text == r"\Z" else text


def _in_brackets(text: str, typed: str) -> str:
    if text == "--":
        raise _wrong(typed, r"contains -- inside brackets: write \- for a hyphen")
    if text.startswith("[:"):
        return text
    return _escape(text, typed) if text[0] == "\\" else f"\\{text}"


def _reason(error: Exception) -> str:
    """The reason of an error: polars gives it on a separate line, between the pattern and its expression."""
    if "size limit" in str(error):
        return "is too large: use fewer or smaller repetitions, or * and +"
    found = _INVALID.search(str(error))
    return f"is not a valid regular expression ({found[1] if found else str(error).splitlines()[0]})"


def _wrong(typed: str, why: str) -> InputError:
    shown = repr(typed) if len(typed) <= 100 else f"{typed[:100]!r}..."
    return InputError(f"the pattern {shown} {why}")
