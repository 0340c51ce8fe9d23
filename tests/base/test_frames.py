"""Control characters in frames: what is shown instead, and back from what was shown."""

from __future__ import annotations

import polars as pl

from lo2core.base.frames import as_saved, visible_frame


def test_texts_lists_and_column_names_are_made_visible_and_nothing_else_changes() -> None:
    kinds = pl.Enum(["a", "b\x00"])
    frame = pl.DataFrame(
        {"text": ["\x1b[31m", None], "list": [["\x85", "x"], None], "\x07name": ["x", "y"], "n": [1, 2]}
    ).with_columns(kind=pl.Series(["a", "b\x00"], dtype=kinds))
    shown = visible_frame(frame)
    assert shown.columns == ["text", "list", "\\x07name", "n", "kind"]
    assert shown.rows() == [("\\x1b[31m", ["\\x85", "x"], "x", 1, "a"), (None, None, "y", 2, "b\\x00")]
    ordinary = frame.select("n", list=pl.lit("é\tü\n"), kind=pl.lit("a", dtype=kinds))
    assert visible_frame(ordinary).equals(ordinary)
    assert visible_frame(ordinary).schema == ordinary.schema


def test_a_selected_value_leads_back_to_the_saved_one() -> None:
    frame = pl.DataFrame({"run": ["a\x1b", "a\\x1b", "b\x00"], "n": [1, 2, 3]})
    picked = {"run": "b\\x00", "n": 3, "other": "x"}
    assert as_saved(picked, frame) == {"run": "b\x00", "n": 3, "other": "x"}
    assert as_saved({"run": "a\\x1b"}, frame) == {"run": "a\\x1b"}
    assert as_saved({"run": "unknown", "n": None}, frame) == {"run": "unknown", "n": None}
