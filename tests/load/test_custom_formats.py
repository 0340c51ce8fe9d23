"""Formats that a person describes: patterns, names, proposals."""

from __future__ import annotations

import pytest

from lo2core import LoadOptions
from lo2core.base.errors import InputError
from lo2core.load.formats.catalogue import FORMATS
from lo2core.load.formats.custom import check_name, chosen
from lo2core.load.formats.proposal import propose
from lo2core.load.parse import parse

OWN = "payment=^@@ {stamp} <{level}> {message}"
LINES = [f"@@ 28.06.2024 16:40:{n:02} <{level}> item {n}" for n in range(20) for level in ("warn", "info")]


def test_a_format_of_ones_own_goes_before_the_catalogue_and_can_be_named() -> None:
    assert [known.name for known in chosen([], [OWN])] == ["payment", *(known.name for known in FORMATS)]
    assert [known.name for known in chosen(["payment", "kafka"], [OWN])] == ["payment", "kafka"]
    parsed = parse(["\n".join(LINES) + "\n\tat a.B.c(B.java:7)\n"], formats=chosen([], [OWN]))
    assert parsed.tally.select("format", "events", "leveled", "timed").row(0) == ("payment", 40, 40, 40)
    assert parsed.events["n_lines"].to_list()[-1] == 2


def test_every_line_is_an_event_of_the_format_text() -> None:
    assert parse(["one\ntwo\n\tthree\n"], formats=chosen(["text"])).events.height == 2


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("{level}", "needs the group message"),
        ("{message}(?=x)", "look-around"),
        ("{stamp} {stamp} {message}", "may occur once"),
        ("(?P<shop>a) {message}", "needs the group message"),
        ("(a{1000}){1000} {message}", "too large"),
        ("kafak", "Did you mean 'kafka'"),
    ],
)
def test_a_pattern_or_name_that_cannot_be_used_is_refused(pattern: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        chosen([pattern])


def test_patterns_are_checked_with_the_options_and_names_with_the_load() -> None:
    assert LoadOptions(formats=("payment",)).formats == ("payment",)
    with pytest.raises(InputError, match="look-around"):
        LoadOptions(formats=("{message}(?=x)",))


@pytest.mark.parametrize("name", ["kafka", "", "../x", "a=b", "x" * 60])
def test_names_of_the_catalogue_and_odd_ones_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="Choose another name"):
        check_name(name)


@pytest.mark.parametrize(
    ("lines", "pattern"),
    [
        (LINES, "^@@ {stamp} <{level}> {message}"),
        (
            ["[28.06.2024 16:40:52] (cart) ERROR :: low"] * 2,
            r"^\[{stamp}\] \((?P<logger>[\w.$:/-]+)\) {level} :: {message}",
        ),
        (["16:40:52 | WARN | [w-1] low"] * 2, r"^{clock} \| {level} \| \[(?P<thread>{brackets})\] {message}"),
        (["hello world"] * 3, None),
        ([], None),
    ],
)
def test_a_pattern_is_proposed_that_reads_the_lines(lines: list[str], pattern: str | None) -> None:
    assert propose(lines) == pattern
    if pattern:
        tally = parse(["\n".join(lines) + "\n"], formats=chosen([pattern])).tally
        assert tally.select("events", "leveled", "timed").row(0) == (len(lines),) * 3
