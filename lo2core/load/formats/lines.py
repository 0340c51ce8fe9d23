"""Reads lines by the recognised formats of their files: wrappers are taken off, and fields found."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lo2core.load.formats.catalogue import FORMATS, LO2
from lo2core.load.formats.format import FIELDS, LEVELS, Format, expanded
from lo2core.load.formats.matching import is_of, shortened
from lo2core.load.formats.reading import fields_of, stamped
from lo2core.load.formats.recognition import AS_LO2, Reading
from lo2core.load.formats.wrappers import PARTS, Wrapper

_COLUMNS = (*FIELDS, "trace")
_OUTER = ("date", "time", "zone", "epoch")
_PERHAPS = (
    r"^(?:.{0,60}[0-9]{1,2}[:.]?[0-9]{2}[:.]?[0-9]{1,2}|.{0,30}[0-9]{9}|\{|[A-Za-z_@][\w.@/-]*="
    rf"|(?:\[[^\]]*\] )?[\[<(]?(?i:{LEVELS}|trac|debu|erro|fata|pani|http|silly|trce|dbug|fail)\b"
    r"|[0-9]{1,2}:[0-9]{2}[AP]M|<[0-7]>|[0-9a-f]{40}|[A-Z]{3,7} \S+ [0-9-]{1,3} "
    r"|State changed from|St(?:art|opp)ing (?:all )?process|Process (?:exited|running) |Error [A-Z][0-9])"
)
"""Any line that could be of a known format: a quick test, since most continuation lines could not."""
_HALF = r"[AP]M [\w.$]+$"
"""The first of two lines that a library prints by java.util.logging, in a log of another format: class, but no text."""


def read_lines(
    lines: pl.DataFrame, readings: Sequence[Reading | None], formats: Sequence[Format] = FORMATS
) -> pl.DataFrame:
    """The lines with their fields, in the same order.

    lines: columns file, line_no, text. formats: those that lines can be of. A file without a reading is read as one of
    LO2, or, without LO2's format, as the first of the formats.
    Added are the fields (`message` is null for a line that starts no event), trace, and inner (the line without
    wrappers), outer_date and so on (the time stamp of the wrapper; only if there is one), joined (whether the line is
    part of the one before), opened (whether only its time stamp is as in the format), whole (whether the message still
    contains level, logger and method), specific (whether its file's format is) and marks (whether that has marks).
    """
    default = AS_LO2 if LO2 in formats else Reading((), formats[0])
    chosen = [reading or default for reading in readings]
    distinct = list(dict.fromkeys(chosen))
    if len(distinct) <= 1:
        return _read(lines, distinct[0] if distinct else default, formats)
    numbers = pl.Series([distinct.index(reading) for reading in chosen], dtype=pl.UInt32).gather(lines["file"])
    rows = lines.with_row_index("row")
    parts = [_read(rows.filter(numbers == number), reading, formats) for number, reading in enumerate(distinct)]
    return pl.concat(parts, how="diagonal").sort("row").drop("row")


def _read(lines: pl.DataFrame, reading: Reading, formats: Sequence[Format]) -> pl.DataFrame:
    lines = _unwrapped(lines, reading.wrappers)
    lines = pl.concat([lines, fields_of(lines["inner"], reading.format)], how="horizontal")
    whole = pl.col("message").is_not_null() if reading.format is LO2 else pl.lit(False)
    facts = {"specific": not reading.format.loose, "marks": reading.format.has_marks}
    lines = lines.with_columns(
        whole=whole, opened=pl.lit(False), **{name: pl.lit(fact) for name, fact in facts.items()}
    )
    lines = _others(lines, reading.format, formats)
    return _second_lines(lines, reading.format) if reading.format.second else lines


def _unwrapped(lines: pl.DataFrame, wrappers: tuple[Wrapper, ...]) -> pl.DataFrame:
    lines = lines.with_columns(inner=pl.col("text"), joined=pl.lit(False))
    for wrapper in wrappers:
        parts = wrapper.taken_off(lines["inner"])
        below = lines.with_columns(parts.select(pl.all().name.prefix("w_")))
        given = [f"outer_{name}" if f"outer_{name}" in lines.columns else None for name in _OUTER]
        kept = [pl.coalesce(f"w_{name}", outer) for name, outer in zip(_OUTER, given, strict=True)]
        lines = below.with_columns(
            inner=pl.coalesce("w_rest", "inner"),
            **{f"outer_{name}": expr for name, expr in zip(_OUTER, kept, strict=True)},
        )
        if parts["partial"].is_in(["P"]).any():
            lines = _joined(lines)
        lines = lines.drop(f"w_{name}" for name in PARTS)
    return lines


def _joined(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines that the wrapper cut in pieces, put together in the first piece.

    Tools that pass docker's lines on leave out all line ends: then no line of the file is cut.
    """
    goes_on = (pl.col("w_partial") == "P").shift(1).over("file").fill_null(False)
    some_end = (pl.col("w_partial") == "F").any().over("file").fill_null(False)
    lines = lines.with_columns(joined=pl.col("joined") | (goes_on & some_end))
    number = (~pl.col("joined")).cum_sum().over("file")
    together = pl.col("inner").str.join("").over("file", number)
    return lines.with_columns(inner=pl.when("joined").then(pl.lit("")).otherwise(together))


def _others(lines: pl.DataFrame, own: Format, formats: Sequence[Format]) -> pl.DataFrame:
    """Finds lines of others of the formats, and lines that only begin with the own format's time stamp."""
    is_open = pl.when(pl.col("message").is_null()).then("inner").str.contains(r"^\S").fill_null(False)
    open_lines = lines.select(is_open).to_series()
    rows = open_lines.arg_true()
    texts = lines["inner"].gather(rows)
    distinct = texts.unique()
    distinct = distinct.filter(_perhaps(distinct, formats) & ~distinct.str.contains(_HALF))
    if not len(distinct):
        return lines
    found = [pl.DataFrame(schema={"inner": pl.String, **dict.fromkeys(_COLUMNS, pl.String), "opened": pl.Boolean})]
    of = _formats_of(distinct, own, formats)
    for number in of.unique().drop_nulls().sort():
        like, known = distinct.filter(of == number), formats[number]
        found.append(_taken(like, fields_of(like, known), opened=known.loose))
    distinct = distinct.filter(of.is_null())
    if own.start:
        like = distinct.filter(distinct.str.contains(own.start))
        found.append(_taken(like, stamped(like, own.start), opened=True))
    more = pl.concat(found)
    if not more.height:
        return lines
    known = texts.to_frame().join(more.with_row_index("row"), on="inner", how="left", maintain_order="left")["row"]
    of_all = pl.Series([None], dtype=pl.UInt32).new_from_index(0, lines.height).scatter(rows, known)
    more = more.select(pl.all().gather(of_all))
    picked = [pl.when(open_lines).then(more[name]).otherwise(name).alias(name) for name in _COLUMNS]
    return lines.with_columns(*picked, opened=open_lines & more["opened"].fill_null(False))


def _perhaps(lines: pl.Series, formats: Sequence[Format]) -> pl.Series:
    """A quick test, which few continuation lines pass; a pattern that a person typed is tried itself."""
    found = lines.str.contains(_PERHAPS)
    for known in formats:
        if known.typed:
            found |= lines.str.contains(known.regex)
    return found


def _splits(known: Format, own: Format) -> bool:
    """Whether a line of a format begins an event in a file of another one.

    In LO2's logs, lines with a level and without a time belong to what a library prints by java.util.logging.
    """
    return not known.loose or own is not LO2 or known.has_time


def _formats_of(lines: pl.Series, own: Format, formats: Sequence[Format]) -> pl.Series:
    """The number of the first format that each line is of, apart from its file's own; null for none.

    Python tries a few lines by the rough patterns; for many lines, polars is faster though it compiles all patterns.
    """
    others = [(n, known) for n, known in enumerate(formats) if known is not own and _splits(known, own)]
    if len(lines) <= _MANY:
        texts = map(shortened, lines)
        return pl.Series(
            [next((n for n, known in others if is_of(known, text)), None) for text in texts], dtype=pl.Int32
        )
    matches = [pl.when(pl.col("line").str.contains(known.regex)).then(n) for n, known in others]
    return lines.to_frame("line").select(pl.coalesce(matches).cast(pl.Int32)).to_series()


_MANY = 3_000


def _taken(texts: pl.Series, fields: pl.DataFrame, opened: bool) -> pl.DataFrame:
    rows = fields.select(_COLUMNS).with_columns(texts.alias("inner"), opened=pl.lit(opened))
    return rows.drop_nulls("message").select("inner", *_COLUMNS, "opened")


def _second_lines(lines: pl.DataFrame, own: Format) -> pl.DataFrame:
    """Level and message from the second line of an event whose first line has none."""
    parts = lines.select(parts=pl.col("inner").str.extract_groups(expanded(own.second))).unnest("parts").shift(-1)
    level = [pl.coalesce(parts["level"], pl.col("level"))] if "level" in parts.columns else []
    heads = (pl.col("message") == "") & parts["message"].is_not_null() & (pl.col("file") == pl.col("file").shift(-1))
    lines = lines.with_columns(head=heads.fill_null(False))
    return lines.with_columns(
        *[pl.when("head").then(expr).otherwise(pl.col("level")).alias("level") for expr in level],
        message=pl.when("head").then(parts["message"]).otherwise("message"),
        joined=pl.col("joined") | pl.col("head").shift(1).fill_null(False),
    ).drop("head")
