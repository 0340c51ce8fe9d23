"""Loading a part of the logs: what --since and --until choose, and how the ledger counts the rest."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import line, write_log

from lo2core.base.errors import InputError
from lo2core.base.schemas import Events, Ledger, Sequences
from lo2core.load import large
from lo2core.load.period import Period
from lo2core.load.plan import LoadOptions
from lo2core.pipeline import summary
from lo2core.pipeline.load import load_logs
from lo2core.store.workspace import Workspace

RUN = "light-oauth2-data-1719592986"  # 2024-06-28 16:43:06
TRACE = "\tat a.b.C(C.java:7)\n"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    run = tmp_path / "logs" / RUN
    write_log(run / "correct", TRACE + line("one", "16:50:00.000") + TRACE + line("two", "17:00:00.000") + TRACE)
    write_log(run / "correct", line("only early", "16:55:00.000"), service="token")
    write_log(run / "fault_400", line("three", "18:00:00.000") + "\n" + line("four", "23:59:59.999"))
    write_log(run / "late_400", line("five", "00:30:00.000"))  # the next day
    return tmp_path / "logs"


@pytest.mark.parametrize(
    ("since", "until", "messages"),
    [
        ("17:00", None, ["two", "three", "four"]),
        (None, "17:00", ["one", "only early", "five"]),
        ("23:00", "01:00", ["four", "five"]),
        ("2024-06-29", None, ["five"]),
        (None, "2024-06-28", ["one", "two", "only early", "three", "four"]),
        ("2024-06-28T17:00", "2024-06-28T18:00:00.001Z", ["two", "three"]),
        ("2024-06-28 23:00", "00:31", ["four", "five"]),
        ("19:00+02:00", "18:30", ["two", "three"]),
    ],
)
def test_only_lines_in_the_period_are_loaded_and_the_ledger_adds_up(
    logs: Path, tmp_path: Path, since: str | None, until: str | None, messages: list[str]
) -> None:
    workspace = Workspace(tmp_path / "ws")
    load_logs(workspace, [logs], LoadOptions(since=since, until=until))
    events, ledger = workspace.read(Events), workspace.read(Ledger)
    texts = events["m_message"].str.split("\n").list.first().str.split(" - ").list.last()
    assert sorted(texts) == sorted(messages)
    assert ledger["lines"].sum() == 10
    found = ledger["continuations"].sum() + ledger["orphans"].sum() + ledger["not_chosen"].sum() + len(messages)
    assert found == 9
    outside = set(ledger.filter(status="not chosen")["folder"])
    assert outside.isdisjoint(workspace.read(Sequences)["folder"])
    assert set(ledger["folder"]) == outside | set(workspace.read(Sequences)["folder"])


def test_a_service_that_is_silent_in_the_period_is_a_sequence(logs: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    loaded = load_logs(workspace, [logs], LoadOptions(since="17:00"))
    silent = workspace.read(Sequences).filter(service="token", folder="correct")
    assert silent["events"].to_list() == [0]
    assert "4 not chosen" in loaded.sentence()
    assert summary.line_kinds(workspace).filter(kind="not chosen")["lines"].to_list() == [4]
    assert "not read" not in loaded.sentence()


def test_large_logs_are_cut_as_small_ones(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small, pieces = Workspace(tmp_path / "small"), Workspace(tmp_path / "pieces")
    options = LoadOptions(since="16:51", until="23:00")
    load_logs(small, [logs], options)
    monkeypatch.setattr(large, "LARGE", 1)
    monkeypatch.setattr(large, "PIECE", 1)
    load_logs(pieces, [logs], options)
    assert pieces.read(Events).drop("line_no").equals(small.read(Events).drop("line_no"))
    wanted, found = (
        workspace.read(Ledger).select("source", "status", "events", "not_chosen") for workspace in (small, pieces)
    )
    assert found.equals(wanted)


def test_another_period_is_added_to_what_is_loaded(logs: Path, tmp_path: Path) -> None:
    part, whole = Workspace(tmp_path / "part"), Workspace(tmp_path / "whole")
    load_logs(part, [logs], LoadOptions(since="17:00"))
    assert "0 test case folders new, 0 changed" in load_logs(part, [logs], LoadOptions(since="17:00"), append=True).plan
    load_logs(part, [logs], append=True)
    load_logs(whole, [logs])
    for schema in (Events, Sequences, Ledger):
        key = schema.primary_key()
        assert part.read(schema).sort(key).equals(whole.read(schema).sort(key))


def test_events_of_tables_are_chosen_too(tmp_path: Path) -> None:
    table, workspace = tmp_path / "events.csv", Workspace(tmp_path / "ws")
    table.write_text("seq_id,m_message,m_timestamp\na,one,2024-06-28T16:00:00\nb,two,2024-06-29T16:00:00\n")
    load_logs(workspace, [table], LoadOptions(until="2024-06-28"))
    assert workspace.read(Events)["m_message"].to_list() == ["one"]
    assert workspace.read(Ledger)["not_chosen"].to_list() == [1]


def test_a_period_without_a_line_is_refused(logs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No line is in the period"):
        load_logs(Workspace(tmp_path / "ws"), [logs], LoadOptions(since="2025-01-01"))
    assert not Workspace(tmp_path / "ws").has(Ledger)


def test_dates_need_logs_with_dates(tmp_path: Path) -> None:
    write_log(tmp_path / "logs" / "run_1" / "correct", line())
    with pytest.raises(InputError, match="have times without dates: give --since and --until as times of day"):
        load_logs(Workspace(tmp_path / "ws"), [tmp_path / "logs"], LoadOptions(since="2024-06-28"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2024-13-01",
        "25:00",
        "2024-06-28T",
        "T16:40",
        "16",
        "2024-06-28Z",
        "16:40:",
        "0001-01-01T00:00+02:00",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="since must be a date, a time of day or both"):
        LoadOptions(since=text)


def test_an_empty_period_is_refused() -> None:
    with pytest.raises(InputError, match="is empty"):
        LoadOptions(since="2024-06-29", until="2024-06-28")


def test_the_first_and_the_last_day_are_days() -> None:
    stamps = pl.Series([datetime(2024, 6, 28), datetime(9999, 12, 31, 12)])
    assert Period("0001-01-01", "9999-12-31").contains(stamps).all()
    with pytest.raises(InputError, match="not within the years 1 to 9999"):
        Period("10:00", "0001-01-01T09:00")


@pytest.mark.parametrize(("since", "until"), [("9:05", None), ("2024-06-28 09:05:00.000", "2024-06-28T09:05:00.001")])
def test_the_beginning_belongs_to_a_period_and_the_end_does_not(since: str, until: str | None) -> None:
    stamps = pl.Series([datetime(2024, 6, 28, 9, 4, 59), datetime(2024, 6, 28, 9, 5)])
    assert Period(since, until).contains(stamps).to_list() == [False, True]
