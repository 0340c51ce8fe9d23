"""Numbers and moments as sentences and tables say them."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import polars as pl
import pytest

from lo2core.base.clock import local_time
from lo2core.base.text import are, command, duration, file_name, folded_command, plural, size, visible
from lo2core.ui.shell.tables import on_local_clock


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0 s"), (6.4, "6 s"), (200, "3 min 20 s"), (4000, "1 h 6 min")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_one_is_not_many() -> None:
    assert [plural(n, "line") for n in (0, 1, 1_200)] == ["0 lines", "1 line", "1,200 lines"]
    assert [are(n, "request") for n in (1, 2)] == ["1 request is", "2 requests are"]


@pytest.mark.parametrize(("n", "text"), [(12, "12 B"), (999_900, "1 MB"), (720_000_000, "720 MB"), (1.5e9, "1.5 GB")])
def test_sizes(n: float, text: str) -> None:
    assert size(n) == text


def test_moments_are_those_of_the_local_clock(in_berlin: None) -> None:
    assert local_time("2026-11-24T23:10:41+00:00") == "25 Nov 2026 00:10"
    moment = datetime(2026, 7, 1, 12, 0)
    shown = datetime(2026, 7, 1, 14, 0)
    naive, aware = pl.Series([moment, None]), pl.Series([moment.replace(tzinfo=UTC), None])
    assert on_local_clock(naive).to_list() == on_local_clock(aware).to_list() == [shown, None]


@pytest.mark.parametrize("value", ["short", "a folder/with 'quotes' -- and --dashes " * 4])
def test_a_folded_command_is_one_command_to_a_shell(value: str) -> None:
    arguments = ["explain", "A", "--output-dir", value, "--budget", 5, "--jobs", "2", "--incident", "run/" + "x" * 60]
    shown = folded_command(arguments)
    echo = shown.replace("python -m lo2core", "printf '%s\\n'", 1)
    assert subprocess.check_output(["sh", "-c", echo], text=True).splitlines() == list(map(str, arguments))
    first, *more = shown.split(" \\\n")
    assert len(first) <= 100
    assert all(line.startswith("    --") for line in more)


def test_a_short_command_stays_in_one_line() -> None:
    assert folded_command(["load", "--root", "PATH"]) == command(["load", "--root", "PATH"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("a\tb\nc é 日本 🙂", "a\tb\nc é 日本 🙂"),
        ("\x00\x08\x0b\r\x7f\x85\x9f", r"\x00\x08\x0b\x0d\x7f\x85\x9f"),
        ("\u2028\u2029\u202e\u2066", r"\u2028\u2029\u202e\u2066"),
        ("\ud800 \udcff", r"\ud800 \udcff"),
        ("\ufdd0\ufffe\uffff\U0001fffe\U0010ffff", r"\ufdd0\ufffe\uffff\U0001fffe\U0010ffff"),
    ],
)
def test_control_characters_are_visible(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


def test_every_name_becomes_a_file_name() -> None:
    names = ["a/b", "a\x1b", "a\x00", "a\udcff", "..", "a\n", "a\u202e"]
    made = [file_name(name) for name in names]
    assert len(set(made)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name) for name in made)
    assert file_name("run-1__correct") == "run-1__correct"
