"""Windows: equal parts of a test case over all its services."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from lo2core.load.loader import LO2Loader
from lo2core.load.plan import LoadOptions
from lo2core.load.windows import cut_single_normal, slots
from lo2core.messages.masks import Masker

START = datetime(2026, 11, 23, 12)


def stamps(*seconds: float | None) -> pl.Series:
    moments = [None if s is None else START + timedelta(seconds=s) for s in seconds]
    return pl.Series("m_timestamp", moments, dtype=pl.Datetime("ms"))


@pytest.mark.parametrize(
    ("seconds", "window", "parts", "n"),
    [
        ((0, 1, 5.9, 6, 12), 6, [0, 0, 0, 1, 1], 2),
        ((0, 4, 8), 6, [0, 0, 0], 1),
        ((0, 10), 6, [0, 1], 2),
        ((3, None, 9), 3, [0, 0, 1], 2),
        ((1, 1), 6, [0, 0], 1),
        ((), 6, [], 1),
        ((0, 100), None, [0, 0], None),
    ],
)
def test_a_test_case_is_cut_into_equal_parts(
    seconds: tuple[float, ...], window: float | None, parts: list[int], n: int | None
) -> None:
    slot, found = slots(stamps(*seconds), window)

    assert slot.to_list() == parts
    assert found == n


def test_a_single_normal_test_case_is_cut_as_if_it_had_been_loaded_in_windows(sample_logs: Path) -> None:
    run = next(iter(sorted(sample_logs.iterdir())))
    loader = LO2Loader(run)
    loader.execute()
    one = loader.df_seq.filter(pl.col("repetition").is_null())
    windowed = LO2Loader(run, options=LoadOptions(window=6))
    windowed.execute()

    items, sequences, note = cut_single_normal(loader.items, one, loader.df.lazy(), Masker())

    cut = sequences.filter("normal")["seq_id"].to_list()
    assert "correct" in note and len(set(cut)) > 7
    mine = items.counts.filter(pl.col("seq_id").is_in(cut)).sort("seq_id", "message_id")
    theirs = windowed.items.counts.filter(pl.col("seq_id").is_in(cut)).sort("seq_id", "message_id")
    assert mine.equals(theirs)


def test_a_single_normal_test_case_beside_logs_without_time_stamps_is_left_as_it_is(sample_logs: Path) -> None:
    loader = LO2Loader(sample_logs, n_runs=1, errors_per_run=1)
    loader.execute()
    one = loader.df_seq.filter(~pl.col("folder").str.starts_with("correct_"))
    undated = one.with_columns(pl.when("normal").then(pl.col("start_time", "end_time")))
    assert cut_single_normal(loader.items, undated, loader.df.lazy(), Masker())[1].equals(undated)


def test_several_normal_test_cases_are_left_as_they_are(sample_logs: Path) -> None:
    run = next(iter(sorted(sample_logs.iterdir())))
    loader = LO2Loader(run)
    loader.execute()

    _, sequences, note = cut_single_normal(loader.items, loader.df_seq, loader.df.lazy(), Masker())

    assert note == "" and sequences.equals(loader.df_seq)
