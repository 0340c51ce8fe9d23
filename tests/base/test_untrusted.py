"""Files that anybody may have written: what is no small regular file or no JSON fails with one kind of error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.hostile import DEEP, ODD_ENTRIES, ODD_TIMES, odd_entries, odd_footers

from lo2core.base.clock import local_time, moment, moment_of
from lo2core.base.provenance import Metadata, typed
from lo2core.base.untrusted import is_file, json_value, read_small


def test_only_small_regular_files_are_read(tmp_path: Path) -> None:
    odd_entries(tmp_path, "")
    (tmp_path / "good").write_bytes(b"12345")
    assert read_small(tmp_path / "good", 5) == b"12345"
    for name in (*ODD_ENTRIES, "good", "x" * 5000):
        with pytest.raises(OSError):
            read_small(tmp_path / name, 4)
        assert is_file(tmp_path / name) == (name == "good")


def test_a_file_that_grows_while_it_is_read_is_cut_at_the_limit() -> None:
    assert len(read_small(Path("/proc/self/status"), 8)) == 8  # its size is stated as 0


@pytest.mark.parametrize("text", ["", "{", DEEP, '{"a":' * 100_000, "\0", "9" * 5000, b"\xff", b"\xed\xa0\x80"])
def test_what_is_no_json_raises_one_kind_of_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        json_value(text)


def test_values_that_other_code_cannot_hold_are_replaced() -> None:
    text = '{"a\\ud800": ["\\udfff x", NaN, -Infinity, 9223372036854775808, -9223372036854775808, 1.5]}'
    assert json_value(text) == {"a?": ["? x", None, None, None, -(2**63), 1.5]}
    assert json_value('"\\ud83d\\ude00"') == "😀"


def test_whatever_a_footer_says_its_declared_entries_have_their_types() -> None:
    for text in odd_footers().values():
        try:
            value = json_value(text)
        except ValueError:
            continue
        found = typed(Metadata, value)
        assert all(isinstance(found.get(name, ""), str) for name in ("table", "created", "bundle", "masks", "command"))
        assert all(abs(found.get(name) or 0) < 1e309 for name in ("window", "threshold", "budget"))
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()


@pytest.mark.parametrize("stamp", [*ODD_TIMES, None, 5, "", "2026-01-01T00:00:00"])
def test_a_time_that_is_none_is_not_recorded(stamp: object) -> None:
    assert moment(stamp) is None
    assert local_time(str(stamp)) == str(stamp)


@pytest.mark.parametrize("seconds", [2.0**40, -(2.0**40), 1e308, 253402300799.0])
def test_the_time_of_a_file_may_be_any_number(seconds: float) -> None:
    assert moment_of(seconds) is None
