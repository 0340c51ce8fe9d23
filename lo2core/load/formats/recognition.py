"""Recognition: the wrappers and the format of each file, by a sample of its lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from lo2core.load.formats.catalogue import FORMATS, LO2
from lo2core.load.formats.format import Format
from lo2core.load.formats.objects import read_objects
from lo2core.load.formats.wrappers import WRAPPERS, Wrapper

SAMPLE = 100
"""Lines of a file that are looked at, evenly spread."""
PLAIN = Format("text", r"^(?P<message>\S.*)$", loose=True)
"""Any line, for logs whose wrapper has the time stamps."""
_AROUND = 0.9
"""A wrapper has to be on this share of the lines."""
_DEEPEST = 3
_CLEAR = 0.5
"""LO2's own format is taken without looking further if it explains this share; a specific format goes before a loose
one if it explains this share of what the loose one does, and one in a wrapper if it explains this share of lines."""


@dataclass(frozen=True)
class Reading:
    """How to read a file: the wrappers to take off, outermost first, and the format of the lines below."""

    wrappers: tuple[Wrapper, ...]
    format: Format

    @property
    def name(self) -> str:
        return " > ".join([*(wrapper.name for wrapper in self.wrappers), self.format.name])


AS_LO2 = Reading((), LO2)


def recognise(lines: pl.DataFrame, n_files: int, formats: Sequence[Format] = FORMATS) -> list[Reading | None]:
    """How to read each file; None for one of which no line is of a known format.

    lines: columns file (from 0), line_no, text. formats: to choose from, the most specific first.
    """
    sample = _sample(lines)
    shares = dict(sample.group_by("file").agg(pl.col("text").str.contains(LO2.regex).mean()).iter_rows())
    readings: list[Reading | None] = []
    for file in range(n_files):
        if file not in shares or (LO2 in formats and shares[file] >= _CLEAR):
            readings.append(AS_LO2)
        else:
            readings.append(_recognised(sample.filter(file=file)["text"], formats))
    return readings


def _sample(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines that are neither blank nor indented: those of a stack trace say nothing of the format."""
    spread = pl.col("line_no").max().over("file") // SAMPLE + 1
    chosen = lines.filter((pl.col("line_no") - 1) % spread == 0)
    return chosen.filter(pl.col("text").str.contains(r"^\S|^\s+\{"))


def _recognised(texts: pl.Series, formats: Sequence[Format]) -> Reading | None:
    best, most = None, (0, 0)
    for wrappers, inner in _unwrapped(texts):
        specific, loose = _best(inner, formats)
        if wrappers and not (specific[0] or loose[0]) and _has_time(wrappers):
            loose = len(inner), PLAIN
        known = specific if specific[0] >= max(1, _CLEAR * loose[0]) else loose
        worth = (specific[0] if known is specific else 0, known[0])
        is_inside = known is specific and best and known[1] is not best.format and specific[0] >= _CLEAR * len(inner)
        if worth > most or is_inside:
            best, most = Reading(wrappers, known[1]), worth
    return best


def _has_time(wrappers: tuple[Wrapper, ...]) -> bool:
    return any(wrapper.json or "{stamp}" in wrapper.pattern or "{syslog}" in wrapper.pattern for wrapper in wrappers)


def _unwrapped(texts: pl.Series) -> Iterator[tuple[tuple[Wrapper, ...], pl.Series]]:
    """The lines with wrappers taken off: as they are first, unless a wrapper is certain."""
    queue: list[tuple[tuple[Wrapper, ...], pl.Series]] = [((), texts)]
    while queue:
        wrappers, inner = queue.pop(0)
        around = [w for w in WRAPPERS if w not in wrappers and w.around(inner) >= _AROUND] if len(inner) else []
        if not any(wrapper.sure for wrapper in around) or len(wrappers) == _DEEPEST:
            yield wrappers, inner
        certain = [wrapper for wrapper in around if wrapper.sure]
        if len(wrappers) < _DEEPEST:
            for wrapper in certain[:1] or around:
                below = wrapper.taken_off(inner)["rest"].drop_nulls()
                queue.append(((*wrappers, wrapper), below.filter(below.str.contains(r"^\S"))))


def _best(texts: pl.Series, formats: Sequence[Format]) -> tuple[tuple[int, Format], tuple[int, Format]]:
    """The specific and the loose format that explain most lines, with their numbers of lines."""
    counted = [(_explained(texts, known), known) for known in formats]
    none = (0, PLAIN)
    specific = max((pair for pair in counted if not pair[1].loose), key=lambda pair: pair[0], default=none)
    return specific, max((pair for pair in counted if pair[1].loose), key=lambda pair: pair[0], default=none)


def _explained(texts: pl.Series, known: Format) -> int:
    like = texts.filter(texts.str.contains(known.regex))
    if known.objects and len(like):
        return int(read_objects(like, known.objects)["message"].is_not_null().sum())
    return len(like)
