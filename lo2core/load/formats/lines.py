"""Reads lines by the recognised formats of their files: wrappers are taken off, and fields found."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lo2core.load.formats.catalogue import FORMATS, LO2
from lo2core.load.formats.format import FIELDS, Format, expanded
from lo2core.load.formats.reading import fields_of, stamped
from lo2core.load.formats.recognition import AS_LO2, Reading
from lo2core.load.formats.wrappers import PARTS, Wrapper

_COLUMNS = (*FIELDS, "trace")
_OUTER = ("date", "time", "zone", "epoch")
_PERHAPS = r"^(?:.{0,60}[0-9]{2}[:.]?[0-9]{2}[:.]?[0-9]{1,2}|.{0,30}[0-9]{9}|\{|[A-Za-z_@][\w.@/-]*=)"
"""Any line that could be of a format with a time stamp: a quick test, since most continuation lines could not."""


def read_lines(lines: pl.DataFrame, readings: Sequence[Reading | None]) -> pl.DataFrame:
    """The lines with their fields, in the same order.

    lines: columns file, line_no, text. Added are the fields (`message` is null for a line that starts no event), trace,
    and inner (the line without wrappers), outer_date and so on (the time stamp of the wrapper; only if there is one),
    joined (whether the line is part of the one before), opened (whether only its time stamp is as in the format) and
    whole (whether the message still contains level, logger and method).
    """
    chosen = [reading or AS_LO2 for reading in readings]
    distinct = list(dict.fromkeys(chosen))
    if len(distinct) <= 1:
        return _read(lines, distinct[0] if distinct else AS_LO2)
    numbers = pl.Series([distinct.index(reading) for reading in chosen], dtype=pl.UInt32).gather(lines["file"])
    rows = lines.with_row_index("row")
    parts = [_read(rows.filter(numbers == number), reading) for number, reading in enumerate(distinct)]
    return pl.concat(parts, how="diagonal").sort("row").drop("row")


def _read(lines: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    lines = _unwrapped(lines, reading.wrappers)
    lines = pl.concat([lines, fields_of(lines["inner"], reading.format)], how="horizontal")
    whole = pl.col("message").is_not_null() if reading.format is LO2 else pl.lit(False)
    lines = lines.with_columns(whole=whole, opened=pl.lit(False))
    lines = _others(lines, reading.format)
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
    """Lines that the wrapper cut in pieces, put together in the first piece."""
    goes_on = (pl.col("w_partial") == "P").shift(1).over("file").fill_null(False)
    lines = lines.with_columns(joined=pl.col("joined") | goes_on)
    number = (~pl.col("joined")).cum_sum().over("file")
    together = pl.col("inner").str.join("").over("file", number)
    return lines.with_columns(inner=pl.when("joined").then(pl.lit("")).otherwise(together))


def _others(lines: pl.DataFrame, own: Format) -> pl.DataFrame:
    """Finds lines of other formats of the catalogue, and lines that only begin with the own format's time stamp."""
    open_lines = pl.col("message").is_null() & pl.col("inner").str.contains(r"^\S")
    distinct = lines.filter(open_lines)["inner"].unique()
    distinct = distinct.filter(distinct.str.contains(_PERHAPS))
    if not len(distinct):
        return lines
    found = [pl.DataFrame(schema={"inner": pl.String, **dict.fromkeys(_COLUMNS, pl.String), "opened": pl.Boolean})]
    for known in [f for f in FORMATS if f is not own and not f.loose and (f.start or f.objects)]:
        if len(like := distinct.filter(distinct.str.contains(known.regex))):
            found.append(_taken(like, fields_of(like, known), opened=False))
            distinct = distinct.filter(~distinct.is_in(found[-1]["inner"].implode()))
    if own.start:
        like = distinct.filter(distinct.str.contains(own.start))
        found.append(_taken(like, stamped(like, own.start), opened=True))
    more = pl.concat(found)
    if not more.height:
        return lines
    joined = lines.join(more, on="inner", how="left", suffix="_more", maintain_order="left")
    picked = [pl.when(open_lines).then(f"{name}_more").otherwise(name).alias(name) for name in _COLUMNS]
    opened = (open_lines & pl.col("opened_more")).fill_null(False)
    return joined.with_columns(*picked, opened=opened).select(lines.columns)


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
