r"""General masks: whatever usually varies between messages of one template becomes `<*>`.

They run after the masks of `masks.py` and only for templates. Words, constants such as `ERR12011` and words in capitals
are kept. A general mask knows kinds of values (paths, hosts, numbers), never a system.
"""

from __future__ import annotations

import re
import sys
from typing import NamedTuple

import polars as pl

from lo2core.messages.hashing import factorize
from lo2core.messages.replace import replace_all

WILDCARD = "<*>"
"""A part of a template that differs between its messages."""

HEADER = r"^[A-Z]+ \S+(?: \S+)? -(?: |$)"
"""The header `LEVEL logger method -` of a normalised message; the method may be missing."""

_MASK = r"<[A-Z*]+>"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_DOMAINS = (
    "com|net|org|edu|gov|mil|info|biz|io|dev|local|internal|localdomain|lan|corp|uk|de|cn|jp|kr|tw|hk|ru|fr|nl|pl|br|au"
    "|ca|eu|ch|se|es|tr|ir|vn|ro|cz|gr|dk|fi|mx|ar|cl|za|il|sg|th|ua|hu|pt|nz|ie|co"
)
_LABEL = rf"(?:[A-Za-z0-9_-]|{_MASK})+"
_SEPARATED = r"(^|[\s\"'=(\[<>:,|])"
_HEX_WITH_A_DIGIT = (
    r"[0-9][0-9a-fA-F]{5,}|[0-9a-fA-F][0-9][0-9a-fA-F]{4,}|[0-9a-fA-F]{2}[0-9][0-9a-fA-F]{3,}"
    r"|[0-9a-fA-F]{3,}[0-9][0-9a-fA-F]{2,}"
)
_AMOUNT = r"(?:<\*>|\b\d+(?:\.\d+)?)\s?"
_TIME_UNIT = r"(?:ns|us|ms|m?secs?|millis(?:econds)?|seconds?|minutes?|mins?|hours?|hrs?|days?|[smh])"


class GeneralMask(NamedTuple):
    """A kind of values, its pattern (for the `regex` crate of Rust) and what replaces it."""

    name: str
    pattern: str
    replacement: str = WILDCARD


GENERAL_MASKS: tuple[GeneralMask, ...] = (
    GeneralMask("bytes in hexadecimal", rf"(?:\b[0-9A-Fa-f]{{2}}|{_MASK})(?:[:-](?:[0-9A-Fa-f]{{2}}\b|{_MASK})){{2,}}"),
    # Dots that lead to a value: a column of its own.
    GeneralMask("leading dots", r"\.{4,}", " .... "),
    GeneralMask(
        "date in words",
        rf"\b(?:{_DAY},? )?{_MONTH} +\d\d?,?(?: <TIME>)?(?: [A-Z]{{3,4}})?(?: \d{{4}})?\b"
        rf"|\b{_DAY},? \d\d? {_MONTH} \d{{4}}(?: <TIME>)?",
    ),
    GeneralMask("address of a resource", r"\b[a-z][a-z0-9+.-]*://[^\s\"'()\[\]{},;|]+"),
    GeneralMask("path with backslashes", r"(?:\b[A-Za-z]:|\\\\?[?.]?)\\[^\s\"'<>|,;]+"),
    GeneralMask("path", rf"{_SEPARATED}(?:\.{{0,2}}/(?:[\w.~+@%*$#{{}}:=&?!-]|{_MASK})+)+/?", f"${{1}}{WILDCARD}"),
    GeneralMask("host name", rf"(?:{_LABEL}\.)+(?:{_DOMAINS})(:\d+)?([^\w.-]|\.\s|\.?$)", f"{WILDCARD}${{2}}"),
    GeneralMask("path below a name with dots", r"\b[a-z]\w*(?:\.\w+)+/[\w.$/-]+"),
    GeneralMask("host and port", rf"\b[A-Za-z]+[0-9.-](?:[\w.-]|{_MASK})*:(?:\d{{2,5}}\b|<NUM>)"),
    GeneralMask("any other mask", rf"(?:<\s?)?{_MASK}"),
    GeneralMask("hexadecimal number", r"[-+]?\b0x[0-9a-fA-F]+\b"),
    GeneralMask("letters among digits", r"\b[A-Za-z0-9]*[0-9][A-Za-z]+[0-9][A-Za-z0-9]*\b"),
    GeneralMask("hexadecimal id", rf"\b(?:{_HEX_WITH_A_DIGIT})\b"),
    GeneralMask("size", rf"{_AMOUNT}(?:[KMGTP]i?)?B\b"),
    GeneralMask("duration", rf"(?:<\s?)?{_AMOUNT}{_TIME_UNIT}\b"),
    GeneralMask("number with a sign", r"(^|[\s=:(\[,{_])[-+]?\d+(?:\.\d+)?%?", f"${{1}}{WILDCARD}"),
    # An error code such as ERR12011 is no number: it is matched first, and put back.
    GeneralMask("number", r"\b([A-Z]{2,}-?\d{5,})\b|\d+", f"${{1}}{WILDCARD}"),
    GeneralMask("error code", r"\b([A-Z]{2,}-?\d{5,})<\*>", "${1}"),
    GeneralMask("name with dots", r"(=\s?)[a-z]\w*(?:\.[A-Za-z]*[a-z]\w*){2,}", f"${{1}}{WILDCARD}"),
    GeneralMask("truth value", r"([=:]\s?)(?:true|false|null|True|False|None)\b", f"${{1}}{WILDCARD}"),
    # Lists of values have any length.
    GeneralMask("list", r"<\*>(?:[\s,;:|/.#@_+~-]*<\*>)+"),
)


