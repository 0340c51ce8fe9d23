"""Numbers, dates and downloads as people see them."""

from __future__ import annotations

import importlib
import io
import pkgutil
from datetime import UTC, datetime

import polars as pl
import pytest
from helpers.pageverbs import raw_texts
from streamlit.testing.v1 import AppTest

from lo2core.ui import compare
from lo2core.ui.shell import widgets

NOW = datetime(2026, 11, 24, 12, 0)


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (9_999, "9,999"), (12_345, "12.3 k"), (999_600, "1 M"), (4_400_000, "4.4 M"), (2e9, "2 G")],
)
def test_short_numbers(number: float, text: str) -> None:
    assert widgets.short(number) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 24, 9, 12), "today 09:12"),
        (datetime(2026, 11, 23, 17, 40), "yesterday 17:40"),
        (datetime(2026, 11, 3, 9, 12), "3 Nov 09:12"),
        (datetime(2024, 11, 23, 9, 12), "23 Nov 2024"),
    ],
)
def test_moments_are_told_as_people_tell_them(moment: datetime, text: str) -> None:
    assert widgets.when(moment, NOW) == text


def test_moments_with_a_zone_become_local() -> None:
    moment = datetime(2026, 11, 24, 9, 12, tzinfo=UTC)
    assert widgets.when(moment, NOW) == widgets.when(moment.astimezone().replace(tzinfo=None), NOW)


def test_a_downloaded_csv_joins_lists_as_a_kept_one_does() -> None:
    frame = pl.DataFrame({"seq_id": ["a,b"], "e_words": [["GET", "/oauth2"]], "members": [[1, 2]]})
    assert widgets.to_csv(frame).decode().splitlines() == ["seq_id,e_words,members", '"a,b",GET; /oauth2,1; 2']


def test_parquet_comes_back_equal() -> None:
    frame = pl.DataFrame({"seq_id": ["a"], "e_words": [["GET"]]})
    assert pl.read_parquet(io.BytesIO(widgets.to_parquet(frame))).equals(frame)


def test_downloads_mask_secrets_unless_the_switch_in_the_side_bar_includes_them() -> None:
    frame = pl.DataFrame({"text": ["password=hunter2"]})
    assert [b"hunter2" in widgets.to_csv(frame, secrets) for secrets in (False, True)] == [False, True]
    parquet = [pl.read_parquet(io.BytesIO(widgets.to_parquet(frame, secrets))) for secrets in (False, True)]
    assert [table["text"][0] for table in parquet] == ["password=<MASKED>", "password=hunter2"]


def test_why_a_report_was_not_made_is_shown_beside_its_button() -> None:
    script = """
from queue import SimpleQueue
from lo2core.base.errors import ReportError
from lo2core.ui.shell.boundary import apart
from lo2core.ui.shell.reports import _wait_for

outcome = SimpleQueue()
outcome.put(ReportError("The chart of \\x1b cannot be drawn."))
with apart():
    _wait_for(outcome)
"""
    app = AppTest.from_string(script).run()
    assert [text.value for text in app.text] == [r"The chart of \x1b cannot be drawn."]
    assert not app.exception


def test_raw_text_stands_as_it_is() -> None:
    text = "Failed <b>**here**</b> & there\n\tat a.b.C(C.java:1)\n\n  <img src=x>"
    app = AppTest.from_string(f"from lo2core.ui.shell.widgets import raw\nraw({text!r})").run()
    assert raw_texts(app) == [text]
    assert "<b>" not in app.get("html")[0].proto.body


def test_no_two_columns_of_a_comparison_have_the_same_title() -> None:
    for module in pkgutil.walk_packages(compare.__path__, "lo2core.ui.compare."):
        for name, table in vars(importlib.import_module(module.name)).items():
            if name.isupper() and isinstance(table, dict):
                titles = [
                    column["label"] for column in table.values() if isinstance(column, dict) and "label" in column
                ]
                assert len(set(titles)) == len(titles), f"{module.name}.{name}: {titles}"
