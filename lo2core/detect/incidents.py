"""Incidents: the sequences of one run, test case folder and window, over all services. Their key, order and text."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from lo2core.base.errors import InputError

_NOT_KNOWN = "not known how many normals are as odd"

INCIDENT = ("run", "folder", "window")


def by_incident(predictions: pl.DataFrame) -> pl.DataFrame:
    """One row an incident, worst first: run, folder, test_case, window, worst service, its z, whether flagged, the
    truth.
    """
    return (
        predictions.sort("z_score", descending=True, nulls_last=True, maintain_order=True)
        .group_by("run", "folder", "test_case", "window", maintain_order=True)
        .agg(
            pl.col("service").first(),
            pl.col("seq_id").first(),
            pl.col("z_score").first(),
            pl.col("p_value").first(),
            pl.col("pred_ano").any(),
            pl.col("threshold").first(),
            pl.col("normal").first(),
            pl.col("anomaly").first(),
        )
    )


def sequence_scores(predictions: pl.DataFrame) -> pl.DataFrame:
    """One row a sequence: the predictions themselves, or of scored events the worst of each sequence."""
    if "line_no" not in predictions.columns:
        return predictions
    return worst_first(predictions).unique("seq_id", keep="first", maintain_order=True)


def incident_of(predictions: pl.DataFrame, run: str, folder: str, window: int | None = None) -> pl.DataFrame:
    """The rows of one incident, one a service, worst first. Raises InputError where there are none."""
    same_window = pl.col("window").eq_missing(pl.lit(window, dtype=pl.Int32))
    chosen = predictions.filter(pl.col("run") == run, pl.col("folder") == folder, same_window)
    if not chosen.height:
        part = "" if window is None else f", window {window}"
        raise InputError(f"These predictions hold no incident {folder!r} of run {run!r}{part}.")
    return worst_first(sequence_scores(chosen))


def in_words(p_value: float, n_normals: int) -> str:
    """What a p-value says among so many unseen normals."""
    if not n_normals:
        return _NOT_KNOWN
    as_odd = round(p_value * (n_normals + 1)) - 1
    if as_odd < 1:
        return f"odder than all {n_normals:,} normals"
    if as_odd >= n_normals:
        return f"all {n_normals:,} normals are as odd"
    return f"{as_odd:,} of {n_normals:,} normals {'is' if as_odd == 1 else 'are'} as odd"


def oddness(scored: pl.DataFrame, n_normals: Mapping[str, int]) -> pl.Series:
    """`in_words` of each scored row (service, z_score, p_value); of a row without these, what is missing.

    n_normals: the unseen normals of each service; of a model that tells no services apart all of them, as "".
    """
    of_all = n_normals.get("")

    def words(service: str, z_score: float | None, p_value: float | None) -> str:
        n = n_normals.get(service, of_all)
        if z_score is None:
            return "not scored" if n else "not scored: the model does not know this service"
        return f"no p-value: {_NOT_KNOWN}" if p_value is None else in_words(p_value, n or 0)

    rows = scored.select("service", "z_score", "p_value").iter_rows()
    return pl.Series([words(*row) for row in rows], dtype=pl.String)


def worst_first(scores: pl.DataFrame) -> pl.DataFrame:
    """Scored rows, worst first, unscored last."""
    return scores.sort("z_score", descending=True, nulls_last=True, maintain_order=True)
