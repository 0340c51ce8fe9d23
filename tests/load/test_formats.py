"""Formats: the catalogue against its own examples, wrappers, objects, and logs that mix them."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import line

from lo2core.load.formats.catalogue import FORMATS
from lo2core.load.formats.format import Example, Format
from lo2core.load.parse import Parsed, decode, parse

NEAR = datetime(2024, 7, 1)
EXAMPLES = [(known, example) for known in FORMATS for example in known.examples]
TRACE = "java.lang.RuntimeException: no\n\tat a.b.C.d(C.java:7)\nCaused by: java.io.IOException: gone\n\t... 3 more\n"


def read(text: str, near: datetime = NEAR) -> Parsed:
    return parse([decode(text.encode())[0]], written=near)


def rows(text: str, *columns: str) -> list[tuple[object, ...]]:
    parsed = read(text)
    events = parsed.events.join(parsed.lines, on="line", how="left", maintain_order="left")
    return events.select(columns).rows()


@pytest.mark.parametrize(("known", "example"), EXAMPLES, ids=[f"{f.name}-{n}" for n, (f, _) in enumerate(EXAMPLES)])
def test_a_format_reads_its_own_examples_and_is_recognised_by_them(known: Format, example: Example) -> None:
    parsed = read(example.line + "\n")
    assert parsed.tally["format"][0] == known.name
    event = parsed.events.join(parsed.lines, on="line").row(0, named=True)
    fields = dict(example.fields)
    stamp, clock = fields.pop("at", ""), fields.pop("clock", "")
    found = str(event["m_timestamp"])[:23] if event["m_timestamp"] else ""
    found += ".000" if len(found) == 19 else ""
    assert found.endswith(stamp or clock)
    assert bool(found) == bool(stamp or clock)
    if known.name == "lo2":  # its message is split once per distinct line
        fields |= {"level": "INFO", "logger": "c.n.h.Handler", "method": "handle", "message": "served 200"}
    if "session" in fields:
        fields["correlation_id"] = fields.pop("session")
    wanted = {"text": fields.pop("message")} | fields
    assert {name: event[name] for name in wanted} == wanted
    assert all(event[name] is None for name in ("level", "thread", "logger", "method") if name not in wanted)


@pytest.mark.parametrize(
    ("name", "wrap"),
    [
        ("docker compose > lo2", "client-1  | {}"),
        ("docker logs -t > lo2", "2024-06-28T16:40:52.234567891Z {}"),
        ("cri > lo2", "2024-06-28T16:40:52.234567891Z stdout F {}"),
        ("kubectl --prefix > lo2", "[pod/client-7d9f8b6c5d-x2x7z/client] {}"),
        ("journald > lo2", "Jun 28 16:40:52 shop1 client[7]: {}"),
        ("docker compose > docker logs -t > lo2", "client-1  | 2024-06-28T16:40:52.234567891Z {}"),
        ("lo2", "\x1b[31m{}\x1b[0m"),
        ("docker compose > lo2", "\x1b[36mclient-1  |\x1b[0m {}"),
    ],
)
@pytest.mark.parametrize("trimmed", [False, True], ids=["", "trimmed"])
def test_wrappers_are_taken_off_also_from_stack_traces_and_blank_lines(name: str, wrap: str, trimmed: bool) -> None:
    log = (line("one", level="ERROR") + TRACE + line("two") * 5 + "\n" + line("three")).splitlines()
    lines = [wrap.format(one) for one in log]
    wrapped = read("".join(f"{one.rstrip() if trimmed else one}\n" for one in lines))
    plain = read("\n".join(log) + "\n")
    assert wrapped.tally["format"][0] == name
    for column in ("thread", "correlation_id", "line", "n_lines", "trace"):
        assert wrapped.events[column].to_list() == plain.events[column].to_list()
    assert wrapped.tally.select("events", "continuations", "blank").row(0) == (7, 4, 1)


def test_the_file_of_dockers_json_driver_is_unwrapped_and_long_lines_are_put_together() -> None:
    def entry(text: str) -> str:
        return json.dumps({"log": text, "stream": "stdout", "time": "2024-06-28T16:40:52.234567891Z"}) + "\n"

    whole = line("a very long line that was cut in two", level="WARN")
    text = entry(line("one")) + entry(whole[:70]) + entry(whole[70:]) + entry("\tat a.b.C\n")
    parsed = read(text)
    assert parsed.tally["format"][0] == "docker json-file > lo2"
    assert parsed.events["line"].to_list() == [
        "DEBUG c.n.handler.Chain handle - started".replace("started", "one"),
        "WARN  c.n.handler.Chain handle - a very long line that was cut in two",
    ]
    assert parsed.events["m_timestamp"].dt.date().unique().to_list() == [datetime(2024, 6, 28).date()]
    assert parsed.tally.select("lines", "events", "continuations").row(0) == (4, 2, 2)


def test_the_time_of_the_wrapper_dates_lines_without_one() -> None:
    text = "".join(f"2024-06-28T16:40:{n:02}.5Z stdout F plain text number {n}\n" for n in range(3))
    assert [stamp for (stamp,) in rows(text, "m_timestamp")] == [
        datetime(2024, 6, 28, 16, 40, n, 500_000) for n in range(3)
    ]


def test_a_stack_trace_in_a_field_of_an_object_is_a_stack_trace() -> None:
    entry = {"time": "2024-06-28T16:40:52Z", "level": "error", "msg": "failed", "stack_trace": TRACE, "status": 500}
    parsed = read(json.dumps(entry) + "\n")
    event = parsed.events.row(0, named=True)
    assert event["line"] == "ERROR failed status=500"
    assert event["trace"] == TRACE.rstrip()
    assert (event["n_lines"], event["line_offsets"]) == (5, [0, 0, 0, 0])
    assert parsed.traces["text"].to_list() == TRACE.splitlines()


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[1, 2]",
        '{"time": 1, "level": {"a": 1}}',
        '{"msg": null, "level": "info"}',
        '{"a": ' * 5000 + "1" + "}" * 5000,
        '{"level": "info", "msg": "half',
    ],
)
def test_objects_that_are_no_log_lines_are_orphans(text: str) -> None:
    assert read(text + "\n").tally.select("lines", "events", "orphans").row(0) == (1, 0, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Jun 28, 2024 4:40:52 PM com.example.Cart add\nSEVERE: stock is empty\n\tat a.b.C\n",
            ("SEVERE", "stock is empty"),
        ),
        (
            "fail: Shop.Cart.CartService[13]\n      stock is empty\n      System.Exception: no\n",
            ("ERROR", "stock is empty"),
        ),
    ],
)
def test_events_of_two_lines_have_level_and_message_of_both(text: str, expected: tuple[str, str]) -> None:
    assert rows(text * 2, "level", "text", "n_lines") == [(*expected, 2)] * 2
    tally = read(text * 2).tally
    assert tally.select("lines", "events", "continuations").row(0) == (6, 2, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "version srcaddr dstaddr start end action\n2 10.0.0.7 10.0.0.8 1719592852 1719592912 REJECT\n",
            [(None, None, "action=REJECT dstaddr=10.0.0.8 end=1719592912 srcaddr=10.0.0.7")],
        ),
        (
            '{"kind":"Event","level":"Metadata","auditID":"6f1e","requestURI":"/api/v1/pods","responseStatus":{"code":403},'
            '"requestReceivedTimestamp":"2024-06-28T16:40:52Z","stageTimestamp":"2024-06-28T16:40:53Z"}\n',
            [(None, "6f1e", "kind=Event requestURI=/api/v1/pods responseStatus.code=403")],
        ),
        (
            '{"Records":[{"eventTime":"2024-06-28T16:40:52Z","eventName":"GetObject","errorCode":"AccessDenied"}]}',
            [(None, None, "errorCode=AccessDenied eventName=GetObject")],
        ),
        (
            "2024-06-28T16:40:52.0000000Z ##[warning]Node 16 is old.\n2024-06-28T16:40:52.1000000Z   with: x\n",
            [("WARNING", None, "Node 16 is old."), (None, None, "with: x")],
        ),
    ],
    ids=["vpc", "kubernetes audit", "cloudtrail", "github actions"],
)
def test_records_of_clouds_are_read_with_level_and_time_where_they_have_them(
    text: str, expected: list[tuple[object, ...]]
) -> None:
    assert rows(text, "level", "correlation_id", "text") == expected
    assert {str(stamp)[:19] for (stamp,) in rows(text, "m_timestamp")} == {"2024-06-28 16:40:52"}
    tally = read(text).tally
    assert tally["timed"][0] == tally["events"][0] == len(expected)
    assert tally["leveled"][0] in (0, len(expected))


def test_a_file_may_change_its_format_half_way() -> None:
    spring = "2024-06-28T16:40:53.000Z  INFO 7 --- [main] c.e.Cart : started\n"
    text = line("one") * 60 + spring * 40 + '{"time":"2024-06-28T16:40:54Z","level":"warn","msg":"low"}\n'
    found = read(text)
    assert found.events.height == 101
    assert found.tally["explained"][0] == 101
    assert found.events["line"][-2:].to_list() == ["INFO c.e.Cart - started", "WARN low"]


def test_a_line_that_begins_with_the_files_own_time_stamp_is_never_folded() -> None:
    spring = "2024-06-28T16:40:53.000Z  INFO 7 --- [main] c.e.Cart : started\n"
    text = spring + "2024-06-28T16:40:53.001Z something that was printed\n" + TRACE
    found = read(text)
    assert found.events["n_lines"].to_list() == [1, 5]
    assert found.tally.select("events", "explained").row(0) == (2, 1)


def test_a_cut_last_line_adds_no_message() -> None:
    text = line("one") + line("two")[:30]
    assert read(text).events.height == 1
    assert read(text).tally["skipped"][0] == 1


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2024-06-28T16:40:52Z", datetime(2024, 6, 28, 16, 40, 52)),
        ("2024-06-28 16:40:52,5 +0200", datetime(2024, 6, 28, 14, 40, 52, 500_000)),
        ("20240628T164052.234Z", datetime(2024, 6, 28, 16, 40, 52, 234_000)),
        ("28.06.2024 16:40:52", datetime(2024, 6, 28, 16, 40, 52)),
        ("28 Jun 2024 16:40:52.000001", datetime(2024, 6, 28, 16, 40, 52)),
        ("2024-06-28 16:40:60.250", datetime(2024, 6, 28, 16, 40, 59, 999_000)),
        ("2024-06-28 04:40:52 PM", datetime(2024, 6, 28, 16, 40, 52)),
        ("2024-06-28 16:40:52 CEST", datetime(2024, 6, 28, 14, 40, 52)),
        ("2024-06-28 16:40:52 IST", datetime(2024, 6, 28, 16, 40, 52)),
        ("1719592852", datetime(2024, 6, 28, 16, 40, 52)),
        ("1719592852234", datetime(2024, 6, 28, 16, 40, 52, 234_000)),
        ("1719592852.234", datetime(2024, 6, 28, 16, 40, 52, 234_000)),
        ("[1719592852234]", datetime(2024, 6, 28, 16, 40, 52, 234_000)),
        ("06/28 16:40:52", datetime(2024, 6, 28, 16, 40, 52)),
    ],
)
def test_time_stamps_of_many_forms_are_one_point_in_time(stamp: str, expected: datetime) -> None:
    assert rows(f"{stamp} ERROR payment refused\n", "m_timestamp", "level", "text") == [
        (expected, "ERROR", "payment refused")
    ]


def test_the_year_is_that_of_the_file_and_new_year_is_passed() -> None:
    text = "Dec 31 23:59:59 host app[1]: old\nJan  1 00:00:01 host app[1]: new\n"
    stamps = read(text, datetime(2024, 1, 2)).events["m_timestamp"].to_list()
    assert stamps == [datetime(2023, 12, 31, 23, 59, 59), datetime(2024, 1, 1, 0, 0, 1)]


JAVA = TRACE
PYTHON = 'Traceback (most recent call last):\n  File "/app/x.py", line 7, in f\n    g()\nValueError: bad 7\n'
GO = "panic: runtime error: index out of range [5]\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:8 +0x1d\n"
NET = "Unhandled exception. System.Exception: no\n ---> System.IO.IOException: gone\n   at Shop.Cart.Add()\n"
NODE = "TypeError: Cannot read properties of undefined\n    at Object.<anonymous> (/app/x.js:1:7) {\n  code: 'X'\n}\n"
RUST = "thread 'main' panicked at src/main.rs:2:5:\nindex out of bounds\nstack backtrace:\n   0: rust_begin_unwind\n"
FIRST = [known.examples[0].line + "\n" for known in FORMATS if not known.second]


@pytest.mark.parametrize("number", range(3))
def test_stack_traces_belong_to_their_event_in_every_format(number: int) -> None:
    """Each format is tried with the trace of one language, and LO2's own with all of them."""
    traces = [JAVA, PYTHON, GO, NET, NODE, RUST][2 * number : 2 * number + 2]
    pairs = [(line, traces[n % 2]) for n, line in enumerate(FIRST[number::3])] + [(FIRST[0], text) for text in traces]
    parsed = parse([line + trace + line for line, trace in pairs], written=NEAR)
    events = parsed.events.group_by("file", maintain_order=True).agg("n_lines")["n_lines"].to_list()
    assert events == [[1 + sum(map(bool, trace.split("\n"))), 1] for _, trace in pairs]


