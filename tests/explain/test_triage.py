"""Triage: what people have found out is kept, offered for similar groups, and can be taken back."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from lo2core.base.errors import InputError
from lo2core.base.schemas import GroupedIncidents, Groups, Triage
from lo2core.explain import triage


def groups(*items: list[int], codes: list[str] | None = None) -> pl.DataFrame:
    """Groups of service client with these items."""
    facts = {"service": "client", "title": "refused", "codes": codes or [], "incidents": 1, "runs": 1, "z_score": 9.0}
    times = {"first": datetime(2026, 1, 1), "last": datetime(2026, 1, 1)}
    rows = [{"group": n, "items": ids, "requests": []} | facts | times for n, ids in enumerate(items, 1)]
    return pl.DataFrame(rows, schema=Groups.create_empty().schema)


INCIDENTS = pl.DataFrame(
    {"run": "r", "folder": ["a", "b"], "test_case": "t", "service": "client", "seq_id": ["a", "b"], "z_score": 9.0}
    | {"group": 1, "window": None},
    schema=GroupedIncidents.create_empty().schema,
)


def judged(entries: pl.DataFrame, found: pl.DataFrame) -> list[tuple[str, str | None, str | None]]:
    Triage.validate(entries)
    return triage.judged_groups(entries, found).select("state", "cause", "offer").rows()


def test_a_group_is_new_until_somebody_says_more() -> None:
    found = groups([1, 2], [3])
    entries = triage.of_group(found.row(0, named=True), triage.SEEN, "ann", note="looks odd")
    assert judged(Triage.create_empty(), found) == [("new", None, None)] * 2
    assert judged(entries, found) == [("seen", None, None), ("new", None, None)]
    assert triage.judged_groups(entries, found)["note"].to_list() == ["looks odd", ""]


def test_a_known_cause_is_kept_for_the_same_group_and_offered_for_a_similar_one() -> None:
    entries = triage.of_group(groups([1, 2, 3]).row(0, named=True), triage.KNOWN, "ann", "no such client")
    assert judged(entries, groups([1, 2, 3])) == [("known cause", "no such client", None)]
    assert judged(entries, groups([1, 2, 3, 4])) == [("new", None, "no such client")]
    assert judged(entries, groups([1, 7, 8, 9])) == [("new", None, None)]
    assert judged(entries, groups([1, 2, 3, 4], codes=["ERR1"])) == [("new", None, None)]


def test_two_causes_that_are_as_similar_are_not_offered() -> None:
    known = groups([1, 2, 3], [1, 2, 4])
    entries = [
        triage.of_group(row, triage.KNOWN, "ann", f"cause {row['group']}") for row in known.iter_rows(named=True)
    ]
    assert judged(pl.concat(entries), groups([1, 2])) == [("new", None, None)]


def test_an_undo_brings_back_what_was_said_before() -> None:
    found = groups([1])
    first = triage.of_group(found.row(0, named=True), triage.SEEN, "ann")
    second = triage.of_group(found.row(0, named=True), triage.KNOWN, "bob", "a drill")
    both = pl.concat([first, second])
    assert judged(both, found) == [("known cause", "a drill", None)]
    back = pl.concat([both, triage.undo(both, second["entry"][0], "bob")])
    assert judged(back, found) == [("seen", None, None)]
    assert triage.causes(back) == []
    with pytest.raises(InputError, match="may have been taken back already"):
        triage.undo(back, second["entry"][0], "bob")


def test_an_incident_has_its_own_state_or_that_of_its_group() -> None:
    found = groups([1])
    of_group = triage.of_group(found.row(0, named=True), triage.SEEN, "ann")
    of_one = triage.of_incident(
        INCIDENTS.row(1, named=True), found.row(0, named=True), triage.KNOWN, "ann", "a restart"
    )
    entries = pl.concat([of_group, of_one])
    told = triage.judged_incidents(entries, INCIDENTS, triage.judged_groups(entries, found))
    assert told.select("folder", "state", "cause").rows() == [("a", "seen", None), ("b", "known cause", "a restart")]
    assert told.height == INCIDENTS.height


@pytest.mark.parametrize(
    ("state", "who", "cause", "said"),
    [
        ("known cause", "ann", " ", "A known cause needs a name."),
        ("seen", "ann", "x", "'seen' has no cause"),
        ("open", "ann", None, "There is no state 'open'"),
        ("seen", " ", None, "Give your name"),
        ("known cause", "ann", "x" * 2000, "at most 1,000 characters"),
    ],
)
def test_what_cannot_be_noted_is_told_in_a_sentence(state: str, who: str, cause: str | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        triage.of_group(groups([1]).row(0, named=True), state, who, cause)
