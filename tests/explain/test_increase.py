"""What increased: messages whose rate differs from the normals by more than chance, new and vanished ones first."""

from __future__ import annotations

import numpy as np
import polars as pl
from helpers.explained import FAULTY, evidence

from lo2core.base.schemas import Counts, Increased, Messages
from lo2core.explain.increase import BINS, increased, over_time
from lo2core.messages.counts import MessageCounts

IDS = pl.Series(["new"])
NORMALS = pl.Series([f"n{i}" for i in range(10)])


def counts(here: dict[int, int], normals: list[dict[int, int]]) -> MessageCounts:
    """Messages with these ids and counts in the sequence "new" and in the normals."""
    sequences = {"new": here} | {f"n{i}": found for i, found in enumerate(normals)}
    rows = [(seq, "message", one, n) for seq, found in sequences.items() for one, n in found.items() if n]
    schema = Messages.create_empty().schema
    ids = sorted({row[2] for row in rows})
    texts = pl.DataFrame({"message_id": ids, "kind": "message", "text": [f"INFO c - text {n}" for n in ids]})
    messages = texts.with_columns(members=None).select(pl.col(name).cast(dtype) for name, dtype in schema.items())
    return MessageCounts(messages, pl.DataFrame(rows, schema=Counts.create_empty().schema, orient="row"))


def told(here: dict[int, int], normals: list[dict[int, int]]) -> list[tuple[int, str]]:
    items = counts(here, normals)
    found = increased(items, IDS, items, NORMALS)
    Increased.validate(found)
    return list(found.select("message_id", "change").iter_rows())


def steady(*extra: dict[int, int]) -> list[dict[int, int]]:
    """Ten normals with about 1,000 events each."""
    draw = np.random.default_rng(3)
    base = [{1: int(draw.poisson(900)), 2: int(draw.poisson(100))} for _ in range(10)]
    return [found | more for found, more in zip(base, [*extra, *[{}] * 10], strict=False)]


def test_a_rate_that_tripled_is_found_and_one_that_varies_by_chance_is_not() -> None:
    assert told({1: 900, 2: 110}, steady()) == []
    assert told({1: 700, 2: 300}, steady())[0] == (2, "more")


def test_what_is_new_or_vanished_comes_first_and_rare_ones_are_not_missed() -> None:
    extra = {3: 40}
    found = told({1: 700, 2: 300, 9: 1}, steady(*[extra] * 10))
    assert set(found[:2]) == {(9, "new"), (3, "vanished")}
    assert (2, "more") in found[2:]


def test_a_rare_message_that_is_missing_has_not_vanished() -> None:
    assert told({1: 900, 2: 100}, steady({3: 1})) == []


def test_a_message_whose_rate_varies_between_normals_needs_more() -> None:
    wild = [{1: 900, 2: n} for n in (5, 400, 10, 300, 20, 350, 8, 280, 15, 330)]
    assert told({1: 700, 2: 300}, wild) == []


def test_a_longer_log_with_the_same_rates_has_not_changed() -> None:
    assert told({1: 9000, 2: 1000}, steady()) == []


def test_no_events_on_one_side_give_no_rows() -> None:
    assert told({}, steady()) == []


def test_counts_over_time_add_up() -> None:
    found = evidence()
    ids = pl.Series([FAULTY])
    rows = increased(found.here.items, ids, found.training.items, pl.Series(found.normal_ids("client")))
    assert set(rows["change"]) == {"new"}
    timed = over_time(found.here.saved_events(), rows["message_id"], ids)
    assert set(timed["counts"].list.len()) == {BINS}
    assert timed["counts"].list.sum().sum() == rows["n"].sum()