@cache
def facts_of(logs: tuple[bytes, ...]) -> tuple[list[str], list[tuple[object, ...]]]:
    """The format of each log, and the fields of all events."""
    parsed = parse([decode(log)[0] for log in logs], written=NEAR)
    events = parsed.events.join(parsed.lines, on="line", maintain_order="left")
    columns = ("file", "level", "logger", "thread", "text", "correlation_id")
    return parsed.tally["format"].to_list(), events.select(columns).rows()


def coloured(text: str) -> str:
    """A line as a terminal gets it: its level, or else all of it, in colour."""
    level = re.search(r"\b(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|SEVERE)\b", text)
    start, end = level.span() if level and not text.startswith("{") else (0, len(text))
    return f"{text[:start]}\x1b[1;32m{text[start:end]}\x1b[0m{text[end:]}"


@pytest.mark.parametrize(
    "changed",
    [
        lambda line: (f"{line}\r\n" * 3).encode(),
        lambda line: b"\xef\xbb\xbf" + (f"{line}\n" * 3).encode(),
        lambda line: (f"\ufeff{line}\r\n" * 3).encode("utf-16-le"),
        lambda line: (f"{coloured(line)}\n" * 3).encode(),
        lambda line: (f"2024-06-28T16:40:52.234567891Z {line}\n" * 3).encode(),
        lambda line: b"\n\n  \n" + (f"{line}\n" * 3).encode(),
    ],
    ids=["crlf", "bom", "utf-16", "colours", "docker logs -t", "blank lines"],
)
def test_every_format_is_recognised_in_other_clothes(changed: Callable[[str], bytes]) -> None:
    names, fields = facts_of(tuple(changed(known.examples[0].line) for known in FORMATS))
    plain_names, plain = facts_of(tuple((f"{known.examples[0].line}\n" * 3).encode() for known in FORMATS))
    assert plain_names == [known.name for known in FORMATS]
    inner = [name.removeprefix("docker logs -t > ") for name in names]
    assert [(name, known.name) for name, known in zip(inner, FORMATS, strict=True) if name != known.name] in (
        [],
        [
            ("mysql", "level, text"),
            ("time, level in brackets, text", "level in brackets, text"),
        ],  # with a time in front
    )
    assert fields == plain


