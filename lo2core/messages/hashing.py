"""Content hashes of messages and templates: 64-bit ids that are the same in every run, process and release."""

from __future__ import annotations

from hashlib import blake2b

import polars as pl


def content_hash(text: str) -> int:
    """The first 64 bits of the BLAKE2b hash of a text: equal texts have equal ids everywhere."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def message_ids(texts: pl.Series) -> pl.Series:
    """`content_hash` of each text as UInt64, in the same order; null stays null. Each distinct text is hashed once."""
    codes, distinct = factorize(texts)
    return pl.Series(texts.name, map(content_hash, distinct), dtype=pl.UInt64).gather(codes)


def factorize(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Integer codes and the distinct texts that they number: `distinct.gather(codes)` equals `texts`."""
    # A category set of its own numbers the texts from 0 and is freed with the Series; the global one only grows.
    coded = texts.cast(pl.Categorical(pl.Categories.random()))
    distinct = coded.drop_nulls().unique()
    return coded.to_physical(), distinct.gather(distinct.to_physical().arg_sort()).cast(pl.String)
