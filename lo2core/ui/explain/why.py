"""Explain one incident: its services, and the items of a score; `lines` shows raw lines."""

from __future__ import annotations

from functools import partial

import polars as pl
import streamlit as st

from lo2core.base.clock import time_of_day
from lo2core.base.frames import as_saved, with_separators
from lo2core.base.glossary import meaning
from lo2core.detect.units import Unit
from lo2core.explain import incidents
from lo2core.explain.evidence import Evidence
from lo2core.explain.explanation import explained_services, headline
from lo2core.explain.items import explained_items
from lo2core.explain.requests import foreign_requests
from lo2core.explain.values import values_of_item
from lo2core.messages.titles import title_of
from lo2core.report import charts
from lo2core.ui.explain.choice import Chosen
from lo2core.ui.shell import address, scores, tables
from lo2core.ui.shell.boundary import section
from lo2core.ui.shell.scores import Scores
from lo2core.ui.shell.values_table import show_values
from lo2core.ui.shell.widgets import downloads, notice, raw, say

FIVE = 5


@section
def show_services(shown: Chosen, after: pl.DataFrame | None) -> None:
    """All services of the incident as a chart and a table, with the first anomalous event; a click selects one.

    after: scores without known benign items (`feedback.apply`), shown in a second column.
    """
    bars, words = st.columns([3, 5], gap="medium")
    with bars:
        st.altair_chart(
            charts.service_bars(shown.services, shown.scores.threshold),
            on_select=partial(_pick_service, shown.services),
            key="services-chart",
            selection_mode="pick",
        )
    with words:
        began = _first_odd(shown)
        _service_table(shown, began, after)
    if began.height:
        first = began.row(0, named=True)
        where = f"{time_of_day(first['m_timestamp'])} in {first['service']}, line {first['line_no']:,}"
        say(f"First anomalous event: {where}: {title_of(first['text'])}")


@section
def why(shown: Chosen, marked: pl.Series | None) -> int | None:
    """The items of the score of the chosen service, and how they were found; returns the id of a selected item.

    marked: ids of items that are known to be benign; None where that cannot be told.
    """
    st.subheader("Why", anchor=False, help=meaning("z-score"))
    service = shown.service
    if not shown.scored:
        notice(f"{service['service']} has no score to explain ({service['words']}).")
        return None
    found = items_of(shown.scores, shown.seq_id)
    kinds = scores.ask(shown.scores, foreign_requests, shown.seq_id)
    say(headline(service, found, kinds, unit_of(shown).measure))
    if remark := scores.evidence(shown.scores).remark:
        notice(remark)
    picked = _item_table(shown, found, marked)
    with st.container(horizontal=True, vertical_alignment="center"):
        method = scores.ask(shown.scores, Evidence.method, service["service"])
        st.caption(" ".join(filter(None, (method, unit_of(shown).order_note))), width="stretch")
        downloads(found, f"items_{shown.name}", key="items", what="Items")
    return picked


def items_of(found: Scores, seq_id: str) -> pl.DataFrame:
    """`explained_items` of a sequence, from memory."""
    return scores.ask(found, explained_items, seq_id)


def unit_of(shown: Chosen) -> Unit:
    """What the model of the shown scores gives a score."""
    return scores.evidence(shown.scores).unit


def _first_odd(shown: Chosen) -> pl.DataFrame:
    """`incidents.first_odd_events` of the flagged services; empty without events."""
    there = scores.evidence(shown.scores).here.events is not None
    explained = {name: items_of(shown.scores, name) for name in explained_services(shown.services)} if there else {}
    return scores.ask(shown.scores, _first_events, *explained, **explained)


def _first_events(evidence: Evidence, *seq_ids: str, **explained: pl.DataFrame) -> pl.DataFrame:
    return incidents.first_odd_events(evidence, explained)


def _pick_service(services: pl.DataFrame) -> None:
    picked = st.session_state["services-chart"]["selection"].get("pick") or [{}]
    seq_id = as_saved(picked[0], services).get("seq_id")
    address.write({"service": dict(services.select("seq_id", "service").iter_rows()).get(seq_id)})