@pytest.mark.parametrize(
    ("wrap", "each"),
    [
        ("[pod/cart-7d9f8b6c5d-x2x7z/cart] 2024-06-28T16:40:52.234567891Z stdout F {}", 1),
        ("cart-1  | 2024-06-28T16:40:52.234567891Z {}", 3),
        ("<34>1 2024-06-28T16:40:52.234Z shop1 cart 77 ID47 - {}", 3),
        ("2024-06-28T16:40:52.234567+00:00 app[web.1]: {}", 3),
        ("cart-7d9f8b6c5d-x2x7z cart {}", 6),
        ("cart-0 cart 2024-06-28T16:40:52.234567891Z {}", 6),
        ("1719592852234\t2024-06-28T16:40:52.234Z\t{}", 6),
        ('2024-06-28T16:40:52Z {{app="cart", pod="cart-7d9f8b6c5d-x2x7z"}} {}', 6),
        ("2024-06-28T16:40:52.234000+00:00 ecs/cart/0123456789abcdef {}", 6),
        ("2024-06-28T16:40:52.234567891+02:00 {}", 6),
        ("* {}", 6),
    ],
)
def test_lines_of_every_specific_format_are_found_in_every_wrapper(wrap: str, each: int) -> None:
    """each: of how many formats one is tried, since wrappers are all taken off alike."""
    lines = [known.examples[0].line for known in FORMATS if not known.loose and not known.name.startswith("syslog")]
    lines = lines[::each]
    plain, wrapped = (
        facts_of(tuple((f"{around.format(line)}\n" * 3).encode() for line in lines))[1] for around in ("{}", wrap)
    )
    assert wrapped == plain


