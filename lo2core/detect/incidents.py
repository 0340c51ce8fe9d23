"""Incidents: the sequences of one run, test case folder and window, over all services.

Their name, aggregation, order and text. A prediction frame here is `schemas.Predictions` or `schemas.EventPredictions`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import polars.selectors as cs

from lo2core.base.calls import checked_arguments
from lo2core.base.errors import InputError
from lo2core.base.schemas import INCIDENT_KEY
from lo2core.base.text import file_name

NOT_KNOWN = "not known how many normals score as high"
NO_SCORES = "These predictions contain no scores, so there is nothing to explain. Choose others, or score some logs."


@dataclass(frozen=True)
class Incident:
    """What a person investigates: a test case folder of a run, or one window of it, over all services.

    run, folder: as in `schemas.Sequences`. window: its number, from 0; None if test cases are not cut into windows.
    `parse` makes one from text and raises InputError for other text.

    Examples:
        >>> from lo2core import Incident
        >>> Incident.parse("run_1/correct/w002")
        Incident(run='run_1', folder='correct', window=2)
        >>> str(Incident("run_1", "correct"))
        'run_1/correct'
    """

    run: str
    folder: str
    window: int | None = None

    @classmethod
    @checked_arguments
    def parse(cls, text: str) -> Incident:
        """From `run/folder` or `run/folder/window`, the window as 2 or w002. Raises InputError for anything else."""
        run, _, rest = text.partition("/")
        folder, _, window = rest.partition("/")
        if not run or not folder or not re.fullmatch(r"(w?[0-9]{1,9})?", window):
            raise InputError(f"An incident is named run/folder or run/folder/window, found {text!r}.")
        return cls(run, folder, int(window.removeprefix("w")) if window else None)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Incident:
        """The incident of a row with the columns of `schemas.INCIDENT_KEY`."""
        return cls(*(row[name] for name in INCIDENT_KEY))

    @property
    def key(self) -> tuple[str, str, int | None]:
        """The values of `schemas.INCIDENT_KEY`."""
        return self.run, self.folder, self.window

    def __str__(self) -> str:
        return f"{self.run}/{self.folder}" + ("" if self.window is None else f"/{self.window}")

    @property
    def file_name(self) -> str:
        """Name of the folder for its files."""
        return file_name(str(self).replace("/", "__"))


def worst_first(scores: pl.DataFrame) -> pl.DataFrame:
    """The rows by descending z_score, rows without a score last; rows with equal z_score keep their order."""
    return scores.sort("z_score", descending=True, nulls_last=True, maintain_order=True)


def by_sequence(predictions: pl.DataFrame) -> pl.DataFrame:
    """One row per sequence: predictions of sequences unchanged, predictions of events reduced to the worst event."""
    if "line_no" not in predictions.columns:
        return predictions
    return worst_first(predictions).unique("seq_id", keep="first", maintain_order=True)


def per_incident(frame: pl.DataFrame, *aggregates: pl.Expr, **named: pl.Expr) -> pl.DataFrame:
    """One row per incident in the order of the frame: run, folder, window, test_case and the aggregates."""
    return frame.group_by(*INCIDENT_KEY, "test_case", maintain_order=True).agg(*aggregates, **named)


def flagged(name: str = "pred_ano") -> pl.Expr:
    """Whether any service of an incident is flagged, from the flags of its rows.

    Null, "not fully scored", if none is flagged and one has no score: nothing is known about that service.
    """
    return pl.col(name).any(ignore_nulls=False)


def not_fully_scored(flags: pl.Series) -> str:
    """How many incidents are not fully scored, to complete a sentence about the flagged ones; empty if all are.

    flags: the result of `flagged`.
    """
    n = flags.null_count()
    return f", {n:,} not fully scored because a log has no score" if n else ""


def by_incident(predictions: pl.DataFrame) -> pl.DataFrame:
    """One row per incident, worst first, with the values of its worst sequence or event.

    Columns run, folder, window, test_case, service, seq_id, z_score, p_value, status (if there is one), pred_ano (see
    `flagged`), threshold, normal, anomaly.
    """
    return per_incident(
        worst_first(predictions),
        pl.col("service", "seq_id", "z_score", "p_value").first(),
        cs.by_name("status", require_all=False).first(),
        flagged(),
        pl.col("threshold", "normal", "anomaly").first(),
    )


def rows_of(predictions: pl.DataFrame, incident: Incident) -> pl.DataFrame:
    """The rows of one incident, one per service, worst first. Raises InputError if there are none."""
    same_window = pl.col("window").eq_missing(pl.lit(incident.window, dtype=pl.Int32))
    rows = predictions.filter(pl.col("run") == incident.run, pl.col("folder") == incident.folder, same_window)
    if not rows.height:
        part = "" if incident.window is None else f", window {incident.window}"
        raise InputError(f"These predictions contain no incident {incident.folder!r} of run {incident.run!r}{part}.")
    return worst_first(by_sequence(rows))


def worst_incidents(predictions: pl.DataFrame, n: int) -> list[Incident]:
    """The n incidents with the largest z_score, worst first, without those that have no score.

    Raises InputError if no row has a score.
    """
    if not predictions.height:
        raise InputError(NO_SCORES)
    scored = worst_first(predictions.drop_nulls("z_score"))
    if not scored.height:
        raise InputError(f"No row has a score, so there is nothing to explain: {why_not_scored(predictions)}.")
    rows = scored.unique(INCIDENT_KEY, keep="first", maintain_order=True).head(n)
    return [Incident.of(row) for row in rows.iter_rows(named=True)]


def why_not_scored(rows: pl.DataFrame) -> str:
    """Why none of these rows of predictions has a score, to complete a sentence."""
    known = rows.select(cs.by_name("status", require_all=False).drop_nulls().cast(pl.String).unique().sort())
    match known.to_series().to_list() if known.width else []:
        case ["not read"]:
            return "the logs were not read, because no line is of a known format"
        case ["unknown service"]:
            return "the model knows none of the services"
        case ["not read", "unknown service"]:
            return "some of the services are unknown to the model, and the logs of the others were not read"
    return "the predictions do not say why"


def in_words(p_value: float, n_normals: int) -> str:
    """A p-value in words. n_normals: the number of held-out normals from which it was computed."""
    if not n_normals:
        return NOT_KNOWN
    as_high = round(p_value * (n_normals + 1)) - 1
    if as_high < 1:
        return f"higher than all {n_normals:,} normals"
    if as_high >= n_normals:
        return f"all {n_normals:,} normals score as high"
    return f"{as_high:,} of {n_normals:,} normals {'scores' if as_high == 1 else 'score'} as high"


def compared_with_normals(scored: pl.DataFrame, n_normals: Mapping[str, int]) -> pl.Series:
    """`in_words` of each scored row, or why there is no score or p-value.

    scored: columns service, z_score, p_value and, optionally, status. n_normals: number of held-out normals of each
    service; under "" all of them, if the model has one detector for all.
    """
    of_all = n_normals.get("")

    def words(service: str, z_score: float | None, p_value: float | None, status: str | None = None) -> str:
        n = n_normals.get(service, of_all)
        if status == "not read":
            return "not read: unknown format"
        if z_score is None:
            return "not scored" if n else "not scored: the model does not know this service"
        return f"no p-value: {NOT_KNOWN}" if p_value is None else in_words(p_value, n or 0)

    rows = scored.select("service", "z_score", "p_value", cs.by_name("status", require_all=False)).iter_rows()
    return pl.Series([words(*row) for row in rows], dtype=pl.String)
