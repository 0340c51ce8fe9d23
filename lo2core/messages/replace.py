"""Replaces what a typed pattern matches, with bounds on time and memory."""

from __future__ import annotations

import re

import polars as pl

from lo2core.base.errors import InputError
from lo2core.messages.patterns import linear_pattern

PART = 32_768
"""Characters that are searched at once: the time for all matches can grow with the square of a text."""

GROUP = re.compile(r"\$\{(\w+)\}")
"""Inserts a group in a replacement."""


def replace_all(texts: pl.Series, pattern: str, replacement: str, most_bytes: int) -> pl.Series:
    """The texts with every match replaced; `${1}` or `${name}` inserts a group.

    pattern: as typed. A text longer than `PART` is searched in parts of that length. Raises InputError where the texts
    would get more than `most_bytes`, before memory is used.
    """
    pattern = linear_pattern(pattern)
    if (texts.str.len_chars().max() or 0) > PART:  # type: ignore[operator]  # `max` of a Series may be anything
        parts = pl.Series([[text[at : at + PART] for at in range(0, max(len(text), 1), PART)] for text in texts])
        rows = pl.DataFrame({"row": range(len(texts)), "part": parts}).explode("part")
        replaced = rows.with_columns(_replaced(rows["part"], pattern, replacement, most_bytes))
        joined = replaced.group_by("row", maintain_order=True).agg(pl.col("part").str.join(""))
        return joined["part"].alias(texts.name)
    return _replaced(texts, pattern, replacement, most_bytes)


def _replaced(texts: pl.Series, pattern: str, replacement: str, most_bytes: int) -> pl.Series:
    size, copies = int(texts.str.len_bytes().sum()), len(GROUP.findall(replacement))
    inserted = len(GROUP.sub("", replacement).encode())
    # First without counting: at most every character, and the end of each text, is a match.
    if size * max(1, copies) + (size + len(texts)) * inserted > most_bytes:
        matches = int(texts.str.count_matches(pattern).sum())
        if size * max(1, copies) + matches * inserted > most_bytes:
            raise InputError(
                f"the pattern {pattern!r} with the replacement {replacement[:100]!r} makes the texts too long: from "
                f"{size:,} bytes to more than {most_bytes:,}"
            )
    return texts.str.replace_all(pattern, re.sub(r"\$(?!\{\w+\})", "$$", replacement))
