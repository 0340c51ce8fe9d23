"""Explain a model: importance of items, calibration, new templates; and its false alarms."""

from __future__ import annotations

import polars as pl
import streamlit as st

from lo2core.base.frames import as_saved
from lo2core.base.glossary import meaning
from lo2core.base.schemas import INCIDENT_KEY
from lo2core.base.text import visible
from lo2core.detect.model import Model
from lo2core.enhance.enrich import templates_of
from lo2core.explain import incidents, model_importance
from lo2core.explain.evidence import Evidence
from lo2core.report import charts
from lo2core.report.chart_data import spread
from lo2core.ui.shell import address, models, scores, tables
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.log_table import pick_line, show_event
from lo2core.ui.shell.scores import Scores
from lo2core.ui.shell.widgets import downloads, notice, raw, say
from lo2core.ui.train import calibration

MOST_LINES = 500
NAMES = (INCIDENT, FALSE_ALARMS, MODEL) = ("This incident", "False alarms", "The model")
_PLACE = (*INCIDENT_KEY, "service")


@section
def show_model(chosen: Scores) -> None:
    """Importance by service, the summary of attributions, calibration, templates that no normal has."""
    model = models.opened(chosen.bundle).model
    facts = model.facts
    made = f"{facts.get('detector')} on {facts.get('items')}"
    say(f"{chosen.bundle.stem}: {made}, one detector for each of {len(model.detectors)} services")
    service = st.selectbox("Service", sorted(model.detectors), format_func=visible, key="model-service")
    st.caption(scores.ask(chosen, Evidence.method, service))
    _importance(chosen, service)
    if model.detectors[service].uses_shap:
        _beeswarm(chosen, service)
    _calibration(chosen, model)
    _foreign_templates(chosen)


@section
def show_false_alarms(chosen: Scores) -> None:
    """Flagged sequences that are known to be normal, and the items that they share; a selected one opens."""
    if chosen.predictions["normal"].null_count() == chosen.predictions.height:
        notice("These logs have no labels, so false alarms are unknown.")
        return
    wrong, shared = scores.ask(chosen, incidents.false_positives, predictions=chosen.predictions)
    n = int(chosen.predictions["normal"].fill_null(False).sum())
    if note := models.trained_on(models.opened(chosen.bundle), chosen.logs):
        st.caption(note)
    if not wrong.height:
        say(f"None of the {n:,} normal sequences is flagged.")
        return
    say(f"{wrong.height:,} of {n:,} normal sequences are flagged. Select one to see why.")
    key = "false-alarms"
    tables.pick(wrong, _WRONG, key, on_select=lambda: _open(wrong, key))
    downloads(wrong, f"false_alarms_{chosen.source.name.replace('/', '.')}", key="wrong", what="False alarms")
    st.subheader("What they share", anchor=False)
    tables.show(shared.with_columns(pl.col("mean_share") * 100), _SHARED)
    downloads(shared, f"false_alarms_share_{chosen.source.name.replace('/', '.')}", key="shared", what="Items")


def _open(rows: pl.DataFrame, key: str) -> None:
    """Show the selected incident in the first tab."""
    for row in st.session_state[key]["selection"]["rows"]:
        address.write(rows.select(_PLACE).row(row, named=True))
        st.session_state[address.EXPLAINED] = INCIDENT


@section
def _importance(chosen: Scores, service: str) -> None:
    st.subheader("Most important items", anchor=False)
    found = scores.ask(chosen, model_importance.item_importance, service)
    if not found.height:
        notice("This model scores single events, so there is no importance over sequences.")
        return
    view = found.with_columns(pl.col("share") * 100)
    row = tables.pick(view, _IMPORTANCE, f"importance-{chosen.source.name}-{service}", most=10)
    n = model_importance.SEQUENCES
    st.caption(f"Mean absolute contribution of each item in up to {n} scored sequences. Select one to see its lines.")
    if row is not None:
        _lines_with(chosen, found["item"][row], service)
    downloads(found, f"importance_{service}", key="importance", what="Importance")


@section
def _beeswarm(chosen: Scores, service: str) -> None:
    st.subheader("Effect of items on scores", anchor=False)
    marks = scores.ask(chosen, model_importance.beeswarm, service)
    places = chosen.predictions.select("seq_id", *_PLACE)
    drawn = spread(marks).join(places, on="seq_id", how="left", maintain_order="left")
    st.altair_chart(charts.beeswarm(drawn), on_select=lambda: _open_mark(drawn), selection_mode="pick", key="beeswarm")
    st.caption(
        "One point for each sequence and item; points on the right increase the score. Click one to open its incident."
    )
    tables.beside_chart(marks, f"beeswarm_{service}", "beeswarm-table")


