"""Detection of each fault: which test cases are detected, in which services, and whether the expected one is worst.

The expected service of a test case comes from the person who evaluates; training and scoring do not use it.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lo2core.detect.evaluation.holdout import alarm, at_level
from lo2core.messages.patterns import linear_pattern

ANY_SERVICE = "any"


def fault_table(rows: pl.DataFrame, apart: Sequence[str] = (), concerns: pl.DataFrame | None = None) -> pl.DataFrame:
    """Number of sequences at or above the threshold, per test case and service; service "any" is the incident."""
    incidents, sequences = (at_level(rows, level).with_columns(alarm()) for level in ("incident", "sequence"))
    named = incidents.filter("alarm").group_by("test_case", "service").agg(named=pl.len().cast(pl.Int64))
    concerned = _concerned(rows, concerns)
    right = named.join(concerned, on=["test_case", "service"]).select("test_case", "named", service=pl.lit(ANY_SERVICE))
    everything = pl.concat([sequences, incidents.with_columns(service=pl.lit(ANY_SERVICE))])
    table = everything.group_by("test_case", "service").agg(
        pl.col("normal").first(), n=pl.len().cast(pl.Int64), alarms=pl.col("alarm").sum().cast(pl.Int64)
    )
    table = table.join(pl.concat([named, right.select(named.columns)]), on=["test_case", "service"], how="left")
    table = table.join(concerned.with_columns(is_it=True), on=["test_case", "service"], how="left")
    expected = pl.col("test_case").is_in(concerned["test_case"].implode()) & (pl.col("service") != ANY_SERVICE)
    return table.with_columns(
        pl.col("named").fill_null(0),
        share=pl.col("alarms") / pl.col("n"),
        apart=pl.col("test_case").is_in(list(apart)),
        concerned=pl.when(expected).then(pl.col("is_it").fill_null(False)),
    ).sort("normal", "test_case", "service")


def right_service(incidents: pl.DataFrame, concerns: pl.DataFrame | None) -> float | None:
    """Share of the detected faults whose worst service is the expected one."""
    concerned = _concerned(incidents, concerns).rename({"service": "expected"})
    detected = incidents.filter(alarm()).join(concerned, on="test_case")
    return detected.select((pl.col("service") == pl.col("expected")).mean()).item() if detected.height else None


def _concerned(rows: pl.DataFrame, concerns: pl.DataFrame | None) -> pl.DataFrame:
    """Columns test_case, service: the expected service of each faulty test case, if it is known."""
    cases = rows.filter(~pl.col("normal")).select(pl.col("test_case").unique().sort())
    if concerns is None:
        return cases.clear().with_columns(service=pl.lit(None, dtype=pl.String))
    patterns = [(linear_pattern(p), s) for p, s in concerns.select("pattern", "service").drop_nulls().iter_rows()]
    found = [pl.when(pl.col("test_case").str.contains(p)).then(pl.lit(s)) for p, s in patterns]
    first = pl.coalesce(*found, pl.lit(None, pl.String))
    return cases.with_columns(service=first).drop_nulls("service")
