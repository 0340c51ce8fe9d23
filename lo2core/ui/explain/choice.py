"""Which incident page Explain is about: the one that the address bar names, else the worst; and one service of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.schemas import INCIDENT_KEY
from lo2core.detect.incidents import Incident, rows_of
from lo2core.explain import feedback
from lo2core.explain.incidents import services_of
from lo2core.ui.shell import address, models
from lo2core.ui.shell.scores import Scores
from lo2core.ui.shell.widgets import notice

MOST_OFFERED = 500
"""Incidents in the field to choose from, worst first; the one that a link names is always among them."""


@dataclass(frozen=True)
class Chosen:
    """An incident and the service of it that is looked at: a row of `Scores.incidents`, its services, one of them."""

    scores: Scores
    incident: Incident
    row: dict[str, Any]
    services: pl.DataFrame
    service: dict[str, Any]

    @property
    def seq_id(self) -> str:
        return str(self.service["seq_id"])

    @property
    def scored(self) -> bool:
        return self.service["z_score"] is not None

    @property
    def name(self) -> str:
        """For the names of files about it."""
        return f"{self.incident.file_name}_{self.service['service']}"

    @property
    def key(self) -> str:
        """Tells the widgets of one view apart from those of another."""
        return f"{self.scores.source.name}-{self.seq_id}"


def choose_incident(chosen: Scores, after: pl.DataFrame | None = None) -> Chosen:
    """Fields to choose the incident, the worst one first; previous and next; how many there are and are flagged.

    after: scores after marks (`feedback.apply`); an incident that only they keep from being an alarm says so.
    """
    found = _after_marks(chosen.incidents, after)
    at = _position(found)
    _choose(found, at)
    with st.container(horizontal=True, vertical_alignment="center"):
        _step("Previous", ":material/arrow_back:", found, at - 1)
        _step("Next", ":material/arrow_forward:", found, at + 1)
        flagged = int(found["pred_ano"].fill_null(False).sum())
        told = f"{at + 1:,} of {found.height:,} incidents, worst first"
        told += f"; {flagged:,} {'is' if flagged == 1 else 'are'} flagged (z of {chosen.threshold:.2f} or more)"
        quiet = found.drop_nulls("marked").height
        st.text(f"{told}, {quiet:,} of them no alarm after marks" if quiet else told)
    row = found.row(at, named=True)
    incident = Incident.of(row)
    services = services_of(rows_of(chosen.predictions, incident), models.opened(chosen.bundle).model)
    return Chosen(chosen, incident, row, services, _service(services))


def _position(found: pl.DataFrame) -> int:
    """Row of the incident that the address bar names; 0, the worst, where it names none or one that is not there."""
    run, folder, window = (address.said(name) for name in INCIDENT_KEY)
    number = int(window) if window and window.isdecimal() else None
    same = (pl.col("run") == (run or "")) & (pl.col("folder") == (folder or ""))
    at = found.select(pl.arg_where(same & pl.col("window").eq_missing(pl.lit(number, dtype=pl.Int32)))).to_series()
    if at.len():
        return int(at[0])
    if folder:
        notice(f"These scores hold no incident {folder} of run {run}; this is the worst one.")
    return 0


def _after_marks(found: pl.DataFrame, after: pl.DataFrame | None) -> pl.DataFrame:
    """The incidents with `marked`: in words, what marks made of those that they keep from being an alarm; else null."""
    if after is None:
        return found.with_columns(marked=pl.lit(None, dtype=pl.String))
    z = pl.format("z after marks {}", pl.col("z_after").round(1))
    quiet = feedback.suppressed(after).select(*INCIDENT_KEY, marked=z.fill_null("marked as benign"))
    return found.join(quiet, on=INCIDENT_KEY, how="left", nulls_equal=True, maintain_order="left")


def _choose(found: pl.DataFrame, at: int) -> None:
    offered = list(range(min(found.height, MOST_OFFERED)))
    if at not in offered:
        offered.append(at)
    labels = dict(zip(offered, _labels(found[offered]), strict=True))
    look = {"format_func": lambda row: labels[row], "filter_mode": "contains"}
    address.choice("Incident", offered, at, lambda row: _params(found, row), **look)


def _labels(found: pl.DataFrame) -> list[str]:
    z = found["z_score"]
    odd = ["not scored" if value is None else f"z {value:.1f}" for value in z]
    flags = ["flagged" if flag else "" for flag in found["pred_ano"]]
    flags = [f"{flag}, {marked}" if marked else flag for flag, marked in zip(flags, found["marked"], strict=True)]
    rows = zip(found["rank"], found["incident"], found["service"], odd, flags, strict=True)
    return ["  ·  ".join(str(part) for part in row if part != "") for row in rows]


def _params(found: pl.DataFrame, row: int) -> address.Params:
    return {**found.select(INCIDENT_KEY).row(row, named=True), "service": None}


def _step(label: str, icon: str, found: pl.DataFrame, to: int) -> None:
    there = 0 <= to < found.height
    params = _params(found, to) if there else {}
    st.button(label, icon=icon, disabled=not there, on_click=address.say, args=(params,))


def _service(services: pl.DataFrame) -> dict[str, Any]:
    """The service that the address bar names, else the worst."""
    named = services.filter(pl.col("service") == (address.said("service") or ""))
    return (named if named.height else services).row(0, named=True)
