"""Items and their counts: distinct texts, request kinds, and the same items under more masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.loglines import line, write_log, write_runs

from lo2core.load.loader import gather_loaded, load_folders
from lo2core.load.plan import LoadOptions, plan
from lo2core.messages.counts import COUNTS, MESSAGES, MessageCounts, combine, count_items, masked, remask, request_kinds
from lo2core.messages.hashing import message_ids
from lo2core.messages.masks import DEFAULT_RULES, Masker, MaskRule


def load(root: Path, masker: Masker | None = None, **options: Any) -> MessageCounts:
    chosen = LoadOptions(**options)
    parts = load_folders(plan([root], chosen), chosen, masker or Masker())
    return gather_loaded(part for _, part in parts).items


def test_masked_texts_are_distinct_and_carry_their_hash() -> None:
    found = masked(pl.Series(["size: 12", "size: 7", "size: 12"]), Masker()).sort("raw")
    assert found["raw"].to_list() == ["size: 12", "size: 7"]
    assert found["text"].to_list() == ["size: <NUM>"] * 2
    assert found["message_id"].equals(message_ids(found["text"]).alias("message_id"))


def test_counts_are_per_sequence_kind_and_message() -> None:
    events = pl.DataFrame(
        {"seq_id": ["a", "a", "b"], "message_id": [1, 1, 2]}, schema_overrides={"message_id": pl.UInt64}
    )
    counts = count_items(events, events.head(1)).sort("seq_id", "kind")
    assert counts.rows() == [("a", "message", 1, 2), ("a", "trace", 1, 1), ("b", "message", 2, 1)]
    assert counts.schema == COUNTS


def requests(*rows: tuple[str, int, str | None, int]) -> MessageCounts:
    schema = {"seq_id": pl.String, "file": pl.UInt32, "correlation_id": pl.String, "message_id": pl.UInt64}
    return request_kinds(pl.DataFrame(rows, schema=schema, orient="row"))


def test_a_request_kind_is_the_set_of_messages_of_one_correlation_id() -> None:
    found = requests(
        *[("s", 0, "r1", 5), ("s", 0, "r1", 3), ("s", 0, "r1", 5)],
        *[("s", 0, "r2", 3), ("s", 0, "r2", 5)],
        *[("s", 0, "r3", 3), ("s", 0, None, 9)],
    )
    members = dict(zip(found.messages["message_id"], found.messages["members"].to_list(), strict=True))
    assert sorted((members[kind], n) for kind, n in found.counts.select("message_id", "n").rows()) == [
        ([3], 1),
        ([3, 5], 2),
    ]


def test_a_request_belongs_to_the_window_in_which_it_began() -> None:
    found = requests(("s__w000", 0, "r", 3), ("s__w001", 0, "r", 5))
    assert found.counts.select("seq_id", "n").rows() == [("s__w000", 1)]


def test_one_correlation_id_in_two_services_is_a_request_of_each() -> None:
    assert requests(("a", 0, "r", 3), ("b", 1, "r", 3)).counts["n"].to_list() == [1, 1]


def test_combined_parts_do_not_depend_on_their_order(tmp_path: Path) -> None:
    write_runs(tmp_path, runs=1)
    options = LoadOptions(window=3)
    parts = [part.items for _, part in load_folders(plan([tmp_path], options), options, Masker())]
    parts += [requests(("s", 0, "r", 3)), MessageCounts(parts[0].messages, parts[0].counts)]
    forth, back = combine(parts), combine(parts[::-1])
    assert forth.messages.equals(back.messages)
    assert forth.counts.equals(back.counts)
    assert (forth.messages.schema, forth.counts.schema) == (MESSAGES, COUNTS)


def test_a_request_kind_is_described_by_its_messages(tmp_path: Path) -> None:
    write_log(tmp_path / "run_1" / "correct", line("in") + line("out") + line("in"))
    kinds = load(tmp_path).messages.filter(pl.col("kind") == "request")
    assert kinds["text"].to_list() == ["DEBUG c.n.handler.Chain handle - in\nDEBUG c.n.handler.Chain handle - out"]


EXTRA = (MaskRule("beat", r"beat \d", "beat <N>"), MaskRule("chain", r"a\.b\.C|handler\.Chain", "<CLASS>", "distinct"))


@pytest.mark.parametrize("window", [None, 3.0])
def test_remasking_equals_masking_from_the_start(tmp_path: Path, window: float | None) -> None:
    write_runs(tmp_path)
    extended = Masker((*DEFAULT_RULES, *EXTRA))
    again, mapping = remask(load(tmp_path, window=window), extended.beyond(Masker()))
    fresh = load(tmp_path, extended, window=window)
    assert again.messages.equals(fresh.messages)
    assert again.counts.equals(fresh.counts)
    assert set(mapping["new_id"]) == set(fresh.messages["message_id"])


@pytest.mark.real
def test_remasking_equals_masking_from_the_start_on_real_logs(labeled: Path) -> None:
    rules = (MaskRule("status", r"\b[45]\d\d\b", "<STATUS>"), MaskRule("user", r"(user)\w+", "${1}<NAME>", "distinct"))
    extended = Masker((*DEFAULT_RULES, *rules))
    folder = labeled / "register_user_400_no_password_1"
    again, _ = remask(load(folder), extended.beyond(Masker()))
    fresh = load(folder, extended)
    assert again.messages.equals(fresh.messages)
    assert again.counts.equals(fresh.counts)
