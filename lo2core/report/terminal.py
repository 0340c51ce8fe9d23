"""Explanations and comparisons as plain text for a terminal."""

from __future__ import annotations

from typing import Any

import polars as pl

from lo2core.base.text import plural
from lo2core.compare.comparison import Comparison
from lo2core.compare.provenance import side_by_side
from lo2core.detect.units import Measure
from lo2core.explain import triage
from lo2core.explain.explanation import Explanation
from lo2core.explain.groups import Grouping
from lo2core.report.scoreboard import aligned

TOP_ITEMS = 5
WIDTH = 118


def incident(explanation: Explanation) -> str:
    """An incident: its services, then items, lines and unknown requests of each explained service."""
    parts = [f"{explanation.test_case}, {explanation.incident}", _services(explanation.services)]
    for seq_id in explanation.items["seq_id"].unique(maintain_order=True):
        items, lines, requests = (
            frame.filter(pl.col("seq_id") == seq_id)
            for frame in (explanation.items, explanation.lines, explanation.requests)
        )
        measure = explanation.measure
        parts.append(f"\n{items['service'][0]}, top items ({measure.name}, count here, counts in the nearest normals)")
        parts += [_item(row, measure) for row in items.head(TOP_ITEMS).iter_rows(named=True)]
        if lines.height:
            parts.append(f"lines in {lines['source'][0]}")
            parts += [_line(row) for row in lines.drop_nulls("place").sort("place").iter_rows(named=True)]
        if requests.height:
            parts.append("requests of kinds that no normal contains")
            parts += [
                _cut(f"  {row['n']:>5} x {row['title']}") for row in requests.head(TOP_ITEMS).iter_rows(named=True)
            ]
    return "\n".join(parts)


def groups(judged: Grouping) -> str:
    """Groups of flagged incidents with what is known about them, the largest z-score first."""
    if not judged.groups.height:
        return "There are no flagged incidents to group."
    known = judged.groups.with_columns(known=triage.in_words())
    rows = [_GROUP, *(_group(row) for row in known.iter_rows(named=True))]
    return "\n".join([triage.sentence(judged.groups), *map(_cut, aligned(rows, numbers=4))])


_GROUP = ("group", "incidents", "runs", "z", "state", "service", "what they have in common")


def _group(row: dict[str, Any]) -> tuple[str, ...]:
    offer = f" (perhaps {row['offer']})" if row["offer"] else ""
    numbers = (f"{row[name]:,}" for name in ("group", "incidents", "runs"))
    return *numbers, f"{row['z_score']:.1f}", f"{row['known']}{offer}", row["service"], row["title"]


def comparison(compared: Comparison) -> str:
    """Predictions side by side: the verdict, differences in provenance, flips or changes, and metrics."""
    names = [one.name for one in compared.saved]
    parts = [*filter(None, (compared.verdict, compared.note)), "", f"what differs: {' / '.join(names)}"]
    differing = side_by_side(compared.provenance.filter("differs")).drop("differs")
    parts += [_cut(f"  {fact}: {' / '.join(values)}") for fact, *values in differing.iter_rows()]
    parts += [_rate(row) for row in compared.rates.iter_rows(named=True)]
    parts += [compared.scope] if compared.scope else []
    return "\n".join([*parts, *(_flips(compared) if compared.same_sequences else _changes(compared))])


def _services(services: pl.DataFrame) -> str:
    return "\n".join(
        f"  {service:<14} z {round(z, 1) + 0.0:>7.1f}  {words}" if z is not None else f"  {service:<14} {words}"
        for service, z, words in services.select("service", "z_score", "words").iter_rows()
    )


def _item(row: dict[str, Any], measure: Measure) -> str:
    normals = " ".join(f"{n:.0f}" for n in row["normals"])
    return _cut(f"  {measure.text(row):>5} {row['here']:>6.0f}  ({normals})  {row['title']}")


def _line(row: dict[str, Any]) -> str:
    moment = "" if row["m_timestamp"] is None else f"{row['m_timestamp']:%H:%M:%S.%f}"[:-3]
    return _cut(f"  {row['line_no']:>7}  {moment}  {row['text'].strip()}")


def _rate(row: dict[str, Any]) -> str:
    rate = "" if row["alert_rate"] is None else f" ({row['alert_rate']:.1%})"
    partly = f", {row['not_fully_scored']} not fully scored" if row["not_fully_scored"] else ""
    incidents = plural(row["incidents"], "incident")
    return f"{row['prediction']}: {row['flagged_incidents']} of {incidents} flagged{rate}{partly}"


def _flips(compared: Comparison) -> list[str]:
    assert compared.flips is not None and compared.metrics is not None
    changes = compared.flips["change"].value_counts(sort=True).iter_rows()
    counts = ", ".join(f"{n} {change}" for change, n in changes) or "none"
    metrics = [
        f"  {row['metric']:<30} {_number(row['a'])} {_number(row['b'])} {_number(row['difference'], '+')}"
        for row in compared.metrics.iter_rows(named=True)
    ]
    return [f"flips: {counts}", *(["incident metrics: A, B, B - A", *metrics] if metrics else [])]


def _number(value: float | None, sign: str = "") -> str:
    return f"{'-':>8}" if value is None else f"{value:>{sign}8.3f}"


def _changes(compared: Comparison) -> list[str]:
    items = compared.why_no_items or f"items: {_counted(compared.item_changes)}"
    return [f"incidents: {_counted(compared.incident_changes)}", items]


def _counted(changes: pl.DataFrame) -> str:
    counted = changes["change"].value_counts(sort=True).iter_rows()
    return ", ".join(f"{n} {change}" for change, n in counted) or "no change"


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
