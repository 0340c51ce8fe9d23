"""CSV that a spreadsheet does not run: formulas are escaped in texts only, and our readers get the texts back."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import lo2core
from lo2core.base.csv import csv_bytes, restored
from lo2core.detect.evaluation.evaluate import read_concerns
from lo2core.load.loader import LO2Loader

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\x00", "\x7f", "\x85", "＝1", "－1", "\n-1"]
PLAIN = ["a=1", " =1", "'a", "'", "''", "", "1-2", "é", '"=1"', "a\n=1"]
QUOTED = [f"{quotes}{text}" for quotes in ("'", "''") for text in FORMULAS]


@pytest.mark.parametrize("text", [*FORMULAS, *QUOTED])
def test_a_text_that_begins_like_a_formula_is_escaped(text: str) -> None:
    written = csv_bytes(pl.DataFrame({"text": [text], "end": [1]})).decode().split("\n", 1)[1]
    assert written.lstrip('"').startswith(f"'{text[:1]}")


def test_texts_come_back_and_numbers_are_not_changed() -> None:
    texts = [*FORMULAS, *QUOTED, *PLAIN]
    kinds = [["-a", "b"]] * len(texts)
    frame = pl.DataFrame(
        {"text": texts, "=name": "x", "n": -1, "share": -0.5, "day": date(2026, 1, 2), "kinds": kinds}
    ).with_columns(kind=pl.col("text").cast(pl.Categorical))
    written = csv_bytes(frame)
    assert written.splitlines()[0] == b"text,'=name,n,share,day,kinds,kind"
    assert written.count(b",x,-1,-0.5,2026-01-02,'-a; b,") == len(texts)
    read = restored(pl.read_csv(io.BytesIO(written)).lazy()).collect()
    assert read["text"].to_list() == texts
    assert read["kind"].to_list() == texts
    assert read.columns == frame.columns
    assert read.select("n", "share").rows() == frame.select("n", "share").rows()
    assert set(read["kinds"]) == {"-a; b"}


def test_readers_restore_what_was_escaped(tmp_path: Path) -> None:
    events = pl.DataFrame({"seq_id": ["-1", "@2"], "m_message": ["=1+1", "plain"], "level": ["+INFO", None]})
    (tmp_path / "events.csv").write_bytes(csv_bytes(events))
    loaded = LO2Loader(tmp_path / "events.csv").execute()
    assert loaded.select(events.columns).sort("seq_id").rows() == events.rows()
    concerns = pl.DataFrame({"pattern": ["-a", "+"], "service": ["client", "@x"]}).head(1)
    (tmp_path / "concerns.csv").write_bytes(csv_bytes(concerns))
    assert read_concerns(tmp_path / "concerns.csv").equals(concerns)


def test_all_csv_is_written_by_one_function() -> None:
    root = Path(lo2core.__file__).parent
    assert [path.name for path in root.rglob("*.py") if "write_csv(" in path.read_text()] == ["csv.py"]
