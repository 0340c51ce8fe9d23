"""From bytes to events: nothing is lost, stack traces fold, times become dates."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from helpers.loglines import CID, line

from lo2core.load.parse import decode, parse, split_line

EPOCH = datetime(2024, 6, 28, 23, 50)
TRACE = "java.lang.RuntimeException: no\n\tat a.b.C.d(C.java:7)  \n\t... 3 more\n"
COUNTS = ("lines", "events", "continuations", "orphans", "blank", "skipped")


def tally(*texts: str, skip: int = 0) -> list[tuple[int, ...]]:
    return parse(texts, skip_lines=skip).tally.select(COUNTS).rows()


def stamps(*texts: str, epoch: datetime | None = EPOCH) -> list[datetime]:
    return list(parse(texts, epoch).events["m_timestamp"])


def test_header_fields_are_taken_apart() -> None:
    parsed = parse([line("hello - you", level="INFO")])
    event = parsed.events.row(0, named=True)
    assert (event["thread"], event["correlation_id"], event["line_no"]) == ("XNIO-1 task-1", CID, 1)
    parts = split_line(parsed.events["line"]).row(0, named=True)
    assert parts == {
        "line": "INFO  c.n.handler.Chain handle - hello - you",
        "level": "INFO",
        "logger": "c.n.handler.Chain",
        "method": "handle",
        "text": "hello - you",
    }


@pytest.mark.parametrize(
    ("text", "thread", "cid", "rest"),
    [
        ("10:00:00.000 [t]   DEBUG a.B m - x", "t", None, "DEBUG a.B m - x"),
        ("10:00:00.000 [t] sid cid WARN  a.B m - x", "t", "cid", "WARN  a.B m - x"),
        ("10:00:00.000 [t] sid  ERROR a.B m - x", "t", "sid", "ERROR a.B m - x"),
        ("10:00:00.000 [a INFO b]  cid ERROR a.B m - x", "a INFO b", "cid", "ERROR a.B m - x"),
        ("10:00:00.000 [t]  cid WARNING a.B m - INFO x", "t", "cid", "WARNING a.B m - INFO x"),
        ("10:00:00.000 INFO a.B - x", None, None, "INFO a.B - x"),
        ("2024-06-28 10:00:00,000 [t] INFO a.B - x", "t", None, "INFO a.B - x"),
        ("10:00:00.000 something else", None, None, "something else"),
        ("10:00:00.000", None, None, ""),
        ("10:00:00.000 [tärgé]  cid INFO a.B m - ü", "tärgé", "cid", "INFO a.B m - ü"),
    ],
)
def test_headers_of_other_forms_are_read_as_far_as_they_go(
    text: str, thread: str | None, cid: str | None, rest: str
) -> None:
    events = parse([text, line()]).events
    assert events.select("thread", "correlation_id", "line").row(0) == (thread, cid, rest)
    assert events["correlation_id"][1] == CID


def test_a_line_of_another_form_is_all_text() -> None:
    parts = split_line(parse(["10:00:00.000 something else"]).events["line"])
    assert parts.row(0) == ("something else", None, None, None, "something else")


def test_stack_traces_fold_into_the_event_above() -> None:
    events = parse([line("one") + TRACE + line("two")]).events
    assert events["n_lines"].to_list() == [4, 1]
    assert events["line_no"].to_list() == [1, 5]
    assert events["trace"].to_list() == ["java.lang.RuntimeException: no\n\tat a.b.C.d(C.java:7)\n\t... 3 more", None]
    assert events["n_bytes"].sum() == len(line("one") + TRACE + line("two"))


def test_folded_lines_know_where_they_stand_among_blank_ones() -> None:
    parted = line("one") + "x.Y: no\n\n \n\tat a.b.C\n\n"
    events = parse([parted + line("two") + TRACE, line("three"), parted]).events
    assert events["line_offsets"].to_list() == [[1, 4], None, None, [1, 4]]
    assert events["trace"][0] == "x.Y: no\n\tat a.b.C"


def test_orphans_stay_with_their_file() -> None:
    parsed = parse([line(), "\tat a.b.C\n" + line(), "only\norphans\n"])
    assert parsed.traces.select("file", "event", "text").rows() == [
        (1, None, "\tat a.b.C"),
        (2, None, "only"),
        (2, None, "orphans"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (0, 0, 0, 0, 0, 0)),
        ("\n", (1, 0, 0, 0, 1, 0)),
        (line() + "\n  \n\tat x\n", (4, 1, 1, 0, 2, 0)),
        ("\tat x\n\n" + line() + TRACE, (6, 1, 3, 1, 1, 0)),
        (line().removesuffix("\n"), (1, 1, 0, 0, 0, 0)),
        ("25:00:00.000 [t]  DEBUG a.B m - x\n12:60:00.000 x\n", (2, 0, 0, 2, 0, 0)),
        ("12:00:00.0000000000 x\n١٢:٣٤:٥٦.٧٨٩ x\n", (2, 0, 0, 2, 0, 0)),
    ],
)
def test_every_line_is_counted_once(text: str, expected: tuple[int, ...]) -> None:
    assert tally(text) == [expected]
    assert tally(line(), text, line()) == [(1, 1, 0, 0, 0, 0), expected, (1, 1, 0, 0, 0, 0)]


def test_skipped_lines_are_counted_and_gone() -> None:
    text = line("one") + TRACE + line("two") + TRACE
    assert tally(text, line(), skip=2) == [(8, 1, 3, 2, 0, 2), (1, 0, 0, 0, 0, 1)]
    assert parse([text], skip_lines=2).events["line_no"].to_list() == [5]


def test_the_epoch_gives_the_day() -> None:
    assert stamps(line(time="23:51:00.500")) == [datetime(2024, 6, 28, 23, 51, 0, 500_000)]
    assert stamps(line(time="00:01:00.000")) == [datetime(2024, 6, 29, 0, 1)]
    assert stamps(line(time="23:49:00.000")) == [datetime(2024, 6, 28, 23, 49)]


def test_midnight_is_crossed_forth_and_back_within_a_file() -> None:
    times = [
        "23:59:59.999",
        "00:00:00.001",
        "23:59:59.998",
        "00:00:00.002",
        "12:00:00.000",
        "23:59:00.000",
        "00:00:09.000",
    ]
    found = stamps("".join(line(time=time) for time in times))
    assert [moment.day for moment in found] == [28, 29, 28, 29, 29, 29, 30]
    assert found[1] - found[0] == timedelta(milliseconds=2)


def test_each_file_finds_its_own_day() -> None:
    early, late = line(time="23:59:59.000") + line(time="00:00:01.000"), line(time="00:00:02.000")
    assert [moment.day for moment in stamps(early, late)] == [28, 29, 29]


def test_without_an_epoch_days_begin_in_1970_anew_in_each_folder() -> None:
    texts = [line(time="23:59:59.000"), line(time="00:00:01.000"), line(time="00:00:05.000")]
    found = parse(texts, None, folders=[0, 0, 1]).events["m_timestamp"]
    assert [(moment.year, moment.month, moment.day) for moment in found] == [(1970, 1, 1), (1970, 1, 2), (1970, 1, 1)]


def test_written_dates_win() -> None:
    parsed = parse(["2023-02-01 10:00:00,123 INFO a.B - x\n", "2023-13-01T10:00:00.000 INFO a.B - x\n", line()], EPOCH)
    assert parsed.events["m_timestamp"][0] == datetime(2023, 2, 1, 10, 0, 0, 123_000)
    assert parsed.events["m_timestamp"][1] == datetime(2024, 6, 29, 10)
    assert parsed.tally["dated"].to_list() == [True, False, False]


@pytest.mark.parametrize(
    ("stamp", "hour", "millisecond"),
    [
        ("2024-06-28 16:40:52.234567", 16, 234),
        ("2024-06-28 16:40:52,999999999", 16, 999),
        ("2024-06-28T16:40:52.234Z", 16, 234),
        ("2024-06-28T16:40:52.234567+02:00", 14, 234),
        ("2024-06-28 16:40:52.234 -0530", 22, 234),
        ("16:40:52.234567", 16, 234),
        ("16:40:52.234+02:00", 14, 234),
    ],
)
@pytest.mark.parametrize("header", ["", " [t] sid cid"])
def test_finer_clocks_and_written_zones_become_utc_in_milliseconds(
    stamp: str, hour: int, millisecond: int, header: str
) -> None:
    events = parse([f"{stamp}{header} INFO  c.n.H - x\n" * 2], datetime(2024, 6, 28, 16)).events
    found = events["m_timestamp"].to_list()
    assert [(moment.day, moment.hour, moment.microsecond) for moment in found] == [(28, hour, millisecond * 1000)] * 2
    assert {" ".join(text.split()) for text in events["line"]} == {"INFO c.n.H - x"}


@pytest.mark.parametrize(
    ("data", "text", "foreign"),
    [
        (b"plain\n", "plain\n", 0),
        (b"", "", 0),
        ("ünï\n".encode(), "ünï\n", 0),
        ("caf\xe9 \xfc ü\n".encode("latin-1"), "café ü ü\n", 3),
        (b"ok \xc3\xbc bad \xff\n", "ok ü bad ÿ\n", 1),
        (b"\xef\xbb\xbfbom\n", "bom\n", 0),
        (b"\xef\xbb\xbfbom \xe9\n", "bom é\n", 1),
        ("sechzehn ü\n".encode("utf-16"), "sechzehn ü\n", 0),
        (b"\xfe\xff" + "groß\n".encode("utf-16-be"), "groß\n", 0),
        (b"a\0b\n", "a␀b\n", 0),
        (b"a\r\nb\rc\n", "a\nb\nc\n", 0),
    ],
)
def test_bytes_become_readable_text(data: bytes, text: str, foreign: int) -> None:
    assert decode(data) == (text, foreign)


def test_only_line_feeds_end_a_line() -> None:
    text = line("a\u2028b\x0bc\x0cd\x85e")
    assert tally(text) == [(1, 1, 0, 0, 0, 0)]
    assert split_line(parse([text]).events["line"])["text"].to_list() == ["a\u2028b\x0bc\x0cd\x85e"]
