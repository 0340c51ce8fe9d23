"""The effects of mask rules, and what a new rule would change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter

import polars as pl

from lo2core.base.errors import InputError
from lo2core.messages.masks import DEFAULT_RULES, Masker, MaskRule

LONGEST = 10.0
"""Seconds that added rules may take for the sampled lines; good ones take a fraction of a second."""


@dataclass(frozen=True)
class RuleEffect:
    """What a rule would change: the number of lines, examples (before, after; cut to the change), distinct messages."""

    lines: int
    examples: pl.DataFrame
    messages: tuple[int, int]
    """Before and after."""


def rule_effect(
    masker: Masker, rule: MaskRule, lines: pl.Series, messages: pl.Series, longest: float = LONGEST
) -> RuleEffect:
    """Try `rule` after those of `masker` on raw lines, and on the distinct messages that `masker` returned.

    Raises InputError like `Masker`, and where the added rules take longer than `longest` seconds for the lines.
    """
    extended = Masker((*masker.rules, rule), masker.templates)
    _check_speed(extended.rules, lines, longest)
    tried = pl.DataFrame({"before": masker.mask(lines), "after": extended.mask(lines)})
    changed = tried.filter(pl.col("before") != pl.col("after"))
    after = extended.beyond(masker).mask(messages)
    return RuleEffect(
        changed.height, _cut(changed.unique(maintain_order=True)), (messages.n_unique(), after.n_unique())
    )


def _check_speed(rules: Iterable[MaskRule], lines: pl.Series, longest: float) -> None:
    """Large patterns can need seconds for thousands of lines; then the rest of the lines is not tried."""
    own, begin = [rule for rule in rules if rule not in DEFAULT_RULES], perf_counter()
    if not own:
        return
    alone = Masker(tuple(own))
    for some in lines.to_frame().iter_slices(500):
        alone.mask(some.to_series())
        if perf_counter() - begin > longest:
            raise InputError(
                f"The added masks ({', '.join(rule.name for rule in own)}) take longer than {longest:g} s for "
                f"{len(lines):,} lines: simplify their patterns, for example by fewer or smaller repetitions."
            )


def rule_table(masker: Masker, lines: pl.Series, longest: float = LONGEST) -> pl.DataFrame:
    """One row per rule of the masker, in running order: name, hits (lines it changed), an example before and after.

    Raises InputError where the added rules take longer than `longest` seconds for the lines.
    """
    _check_speed(masker.rules, lines, longest)
    return _cut(masker.hits(lines))


def _cut(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its columns before and after cut to where they differ."""
    pairs = [excerpt(before or "", after or "") for before, after in frame.select("before", "after").iter_rows()]
    return frame.with_columns(
        pl.Series(name, [pair[side] for pair in pairs], dtype=pl.String)
        for side, name in enumerate(("before", "after"))
    )


def excerpt(before: str, after: str, around: int = 16, longest: int = 60) -> tuple[str, str]:
    """Both texts cut to where they differ, with some context; a long difference is shortened in the middle."""
    head = _in_common(before, after)
    tail = _in_common(before[head:][::-1], after[head:][::-1])
    first, second = (_window(text, head, len(text) - tail, around, longest) for text in (before, after))
    return first, second


def _in_common(one: str, other: str) -> int:
    """Length of the common prefix."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (first, second) in pairs if first != second), min(len(one), len(other)))


def _window(text: str, start: int, end: int, around: int, longest: int) -> str:
    middle = text[start:end]
    if len(middle) > longest:
        middle = f"{middle[: longest // 2]}…{middle[-longest // 2 :]}"
    left, right = text[max(0, start - around) : start], text[end : end + around]
    return f"{'…' * (start > around)}{left}{middle}{right}{'…' * (end + around < len(text))}"
