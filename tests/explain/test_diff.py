"""The aligned diff: what is common, missing, extra; how it unfolds."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from lo2core.explain.diff import aligned_diff, around_extra, summary, unfolded


def ids(text: str) -> pl.Series:
    return pl.Series([ord(letter) for letter in text], dtype=pl.UInt64)


def told(here: str, normal: str) -> list[tuple[str, int]]:
    return list(aligned_diff(ids(here), ids(normal)).select("change", "n").iter_rows())


@pytest.mark.parametrize(
    ("here", "normal", "expected"),
    [
        ("abc", "abc", [("common", 3)]),
        ("abXc", "abc", [("common", 2), ("extra", 1), ("common", 1)]),
        ("ac", "abc", [("common", 1), ("missing", 1), ("common", 1)]),
        ("aXc", "abc", [("common", 1), ("missing", 1), ("extra", 1), ("common", 1)]),
        ("", "ab", [("missing", 2)]),
        ("ab", "", [("extra", 2)]),
        ("", "", []),
    ],
)
def test_streams_are_aligned(here: str, normal: str, expected: list[tuple[str, int]]) -> None:
    # Of a replaced message it does not matter which side comes first.
    assert sorted(told(here, normal)) == sorted(expected)


def test_stretches_add_up_to_both_streams() -> None:
    rng = np.random.default_rng(3)
    here, normal = (pl.Series(rng.integers(0, 9, n), dtype=pl.UInt64) for n in (400, 300))
    stretches = aligned_diff(here, normal)
    by_change = dict(stretches.group_by("change").agg(pl.col("n").sum()).iter_rows())
    assert by_change["common"] + by_change["extra"] == len(here)
    assert by_change["common"] + by_change["missing"] == len(normal)
    for row in stretches.filter(pl.col("change") == "common").iter_rows(named=True):
        assert here.slice(row["here_from"], row["n"]).to_list() == normal.slice(row["normal_from"], row["n"]).to_list()


def test_unfolding_hides_the_middle_of_long_common_stretches() -> None:
    here, normal = (events(text) for text in ("abcdefghX", "abcdefgh"))
    rows = unfolded(aligned_diff(ids("abcdefghX"), ids("abcdefgh")), here, normal, context=2)
    assert rows["change"].to_list() == ["common", "common", "folded", "common", "common", "extra"]
    assert rows["n"].to_list() == [1, 1, 4, 1, 1, 1]
    assert rows["here_text"].to_list() == ["a", "b", None, "g", "h", "X"]
    assert rows["normal_line"].to_list() == [1, 2, None, 7, 8, None]


def test_what_is_here_alone_keeps_its_surroundings() -> None:
    texts = "abcdefghXijklmn", "abcdefghijklmn"
    rows = unfolded(aligned_diff(*map(ids, texts)), *map(events, texts), context=9)
    alone = around_extra(rows, context=2)
    assert alone["change"].to_list() == ["left out", "common", "common", "extra", "common", "common", "left out"]
    assert alone["n"].to_list() == [6, 1, 1, 1, 1, 1, 4]
    assert alone["here_text"].to_list() == [None, "g", "h", "X", "i", "j", None]


def test_a_fold_beside_what_is_left_out_is_part_of_it_and_a_single_row_stays() -> None:
    changes = ["missing", "missing", "folded", "common", "extra", "common", "common", "missing", "common", "extra"]
    rows = pl.DataFrame({"change": changes, "n": [1, 1, 9, *[1] * 7]}).with_columns(
        pl.lit(None, pl.String).alias(name) for name in ("here_line", "here_text", "normal_line", "normal_text")
    )
    alone = around_extra(rows, context=2)
    assert alone["change"].to_list() == ["left out", "common", "extra", *changes[5:]]
    assert alone["n"].to_list()[0] == 11
    assert around_extra(rows, context=1)["change"].to_list()[4:] == ["left out", "common", "extra"]


def test_short_common_stretches_stay_open() -> None:
    rows = unfolded(aligned_diff(ids("abc"), ids("abc")), events("abc"), events("abc"), context=1)
    assert rows["change"].to_list() == ["common"] * 3


def test_summary_names_what_is_more_and_less_frequent() -> None:
    texts = pl.DataFrame({"message_id": ids("abcd"), "text": ["A", "B", "C", "D"]})
    changes = summary(ids("aaabd"), ids("abbbc"), texts)
    assert dict(changes.select("text", "change").iter_rows()) == {
        "A": "more frequent",
        "B": "less frequent",
        "C": "missing",
        "D": "extra",
    }


def test_twenty_thousand_events_are_aligned_and_none_is_lost() -> None:
    rng = np.random.default_rng(1)
    here, normal = (pl.Series(rng.zipf(1.3, 20_000) % 600, dtype=pl.UInt64) for _ in range(2))
    stretches = aligned_diff(here, normal)
    n = {change: stretches.filter(pl.col("change") == change)["n"].sum() for change in ("common", "extra", "missing")}
    assert n["common"] + n["extra"] == n["common"] + n["missing"] == 20_000
    assert n["common"] > 5_000


def events(text: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"line_no": range(1, len(text) + 1), "text": list(text)}, schema={"line_no": pl.Int64, "text": pl.String}
    )
