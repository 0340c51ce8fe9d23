"""Proposes a pattern for lines of an unknown format, as a start for a person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from lo2core.load.formats.format import LEVELS, expanded

_MOST = 200
_SHARE = 0.8
"""A part is taken if this share of the lines goes on with it."""
_PARTS = (
    ("{stamp}", expanded("{stamp}")),
    ("{epoch}", expanded("{epoch}") + r"(?![0-9])"),
    ("{clock}", expanded("{clock}")),
    ("{level}", rf"(?i:{LEVELS})(?![A-Za-z])"),
    (r"\[(?P<thread>{brackets})\]", rf"\[(?!{expanded('{stamp}')}|(?i:{LEVELS})\b)[^\[\]]*\]"),
    (r"(?P<logger>[\w.$:/-]+)", r"[A-Za-z_][\w$]*(?:(?:\.|::|/|-)[\w$]+)*(?=\s*[)\]|:]|\s-\s)"),
    ("[0-9]+", r"[0-9]+"),
)
_TIMES = {"{stamp}", "{epoch}", "{clock}"}
_LONGEST = 24


def propose(lines: Sequence[str]) -> str | None:
    """A pattern that most of the lines are of, with their time stamp and level in front; None if none is found.

    Examples:
        >>> from lo2core.load.formats.proposal import propose
        >>> propose(["28.06.2024 16:40:52 <warn> [w-1] low", "28.06.2024 16:40:53 <info> [w-2] paid"])
        '^{stamp} <{level}> \\\\[(?P<thread>{brackets})\\\\] {message}'
    """
    rests = [line for line in lines[:_MOST] if line[:1].strip()]
    pattern, found = "^", set[str]()
    for _ in range(_LONGEST):
        part = _next_part(rests, found)
        if not part:
            break
        text, rests = part
        pattern += text
        found.add(text)
    if not found & _TIMES and "{level}" not in found:
        return None
    return f"{pattern}{{message}}"


def _next_part(rests: Sequence[str], found: set[str]) -> tuple[str, list[str]] | None:
    """What most lines go on with: a part that was not found before, or a separator; and the rests of these lines."""
    enough = max(1, _SHARE * len(rests))
    for text, form in _PARTS:
        if text in found or (text in _TIMES and found & _TIMES):
            continue
        after = [rest[match.end() :] for rest in rests if (match := re.match(form, rest))]
        if len(after) >= enough:
            return text, after
    blanks = [rest.lstrip(" \t") for rest in rests if rest[:1] in (" ", "\t")]
    if len(blanks) >= enough:
        several = any(rest[:2].isspace() for rest in rests) or any("\t" in rest[:1] for rest in rests)
        return r"\s+" if several else " ", blanks
    character = _mark(rests)
    return (_escaped(character), [rest[1:] for rest in rests if rest[:1] == character]) if character else None


def _escaped(character: str) -> str:
    return f"\\{character}" if character in r".^$*+?{}[]\\|()" else character


def _mark(rests: Sequence[str]) -> str:
    """The punctuation that most lines go on with; empty if there is none."""
    counted = Counter(rest[:1] for rest in rests if re.match(r"[^\w\s]", rest))
    character, n = counted.most_common(1)[0] if counted else ("", 0)
    return character if n >= max(1, _SHARE * len(rests)) else ""