def test_a_log_may_change_to_any_format_with_a_time_or_of_a_clear_form() -> None:
    lines = [f.examples[0].line for f in FORMATS if not f.second and (f.has_time or not f.loose)]
    parsed = parse([line("one") * 60 + f"{other}\n" * 40 for other in lines], written=NEAR)
    assert parsed.events.group_by("file").len()["len"].to_list() == [100] * len(lines)


def test_day_and_month_without_a_year_are_told_apart_by_the_other_dates_of_the_log() -> None:
    dates = ("05/06", "28/06")
    found = rows("".join(f"{date} 16:40:52 ERROR no\n" for date in dates), "m_timestamp")
    assert found == [(datetime(2024, 6, 5, 16, 40, 52),), (datetime(2024, 6, 28, 16, 40, 52),)]
    assert rows("05-06 16:40:52 ERROR no\n", "m_timestamp") == [(datetime(2024, 5, 6, 16, 40, 52),)]


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("Fri Jun 28 16:40:52 CEST 2024", datetime(2024, 6, 28, 14, 40, 52)),
        ("Fri, 28 Jun 2024 16:40:52 GMT", datetime(2024, 6, 28, 16, 40, 52)),
        ("Jun 28, 2024, 4:40:52\u202fPM", datetime(2024, 6, 28, 16, 40, 52)),
        ("28-JUN-24 16:40:52", datetime(2024, 6, 28, 16, 40, 52)),
        ("28. June 2024 16:40:52", datetime(2024, 6, 28, 16, 40, 52)),
        ("06/28/24 16:40:52", datetime(2024, 6, 28, 16, 40, 52)),
        ("17/06/09 16:40:52", datetime(2017, 6, 9, 16, 40, 52)),
        ("2024-06-28-16.40.52.234567", datetime(2024, 6, 28, 16, 40, 52, 234_000)),
        ("2024-01-28 16:40:52 Europe/Berlin", datetime(2024, 1, 28, 15, 40, 52)),
        ("2024-06-28T16:40:52+02:00[Europe/Berlin]", datetime(2024, 6, 28, 14, 40, 52)),
        ("Fri Jun 28 2024 16:40:52 GMT+0200 (Central European Summer Time)", datetime(2024, 6, 28, 14, 40, 52)),
        ("1719592852234567891", datetime(2024, 6, 28, 16, 40, 52, 234_000)),
    ],
)
def test_further_forms_of_time_stamps(stamp: str, expected: datetime) -> None:
    assert rows(f"{stamp} ERROR no\n", "m_timestamp", "level", "text") == [(expected, "ERROR", "no")]


