"""Frames for charts: ranked incidents, heat map cells, strips and summary plots."""

from __future__ import annotations

import polars as pl
import pytest

from lo2core.report import charts
from lo2core.report.chart_data import heatmap_cells, matching, paired_cells, ranked_incidents, spread, strip_marks


def scores(rows: list[tuple[str, str, int | None, str, float | None]]) -> pl.DataFrame:
    """Predictions of sequences from (run, folder, window, service, z); `correct` is normal."""
    frame = pl.DataFrame(
        rows,
        schema={"run": pl.String, "folder": pl.String, "window": pl.Int32, "service": pl.String, "z_score": pl.Float64},
        orient="row",
    )
    return frame.with_columns(
        seq_id=pl.concat_str("run", "folder", pl.col("window").fill_null(-1), "service", separator="__"),
        test_case="folder",
        p_value=pl.lit(None, dtype=pl.Float64),
        pred_ano=pl.col("z_score") >= 3,
        threshold=pl.lit(3.0),
        normal=pl.col("folder") == "correct",
        anomaly=pl.col("folder") != "correct",
    )


TWO_RUNS = scores(
    [
        ("data-17", "correct", None, "client", 0.5),
        ("data-17", "delete_token", None, "client", 4.0),
        ("data-17", "delete_token", None, "key", 9.0),
        ("data-18", "delete_token", None, "client", None),
        ("data-18", "delete_token", None, "key", 2.0),
    ]
)


def test_incidents_are_ranked_by_their_worst_service_under_short_unique_labels() -> None:
    found = ranked_incidents(TWO_RUNS)
    assert found.select("rank", "incident", "short_run", "service", "z_score").rows() == [
        (1, "delete_token  17", "17", "key", 9.0),
        (2, "delete_token  18", "18", "key", 2.0),
        (3, "correct  17", "17", "client", 0.5),
    ]


def test_labels_name_the_window_and_no_run_where_there_is_only_one() -> None:
    found = ranked_incidents(scores([("data-17", "correct", n, "client", float(n)) for n in (0, 12)]))
    assert found["incident"].to_list() == ["correct  w012", "correct  w000"]


@pytest.mark.parametrize(
    ("text", "ranks"), [(" DELETE_token ", [1, 2]), ("data-18", [2]), ("client", [3]), ("", [1, 2, 3])]
)
def test_incidents_are_found_by_run_test_case_or_worst_service(text: str, ranks: list[int]) -> None:
    assert matching(ranked_incidents(TWO_RUNS), text)["rank"].to_list() == ranks


def test_search_text_is_no_pattern() -> None:
    assert matching(ranked_incidents(TWO_RUNS), ".*").height == 0


def test_a_heat_map_has_a_cell_for_each_service_of_the_shown_incidents() -> None:
    tops = pl.DataFrame({"seq_id": ["data-17__delete_token__-1__key"], "top_item": ["TOKEN_NOT_FOUND"]})
    cells = heatmap_cells(TWO_RUNS, ranked_incidents(TWO_RUNS).head(2), tops).sort("rank", "service")
    assert cells.select("rank", "service", "z_score", "top_item").rows() == [
        (1, "client", 4.0, None),
        (1, "key", 9.0, "TOKEN_NOT_FOUND"),
        (2, "client", None, None),
        (2, "key", 2.0, None),
    ]


def test_a_full_strip_keeps_the_worst_and_an_even_choice_of_the_rest() -> None:
    many = scores([("r", "correct", n, "client", float(n)) for n in range(100)])
    z = strip_marks(many, most=10)["z_score"].to_list()
    assert z[:5] == [99.0, 98.0, 97.0, 96.0, 95.0]
    assert len(z) == 10
    assert z[5:] == [94.0, 75.0, 56.0, 37.0, 18.0]


def test_a_strip_has_labels_and_no_unscored_sequences() -> None:
    unlabelled = TWO_RUNS.with_columns(
        normal=pl.when(pl.col("run") == "data-18").then(None).otherwise(pl.col("normal"))
    )
    assert strip_marks(unlabelled)["label"].to_list() == [
        charts.NORMAL,
        charts.FAULTY,
        charts.FAULTY,
        charts.UNLABELLED,
    ]


def test_equal_marks_of_an_item_are_spread_to_both_sides() -> None:
    marks = pl.DataFrame({"title": ["a"] * 3 + ["b"], "contribution": [1.0, 1.0, 1.0, 5.0]})
    offsets = spread(marks)["offset"]
    assert offsets.n_unique() == 3
    assert offsets.abs().max() <= 1
    assert offsets[3] == 0


def test_test_cases_of_one_side_have_one_cell() -> None:
    cases = pl.DataFrame(
        {
            "test_case": ["x", "y"],
            "service": ["client"] * 2,
            "z_a": [1.0, None],
            "n_a": [2, 0],
            "z_b": [4.0, 5.0],
            "n_b": [1, 1],
        }
    )
    assert paired_cells(cases).rows() == [
        ("x", "client", "A", 1.0, 2),
        ("x", "client", "B", 4.0, 1),
        ("y", "client", "B", 5.0, 1),
    ]
