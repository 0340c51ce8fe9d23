"""Tables of events from elsewhere."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from lo2core.load import LO2Loader
from lo2core.masks import Masker
from lo2core.rawlines import raw_lines


def test_every_line_of_a_table_has_a_number_of_its_own(tmp_path: Path) -> None:
    texts = ["refused\n\tat a.B\n\tat a.C", "again", None, "refused\n\tat a.B", "done"]
    pl.DataFrame({"seq_id": "a", "m_message": texts}).write_parquet(tmp_path / "t.parquet")
    events = LO2Loader(tmp_path / "t.parquet").execute()
    assert events["line_no"].to_list() == [1, 4, 6, 8]
    assert raw_lines(events, Masker())["line_no"].to_list() == [1, 2, 3, 4, 6, 7, 8]
