"""Predictions written by hand: `seq_id` and `score` are enough, missing columns are derived.

docs/files.md describes how each column is derived.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl
import polars.selectors as cs

from lo2core.base.errors import ArtefactError
from lo2core.base.schemas import EventPredictions, Predictions, Sequences
from lo2core.base.table import Table
from lo2core.store.parquet import readable, table_name
from lo2core.store.workspace import Workspace

UNKNOWN = "unknown"
"""Run or service of a row that has none, if the loaded logs do not contain its sequence either."""

THRESHOLD = 3.0
"""The threshold of a file that has neither thresholds nor flags."""

_NEEDED = ("seq_id", "line_no", "score")
_TRUTH = ("normal", "anomaly")
_IDENTITY = ("run", "folder", "test_case", "repetition", "window", "service", *_TRUTH)


def scan(workspace: Workspace, name: str) -> pl.LazyFrame:
    """Saved predictions of sequences or events, all columns of their table; of a file written by hand, worst first.

    Raises ArtefactError if there are none of that name, or the file is damaged, has columns of other types, or contains
    infinite numbers.
    """
    events = workspace.artefact(name).table == table_name(EventPredictions)
    schema: type[Table] = EventPredictions if events else Predictions
    if workspace.metadata(name) or not workspace.has(name):
        return workspace.scan(schema, name)
    given = workspace.columns(name)
    found = workspace.scan(schema, name, [c for c in schema.column_names() if c in given or c in _NEEDED])
    _check_finite(found, workspace.path(name))
    found = found.with_columns(cs.float().fill_nan(None))  # to polars NaN is the largest number
    judged = _judged(_identified(_with_logs(found, given, workspace)), given)
    whole = judged.select(pl.col(c).cast(column.dtype) for c, column in schema.columns().items())
    return whole.sort("z_score", descending=True, nulls_last=True, maintain_order=True)


def problem(workspace: Workspace, name: str) -> str:
    """The error that `scan` would raise; empty if none."""
    try:
        scan(workspace, name)
    except ArtefactError as error:
        return str(error)
    return ""


def remark(workspace: Workspace, name: str) -> str:
    """A note on how z-scores were derived; empty if the file contains them."""
    given = workspace.columns(name)
    if "z_score" in given:
        return ""
    made = "the score itself" if "threshold" in given else "how far the score lies above the others of its service"
    return f"{name} was written by hand without z_score: z is {made}."


def _check_finite(found: pl.LazyFrame, path: Path) -> None:
    with readable(path):
        infinite = found.select(cs.float().is_infinite().any()).collect().row(0, named=True)
    if wrong := ", ".join(name for name, any_of_them in infinite.items() if any_of_them):
        raise ArtefactError(f"{path} contains infinite numbers ({wrong}): write finite ones, or leave them empty.")


def _with_logs(found: pl.LazyFrame, given: Collection[str], workspace: Workspace) -> pl.LazyFrame:
    """Adds what the loaded logs record about these sequences; labels in the file are not mixed with theirs."""
    told = {*given, *(_TRUTH if {*_TRUTH} & {*given} else ())}
    wanted = [c for c in _IDENTITY if c not in told]
    if not wanted or not workspace.has(Sequences):
        return found
    try:
        known = workspace.scan(Sequences, columns=["seq_id", *wanted])
    except ArtefactError:  # damaged logs do not take the scores with them
        return found
    return found.join(known, on="seq_id", how="left", maintain_order="left")


def _identified(found: pl.LazyFrame) -> pl.LazyFrame:
    known = found.collect_schema().names()

    def first(*names: str) -> pl.Expr:
        return pl.coalesce(*(pl.col(name) for name in names if name in known), pl.lit(UNKNOWN))

    def truth(name: str, opposite: str) -> pl.Expr:
        return pl.col(name) if name in known else ~pl.col(opposite) if opposite in known else pl.lit(None)

    return found.with_columns(
        run=first("run"),
        folder=first("folder", "test_case", "seq_id"),
        test_case=first("test_case", "folder", "seq_id"),
        service=first("service"),
        normal=truth("normal", "anomaly"),
        anomaly=truth("anomaly", "normal"),
        **{name: pl.lit(None) for name in ("repetition", "window") if name not in known},
    )


def _judged(found: pl.LazyFrame, given: Collection[str]) -> pl.LazyFrame:
    z, flagged = pl.col("z_score"), pl.col("pred_ano")
    lowest = z.filter(flagged).min() if "pred_ano" in given else pl.lit(None)
    threshold = pl.col("threshold") if "threshold" in given else lowest
    with_z = found if "z_score" in given else found.with_columns(z_score=_z(given))
    judged = with_z.with_columns(threshold=threshold.fill_null(THRESHOLD))
    return judged.with_columns(
        pred_ano=flagged if "pred_ano" in given else z >= pl.col("threshold"),
        p_value=pl.col("p_value") if "p_value" in given else pl.lit(None),
        rank=pl.col("rank") if "rank" in given else z.rank("min", descending=True),
        status=pl.col("status") if "status" in given else pl.lit(None),
    )


def _z(given: Collection[str]) -> pl.Expr:
    """A threshold in the file applies to its scores; without one a score is compared with others of its service."""
    score = pl.col("score")
    if "threshold" in given:
        return score
    above, spread = score - score.mean().over("service"), score.std().over("service")
    return pl.when(spread > 0).then(above / spread).when(score.is_not_null()).then(0.0)