def _open_mark(drawn: pl.DataFrame) -> None:
    picked = st.session_state["beeswarm"]["selection"].get("pick") or []
    ids = [as_saved(pick, drawn)["seq_id"] for pick in picked]
    for row in drawn.filter(pl.col("seq_id").is_in(ids)).head(1).iter_rows(named=True):
        address.write({name: row[name] for name in _PLACE})
        st.session_state[address.EXPLAINED] = INCIDENT


@section
def _calibration(chosen: Scores, model: Model) -> None:
    st.subheader("Calibration", anchor=False, help=meaning("Calibration"))
    tick = calibration.strip(model, chosen.threshold, f"calibration-{chosen.source.name}")
    if tick:
        calibration.lines(scores.evidence(chosen), tick)


@section
def _foreign_templates(chosen: Scores) -> None:
    st.subheader("New templates", anchor=False)
    if remark := scores.evidence(chosen).remark:
        notice(remark)
        return
    found = scores.ask(chosen, model_importance.foreign_templates)
    if not found.height:
        st.text("All templates of these logs also occur in normals.")
        return
    view = found.with_columns(cases=pl.col("test_cases").list.len())
    row = tables.pick(view, _TEMPLATES, f"foreign-{chosen.source.name}")
    if row is not None:
        raw(found["template"][row])
        _show_events(chosen, scores.ask(chosen, _events_of_template, found["template"][row]), "foreign-lines")
    downloads(found, "foreign_templates", key="foreign", what="Templates")


def _lines_with(chosen: Scores, item: str, service: str) -> None:
    if item == model_importance.OUTSIDE:
        notice(
            "Items that never occur in the training data are counted together here; the model has no separate column "
            "for them. The list of new templates below shows them."
        )
        return
    raw(item)
    _show_events(chosen, scores.ask(chosen, _events_with, item, service), "importance-lines")


def _events_with(evidence: Evidence, item: str, service: str) -> pl.DataFrame:
    """The first events of a service that contain an item, by its text."""
    ids = evidence.features.filter(pl.col("name") == item)["message_id"]
    return _first_events(evidence, ids, pl.col("service") == service)


def _events_of_template(evidence: Evidence, template: str) -> pl.DataFrame:
    texts = evidence.here.items.messages.filter(pl.col("kind") == "message")["text"]
    known = templates_of(texts, evidence.vec.templates_)
    return _first_events(evidence, known.filter(pl.col("e_template") == template)["message_id"], pl.lit(True))


def _first_events(evidence: Evidence, ids: pl.Series, condition: pl.Expr) -> pl.DataFrame:
    if evidence.here.events is None:
        return pl.DataFrame()
    held = evidence.here.events.filter(condition, pl.col("message_id").is_in(ids.to_list()))
    return held.head(MOST_LINES).collect()


def _show_events(chosen: Scores, found: pl.DataFrame, key: str) -> None:
    if not found.height:
        notice("No event starts with it. It occurs in stack traces only, or no events were saved.")
        return
    row = pick_line(found, f"{key}-{chosen.source.name}", most=9)
    if row is not None:
        show_event(chosen.logs, found["seq_id"][row], found["line_no"][row])


_WRONG = {
    "z_score": st.column_config.NumberColumn("z", width=55, format="%.1f"),
    "folder": st.column_config.TextColumn("test case", width=170),
    "run": st.column_config.TextColumn("run", width=150),
    "window": st.column_config.NumberColumn("window", width=60),
    "service": st.column_config.TextColumn("service", width=100),
    "top_item": st.column_config.TextColumn("top item", width=420),
}
_SHARED = {
    "service": st.column_config.TextColumn("service", width=100),
    "title": st.column_config.TextColumn("item", width=520),
    "sequences": st.column_config.NumberColumn("false alarms", width=90),
    "mean_share": tables.percent("mean share"),
}
_IMPORTANCE = {
    "share": tables.percent("importance"),
    "importance": st.column_config.NumberColumn("contribution", width=120, format="%.3g"),
    "title": st.column_config.TextColumn("item", width=640),
}
_TEMPLATES = {
    "title": st.column_config.TextColumn("template", width=560),
    "n": st.column_config.NumberColumn("events", width=65, format="localized"),
    "cases": st.column_config.NumberColumn("test cases", width=75),
    "services": st.column_config.ListColumn("services", width=170),
}
