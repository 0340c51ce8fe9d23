"""Applies formats to lines: the fields of each line, under the same names whatever the format."""

from __future__ import annotations

import polars as pl

from lo2core.load.formats.format import FIELDS, Format, full_level
from lo2core.load.formats.objects import read_objects

_SEVERITIES = ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")


def fields_of(texts: pl.Series, known: Format) -> pl.DataFrame:
    """One row per line: the columns `FIELDS` and trace; `message` is null for a line that is not of this format."""
    if known.objects:
        return _with_full_levels(read_objects(texts, known.objects))
    return _with_full_levels(_extracted(texts, known.regex))


def stamped(texts: pl.Series, start: str) -> pl.DataFrame:
    """As `fields_of`, for lines that begin with a format's time stamp (`Format.start`) and go on otherwise."""
    return _extracted(texts, start).with_columns(pl.col("message").str.strip_prefix(" "))


def _extracted(texts: pl.Series, regex: str) -> pl.DataFrame:
    frame = texts.to_frame("text").with_columns(parts=pl.col("text").str.extract_groups(regex)).unnest("parts")
    given = set(frame.columns)
    filled = [pl.when(pl.col(name) != "").then(name).alias(name) for name in given - {"text", "head", "message"}]
    rest = [pl.col("text").str.strip_prefix(pl.col("head")).alias("message")] if "head" in given else []
    parts = frame.select(*filled, *(rest or [pl.col("message")]))
    if "monthday" in given:  # the other form of a time stamp
        with_year = pl.coalesce(pl.format("{} {}", "monthday", "year"), "monthday")
        others = {"date": with_year, "time": pl.col("clock"), "zone": pl.col("clock_zone")}
        parts = parts.with_columns(
            pl.coalesce(*([name] if name in given else []), other).alias(name)
            for name, other in others.items()
            if name != "zone" or "clock_zone" in given
        )
    if "priority" in given:
        severity = pl.col("priority").cast(pl.Int64, strict=False) % 8
        names = dict(enumerate(_SEVERITIES))
        parts = parts.with_columns(level=severity.replace_strict(names, default=None, return_dtype=pl.String))
    if "mark" in given:
        parts = parts.with_columns(level=pl.col("mark"))
    if "session" in given:
        parts = parts.with_columns(correlation_id=pl.coalesce("correlation_id", "session"))
    absent = [pl.lit(None, pl.String).alias(name) for name in (*FIELDS, "trace") if name not in parts.columns]
    return parts.with_columns(absent).select(*FIELDS, "trace")


def _with_full_levels(parts: pl.DataFrame) -> pl.DataFrame:
    written = parts["level"].drop_nulls().unique().to_list()
    names = {level: full_level(level) for level in written}
    return parts.with_columns(pl.col("level").replace(names)) if names else parts