def _service_table(shown: Chosen, began: pl.DataFrame, after: pl.DataFrame | None) -> None:
    chosen = pl.when(pl.col("service") == shown.service["service"]).then(pl.lit("▸")).otherwise(pl.lit(""))
    times = began.select("seq_id", began=pl.col("m_timestamp").dt.strftime("%H:%M:%S%.3f"))
    view = shown.services.join(times, on="seq_id", how="left", maintain_order="left")
    view = view.with_columns(pl.col("began").fill_null("")) if times.height else view
    marked = pl.DataFrame(schema={"seq_id": pl.String, "z_after": pl.String}) if after is None else _marked(after)
    marked = marked.join(view, on="seq_id", how="semi")
    view = view.join(marked, on="seq_id", how="left", maintain_order="left")
    view = view.with_columns(pl.col("z_after").fill_null("")) if marked.height else view
    rounded = pl.col("z_score").round(1) + 0.0  # no "-0.0"
    tables.show(view.with_columns(rounded, chosen=chosen), _SERVICE_COLUMNS)


def _marked(after: pl.DataFrame) -> pl.DataFrame:
    """seq_id, z_after of the sequences with known benign items; text, as a marked sequence has no score."""
    touched = after.filter(pl.col("marks").list.len() > 0)
    quiet = pl.when(pl.col("pred_ano") & ~pl.col("flagged_after")).then(pl.lit(", not flagged")).otherwise(pl.lit(""))
    z = pl.format("{}{}", pl.col("z_after").round(1), quiet)
    return touched.select("seq_id", z_after=z.fill_null("not flagged"))


_SERVICE_COLUMNS = {
    "chosen": st.column_config.TextColumn("", width=26),
    "service": st.column_config.TextColumn("service", width=92),
    "z_score": st.column_config.NumberColumn("z", width=46, format="%.1f", help=meaning("z-score")),
    "z_after": st.column_config.TextColumn(
        "without benign", width=98, help="z with known benign items at their usual count"
    ),
    "pred_ano": st.column_config.CheckboxColumn("flagged", width=56),
    "words": st.column_config.TextColumn("compared with normals", width=180, help=meaning("p-value")),
    "began": st.column_config.TextColumn("first at", width=88, help="Time of the first anomalous event"),
}


def _item_table(shown: Chosen, found: pl.DataFrame, marked: pl.Series | None) -> int | None:
    made = found.filter(pl.col("share") > 0)
    every = st.toggle(f"All {made.height:,} items", key="items-all") if made.height > FIVE else True
    view = made if every else made.head(FIVE)
    row = tables.pick(
        _item_view(view, marked), _MEASURES[unit_of(shown).measure.column] | _ITEM_COLUMNS, f"items-{shown.key}-{every}"
    )
    if row is None:
        return None
    text = view["item"][row].strip()
    raw(text)
    feature = int(view["feature"][row])
    _values(shown, feature)
    return feature


def _values(shown: Chosen, feature: int) -> None:
    """The values at the placeholders of the selected item, next to those of the normals."""
    if scores.evidence(shown.scores).here.events is None:
        return
    values = scores.ask(shown.scores, values_of_item, shown.seq_id, feature)
    if values.height:
        st.caption("Values behind its placeholders, compared with the normals of the service")
        show_values(values, f"values_{shown.name}", key="values")


def _item_view(view: pl.DataFrame, marked: pl.Series | None) -> pl.DataFrame:
    is_marked = pl.lit(False) if marked is None else pl.col("feature").is_in(marked.implode())
    sign = pl.when(is_marked).then(pl.lit("yes")).when(is_marked.any()).then(pl.lit(""))
    counts = pl.col("normals").list.eval(pl.element().cast(pl.Int64).cast(pl.String)).list.join("  ")
    new = pl.when("known").then(pl.lit("")).otherwise(pl.lit(", new"))
    return view.select(
        pl.col("share") * 100,
        "title",
        "here",
        marked=sign,
        oddness="contribution",
        nearest=counts,
        held=pl.format("{} of {}{}", with_separators(view["held_by"]), with_separators(view["n_normals"]), new),
        kind=pl.col("kind").cast(pl.String),
    )


_ODDNESS = st.column_config.NumberColumn(
    "z", width=80, format="%.1f", help="The z-score of its worst event. The largest is the score of the service."
)
_MEASURES = {"share": {"share": tables.percent("of the score")}, "contribution": {"oddness": _ODDNESS}}
"""The first column of the items, by the measure of the unit."""
_ITEM_COLUMNS = {
    "title": st.column_config.TextColumn("item", width=440),
    "marked": st.column_config.TextColumn("benign", width=62, help="Known benign in this service or in all"),
    "here": st.column_config.NumberColumn("here", width=55, format="localized"),
    "nearest": st.column_config.TextColumn("nearest", width=80, help="Counts in the nearest normals, nearest first"),
    "held": st.column_config.TextColumn(
        "in normals",
        width=100,
        help="Number of training normals of the service that contain it. New: it never occurs in the training data of "
        "any service, so the model has no separate column for it.",
    ),
    "kind": st.column_config.TextColumn("kind", width=70),
}
