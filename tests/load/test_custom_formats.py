"""Formats that a person describes: patterns, names, proposals."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.loglines import line

from lo2core import LoadOptions, Workspace
from lo2core.base.errors import InputError, Lo2Error
from lo2core.load.formats.catalogue import FORMATS
from lo2core.load.formats.custom import check_name, chosen
from lo2core.load.formats.proposal import propose
from lo2core.load.parse import parse
from lo2core.pipeline.formats import with_formats

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
        ("{stmap} {message}", r"no part {stmap}; did you mean {stamp}; the parts are {stamp}, {when}, .*{message}"),
        ("{time} {message}", r"no part {time}; the parts are|no part {time}; did you mean"),
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


def test_a_format_that_is_named_takes_the_place_of_the_catalogue() -> None:
    spring = "2024-06-28 16:40:53.000  INFO 7 --- [main] c.e.Cart : started\n"
    other = "[2024-06-28 16:40:52,234] INFO [KafkaServer id=0] started (kafka.server.KafkaServer)\n"
    opened = "2024-06-28 16:40:54.000 printed\n"
    text = spring + other + opened + spring
    assert parse([text]).events["n_lines"].to_list() == [1, 1, 1, 1]
    named = parse([text], formats=chosen(["spring boot"]))
    assert named.events["n_lines"].to_list() == [2, 1, 1]
    assert named.tally.select("events", "explained", "unindented").row(0) == (3, 2, 1)
    both = parse([text], formats=chosen(["spring boot", "kafka"]))
    assert both.tally.select("events", "explained").row(0) == (4, 3)
    assert parse([line("one")], formats=chosen(["kafka"])).tally.select("format", "events").row(0) == (None, 0)


def test_a_log_may_change_to_a_format_of_ones_own() -> None:
    spring = "2024-06-28 16:40:53.000  INFO 7 --- [main] c.e.Cart : started\n"
    parsed = parse([spring * 60 + "~~ warn low\n" * 5], formats=chosen([], ["own=^~~ {level} {message}"]))
    assert parsed.tally.select("events", "explained").row(0) == (65, 65)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[payment]\npatern = 'x'", r"\[payment\] has no pattern, only patern"),
        ("[payment]", r"\[payment\] has no pattern, it is empty"),
        ("payment = 'x'", "payment is in no table"),
        ("[payment]\npattern = 7", r"the pattern of \[payment\] is not text in quotes"),
        ("[payment]\npattern = '{message}'\nlevel = 'x'", "has more than a pattern: level"),
        ("[kafka]\npattern = '{message}'", r"'kafka' cannot be used .* It is in .*formats\.toml"),
        ("[payment]\npattern = '{stmap} {message}'", r"did you mean {stamp}; .* It is in .*formats\.toml"),
    ],
)
def test_what_is_wrong_in_formats_toml_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "formats.toml").write_text(text)
    with pytest.raises(Lo2Error, match=problem):
        with_formats(Workspace(tmp_path), LoadOptions())