@pytest.mark.parametrize(
    ("text", "near", "note"),
    [
        ("2024-06-28 16:40:52 CST ERROR no\n", NEAR, "the time zone CST is not used"),
        ("Jun 28 16:40:52 host app[7]: no\n", NEAR, "the year 2024 is assumed"),
        ("[ERROR] no\n", NEAR, "no line has a time: only the order of the lines counts"),
        ("03/04/2024 16:40:52 ERROR no\n", NEAR, "dates such as 03/04/2024 are read as month, day"),
        ("03/04/2024 16:40:52 ERROR no\n", datetime(2024, 4, 3), None),
        (line("one"), NEAR, None),
    ],
)
def test_what_is_assumed_about_times_is_noted(text: str, near: datetime, note: str | None) -> None:
    assert read(text, near).tally["notes"].to_list() == [note]


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("ERROR | payment refused\nINFO | paid\n", ["ERROR", "INFO"]),
        ("2024-06-28 16:40:52 ERROR no\n" * 2 + "2024-06-28 16:40:53 listening\n", ["ERROR", "ERROR", None]),
        (
            '{"log":"2024-06-28 16:40:52,234 [main] WARN  org.acme.Cart - low","stream":"stdout"}\n' * 2,
            ["WARN", "WARN"],
        ),
        (
            '[\n{"ts":1719592852.2,"level":"warn","msg":"a"},\n{"ts":1719592853,"level":"info","msg":"b"}\n]',
            ["WARN", "INFO"],
        ),
        ("2024-06-28 16:40:52 System ready\n2024-06-28 16:40:52 GET /cart\n", [None, None]),
    ],
)
def test_levels_are_found_only_where_they_are(text: str, levels: list[str | None]) -> None:
    assert [level for (level,) in rows(text, "level")] == levels


@pytest.mark.parametrize(
    "line",
    [
        "2024-06-28 16:40:52.234  INFO 7 --- [main] c.e.Cart  : Paid",
        '{"time":"2024-06-28T16:40:52Z","level":"warn","msg":"low"}',
        "[2024-06-28 16:40:52 +0000] [7] [INFO] Listening",
    ],
)
def test_a_cut_last_line_of_any_format_is_skipped(line: str) -> None:
    tally = read(f"{line}\n" * 3 + line[:26]).tally
    assert tally.select("events", "continuations", "skipped").row(0) == (3, 0, 1)


