"""Large logs are read in pieces: the result is that of reading them at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from lo2core import LO2Loader
from lo2core.load import compression, large

STEPS = 2_000


def over_midnight() -> str:
    """Times without a date, with requests that end much later, and stack traces."""
    return "".join(
        f"{(22 * 3600 + 5 * n) // 3600 % 24:02}:{(5 * n) // 60 % 60:02}:{5 * n % 60:02}.123 [XNIO-1 task-1]  "
        f"id{n % 50:020} {'ERROR' if n % 7 == 0 else 'DEBUG'} com.networknt.Shop order{n % 3} - item {n} sold\n"
        + ("java.lang.IllegalStateException: no\n\tat com.networknt.Shop.sell(Shop.java:7)\n" if n % 7 == 0 else "")
        for n in range(STEPS)
    )


def dated() -> str:
    return "\n".join(
        f"2026-11-28 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02},5 INFO [main] a.Cart: é {n}" for n in range(STEPS)
    )


def without_time() -> str:
    return "".join(f"INFO sold {n}\n  of {n}\n" for n in range(STEPS))


def one_event() -> str:
    return "2026-11-28 10:00:00,123 ERROR [main] a.Cart: failed\n" + "\tat a.Cart.sell(Cart.java:1)\n" * STEPS


def table() -> str:
    return "#Fields: date time cs-method sc-status\n" + "".join(
        f"2026-11-28 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02} GET {200 + n % 300}\n" for n in range(STEPS)
    )


def batches() -> str:
    """Lines that hold several records each."""
    record = {"timeUnixNano": "1719592852234000000", "severityText": "Info", "body": {"stringValue": "sold"}}
    return f"{json.dumps({'resourceLogs': [{'scopeLogs': [{'logRecords': [record] * 2}]}]})}\n" * (STEPS // 2)


def load(path: Path) -> LO2Loader:
    loader = LO2Loader(path)
    loader.execute(jobs=1)
    return loader


@pytest.mark.parametrize(
    "text", [over_midnight, dated, without_time, one_event, table, batches], ids=lambda text: text.__name__
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_pieces_give_the_same_as_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: Callable[[], str], encoding: str
) -> None:
    (tmp_path / "cart.log").write_text(text(), encoding=encoding)
    (tmp_path / "user.log").write_text("2026-11-28 10:00:00,123 INFO [main] a.User: short\n" * 10)
    whole = load(tmp_path)
    monkeypatch.setattr(large, "LARGE", 10_000)
    monkeypatch.setattr(large, "PIECE", 8_000)
    monkeypatch.setattr(compression, "CHUNK", 3_000)
    pieces = load(tmp_path)
    for name in ("df", "df_seq", "ledger"):
        assert_frame_equal(getattr(pieces, name), getattr(whole, name))
    assert_frame_equal(pieces.items.messages, whole.items.messages)
    assert_frame_equal(pieces.items.counts, whole.items.counts)


def test_rotated_pieces_are_read_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = dated().splitlines(keepends=True)
    for name, part in (("cart.log.2", lines[:900]), ("cart.log.1", lines[900:1500]), ("cart.log", lines[1500:])):
        (tmp_path / name).write_text("".join(part).rstrip("\n"))
    whole = load(tmp_path)
    monkeypatch.setattr(large, "LARGE", 10_000)
    monkeypatch.setattr(large, "PIECE", 8_000)
    assert_frame_equal(load(tmp_path).df, whole.df)
    assert whole.df.height == STEPS
