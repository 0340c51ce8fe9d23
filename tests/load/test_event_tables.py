"""Tables of events from elsewhere."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from lo2core.base.errors import InputError
from lo2core.explain.raw_lines import raw_lines
from lo2core.load import event_tables
from lo2core.load.loader import LO2Loader
from lo2core.messages.masks import Masker


def test_every_line_of_a_table_has_a_number_of_its_own(tmp_path: Path) -> None:
    texts = ["refused\n\tat a.B\n\tat a.C", "again", None, "refused\n\tat a.B", "done"]
    pl.DataFrame({"seq_id": "a", "m_message": texts}).write_parquet(tmp_path / "t.parquet")
    events = LO2Loader(tmp_path / "t.parquet").execute()
    assert events["line_no"].to_list() == [1, 4, 6, 8]
    assert raw_lines(events, Masker())["line_no"].to_list() == [1, 2, 3, 4, 6, 7, 8]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_the_outline_of_a_table_is_what_loading_makes_of_it(tmp_path: Path, ending: str) -> None:
    table = pl.DataFrame(
        {"seq_id": ["a", "a", "a", "b", None], "service": ["x", "y", "x", None, "z"], "m_message": ["m"] * 4 + [None]}
    )
    path = tmp_path / f"t.{ending}"
    (table.write_csv if ending == "csv" else table.write_parquet)(path)
    outline = event_tables.outline(path)
    loader = LO2Loader(path)
    events = loader.execute()
    assert (outline.sequences, outline.events) == (loader.df_seq.height, events.height) == (3, 4)
    assert outline.services == tuple(sorted(loader.df_seq["service"].unique())) == ("log", "x", "y")


def test_labels_may_be_floats_as_pandas_writes_those_with_gaps(tmp_path: Path) -> None:
    table = pl.DataFrame({"seq_id": ["a", "b", "c"], "m_message": "m", "anomaly": [1.0, 0.0, None]})
    table.write_csv(tmp_path / "t.csv")
    loader = LO2Loader(tmp_path / "t.csv")
    loader.execute()
    assert dict(loader.df_seq.select("seq_id", "anomaly").iter_rows()) == {"a": True, "b": False, "c": None}


def test_tables_of_other_tools_are_one_sequence_under_their_usual_names(tmp_path: Path) -> None:
    (tmp_path / "hdfs.csv").write_text("LineId,timestamp,Level,Content\n1,2024-06-28 16:40:52,INFO,done\n")
    events = LO2Loader(tmp_path / "hdfs.csv").execute()
    assert events.select("seq_id", "m_timestamp", "level", "m_message").rows() == [
        ("hdfs", datetime(2024, 6, 28, 16, 40, 52), "INFO", "done")
    ]


def test_labels_have_decimal_points_or_commas_and_times_may_be_epochs(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "seq_id;m_message;m_timestamp;anomaly\na;x;1719592852;0,0\nb;y;1719592852234;1,00\n"
    )
    loader = LO2Loader(tmp_path / "t.csv")
    assert loader.execute()["anomaly"].to_list() == [False, True]
    assert loader.df["m_timestamp"].to_list() == [
        datetime(2024, 6, 28, 16, 40, 52),
        datetime(2024, 6, 28, 16, 40, 52, 234_000),
    ]


@pytest.mark.parametrize("stamps", [["03/04/26 17:25:18"], ["2026-11-24 17:25:18", "1719592852"], ["03/04/2026 17:25"]])
def test_time_stamps_that_can_be_read_in_two_ways_are_refused(tmp_path: Path, stamps: list[str]) -> None:
    rows = "".join(f"a,x,{stamp}\n" for stamp in stamps)
    (tmp_path / "t.csv").write_text(f"seq_id,m_message,m_timestamp\n{rows}")
    with pytest.raises(InputError, match="m_timestamp contains"):
        LO2Loader(tmp_path / "t.csv").execute()


@pytest.mark.parametrize(
    ("column", "values", "labels"),
    [
        ("normal", [True, False, True], [False, True, False]),
        ("normal", ["1", "0", None], [False, True, None]),
        ("Label", ["-", "KERNDTLB", "-"], [False, True, False]),
        ("label", ["Normal", "Anomaly", "Normal"], [False, True, False]),
        ("label", ["cluster 1", "cluster 2", "cluster 1"], [None, None, None]),
    ],
)
def test_labels_are_found_in_the_columns_of_loglead(
    tmp_path: Path, column: str, values: list[object], labels: list[bool | None]
) -> None:
    table = pl.DataFrame({"seq_id": ["a", "b", "c"], "m_message": "m", column: values})
    table.write_parquet(tmp_path / "t.parquet")
    loader = LO2Loader(tmp_path / "t.parquet")
    loader.execute()
    assert loader.df_seq.sort("seq_id")["anomaly"].to_list() == labels