@pytest.mark.real
def test_public_logs_of_eight_systems_become_dated_events(real_data: Path, tmp_path: Path) -> None:
    with tarfile.open(real_data / "loghub-2k.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    logs = sorted(tmp_path.rglob("*_2k.log"))
    assert len(logs) == 8
    for log in logs:
        parsed = parse([decode(log.read_bytes())[0]], written=NEAR)
        assert parsed.events.height >= 1999, log
        assert parsed.events["m_timestamp"].null_count() == 0, log
        published = pl.read_csv(Path(f"{log}_structured.csv"), infer_schema=False)["Content"].str.strip_chars()
        texts = parsed.events.join(parsed.lines, on="line", how="left", maintain_order="left")["text"].str.strip_chars()
        assert texts.is_in(published.implode()).mean() > 0.9, log


SPRING = "2024-06-28 16:40:52.234  INFO 7 --- [main] c.e.Cart : added"
RECORD = {"time": "2024-06-28T16:40:52.234Z", "level": "info", "msg": "added", "items": 3}
ZEEK = (
    "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tconn_state\n#types\ttime\tstring\taddr\tstring\n"
    "1719592852.234567\tCHhA\t10.0.0.7\tSF\n1719592852.234100\tCHhB\t10.0.0.7\t-\n#close\t2024-06-28-17-00-00\n"
)
ENDLESS = {"timeUnixNano": "1719592852234000000", "severityNumber": float("inf"), "body": {"stringValue": "added"}}
W3C = "#Version: 1.0\n#Date: 2024-06-28 16:00:00\n#Fields: {}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (json.dumps(RECORD, indent=2) + "\n" + json.dumps(RECORD, indent=2), ["added items=3"] * 2),
        (json.dumps([RECORD] * 2, indent=2), ["added items=3"] * 2),
        (json.dumps([RECORD] * 2), ["added items=3"] * 2),
        ("> npm start\n" + f"{json.dumps(RECORD, indent=2)}\n" * 2, ["added items=3"] * 2),
        (json.dumps({"hits": {"hits": [{"_source": RECORD}]}}), ["added items=3"]),
        (
            json.dumps({"events": [{"timestamp": 1719592852234, "message": SPRING, "ingestionTime": 1}]}, indent=1),
            ["added"],
        ),
        (json.dumps({"line": SPRING, "timestamp": "1719592852234567891", "fields": {"app": "cart"}}), ["added"]),
        (ZEEK, ["conn_state=SF id.orig_h=10.0.0.7 uid=CHhA", "id.orig_h=10.0.0.7 uid=CHhB"]),
        (
            W3C.format("date time cs-method sc-status") + "2024-06-28 16:40:52.234 GET 500\n",
            ["cs-method=GET sc-status=500"],
        ),
        (W3C.format("time cs-method cs-uri") + "16:40:52.234 GET /cart\n", ["cs-method=GET cs-uri=/cart"]),
        ('[0] kube.cart: [[1719592852.234, {}], {"log"=>"' + SPRING + '\\n", "stream"=>"stdout"}]\n', ["added"]),
        ("2024-06-28T16:40:52.234000+00:00 app[web.1]: plain words\n", ["plain words"]),
        (json.dumps(RECORD | {"msg": "half of \ud83d"}) + "\n", ["half of ? items=3"]),
        (json.dumps([RECORD | {"msg": "half of \ud83d"}], indent=2), ["half of ? items=3"]),
        (json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [ENDLESS]}]}]}), ["added"]),
    ],
)
def test_records_that_are_no_lines_are_events(text: str, expected: list[str]) -> None:
    at = datetime(2024, 6, 28, 16, 40, 52, 234_000)
    assert rows(text, "text", "m_timestamp") == [(one, at) for one in expected]


@pytest.mark.parametrize("end", [-3, -20, -44, -70])
def test_a_cut_record_of_several_lines_adds_no_message(end: int) -> None:
    tally = read(json.dumps([RECORD] * 3, indent=2)[:end]).tally
    assert tally.select("events", "continuations", "orphans").row(0) == (2, 0, 0)


def test_an_object_in_a_message_stays_there() -> None:
    text = (SPRING + "\n") * 9 + json.dumps(RECORD, indent=2) + "\n"
    assert read(text).events["n_lines"].to_list() == [1] * 8 + [7]
