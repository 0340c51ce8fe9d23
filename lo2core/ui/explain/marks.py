"""Known benign: the dialog that marks something as harmless, the active marks, and their effect."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Any, NoReturn

import polars as pl
import streamlit as st

from lo2core.base.errors import InputError
from lo2core.base.schemas import Feedback
from lo2core.explain import feedback
from lo2core.explain.evidence import Evidence
from lo2core.explain.items import explained_items
from lo2core.explain.requests import foreign_requests
from lo2core.messages.salience import weight
from lo2core.messages.titles import one_line, title_of
from lo2core.pipeline.feedback import add_mark, marks
from lo2core.store.workspace import Workspace
from lo2core.ui.explain.choice import Chosen
from lo2core.ui.explain.why import FIVE
from lo2core.ui.shell import scores, session, tables
from lo2core.ui.shell.boundary import dialog, section
from lo2core.ui.shell.scores import Scores
from lo2core.ui.shell.widgets import downloads, raw, say

_TOAST = "marks-toast"
_COLUMNS = {
    "kind": st.column_config.TextColumn("what", width=75),
    "title": st.column_config.TextColumn("text", width=330),
    "service": st.column_config.TextColumn("service", width=90),
    "reason": st.column_config.TextColumn("reason", width=190),
    "who": st.column_config.TextColumn("by", width=80),
    "when": st.column_config.DatetimeColumn("on", width=125, format="D MMM YYYY HH:mm"),
}

_SUPPRESSED = {
    **{name: tables.INCIDENT[name] for name in ("folder", "run", "window")},
    "z_before": st.column_config.NumberColumn("z", width=60, format="%.1f"),
    "z_after": st.column_config.NumberColumn("without benign", width=95, format="%.1f"),
}


@dataclass(frozen=True)
class Target:
    """Something that can be marked as benign: see `feedback.benign`."""

    kind: str
    target: int | str
    text: str
    title: str

    def __str__(self) -> str:
        return f"{self.kind}:  {self.title}"


@section
def show(root: Workspace, chosen: Scores) -> pl.DataFrame | None:
    """What is known to be benign, its effect on these scores, and a way to undo it.

    Returns the scores without known benign items (`feedback.apply`); None if there are none, or they cannot be applied.
    """
    if message := st.session_state.pop(_TOAST, None):
        st.toast(message, icon=":material/verified_user:")
    active = feedback.active(marks(root))
    if not active.height:
        return None
    after, problem = _after_or_why(root, chosen)
    effect = "Not applied to these scores." if after is None else feedback.sentence(after)
    with st.expander(f"{active.height:,} known benign. {effect} **Show or undo**", key="marks"):
        if after is None:
            say(problem)
        else:
            _suppressed(after)
        _marks(root, active)
    return after


def applied(root: Workspace, chosen: Scores) -> pl.DataFrame | None:
    """The scores without known benign items; None if there are none. Raises as `feedback.apply`."""
    if not feedback.active(marks(root)).height:
        return None
    return scores.ask(chosen, _applied, *_known(root), predictions=chosen.predictions)


@section
def items(root: Workspace, shown: Chosen) -> pl.Series:
    """The ids of the items that are known to be benign in the chosen service."""
    return scores.ask(shown.scores, _items, *_known(root), shown.service["service"])


@dialog("This is benign", icon=":material/verified_user:", width="large")
def mark(root: Workspace, shown: Chosen, feature: int | None) -> None:
    """Ask what is harmless, where and why. It takes effect at once and can be undone."""
    st.caption(
        "Marked items are reset to their usual count and the score is recomputed. Both scores are shown. Incidents "
        "that are no longer flagged stay in the list. Saved predictions do not change."
    )
    offered = scores.ask(shown.scores, _targets, shown.seq_id, feature)
    target = st.selectbox("What", offered, format_func=str, key="mark-target")
    raw(target.text)
    everywhere = st.checkbox("In all services", key="mark-everywhere", disabled=target.kind == "sequence")
    reason = st.text_input("Reason", key="mark-reason", placeholder="known since the last release, ticket 4711")
    who = st.text_input("Your name", getpass.getuser(), key="mark-who")
    service = None if everywhere else shown.service["service"]
    say(_foresee(root, shown, target, service))
    if st.button("Mark as benign", type="primary", key="mark-yes"):
        row = feedback.benign(target.kind, target.target, target.text, reason, who, service)
        add_mark(root, feedback.unless_marked(marks(root), row))
        _done("Marked as benign.", f"Marked as benign: {target}")


@dialog("Undo known benign", icon=":material/undo:")
def take_back(root: Workspace, mark: str, text: str) -> None:
    """Ask why, then add the row that undoes the mark."""
    raw(text)
    reason = st.text_input("Reason", key="undo-reason")
    who = st.text_input("Your name", getpass.getuser(), key="undo-who")
    if st.button("Undo", type="primary", key="undo-yes"):
        add_mark(root, feedback.undo(marks(root), mark, reason, who))
        _done("No longer known benign.", "No longer known benign.")


def _done(toast: str, message: str) -> NoReturn:
    """Report it at the top of the page, which may be scrolled away, and in a toast (Markdown: no log text)."""
    st.session_state[_TOAST] = toast
    session.flash(message)
    st.rerun()


def _after_or_why(root: Workspace, chosen: Scores) -> tuple[pl.DataFrame | None, str]:
    try:
        return applied(root, chosen), ""
    except InputError as error:
        return None, str(error)


def _suppressed(after: pl.DataFrame) -> None:
    found = feedback.suppressed(after).drop("marks")
    if found.height:
        st.caption("Incidents that are not flagged because of what is known benign")
        tables.show(found, _SUPPRESSED)


def _foresee(root: Workspace, shown: Chosen, target: Target, service: str | None) -> str:
    asked = (target.kind, target.target, target.text, service, shown.seq_id)
    try:
        return scores.ask(shown.scores, _foreseen, *_known(root), *asked, predictions=shown.scores.predictions)
    except InputError as error:
        return f"It will be saved, but cannot be applied to these scores. {error}"


def _marks(root: Workspace, active: pl.DataFrame) -> None:
    st.caption("Known benign. Select a row to undo it.")
    telling = pl.element().sort_by(
        weight(pl.element()), descending=True, maintain_order=True
    )  # of a request's messages
    first = pl.col("text").str.strip_chars().str.split("\n").list.eval(telling).list.first()
    shown = active.with_columns(tables.on_local_clock(active["when"]), title=one_line(active.select(first).to_series()))
    row = tables.pick(shown, _COLUMNS, f"marks-{active.height}")
    with st.container(horizontal=True):
        asked = st.button("Undo ...", icon=":material/undo:", disabled=row is None, key="mark-undo")
        if asked and row is not None:
            take_back(root, active["mark"][row], active["text"][row])
        downloads(marks(root), "feedback", key="feedback", what="Marks")


def _known(root: Workspace) -> tuple[str, object]:
    """The workspace of the marks, and a stamp of their table."""
    return str(root.root), root.stamp(Feedback)


def _applied(evidence: Evidence, root: str, stamp: object, predictions: pl.DataFrame) -> pl.DataFrame:
    return feedback.apply(evidence, predictions, marks(Workspace(root)))


def _items(evidence: Evidence, root: str, stamp: object, service: str) -> pl.Series:
    return feedback.marked_items(evidence, marks(Workspace(root)), service)


def _foreseen(
    evidence: Evidence,
    root: str,
    stamp: object,
    kind: str,
    target: int | str,
    text: str,
    service: str | None,
    seq_id: str,
    predictions: pl.DataFrame,
) -> str:
    row = feedback.benign(kind, target, text, "to see what it would do", "nobody", service)
    return feedback.foreseen(evidence, predictions, marks(Workspace(root)), row, seq_id)


def _targets(evidence: Evidence, seq_id: str, feature: int | None) -> list[Target]:
    """What can be marked, the selected item first: items, their templates, new request kinds, the whole sequence."""
    items = explained_items(evidence, seq_id).filter(pl.col("share") > 0)
    picked = items.filter(pl.col("feature") == (feature or 0))
    rows = pl.concat([picked, items.head(FIVE)]).unique("feature", maintain_order=True)
    found = [_target(evidence, row) for row in rows.iter_rows(named=True)]
    kinds = foreign_requests(evidence, seq_id) if evidence.here.events is not None else pl.DataFrame()
    requests = [Target("request", row["feature"], row["item"], row["title"]) for row in kinds.iter_rows(named=True)]
    flat = [target for targets in found for target in targets]
    return [*flat, *requests, Target("sequence", seq_id, seq_id, seq_id)]


def _target(evidence: Evidence, row: dict[str, Any]) -> list[Target]:
    kind = row["kind"] if row["kind"] in ("request", "template") else "item"
    own = Target(kind, row["feature"], row["item"], row["title"])
    template = feedback.template_of(evidence, row["feature"]) if row["kind"] == "message" else None
    return [own, Target("template", *template, title_of(template[1]))] if template else [own]
