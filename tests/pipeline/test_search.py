"""Search in saved events finds what a plain scan of the files finds."""

from __future__ import annotations

import random
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import CID, line, write_log

from lo2core.base.errors import InputError
from lo2core.base.schemas import Events, Ledger
from lo2core.cli.commands import main
from lo2core.cli.options import parse
from lo2core.load.plan import LoadOptions
from lo2core.pipeline import search, search_rows
from lo2core.pipeline.commands import Search
from lo2core.pipeline.line_filter import LineFilter
from lo2core.pipeline.load import load_logs
from lo2core.store.workspace import Workspace

TRACE = "java.lang.Exception: gone\n\tat c.n.Handler.handle(Handler.java:1)\n\n"
LOGBACK = "2024-06-28 16:40:5{n},234 [main] {level} org.acme.Cart - stock of {n} is low\n"
LOGS = {
    ("correct", "client"): line("beat 1 of abc-4711") + line("Not.Found", "16:40:53.500", "ERROR") + TRACE,
    ("correct", "token"): line("not_found again", "16:40:53.499", "WARN", cid="") + line("beat", "16:40:54.000"),
    ("get_client_404", "client"): line("started in 12 ms", "16:41:00.000", "INFO") + line("beat", "16:41:01.000"),
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = tmp_path_factory.mktemp("search")
    for (folder, service), text in LOGS.items():
        write_log(root / "light-oauth2-data-1735725600" / folder, text, service)
    load_logs(Workspace(root / "ws"), [root / "light-oauth2-data-1735725600"], LoadOptions(), jobs=1)
    return Workspace(root / "ws")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (LineFilter(), 6),
        (LineFilter(text="NOT_found"), 1),
        (LineFilter(text="not.found"), 1),
        (LineFilter(text="not.found", regex=True), 2),
        (LineFilter(text="NOT_found", match_case=True), 0),
        (LineFilter(text="("), 1),
        (LineFilter(text="Handler.java"), 1),
        (LineFilter(text=r"^\tat .*\)$", regex=True), 1),
        (LineFilter(text="INFO  c.n.handler.Chain handle - started"), 1),
        (LineFilter(text=".500 [XNIO-1"), 1),
        (LineFilter(text=f"]  {CID} WARN"), 0),
        (LineFilter(text="]   WARN "), 1),
        (LineFilter(text="16:40:5", without="beat"), 2),
        (LineFilter(without="b..t", regex=True), 3),
        (LineFilter(levels=("ERROR", "WARN"), services=("token",)), 1),
        (LineFilter(test_cases=("correct",)), 4),
        (LineFilter(test_cases=("get_client",)), 0),
        (LineFilter(runs=("another",)), 0),
        (LineFilter(correlation_ids=(CID,)), 5),
        (LineFilter(loggers=("c.n.handler.Chain",), exclude=("service=client",)), 2),
        (LineFilter(exclude=("level=DEBUG", "test-case=correct")), 1),
        (LineFilter(exclude=("correlation-id=none",)), 6),
        (LineFilter(since="16:41"), 2),
        (LineFilter(since="2025-01-01T16:40:53.499", until="2025-01-01T16:40:53.500"), 1),
    ],
)
def test_events_are_found_by_filter(workspace: Workspace, wanted: LineFilter, found: int) -> None:
    assert search.count_lines(workspace, wanted) == search.find_lines(workspace, wanted).height == found


def test_templates_and_messages_are_found_by_their_ids(workspace: Workspace) -> None:
    (beat,) = workspace.read(Events).filter(pl.col("m_message") == "beat")["message_id"].unique()
    assert search.find_lines(workspace, LineFilter(templates=(str(beat),)))["service"].to_list() == ["token", "client"]
    assert search.count_lines(workspace, LineFilter(exclude=(f"template={beat}",))) == 4
    assert search.count_lines(workspace, LineFilter(templates=("1", "no id", "9" * 20, "9" * 5000))) == 0
    assert search.count_lines(workspace, LineFilter(exclude=(f"template={'9' * 5000}",))) == 6


