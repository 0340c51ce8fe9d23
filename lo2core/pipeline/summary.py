"""The loaded logs as small frames for a page: what became of each line, runs over time, filtered lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from lo2core.base.schemas import Events, Ledger, Sequences
from lo2core.load.ledger import of_logs
from lo2core.load.verdict import WELL, not_read_well, verdicts
from lo2core.messages.patterns import linear_pattern, search_pattern
from lo2core.messages.text import event_lines
from lo2core.store.workspace import Workspace

LINE_KINDS = ("events", "continuations", "orphans", "blank", "skipped")
ERROR_LEVELS = ("ERROR", "FATAL", "SEVERE")
_IS_ERROR = pl.col("level").is_in(ERROR_LEVELS)
MOST_TICKS = 4_000
"""Most error ticks that a chart draws; with more errors, a tick covers a longer time."""
_TABLE = r"(?i)\.(parquet|csv)$"
_STEPS = (1, 2, 5, 10, 30, 60, 300, 1800, 7200)
_SHOWN = ("line_no", "m_timestamp", "service", "level", "m_message", "run", "folder", "seq_id", "source", "n_lines")


@dataclass(frozen=True)
class LineFilter:
    """A filter of events; an empty attribute does not filter. `search`: a text, upper and lower case alike, no pattern.

    errors_of: only errors of this service.
    """

    search: str = ""
    levels: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    run: str | None = None
    folder: str | None = None
    errors_of: str | None = None
    message_ids: tuple[int, ...] = ()

    def conditions(self) -> list[pl.Expr]:
        """The filter as polars expressions, all of which must hold."""
        wanted = {"level": self.levels, "service": self.services, "message_id": self.message_ids}
        places = {"run": self.run, "folder": self.folder, "service": self.errors_of}
        found = [pl.col(name).is_in(list(values)) for name, values in wanted.items() if values]
        found += [pl.col(name) == value for name, value in places.items() if value is not None]
        if self.errors_of is not None:
            found.append(_IS_ERROR)
        if self.search:
            found.append(pl.col("m_message").str.contains(search_pattern(self.search)))
        return found


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


def unclear_logs(workspace: Workspace) -> str:
    """Sentences about logs that were not read, or not read well; empty if there are none."""
    return not_read_well(workspace.read(Ledger)) if workspace.has(Ledger) else ""


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


def count_lines(workspace: Workspace, wanted: LineFilter) -> int:
    """How many events pass the filter."""
    found = workspace.scan(Events).filter(*wanted.conditions())
    return int(workspace.collect(found.select(pl.len())).item())


def find_lines(workspace: Workspace, wanted: LineFilter, skip: int = 0, limit: int = 500) -> pl.DataFrame:
    """`limit` of the events that pass the filter, without the first `skip`, in the order of the files.

    Columns line_no, m_timestamp, service, level, m_message (its first line, with the number of continuation lines,
    and the first of these that contains the search text), run, folder, seq_id, source, n_lines.
    """
    found = workspace.scan(Events).filter(*wanted.conditions()).select(_SHOWN).slice(skip, limit)
    first = pl.col("m_message").str.splitn("\n", 2).struct.field("field_0")
    with_it = linear_pattern(rf"(?im)\n(.*{pl.escape_regex(wanted.search)}.*)$")
    below = pl.col("m_message").str.extract(with_it).str.strip_chars()
    told = pl.format(": {}", below).fill_null("") if wanted.search else pl.lit("")
    folded = pl.when(pl.col("n_lines") > 1).then(pl.format("{}   [+{} lines{}]", first, pl.col("n_lines") - 1, told))
    return workspace.collect(found.with_columns(m_message=folded.otherwise(first)))


def whole_event(workspace: Workspace, seq_id: str, line_no: int) -> dict[str, object]:
    """One event with all its columns, its text in full with the stack trace; empty if there is no such event."""
    found = workspace.collect(workspace.scan(Events).filter(pl.col("seq_id") == seq_id, pl.col("line_no") == line_no))
    return found.row(0, named=True) if found.height else {}


def events_around(workspace: Workspace, seq_id: str, line_no: int, k: int = 5) -> pl.DataFrame:
    """An event with the k events before and after it, first lines only: line_no, text."""
    events = workspace.collect(workspace.scan(Events).filter(pl.col("seq_id") == seq_id)).sort("line_no")
    at = int((events["line_no"] < line_no).sum())
    near = events.slice(max(0, at - k), min(at, k) + k + 1)
    clock = pl.col("m_timestamp").dt.strftime("%H:%M:%S%.3f")
    return near.select("line_no", text=pl.concat_str(clock, event_lines(near), separator="  ", ignore_nulls=True))


def levels_and_services(workspace: Workspace) -> tuple[Sequence[str], Sequence[str]]:
    """The levels and services that events can be filtered by."""
    levels = workspace.scan(Events, columns=["level"]).select(pl.col("level").drop_nulls().unique().sort())
    services = workspace.read(Sequences, columns=["service"])["service"].unique().sort()
    return workspace.collect(levels)["level"].to_list(), services.to_list()
