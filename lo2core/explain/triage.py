"""Triage: what people have found out about incidents and groups of incidents.

Each is new, seen, or has a known cause with a name. Rows are only added; an undo is also a row. They change no score
and no flag, and hide nothing. A known cause is offered for similar groups of other predictions and runs; a person
decides whether it is the cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import polars as pl

from lo2core.base.errors import InputError, choices
from lo2core.base.schemas import INCIDENT_KEY, Triage
from lo2core.base.text import plural
from lo2core.explain.groups import CAUSE, similar

ENTRIES = Triage.create_empty().schema
NEW, SEEN, KNOWN = STATES = ("new", "seen", "known cause")
MOST_CHARACTERS = 1000


def of_group(group: Mapping[str, Any], state: str, who: str, cause: str | None = None, note: str = "") -> pl.DataFrame:
    """One row of `schemas.Triage` about a group (a row of `schemas.Groups`).

    Raises InputError for an unknown state, a known cause without a name, and without the name of a person.
    """
    subject = {name: group[name] for name in (*CAUSE, "title")}
    return _row({"kind": "group"} | subject, state, who, cause, note)


def of_incident(
    incident: Mapping[str, Any],
    group: Mapping[str, Any],
    state: str,
    who: str,
    cause: str | None = None,
    note: str = "",
) -> pl.DataFrame:
    """One row of `schemas.Triage` about an incident (`schemas.GroupedIncidents`) of a group. Raises as `of_group`."""
    subject = {name: incident[name] for name in INCIDENT_KEY} | {name: group[name] for name in CAUSE}
    title = "/".join(str(incident[name]) for name in INCIDENT_KEY if incident[name] is not None)
    return _row({"kind": "incident", "title": title} | subject, state, who, cause, note)


def _row(subject: Mapping[str, Any], state: str, who: str, cause: str | None, note: str) -> pl.DataFrame:
    if state not in STATES:
        raise InputError(f"There is no state {state!r}. {choices(state, STATES)}")
    name = (cause or "").strip()
    if (state == KNOWN) != bool(name):
        raise InputError("A known cause needs a name." if state == KNOWN else f"{state!r} has no cause: leave it out.")
    if not who.strip():
        raise InputError("Give your name, so that others know whom to ask.")
    if max(len(name), len(note)) > MOST_CHARACTERS:
        raise InputError(f"A cause and a note have at most {MOST_CHARACTERS:,} characters each.")
    said = {"state": state, "cause": name or None, "note": note.strip(), "who": who.strip()}
    return _stamped({"action": "set"} | dict(subject) | said)


def _stamped(facts: Mapping[str, Any]) -> pl.DataFrame:
    own = {"entry": uuid4().hex[:12], "when": datetime.now(UTC).replace(tzinfo=None)}
    whole = dict.fromkeys(ENTRIES) | dict(facts) | own
    return pl.DataFrame([whole], schema=ENTRIES)


def undo(entries: pl.DataFrame, entry: str, who: str) -> pl.DataFrame:
    """The row that takes an entry back. Raises InputError if no such entry is active, or without a name."""
    found = active(entries).filter(entry=entry)
    if not who.strip():
        raise InputError("Give your name, so that others know whom to ask.")
    if not found.height:
        raise InputError(f"There is no entry {entry!r}; it may have been taken back already.")
    return _stamped(found.row(0, named=True) | {"action": "undo", "undoes": entry, "who": who.strip()})


def active(entries: pl.DataFrame) -> pl.DataFrame:
    """The entries that were not taken back, oldest first."""
    undone = entries.filter(action="undo").select(entry="undoes")
    kept = entries.filter(action="set").join(undone, on="entry", how="anti", maintain_order="left")
    return kept.sort("when", maintain_order=True)


def judged_groups(entries: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """The groups (`schemas.Groups`) with their last entry: state, cause, note, who, when, entry; and with an offer.

    A group has the entry of an earlier one that is equal to it in the columns `groups.CAUSE`. offer, offered_since: the
    known cause of similar groups and of their incidents, and since when it is known, for groups that are new; null if
    there is none, or if they have several.
    """
    known = active(entries)
    if not known.height or not groups.height:
        return groups.with_columns(state=pl.lit(NEW), note=pl.lit(""), **_NOTHING)
    numbered = known.with_row_index("number")
    close = similar(groups, numbered, "group", "number").join(numbered, on="number")
    same = close.filter(pl.col("similarity") == 1, pl.col("kind") == "group").sort("number")
    last = same.group_by("group").agg(pl.col("state", "cause", "note", "who", "when", "entry").last())
    judged = groups.join(last, on="group", how="left", maintain_order="left")
    judged = judged.with_columns(pl.col("state").cast(pl.String).fill_null(NEW), pl.col("note").fill_null(""))
    offers = _offers(close).join(judged.filter(state=NEW), on="group", how="semi")
    return judged.join(offers, on="group", how="left", maintain_order="left")


_NOTHING = {name: pl.lit(None, dtype=ENTRIES[name]) for name in ("cause", "who", "when", "entry")}
_NOTHING |= {"offered_since": pl.lit(None, dtype=ENTRIES["when"]), "offer": pl.lit(None, dtype=pl.String)}


def _offers(close: pl.DataFrame) -> pl.DataFrame:
    """group, offered_since, offer: the known cause of the entries close to each group, unless they have several."""
    subject = [*INCIDENT_KEY, "kind", *CAUSE]
    last = close.sort("number").unique(["group", *subject], keep="last")
    by_group = (
        last.filter(state=KNOWN).group_by("group").agg(pl.col("cause").unique(), offered_since=pl.col("when").min())
    )
    one = by_group.filter(pl.col("cause").list.len() == 1)
    return one.select("group", "offered_since", offer=pl.col("cause").list.first())


def judged_incidents(entries: pl.DataFrame, incidents: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """The incidents with state, cause, note and entry: of their own last entry, or else of their group.

    incidents: `schemas.GroupedIncidents`; groups: the result of `judged_groups`.
    """
    own = active(entries).filter(kind="incident")
    said = ("state", "cause", "note", "entry")
    last = own.group_by(INCIDENT_KEY, maintain_order=True).agg(
        pl.col(name).last().alias(f"own_{name}") for name in said
    )
    last = last.with_columns(pl.col("own_state").cast(pl.String))
    of_groups = groups.select("group", *said)
    both = incidents.join(of_groups, on="group", how="left", maintain_order="left")
    both = both.join(last, on=INCIDENT_KEY, how="left", nulls_equal=True, maintain_order="left")
    own_first = pl.col("own_entry").is_not_null()
    chosen = [pl.when(own_first).then(f"own_{name}").otherwise(name).alias(name) for name in said]
    return both.with_columns(chosen).drop(f"own_{name}" for name in said)


def causes(entries: pl.DataFrame) -> list[str]:
    """The names of all known causes, the newest first."""
    named = active(entries).filter(state=KNOWN).sort("when", descending=True)
    return named["cause"].unique(maintain_order=True).to_list()


def sentence(groups: pl.DataFrame) -> str:
    """How many flagged incidents and groups there are, and what is known about them. groups: of `judged_groups`."""
    n = dict(groups["state"].value_counts().iter_rows())
    names = {NEW: "new", SEEN: "seen", KNOWN: "with a known cause"}
    counted = ", ".join(f"{n[state]:,} {name}" for state, name in names.items() if state in n)
    causes = plural(groups.height, "group")
    return f"{plural(int(groups['incidents'].sum()), 'flagged incident')} in {causes} by cause: {counted}."


def in_words() -> pl.Expr:
    """The state of groups or incidents as text: new, seen, or the name of the cause."""
    return pl.coalesce("cause", "state")
