"""CSV files that a spreadsheet shows as they are, so that no text in them is run as a formula.

A spreadsheet computes cells that begin with `=`, `+`, `-` or `@`, and text from logs can begin with anything. Such a
text, and one that begins with a control character, is written with `'` before it; `restored` removes that again.
"""

from __future__ import annotations

import polars as pl

from lo2core.base.frames import map_texts

_BEGINNING = r"'*[=+\-@＝＋－＠\x00-\x1f\x7f-\x9f]"
"""How texts begin that get a `'`, the wide forms of the four signs included; a `'` of the text itself is doubled."""


def csv_bytes(frame: pl.DataFrame) -> bytes:
    """The frame as CSV in UTF-8: elements of lists are joined by `; `, and only text is changed, numbers are not."""
    names = _escaped(pl.Series(frame.columns, dtype=pl.String))
    escaped = map_texts(_flat(frame), _escaped)
    return escaped.rename(dict(zip(frame.columns, names, strict=True))).write_csv().encode()


def restored(read: pl.LazyFrame) -> pl.LazyFrame:
    """What was read from CSV, with texts and names of columns as they were before `csv_bytes`."""
    schema = read.collect_schema()
    plain = read.with_columns(_plain(name) for name, dtype in schema.items() if dtype == pl.String)
    names = pl.DataFrame({"name": schema.names()}, schema={"name": pl.String}).with_columns(_plain("name"))
    return plain.rename(dict(zip(schema.names(), names["name"], strict=True)))


def _escaped(texts: pl.Series) -> pl.Series:
    return texts.str.replace(f"^({_BEGINNING})", "'${1}")


def _plain(name: str) -> pl.Expr:
    return pl.col(name).str.replace(f"^'({_BEGINNING})", "${1}")


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    lists = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
    return frame.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join("; ") for name in lists)
