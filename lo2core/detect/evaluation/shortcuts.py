"""Leakage check: the AUROC of trivial baselines, which use length, duration, time of day, position or start-up lines.

None of them reads the content of the logs. A baseline that separates faulty from normal test cases reflects how the
data was recorded, and a detector may have learned the same; compare its metrics with these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from lo2core.base.types import Floats
from lo2core.messages.counts import MessageCounts

TELLING = 0.9
"""A trivial baseline with this AUROC or more may explain a good metric."""


@dataclass(frozen=True)
class Shortcut:
    """A fact about an incident that should not reveal its label; `remedy` completes the sentence "...; <remedy>"."""

    name: str
    about: str
    remedy: str

    @property
    def title(self) -> str:
        return f"{self.name} alone"


SHORTCUTS = (
    Shortcut("length", "events of the incident over all services", "try --window 6"),
    Shortcut("duration", "seconds from its first to its last event", "try --window 6"),
    Shortcut("time of day", "when it began, in seconds since midnight", "record runs at other hours"),
    Shortcut("position", "its rank in time within its run", "record normal test cases between the others"),
    Shortcut(
        "start-up lines",
        "lines that a process writes once, or in its first test case only",
        "try --skip-init-lines 100",
    ),
)


def incident_facts(items: MessageCounts, sequences: pl.DataFrame, incidents: pl.DataFrame) -> pl.DataFrame:
    """One row per incident: incident, and a column for each of `SHORTCUTS`. Labels are not used.

    incidents: columns seq_id, incident. Position and start-up lines are null in a run with a single incident, times if
    no event has a time stamp.
    """
    rows = incidents.join(sequences.select("seq_id", "run", "service", "start_time", "end_time", "events"), on="seq_id")
    start = pl.col("start_time").min()
    facts = rows.group_by("incident", maintain_order=True).agg(
        pl.col("run").first(),
        pl.col("events").sum().cast(pl.Float64).alias("length"),
        (pl.col("end_time").max() - start).dt.total_milliseconds().truediv(1000).alias("duration"),
        (start - start.dt.truncate("1d")).dt.total_milliseconds().truediv(1000).alias("time of day"),
        start,
    )
    several = pl.len().over("run") > 1
    position = pl.when(several & pl.col("start_time").is_not_null()).then(pl.col("start_time").rank("min").over("run"))
    startup = startup_lines(items, rows)
    return facts.join(startup, on="incident", how="left", maintain_order="left").select(
        "incident",
        "length",
        "duration",
        "time of day",
        position.cast(pl.Float64).alias("position"),
        pl.when(several).then(pl.col("n").fill_null(0)).cast(pl.Float64).alias("start-up lines"),
    )


def startup_lines(items: MessageCounts, rows: pl.DataFrame) -> pl.DataFrame:
    """Columns incident, n: the lines that a process (a service in a run) wrote once or in its first incident only.

    rows: columns seq_id, incident, run, service, start_time.
    """
    process = ["run", "service"]
    first = (
        rows.drop_nulls("start_time")
        .sort("start_time", "incident")
        .group_by(process)
        .agg(first=pl.col("incident").first())
    )
    lines = items.counts.filter(pl.col("kind") != "request").join(rows, on="seq_id").join(first, on=process, how="left")
    per_item = [*process, "message_id"]
    once = pl.col("n").sum().over(per_item) == 1
    only_first = (pl.col("incident") == pl.col("first")).all().over(per_item)
    return lines.filter(once | only_first).group_by("incident").agg(pl.col("n").sum())


def oriented(fact: Floats, auroc: float) -> Floats:
    """The fact as a score: sign-flipped if lower values indicate anomalies, so that its AUROC is at least 0.5."""
    return fact if auroc >= 0.5 else -fact


def warning(shortcut: Shortcut, auroc: float | None, detectors: Mapping[str, float]) -> str | None:
    """A warning if the baseline alone has a high AUROC or does as well as a detector; otherwise None.

    detectors: the AUROC of each by its name, on the same incidents.
    """
    if auroc is None or not detectors:
        return None
    best = max(detectors.values())
    telling = f"a figure of {best:.2f} says little" if best > auroc >= TELLING else ""
    beaten = ", ".join(f"{name} ({reached:.2f})" for name, reached in detectors.items() if reached <= auroc)
    reasons = " and ".join(filter(None, (telling, beaten and f"it is not beaten by {beaten}")))
    return (
        f"{shortcut.title.capitalize()} would have scored {auroc:.2f}: {reasons}; {shortcut.remedy}."
        if reasons
        else None
    )
