"""Recognition: the wrappers and the format of each file, by a sample of its lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

import polars as pl

from lo2core.load.formats.catalogue import FORMATS, LO2
from lo2core.load.formats.format import Format
from lo2core.load.formats.matching import could_be, of_format, shortened
from lo2core.load.formats.wrappers import WRAPPERS, Wrapper

SAMPLE = 100
"""Lines of a file that are looked at, evenly spread."""
_FEW = 20
"""Lines by which formats that explain none are left out."""
PLAIN = Format("text", r"^(?P<message>\S.*)$", loose=True)
"""Any line, for logs whose wrapper has the time stamps."""
_AROUND = 0.9
"""A wrapper has to be on this share of the lines."""
_DEEPEST = 4
_TIMES = {"stamp", "internet", "syslog", "epoch"}
_CLEAR = 0.5
"""LO2's own format is taken without looking further if it explains this share; a specific format goes before a loose
one if it explains this share of what the loose one does, a loose one with a level before one without, and one in a
wrapper if it explains this share of lines."""


@dataclass(frozen=True)
class Reading:
    """How to read a file: the wrappers to take off, outermost first, and the format of the lines below."""

    wrappers: tuple[Wrapper, ...]
    format: Format

    @property
    def name(self) -> str:
        return " > ".join([*(wrapper.name for wrapper in self.wrappers), self.format.name])


AS_LO2 = Reading((), LO2)
_Counted = tuple[int, Format]


def recognise(lines: pl.DataFrame, n_files: int, formats: Sequence[Format] = FORMATS) -> list[Reading | None]:
    """How to read each file; None for one of which no line is of a known format.

    lines: columns file (from 0), line_no, text. formats: to choose from, the most specific first.
    """
    sample = _sample(lines)
    shares = dict(sample.group_by("file").agg(pl.col("text").str.contains(LO2.regex).mean()).iter_rows())
    readings: list[Reading | None] = []
    for file in range(n_files):
        if file not in shares:
            readings.append(None)
        elif LO2 in formats and shares[file] >= _CLEAR:
            readings.append(AS_LO2)
        else:
            readings.append(recognised(sample.filter(file=file)["text"].to_list(), formats))
    return readings


def _sample(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines that are neither blank nor indented: those of a stack trace say nothing of the format."""
    spread = pl.col("line_no").max().over("file") // SAMPLE + 1
    chosen = lines.filter((pl.col("line_no") - 1) % spread == 0)
    return chosen.filter(pl.col("text").str.contains(r"^\S|^\s+\{"))


def recognised(lines: Sequence[str], formats: Sequence[Format]) -> Reading | None:
    """How to read the file that these lines are a sample of."""
    best, most = None, (0, 0)
    for wrappers, inner in _unwrapped(lines):
        specific, loose = _best([shortened(line) if len(line) > 40 else line for line in inner], formats)
        if wrappers and not (specific[0] or loose[0]) and _has_time(wrappers):
            loose = len(inner), PLAIN
        known = specific if specific[0] >= max(1, _CLEAR * loose[0]) else loose
        worth = (specific[0] if known is specific else 0, known[0])
        if worth > most or (best and _is_inside(known, len(inner), best.format)):
            best, most = Reading(wrappers, known[1]), worth
    return best


def _is_inside(known: _Counted, lines: int, outer: Format) -> bool:
    """Whether the lines in a wrapper are of a format of their own, rather than the texts of another format."""
    n, inner = known
    if not inner.loose:
        return inner is not outer and n >= max(1, _CLEAR * lines)
    return n >= max(1, _AROUND * lines) and (inner.has_time or (inner.has_level and not outer.has_level))


def _has_time(wrappers: tuple[Wrapper, ...]) -> bool:
    return any(wrapper.json or _TIMES & set(re.findall(r"{(\w+)}", wrapper.pattern)) for wrapper in wrappers)


def _unwrapped(lines: Sequence[str]) -> Iterator[tuple[tuple[Wrapper, ...], Sequence[str]]]:
    """The lines with wrappers taken off: as they are first, unless a wrapper is certain."""
    queue: list[tuple[tuple[Wrapper, ...], Sequence[str]]] = [((), lines)]
    while queue:
        wrappers, inner = queue.pop(0)
        around = [(w, below) for w in WRAPPERS if w not in wrappers and (below := _below(w, inner))]
        certain = [pair for pair in around if pair[0].sure]
        if not certain or len(wrappers) == _DEEPEST:
            yield wrappers, inner
        if len(wrappers) < _DEEPEST:
            for wrapper, below in certain[:1] or around:
                queue.append(((*wrappers, wrapper), [line for line in below if line[:1].strip()]))


def _below(wrapper: Wrapper, lines: Sequence[str]) -> list[str]:
    """The lines without a wrapper; none if too few of them have it."""
    allowed = int(len(lines) * (1 - _AROUND))
    below = []
    for line in lines:
        if (rest := wrapper.inside(line)) is not None:
            below.append(rest)
        elif (allowed := allowed - 1) < 0:
            return []
    return below


def _best(lines: Sequence[str], formats: Sequence[Format]) -> tuple[_Counted, _Counted]:
    """The specific and the loose format that explain most lines, with their numbers of lines.

    The number of the specific one includes the lines of other specific formats, since a log may change its format. A
    loose format with a level goes before one without that also explains the few lines that have none.
    """
    none = (0, PLAIN)
    specific = [known for known in formats if not known.loose]
    for known in specific:
        if lines and could_be(known, lines[0]) and could_be(known, lines[-1]) and all(of_format(known, lines)):
            return (len(lines), known), none
    few = lines[:: len(lines) // _FEW + 1]
    candidates = [known for known in formats if any(could_be(known, line) for line in few)]
    counted = [(sum(like), known, like) for known in candidates if any(like := of_format(known, lines))]
    loose = [(n, known) for n, known, _ in counted if known.loose]
    most = max(loose, key=itemgetter(0), default=none)
    leveled = max((pair for pair in loose if pair[1].has_level), key=itemgetter(0), default=none)
    best_loose = leveled if leveled[0] >= max(1, _CLEAR * most[0]) else most
    best = max((row for row in counted if not row[1].loose), key=itemgetter(0), default=None)
    if best is None:
        return none, best_loose
    together = sum(map(any, zip(*(like for _, known, like in counted if not known.loose), strict=True)))
    return (together, best[1]), best_loose