@pytest.mark.parametrize(
    ("ask", "problem"),
    [
        (lambda: LineFilter(exclude=("colour=red",)), "'colour' cannot be excluded"),
        (lambda: LineFilter(since="soon"), "since must be a date"),
        (lambda: LineFilter(text="(", regex=True), "is not a valid regular expression"),
        (lambda: LineFilter(text="(?=a)", regex=True), "look-around"),
        (lambda: LineFilter(text="a" * 501), "at most 500"),
    ],
)
def test_what_cannot_be_searched_for_is_refused(
    workspace: Workspace, ask: Callable[[], LineFilter], problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        search.find_lines(workspace, ask())


def test_pages_follow_one_another(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_rows, "FIRST_BLOCK", 1)
    monkeypatch.setattr(search_rows, "BLOCK", 2)
    for wanted in (LineFilter(), LineFilter(text=":.", regex=True)):
        every = search.find_lines(workspace, wanted)
        pages = [search.find_lines(workspace, wanted, skip, 2) for skip in (0, 2, 4, 6)]
        assert [page.height for page in pages] == [2, 2, 2, 0]
        assert pl.concat(pages).equals(every)


def test_a_trace_is_folded_to_the_line_with_the_text(workspace: Workspace) -> None:
    wanted = LineFilter(text="handler.java")
    (message,) = search.folded(search.find_lines(workspace, wanted), wanted)["m_message"]
    assert message == "Not.Found   [+2 lines: at c.n.Handler.handle(Handler.java:1)]"
    (message,) = search.folded(search.find_lines(workspace, wanted), LineFilter())["m_message"]
    assert message == "Not.Found   [+2 lines]"


def test_events_are_counted_over_time(workspace: Workspace) -> None:
    counted = search.over_time(workspace, LineFilter(text="beat"), bins=10)
    assert counted.rows() == [
        (datetime(2025, 1, 1, 16, 40, 52), datetime(2025, 1, 1, 16, 40, 53), "DEBUG", 1),
        (datetime(2025, 1, 1, 16, 40, 54), datetime(2025, 1, 1, 16, 40, 55), "DEBUG", 1),
        (datetime(2025, 1, 1, 16, 41, 1), datetime(2025, 1, 1, 16, 41, 2), "DEBUG", 1),
    ]
    by_service = search.over_time(workspace, LineFilter(), by="service", bins=1)
    assert by_service.group_by("service").agg(pl.col("events").sum()).sort("service").rows() == [
        ("client", 4),
        ("token", 2),
    ]
    assert by_service["start"].n_unique() <= 2
    assert search.over_time(workspace, LineFilter(text="nowhere")).height == 0


def test_around_an_event_are_those_of_all_services_at_that_moment(workspace: Workspace) -> None:
    event = search.find_lines(workspace, LineFilter(text="Not.Found")).row(0, named=True)
    near = search.around(workspace, event["seq_id"], event["line_no"], k=1)
    assert near.select("service", "m_message").rows()[::2] == [("token", "not_found again"), ("token", "beat")]
    assert near["line_no"][1] == event["line_no"]
    assert not search.around(workspace, event["seq_id"], 99).height


def test_filters_offer_what_is_there(workspace: Workspace) -> None:
    offered = search.values(workspace)
    assert offered["level"] == ["DEBUG", "ERROR", "INFO", "WARN"]
    assert offered["service"] == ["client", "token"]
    assert offered["folder"] == ["correct", "get_client_404"]
    assert offered["logger"] == ["c.n.handler.Chain"]


def test_lines_of_other_formats_are_searched_with_their_header(tmp_path: Path) -> None:
    text = "".join(LOGBACK.format(n=n, level=level) for n, level in enumerate(["WARN ", "ERROR", "INFO "]))
    (tmp_path / "cart.log").write_text(text)
    workspace = Workspace(tmp_path / "ws")
    load_logs(workspace, [tmp_path / "cart.log"], LoadOptions(labels="none"), jobs=1)
    for typed, found in {"2024-06-28 16:40:5": 3, "[main] ERROR": 1, "org.acme.Cart": 3, "info": 1, "of 2": 1}.items():
        assert search.count_lines(workspace, LineFilter(text=typed)) == found, typed


def plain_scan(folder: Path, workspace: Workspace) -> Iterator[tuple[tuple[str, int], str]]:
    """Each line of an event in the files: the event's source and line number, and the line."""
    starts = workspace.read(Events).group_by("source").agg(pl.col("line_no").sort())
    for source, numbers in starts.iter_rows():
        for number, text in enumerate((folder.parent / source).read_text().split("\n"), start=1):
            at = bisect_right(numbers, number) - 1
            if at >= 0:
                yield (source, numbers[at]), text


def test_random_parts_of_raw_lines_find_what_a_plain_scan_finds(sample_logs: Path, tmp_path: Path) -> None:
    workspace, draw = Workspace(tmp_path / "ws"), random.Random(7)
    load_logs(workspace, [sample_logs], LoadOptions(n_runs=1, errors_per_run=2, services=("client", "token")), jobs=1)
    assert set(workspace.read(Ledger).filter(status="read")["format"]) == {"lo2"}
    lines = sorted(plain_scan(sample_logs, workspace))
    values = re.compile(r"[\w-]{16,}|\d{3,}|[A-Za-z0-9+/=]{20,}")
    for number in range(200):
        text = draw.choice(lines)[1]
        inside = values.findall(text) if number % 2 else []
        text = draw.choice(inside) if inside else text
        start = draw.randrange(len(text) + 1)
        part = text[start : start + draw.choice((1, 3, 5, 8, 20, 60))]
        if not part:
            continue
        found = search.find_lines(workspace, LineFilter(text=part, match_case=True), limit=len(lines))
        assert set(found.select("source", "line_no").iter_rows()) == {key for key, one in lines if part in one}, part


def test_the_command_prints_raw_lines_like_grep(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["search", "beat", "--level", "DEBUG", "--output-dir", str(workspace.root)]
    assert main([*asked, "--limit", "1"]) == 0
    out, err = capsys.readouterr()
    (printed,) = out.splitlines()
    assert printed.endswith(f"light-oauth2-oauth2-client-1.log:1: {line('beat 1 of abc-4711').strip()}")
    assert "--skip 1" in err
    assert main([*asked, "--count"]) == 0
    assert capsys.readouterr().out == "3\n"
    assert main(["search", "nothing like it", "--output-dir", str(workspace.root)]) == 0
    assert capsys.readouterr().err == "No event was found.\n"
    assert main(["search", "(", "--regex", "--output-dir", str(workspace.root)]) == 2


@pytest.mark.parametrize(
    "wanted",
    [
        LineFilter(),
        LineFilter(text='it\'s "so" --regex', levels=("ERROR", "WARN")),
        LineFilter(text="-minus", exclude=("thread=a b", "level=-"), since="16:40"),
        LineFilter(text="a.*b", regex=True, match_case=True, without="-c", templates=("18446744073709551615",)),
    ],
)
def test_a_filter_survives_its_way_through_an_address(wanted: LineFilter) -> None:
    assert LineFilter.typed(wanted.as_typed()) == wanted
    command = Search(wanted=wanted)
    assert parse(command.arguments()) == command


def test_a_clicked_value_narrows_the_filter() -> None:
    only = LineFilter(text="x").narrowed("+", "level", "ERROR")
    assert only == LineFilter(text="x", levels=("ERROR",))
    without = only.narrowed("-", "folder", "correct")
    assert without.excluded == [("folder", "correct")]
    assert without.narrowed("+", "folder", "correct") == replace(only, test_cases=("correct",))
    with pytest.raises(InputError, match="quotation mark"):
        LineFilter.typed("'")


def test_hits_are_marked_and_marks_in_a_log_are_not(workspace: Workspace) -> None:
    wanted = LineFilter(text="ERROR c")
    found = search.find_lines(workspace, wanted)
    (row,) = search.with_hits(found, search.raw_lines(workspace, found), wanted).iter_rows(named=True)
    marked = f"{search.HIT_START}ERROR c{search.HIT_END}"
    assert marked in row["raw"] and marked not in row["message"]
    odd = pl.Series([f"a {search.HIT_START}b"])
    assert search.with_hits(found, odd, LineFilter())["raw"].to_list() == ["a \ufffdb"]
