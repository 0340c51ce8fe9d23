"""The loaded logs as small frames for a page: what became of each line, runs over time."""

from __future__ import annotations

import polars as pl

from lo2core.base.schemas import Events, Ledger, Sequences
from lo2core.load.ledger import of_logs
from lo2core.load.verdict import WELL, not_read_well, verdicts
from lo2core.store.workspace import Workspace

LINE_KINDS = ("events", "continuations", "orphans", "blank", "skipped")
ERROR_LEVELS = ("ERROR", "FATAL", "SEVERE")
_IS_ERROR = pl.col("level").is_in(ERROR_LEVELS)
MOST_TICKS = 4_000
"""Most error ticks that a chart draws; with more errors, a tick covers a longer time."""
_TABLE = r"(?i)\.(parquet|csv)$"
_STEPS = (1, 2, 5, 10, 30, 60, 300, 1800, 7200)


def totals(workspace: Workspace) -> dict[str, int]:
    """Runs, test cases (folders), services, sequences, files read, lines, events and bytes of a workspace.

    Imported tables of events contain no test cases.
    """
    sequences = workspace.read(Sequences, columns=["run", "folder", "service"])
    logs = of_logs(workspace.read(Ledger))
    tables = logs.filter(pl.col("source").str.contains(_TABLE))["run"].to_list()
    return {
        "runs": sequences["run"].n_unique(),
        "test cases": sequences.filter(~pl.col("run").is_in(tables)).select("run", "folder").n_unique(),
        "services": sequences["service"].n_unique(),
        "sequences": sequences.height,
        "files": logs.height,
        "lines": int(logs["lines"].sum()),
        "events": int(logs["events"].sum()),
        "bytes": int(logs["bytes"].sum()),
    }


def line_kinds(workspace: Workspace) -> pl.DataFrame:
    """What became of each line: kind, lines, share. The lines add up to those of all logs that were read."""
    logs = of_logs(workspace.read(Ledger))
    kinds = [*LINE_KINDS, *(["not chosen"] if logs["not_chosen"].sum() else [])]
    sums = logs.rename({"not_chosen": "not chosen"}).select(kinds).sum()
    sums = sums.unpivot(variable_name="kind", value_name="lines")
    return sums.with_columns(share=(pl.col("lines") / pl.col("lines").sum()).fill_nan(0.0))


def noteworthy_files(workspace: Workspace) -> pl.DataFrame:
    """Files that need attention: source, what (a file may appear twice), bytes, lines, invalid_bytes."""
    ledger = workspace.read(Ledger)
    read = pl.col("status") == "read"
    foreign = ledger.filter(pl.col("invalid_bytes") > 0).with_columns(what=pl.lit("bytes that are not UTF-8"))
    undated = ledger.filter(read & ~pl.col("dated")).with_columns(what=pl.lit("without a date"))
    judged = verdicts(ledger).filter(pl.col("verdict") != WELL)
    unclear = ledger.join(judged.select("source", what=pl.format("{}: {}", "verdict", "why")), on="source")
    others = ledger.filter(~read).with_columns(what=pl.col("status").cast(pl.String))
    return pl.concat([unclear, others, undated, foreign], how="diagonal").select(
        "source", "what", "bytes", "lines", "invalid_bytes"
    )


_READ_AGAIN = "To read such lines, load the logs again and describe their form, on page Load or with --format."


def unclear_logs(workspace: Workspace) -> str:
    """Sentences about logs that were not read, or not read well; empty if there are none."""
    return not_read_well(workspace.read(Ledger), _READ_AGAIN) if workspace.has(Ledger) else ""


def test_case_bands(workspace: Workspace) -> pl.DataFrame:
    """One row per test case folder: run, folder, label, start and end in minutes since the first event of its run."""
    sequences = workspace.read(Sequences).filter(pl.col("start_time").is_not_null())
    label = pl.when("normal").then(pl.lit("normal")).when(~pl.col("normal")).then(pl.lit("faulty"))
    spans = sequences.group_by("run", "folder").agg(
        label=label.otherwise(pl.lit("no label")).first(),
        start=pl.col("start_time").min(),
        end=pl.col("end_time").max(),
    )
    began = pl.col("start").min().over("run")
    minutes = [_minutes(pl.col(name) - began).alias(name) for name in ("start", "end")]
    return spans.with_columns(minutes).sort("run", "start", "folder")


def error_ticks(workspace: Workspace, most: int = MOST_TICKS) -> pl.DataFrame:
    """When errors were logged: run, service, at (minutes since the first event of the run), errors (how many).

    A tick covers one second, or as many as are needed for at most `most` ticks.
    """
    seconds = _errors_by_second(workspace)
    for step in _STEPS:
        ticks = seconds.group_by("run", "service", second=pl.col("second") // step * step).agg(pl.col("errors").sum())
        if ticks.height <= most:
            break
    at = (pl.col("second") / 60).round(3)
    return ticks.with_columns(at=at).drop("second").sort("run", "at", "service").head(most)


def _errors_by_second(workspace: Workspace) -> pl.DataFrame:
    began = workspace.scan(Sequences).group_by("run").agg(began=pl.col("start_time").min())
    events = workspace.scan(Events, columns=["run", "service", "level", "m_timestamp"])
    second = (pl.col("m_timestamp") - pl.col("began")).dt.total_seconds()
    errors = events.filter(_IS_ERROR & pl.col("m_timestamp").is_not_null()).join(began, on="run")
    return workspace.collect(errors.group_by("run", "service", second=second).agg(errors=pl.len().cast(pl.Int64)))


def _minutes(span: pl.Expr) -> pl.Expr:
    return (span.dt.total_milliseconds() / 60_000).round(3)
