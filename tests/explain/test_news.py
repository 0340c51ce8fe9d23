"""What is new in a prediction, in one sentence: faults that are known, and since when, new ones, new messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from lo2core.base.schemas import Groups, Triage
from lo2core.explain import news, triage

NOON = datetime(2026, 11, 27, 12)


def groups(*items: list[int]) -> pl.DataFrame:
    """Groups of service client with these items, of which nothing is known."""
    facts = {"service": "client", "title": "refused", "codes": [], "requests": [], "incidents": 1, "runs": 1}
    rows = [{"group": n, "items": ids, "z_score": 9.0} | facts for n, ids in enumerate(items, 1)]
    found = pl.DataFrame(rows, schema=Groups.create_empty().schema)
    return triage.judged_groups(Triage.create_empty(), found)


@pytest.mark.parametrize(
    ("now", "before", "new", "said"),
    [
        ([[1], [2], [3]], [[1], [2]], 2, "; two faults known since 27 Nov, one new; 2 messages never seen before."),
        ([[1]], [[1]], 0, "; one fault known since 27 Nov, none new."),
        ([[1]], [[2]], 1, "; one new fault, none known from earlier scores; 1 message never seen before."),
        ([], [[1]], 0, "."),
    ],
)
def test_new_scores_are_told_in_one_sentence(
    now: list[list[int]], before: list[list[int]], new: int, said: str
) -> None:
    found = news.known_since(groups(*now), [(NOON, groups(*before))])
    flags = pl.Series([True, True, False, None])
    told = news.sentence("Today", NOON + timedelta(days=2), flags, found, new)
    assert told == f"Today: 2 of 4 incidents flagged{', 1 not fully scored because a log has no score'}{said}"


@pytest.mark.parametrize(("day", "since"), [("Today", "earlier today"), ("27 Nov", "earlier that day")])
def test_a_fault_of_the_same_day_is_not_dated(day: str, since: str) -> None:
    found = news.known_since(groups([1]), [(NOON, groups([1]))])
    told = news.sentence(day, NOON.replace(tzinfo=UTC), pl.Series([True]), found, 0)
    assert told == f"{day}: 1 of 1 incident flagged; one fault known since {since}, none new."


def test_a_fault_is_known_since_the_first_time() -> None:
    earlier = [(NOON, groups([1])), (datetime(2026, 11, 20), groups([1, 2]))]
    assert news.known_since(groups([1]), earlier)["since"].to_list() == [datetime(2026, 11, 20)]
