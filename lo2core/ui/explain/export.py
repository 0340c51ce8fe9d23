"""Reports of explanations: to download, or saved in the workspace with their tables."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import streamlit as st

from lo2core.detect.incidents import Incident, worst_incidents
from lo2core.explain.evidence import Evidence
from lo2core.explain.explanation import Explanation, explain_incident, unfolded_diff
from lo2core.explain.groups import group_incidents
from lo2core.pipeline.commands import Explain
from lo2core.pipeline.explain import keep_incident
from lo2core.report.incident import incident_report
from lo2core.report.prediction import prediction_report
from lo2core.ui.explain.choice import Chosen
from lo2core.ui.shell import scores
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.frame import Frame
from lo2core.ui.shell.reports import report_button
from lo2core.ui.shell.scores import Scores
from lo2core.ui.shell.session import with_secrets
from lo2core.ui.shell.widgets import notice

TOP = 20
"""Incidents in the report of a whole prediction."""


@section
def actions(shown: Chosen) -> None:
    """Buttons: download a report of the incident or of the worst ones, save the explanation in the workspace."""
    name, secrets = shown.incident.file_name, with_secrets()
    report_button(
        "report.html",
        lambda: _report(shown, secrets),
        f"report_{name}",
        key="report",
        icon=":material/description:",
        about="One HTML file that needs no network: services, items, lines, the nearest normal.",
    )
    if shown.scores.incidents.height > 1:
        report_button(
            f"Report of the worst {min(TOP, shown.scores.incidents.height)}",
            lambda: _whole_report(shown.scores, secrets),
            f"report_{shown.scores.source.name.replace('/', '.')}",
            key="report-all",
            icon=":material/library_books:",
        )
    if st.button("Save", icon=":material/save:", key="keep", help="Saves tables and report in explainability/"):
        explanation = _explained(shown.scores, shown.incident)
        paths = keep_incident(shown.scores.logs, scores.evidence(shown.scores), explanation, secrets)
        notice(f"Saved in {paths[-1].parent}", icon=":green[:material/check_circle:]")


@section
def command(here: Frame, chosen: Scores | None, incident: Incident | None) -> Explain:
    """The command that explains the same incident, or without one the worst."""
    if chosen is None:
        return Explain(output_dir=here.workspace.root, predictions="lo2_nn_predictions")
    name = chosen.source.prediction or "NAME"
    explain = Explain(output_dir=chosen.logs.root, predictions=name, with_secrets=with_secrets())
    if incident:
        return replace(explain, incident=str(incident))
    return replace(explain, top=min(TOP, chosen.incidents.height))


def _explained(chosen: Scores, incident: Incident) -> Explanation:
    name = chosen.source.prediction or str(chosen.source.live)
    return scores.ask(chosen, _explain, name, *incident.key, predictions=chosen.predictions)


def _explain(
    evidence: Evidence, name: str, run: str, folder: str, window: int | None, predictions: pl.DataFrame
) -> Explanation:
    return explain_incident(evidence, predictions, Incident(run, folder, window), name)


def _report(shown: Chosen, secrets: bool) -> str:
    explanation = _explained(shown.scores, shown.incident)
    return incident_report(explanation, unfolded_diff(scores.evidence(shown.scores), explanation), secrets)


def _whole_report(chosen: Scores, secrets: bool) -> str:
    worst = worst_incidents(chosen.predictions, TOP)
    explanations = [_explained(chosen, incident) for incident in worst]
    made = chosen.logs.metadata(chosen.source.prediction) if chosen.source.prediction else {}
    groups = scores.ask(chosen, _groups, predictions=chosen.predictions)
    return prediction_report(chosen.source.name, chosen.predictions, explanations, made, secrets, groups)


def _groups(evidence: Evidence, predictions: pl.DataFrame) -> pl.DataFrame:
    return group_incidents(evidence.model, evidence.vec, evidence.here, predictions).groups
