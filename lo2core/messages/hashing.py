"""Content hashes of messages and templates: 64-bit ids that mean the same in every run, process and release."""

from __future__ import annotations

from hashlib import blake2b

import polars as pl


def template_id(text: str) -> int:
    """The 64-bit content hash of a template's text: the same template has the same id everywhere."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def message_ids(texts: pl.Series) -> pl.Series:
    """The 64-bit content hash (blake2b) of each text as UInt64, the same everywhere; null stays null."""
    codes, distinct = _factorize(texts)
    ids = [int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") for text in distinct]
    return pl.Series(texts.name, ids, dtype=pl.UInt64).gather(codes)


def _factorize(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """(codes, distinct) with `distinct.gather(codes)` equal to `texts`."""
    # Categories of their own number the texts from 0 and are forgotten with the Series.
    coded = texts.cast(pl.Categorical(pl.Categories.random()))
    distinct = coded.drop_nulls().unique()
    return coded.to_physical(), distinct.gather(distinct.to_physical().arg_sort()).cast(pl.String)