def generalised(messages: pl.Series) -> pl.DataFrame:
    """Header ("" if there is none) and general text of each message, with single spaces, in the same order."""
    whole = messages.str.replace_all(r"\s+", " ").str.strip_chars()
    header = whole.str.extract(f"({HEADER})").fill_null("")
    body = pl.select(whole.str.slice(header.str.len_chars())).to_series()
    codes, general = factorize(body)
    for mask in GENERAL_MASKS:
        general = replace_all(general, mask.pattern, mask.replacement, sys.maxsize)
    general = general.gather(codes).str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.DataFrame([header.str.strip_chars_end().rename("header"), general.rename("text")])


_CODE = r"(?:-?[0-9]{1,4}|0x[0-9a-fA-F]{1,8})(?![0-9A-Za-z]|\.[0-9])"
_CODE_NAME = (
    r"(?i:(?<![a-z])(?:http/[0-9](?:\.[0-9])?|(?:http)?[ _-]?status(?:[ _-]?code)?|errno|hresult|rc"
    r"|(?:(?:error|return|exit|result|response)[ _-]?)?code|exit(?:ed)?(?: with)?(?: status)?|signal))"
)
_CODE_HINTS = ["http/", "status", "errno", "hresult", "rc", "code", "exit", "signal"]
_CODES = re.compile(rf"({_CODE_NAME}[\"']?\s?[:=]?\s?[\"'(\[]?)({_CODE}|<\*>)")
"""A name of a code, what separates it from the code, and the code or the wildcard in its place."""


def may_have_codes(messages: pl.Series) -> pl.Series:
    """Whether a message may contain a code: most do not contain the name of one, and this is found faster."""
    return messages.str.contains_any(_CODE_HINTS, ascii_case_insensitive=True)


def codes_of(message: str) -> tuple[str, ...]:
    """The status and error codes of a message, in their order."""
    return tuple(code for _, code in _CODES.findall(message) if code != WILDCARD)


def filled(template: str, codes: tuple[str, ...]) -> str:
    """The template with codes in place of their wildcards; behind it if their numbers differ.

    Examples:
        >>> from lo2core.messages.variables import codes_of, filled
        >>> filled("GET <*> status: <*> len: <*>", codes_of("GET /v2/users status: 404 len: 1893"))
        'GET <*> status: 404 len: <*>'
    """
    if not codes:
        return template
    places = [found for found in _CODES.finditer(template) if found[2] == WILDCARD]
    if len(places) != len(codes):
        return f"{template} ({', '.join(codes)})"
    left = iter(codes)
    return _CODES.sub(lambda found: found[1] + (next(left) if found[2] == WILDCARD else found[2]), template)


def unfilled(template: str) -> str:
    """The inverse of `filled`."""
    return _CODES.sub(rf"\1{WILDCARD}", re.sub(r" \([0-9a-fA-Fx, -]+\)$", "", template))
