"""One incident explained over all its services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lo2core.base.errors import InputError
from lo2core.base.text import are, plural
from lo2core.detect.incidents import Incident, rows_of, why_not_scored
from lo2core.detect.units import SHARE, Measure
from lo2core.explain.diff import aligned_diff, unfolded
from lo2core.explain.evidence import Evidence
from lo2core.explain.incidents import first_odd_events, services_of
from lo2core.explain.items import explained_items, nearest_normals
from lo2core.explain.lines import empty, explained_lines
from lo2core.explain.requests import foreign_requests
from lo2core.messages.text import event_lines, trace


@dataclass(frozen=True)
class Explanation:
    """One incident explained.

    services: all services of the incident, the result of `incidents.services_of`. The other attributes are about the
    flagged services, or the worst one if none is flagged: items, lines, nearest_normals, requests (the tables of that
    name, for all explained services), first_odd (`incidents.first_odd_events`), diff (the worst service compared with
    its nearest normal, `schemas.DiffStretches`), methods (how the score of each service was divided). remark: as in
    `Evidence`; measure: as in `Unit`.
    """

    prediction: str
    incident: Incident
    test_case: str
    services: pl.DataFrame
    items: pl.DataFrame
    lines: pl.DataFrame
    nearest_normals: pl.DataFrame
    requests: pl.DataFrame
    first_odd: pl.DataFrame
    diff: pl.DataFrame | None
    methods: dict[str, str] = field(default_factory=dict)
    remark: str = ""
    measure: Measure = SHARE

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """The tables by their file names."""
        frames = {
            "services": self.services,
            "items": self.items,
            "lines": self.lines,
            "nearest_normals": self.nearest_normals,
            "requests": self.requests,
            "first_odd": self.first_odd,
            "diff": self.diff,
        }
        return {name: frame for name, frame in frames.items() if frame is not None}


def explain_incident(
    evidence: Evidence, predictions: pl.DataFrame, incident: Incident, prediction: str = ""
) -> Explanation:
    """Explain one incident, without saving anything. predictions: saved ones or new scores."""
    rows = rows_of(predictions, incident)
    services = services_of(rows, evidence.model)
    chosen = explained_services(services)
    if not chosen:
        raise InputError(f"{incident} has no score to explain: {why_not_scored(rows)}.")
    items = {seq_id: explained_items(evidence, seq_id) for seq_id in chosen}
    nearest = [nearest_normals(evidence, seq_id) for seq_id in chosen]
    with_events = evidence.here.events is not None
    shown = [explained_lines(evidence, seq_id, items[seq_id]) for seq_id in chosen] if with_events else []
    return Explanation(
        prediction=prediction,
        incident=incident,
        test_case=str(rows["test_case"][0]),
        services=services,
        items=pl.concat(items.values()),
        lines=pl.concat([empty(), *shown]),
        nearest_normals=pl.concat(nearest),
        requests=pl.concat([foreign_requests(evidence, seq_id) for seq_id in chosen]),
        first_odd=first_odd_events(evidence, items if with_events else {}),
        diff=diff_to_normal(evidence, chosen[0]),
        methods={service: evidence.method(evidence.service_of(seq_id)) for service, seq_id in _of(services, chosen)},
        remark=evidence.remark,
        measure=evidence.unit.measure,
    )


def explained_services(services: pl.DataFrame) -> list[str]:
    """The seq_ids to explain: the flagged services, or the worst one if none is flagged; empty if none has a score.

    services: the result of `incidents.services_of`.
    """
    flagged = services.filter(pl.col("pred_ano"))
    return (flagged if flagged.height else services.drop_nulls("z_score").head(1))["seq_id"].to_list()


def headline(service: Mapping[str, Any], items: pl.DataFrame, requests: pl.DataFrame, measure: Measure = SHARE) -> str:
    """The score of a service and its main reason in two lines, as a person would report it.

    service: a row of `incidents.services_of`; items: its `schemas.ExplainedItems`; requests: its
    `schemas.ExplainedRequests`; measure: of the unit. The reason is a request kind that no normal has, or else the
    first item.
    """
    intro = f"{service['service']} has z {service['z_score']:.1f}: {service['words']}."
    if not items.height or not items["share"][0]:
        return f"{intro} Nothing speaks against it."
    top = items.row(0, named=True)
    if not measure.adds_up:
        times = plural(int(top["here"]), "event")
        return f"{intro}\nThis is the score of its worst event. {times} of this kind: {top['title']}"
    novel = items.filter(pl.col("held_by") == 0, pl.col("share") > 0)
    if novel.height > 1:
        intro += f" {novel.height:,} items that no normal contains make {novel['share'].sum():.0%} of the score."
    if requests.height:
        first = requests.row(0, named=True)
        kind = first["title"].removeprefix("request ")
        return f"{intro}\n{are(first['n'], 'request')} of a kind that no normal has: {kind}"
    normals = "in no normal" if top["held_by"] == 0 else f"in {top['held_by']:,} of {top['n_normals']:,} normals"
    return f"{intro}\n{plural(round(top['here']), 'time')} here, {normals}: {top['title']}"


def _of(services: pl.DataFrame, seq_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Service and seq_id of the given sequences, in their order."""
    yield from services.filter(pl.col("seq_id").is_in(seq_ids)).select("service", "seq_id").iter_rows()


def diff_to_normal(evidence: Evidence, seq_id: str, place: int = 1) -> pl.DataFrame | None:
    """`schemas.DiffStretches` of a sequence and its nearest normal; None if the events of either are missing."""
    sides = diff_sides(evidence, seq_id, place)
    if sides is None:
        return None
    here, normal = sides
    stretches = aligned_diff(here["message_id"], normal["message_id"])
    names = {"seq_id": seq_id, "normal": nearest_normals(evidence, seq_id)["normal"][place - 1]}
    return stretches.with_columns(**{name: pl.lit(value) for name, value in names.items()})


def diff_sides(evidence: Evidence, seq_id: str, place: int = 1) -> tuple[pl.DataFrame, pl.DataFrame] | None:
    """The events of a sequence and of its nearest normal: line_no, message_id, level, m_timestamp, text, trace each."""
    nearest = nearest_normals(evidence, seq_id).filter(pl.col("place") == place)
    if not nearest.height or evidence.here.events is None or evidence.training.events is None:
        return None
    here, normal = evidence.here.events_of(seq_id), evidence.training.events_of(nearest["normal"][0])
    return (_side(here), _side(normal)) if normal.height else None


def _side(events: pl.DataFrame) -> pl.DataFrame:
    text = event_lines(events).alias("text")
    return events.select("line_no", "message_id", "level", "m_timestamp", text, trace().alias("trace"))


def unfolded_diff(evidence: Evidence, explanation: Explanation) -> pl.DataFrame | None:
    """The aligned diff of the worst service line by line, see `diff.unfolded`; None if there is no diff."""
    if explanation.diff is None or not explanation.diff.height:
        return None
    sides = diff_sides(evidence, explanation.diff["seq_id"][0])
    return None if sides is None else unfolded(explanation.diff, *sides)
