from __future__ import annotations

import polars as pl

from lo2core.base.schemas import Counts
from lo2core.messages.counts import fingerprint


def test_the_fingerprint_is_of_the_rows_alone() -> None:
    rows = [("b", "message", 7, 2), ("a", "trace", 2**64 - 1, 1), ("a", "message", 3, 5)]
    counts = pl.DataFrame(rows, schema=Counts.create_empty().schema, orient="row")
    same = counts.reverse().select(reversed(counts.columns)).cast({"kind": pl.String})
    assert fingerprint(same) == fingerprint(counts)
    assert fingerprint(counts.with_columns(n=pl.col("n") + 1)) != fingerprint(counts)
    assert fingerprint(counts) == "9a409917e0d53f56b2044b6583768cc9ff5f74b6b0642f9defdcb44f0c4ab508"
