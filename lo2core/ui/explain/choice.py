"""The incident that page Explain shows, and one service of it: those in the address bar, else the worst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

from lo2core.base.glossary import meaning
from lo2core.base.schemas import INCIDENT_KEY
from lo2core.detect.incidents import Incident, not_fully_scored, rows_of
from lo2core.explain import feedback
from lo2core.explain.incidents import services_of
from lo2core.ui.shell import address, models
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.keyboard import NEXT, PREVIOUS
from lo2core.ui.shell.scores import Scores
from lo2core.ui.shell.widgets import notice, say

MOST_OFFERED = 500
"""Incidents to choose from, worst first; the one in the address bar is always among them."""


@dataclass(frozen=True)
class Chosen:
    """An incident and one service of it: a row of `Scores.incidents`, its services, the chosen one."""

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
        """For file names."""
        return f"{self.incident.file_name}_{self.service['service']}"

    @property
    def key(self) -> str:
        """Distinguishes the widgets of different views."""
        return f"{self.scores.source.name}-{self.seq_id}"


@section
def choose_incident(chosen: Scores, after: pl.DataFrame | None = None) -> Chosen:
    """Fields to choose the incident; previous and next; the numbers of incidents and of flagged ones.

    after: scores without known benign items (`feedback.apply`); incidents that are not flagged because of them say so.
    """
    found = _after_marks(chosen.incidents, after)
    at = _position(found)
    _choose(found, at)
    with st.container(horizontal=True, vertical_alignment="center"):
        _step("Previous", ":material/arrow_back:", PREVIOUS, found, at - 1)
        _step("Next", ":material/arrow_forward:", NEXT, found, at + 1)
        flagged = int(found["pred_ano"].fill_null(False).sum())
        position = f"{at + 1:,} of {found.height:,} incidents, worst first"
        position += f"; {flagged:,} {'is' if flagged == 1 else 'are'} flagged (z of {chosen.threshold:.2f} or more)"
        position += not_fully_scored(found["pred_ano"])
        quiet = found.drop_nulls("marked").height
        say(f"{position}, {quiet:,} of them only because of known benign items" if quiet else position)
    row = found.row(at, named=True)
    incident = Incident.of(row)
    services = services_of(rows_of(chosen.predictions, incident), models.opened(chosen.bundle).model)
    return Chosen(chosen, incident, row, services, _service(services))


def _position(found: pl.DataFrame) -> int:
    """Row of the incident in the address bar; 0, the worst, if there is none or it does not exist."""
    run, folder, window = (address.read(name) for name in INCIDENT_KEY)
    number = int(window) if window and window.isdecimal() and len(window) < 10 else -1 if window else None
    same = (pl.col("run") == (run or "")) & (pl.col("folder") == (folder or ""))
    at = found.select(pl.arg_where(same & pl.col("window").eq_missing(pl.lit(number, dtype=pl.Int32)))).to_series()
    if at.len():
        return int(at[0])
    if folder:
        notice(f"There is no incident {folder} of run {run} in these scores. Showing the worst one.")
    return 0


def _after_marks(found: pl.DataFrame, after: pl.DataFrame | None) -> pl.DataFrame:
    """The incidents with `marked`: why an incident is not flagged any more, if known benign items are the reason."""
    if after is None:
        return found.with_columns(marked=pl.lit(None, dtype=pl.String))
    z = pl.format("z {} without known benign", pl.col("z_after").round(1))
    quiet = feedback.suppressed(after).select(*INCIDENT_KEY, marked=z.fill_null("known benign"))
    return found.join(quiet, on=INCIDENT_KEY, how="left", nulls_equal=True, maintain_order="left")


def _choose(found: pl.DataFrame, at: int) -> None:
    offered = list(range(min(found.height, MOST_OFFERED)))
    if at not in offered:
        offered.append(at)
    labels = dict(zip(offered, _labels(found[offered]), strict=True))
    look = {"format_func": lambda row: labels[row], "filter_mode": "contains", "help": meaning("Incident")}
    address.choice("Incident", offered, at, lambda row: _params(found, row), **look)


def _labels(found: pl.DataFrame) -> list[str]:
    z = found["z_score"]
    odd = ["not scored" if value is None else f"z {value:.1f}" for value in z]
    flags = ["not fully scored" if flag is None else "flagged" if flag else "" for flag in found["pred_ano"]]
    flags = [f"{flag}, {marked}" if marked else flag for flag, marked in zip(flags, found["marked"], strict=True)]
    rows = zip(found["rank"], found["incident"], found["service"], odd, flags, strict=True)
    return ["  ·  ".join(str(part) for part in row if part != "") for row in rows]


def _params(found: pl.DataFrame, row: int) -> address.Params:
    return {**found.select(INCIDENT_KEY).row(row, named=True), "service": None}


def _step(label: str, icon: str, shortcut: str, found: pl.DataFrame, to: int) -> None:
    there = 0 <= to < found.height
    params = _params(found, to) if there else {}
    st.button(label, icon=icon, shortcut=shortcut, disabled=not there, on_click=address.write, args=(params,))


def _service(services: pl.DataFrame) -> dict[str, Any]:
    """The service in the address bar, else the worst."""
    named = services.filter(pl.col("service") == (address.read("service") or ""))
    return (named if named.height else services).row(0, named=True)
