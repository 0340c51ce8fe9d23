"""Verdicts on logs that were read: well, in part, or not, and why."""

from __future__ import annotations

import polars as pl

from lo2core.base.text import plural
from lo2core.load.ledger import of_logs
from lo2core.messages.secrets import masked_text

WELL, IN_PART, NOT_READ = "read well", "read in part", "not read"
EXPLAINED, OWNED, LEVELED, TIMED, UNINDENTED = 0.95, 0.7, 0.8, 0.95, 0.6
"""Logs are read well if at least these shares of their events are of a known format, and of their lines belong to an
event; of their events have a level, where any has, and a time, where any has; and if at most this share of their lines
is not indented and belongs to the event above. In LO2's logs all events are of a known format with level and time, at
least 92 % of the lines belong to an event, since a log may begin in the middle of a stack trace, and at most 34 % are
lines of stack traces that are not indented."""


def verdicts(ledger: pl.DataFrame) -> pl.DataFrame:
    """One row per log that was read and has lines, or is damaged.

    Columns: source, service, format, lines, events, explained, leveled, timed (see `schemas.Ledger`), verdict, why and
    unknown (both null for a log that was read well). ledger: `schemas.Ledger`. Logs of ledgers that do not say what was
    explained are judged by their orphans alone.
    """
    logs = of_logs(ledger)
    damaged = pl.col("damaged")
    written = pl.col("lines") - pl.col("blank") - pl.col("skipped") - pl.col("not_chosen").fill_null(0)
    events = pl.col("events")
    owned = 1 - pl.col("orphans") / written
    known, leveled, timed = (pl.col(name).fill_null(events) / events for name in ("explained", "leveled", "timed"))
    loose = pl.col("unindented").fill_null(0) / written
    why = (
        pl.when(damaged.is_not_null())
        .then(damaged)
        .when(events == 0)
        .then(pl.lit("no line is of a known format"))
        .when(owned < OWNED)
        .then(pl.format("{} % of the lines come before the first event", _percent(1 - owned)))
        .when(known < EXPLAINED)
        .then(pl.format("{} % of the events only begin with a time stamp", _percent(1 - known)))
        .when(loose > UNINDENTED)
        .then(pl.format("{} % of the lines are of no known format and were added to the event above", _percent(loose)))
        .when((leveled < LEVELED) & (leveled > 0))
        .then(pl.format("{} % of the events have no level", _percent(1 - leveled)))
        .when((timed < TIMED) & (timed > 0))
        .then(pl.format("{} % of the events have no time", _percent(1 - timed)))
    )
    verdict = pl.when(events == 0).then(pl.lit(NOT_READ)).when(why.is_not_null()).then(pl.lit(IN_PART))
    rows = logs.filter((written > 0) | damaged.is_not_null()).with_columns(
        verdict=verdict.otherwise(pl.lit(WELL)), why=why
    )
    facts = ("format", "lines", "events", "explained", "leveled", "timed", "verdict", "why")
    return rows.select("source", "service", *facts, unknown=pl.when(pl.col("why").is_not_null()).then("unknown"))


def not_read(ledger: pl.DataFrame) -> list[str]:
    """The names of logs with lines of which none is an event."""
    return verdicts(ledger).filter(verdict=NOT_READ)["source"].to_list()


def by_service(ledger: pl.DataFrame) -> str:
    """A line per service: how many of its logs were read well, in part or not, in which formats, and why."""
    found = verdicts(ledger).with_columns(pl.col("verdict").cast(pl.Enum([WELL, IN_PART, NOT_READ])))
    formats = pl.col("format").drop_nulls().unique().sort().str.join(", ")
    rows = found.group_by("service", "verdict").agg(pl.len(), formats, pl.col("why").drop_nulls().first())
    return "\n".join(
        f"  {service}: {plural(n, 'log')} {verdict}{f' as {known}' if known else ''}{f' ({why})' if why else ''}"
        for service, verdict, n, known, why in rows.sort("service", "verdict").iter_rows()
    )


def damaged(ledger: pl.DataFrame) -> list[str]:
    """What is said about the damage of each damaged log."""
    return of_logs(ledger)["damaged"].drop_nulls().to_list()


def _percent(share: pl.Expr) -> pl.Expr:
    return (share * 100).round(0).cast(pl.Int64)


def in_words(ledger: pl.DataFrame) -> str:
    """The formats of the logs, and a sentence about those that were not read well, each on a line of its own."""
    named = verdicts(ledger).drop_nulls("format").group_by("format").len()
    named = named.sort("len", "format", descending=[True, False])
    formats = "; ".join(f"{name} in {plural(n, 'log')}" for name, n in named.iter_rows())  # names contain commas
    return "\n".join(filter(None, [f"Formats: {formats}." if formats else "", not_read_well(ledger)]))


def in_short(ledger: pl.DataFrame) -> str:
    """How many logs were read in part and how many not; empty if all were read well."""
    found = verdicts(ledger)["verdict"]
    counted = {verdict: int((found == verdict).sum()) for verdict in (IN_PART, NOT_READ)}
    listed = [f"{plural(n, 'log')} {verdict}" for verdict, n in counted.items() if n]
    return f"{' and '.join(listed)}." if listed else ""


ADVICE = "Describe the form of such lines with --format; docs/formats.md lists what is recognised."


def not_read_well(ledger: pl.DataFrame, advice: str = ADVICE) -> str:
    """A sentence about logs read in part, one about logs not read, what was assumed, and the advice if it is needed.

    Empty if all logs were read well and nothing was assumed.
    """
    found, lines = verdicts(ledger), []
    for verdict in (IN_PART, NOT_READ):
        logs = found.filter(verdict=verdict)
        if logs.height:
            first = logs.row(0, named=True)
            shown = f"; the first such line: {masked_text(first['unknown'])}" if first["unknown"] else ""
            more = f" and {logs.height - 1:,} more" if logs.height > 1 else ""
            lines.append(f"{plural(logs.height, 'log')} {verdict}: {first['source']} ({first['why']}{shown}){more}.")
    lines += [f"In {plural(n, 'log')} {note}." for note, n in assumptions(ledger).iter_rows()]
    broken = damaged(ledger)
    if broken:
        lines.append("Copy damaged files again, then load them again.")
    if found.filter(pl.col("verdict") != WELL).height > len(broken):
        lines.append(advice)
    return "\n".join(lines)


def assumptions(ledger: pl.DataFrame) -> pl.DataFrame:
    """What was assumed about the times of the logs, the most frequent first: note, logs (how many)."""
    notes = of_logs(ledger).select(note=pl.col("notes").str.split("; ")).explode("note").drop_nulls()
    return notes.group_by("note").agg(logs=pl.len()).sort("logs", "note", descending=[True, False])
