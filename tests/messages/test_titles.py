"""Items as one line: what a message says first, where it comes from last."""

from __future__ import annotations

import polars as pl
import pytest

from lo2core.messages.salience import weight
from lo2core.messages.titles import TITLE_LENGTH, one_line, title_of

ERROR = '{"statusCode":404,"code":"ERR12014","message":"CLIENT_NOT_FOUND","description":"Client <UUID> is not found.",'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("INFO a.b.Server start - listening on <NUM>", "INFO listening on <NUM>  ·  Server.start"),
        ("INFO a.b.Server - listening", "INFO listening  ·  Server"),
        ("ERROR a.b.C m - ", "ERROR  ·  C.m"),
        ("<*> a.b.C m - user <*> in", "<*> user <*> in  ·  C.m"),
        (
            f'ERROR c.n.LightHttpHandler set - {ERROR}"severity":"ERROR"}}',
            "ERROR 404 ERR12014 CLIENT_NOT_FOUND: Client <UUID> is not found.  ·  LightHttpHandler.set",
        ),
        (
            f'com.networknt.exception.ApiException: {ERROR}"severity":"ERROR"}}',
            "ApiException: 404 ERR12014 CLIENT_NOT_FOUND: Client <UUID> is not found.",
        ),
        ('WARN a.B m - {"error": "too late, by far"}', "WARN too late, by far  ·  B.m"),
        ('WARN a.B m - {"user": 7}', 'WARN {"user": 7}  ·  B.m'),
        ("\tat java.base/java.lang.Thread.run(Thread.java:840)", "at Thread.run (Thread.java:840)"),
        ("Caused by: java.lang.NullPointerException: x is null", "Caused by: NullPointerException: x is null"),
        ("GET /client - <NUM>", "GET /client - <NUM>"),
        ("two\n  lines", "two lines"),
    ],
)
def test_a_message_says_first_what_it_says(text: str, line: str) -> None:
    assert title_of(text) == line


def test_the_middle_of_an_object_gives_way_to_what_stands_behind_it() -> None:
    client = '{"clientType":"public","clientProfile":"mobile","scope":"read write"}'
    line = title_of(f'DEBUG a.V debug - validate( "x", {client}, body.id)')
    assert line == 'DEBUG validate( "x", {"clientType":"public","clientProfile":"mo…}, body.id)  ·  V.debug'


def test_a_long_message_keeps_its_origin() -> None:
    assert title_of(f"INFO a.B m - {'x' * 500}") == f"INFO {'x' * (TITLE_LENGTH - 6)}…  ·  B.m"


def test_no_text_has_no_line() -> None:
    assert one_line(pl.Series([None], dtype=pl.String)).to_list() == [None]


def test_errors_say_more_than_messages_and_stack_frames_least() -> None:
    texts = [
        "\tat a.B.c(B.java:1)",
        "ERROR a.B c - Exception:",
        "INFO a.B c - done",
        "WARN a.B c - late",
        "a.b.FooException: it broke",
        "ERROR a.B c - refused",
    ]
    weights = pl.DataFrame({"text": texts}).select(weight(pl.col("text"))).to_series()
    assert weights.to_list() == [0.1, 1.0, 1.0, 1.5, 2.0, 2.0]
