"""Large logs are read in pieces: the result is that of reading them at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from lo2core import LO2Loader, LoadOptions
from lo2core.base import memory
from lo2core.base.errors import InputError
from lo2core.load import compression, large, whole

STEPS = 800


def over_midnight() -> str:
    """Times without a date, with requests that end much later, and stack traces."""
    return "".join(
        f"{(23 * 3600 + 5 * n) // 3600 % 24:02}:{(5 * n) // 60 % 60:02}:{5 * n % 60:02}.123 [XNIO-1 task-1]  "
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
    at_once = load(tmp_path)
    monkeypatch.setattr(large, "LARGE", 10_000)
    monkeypatch.setattr(large, "PIECE", 8_000)
    monkeypatch.setattr(compression, "CHUNK", 3_000)
    pieces = load(tmp_path)
    for name in ("df", "df_seq", "ledger"):
        assert_frame_equal(getattr(pieces, name), getattr(at_once, name))
    assert_frame_equal(pieces.items.messages, at_once.items.messages)
    assert_frame_equal(pieces.items.counts, at_once.items.counts)


def test_rotated_pieces_are_read_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = dated().splitlines(keepends=True)
    for name, part in (("cart.log.2", lines[:300]), ("cart.log.1", lines[300:600]), ("cart.log", lines[600:])):
        (tmp_path / name).write_text("".join(part).rstrip("\n"))
    at_once = load(tmp_path)
    monkeypatch.setattr(large, "LARGE", 10_000)
    monkeypatch.setattr(large, "PIECE", 8_000)
    assert_frame_equal(load(tmp_path).df, at_once.df)
    assert at_once.df.height == STEPS


@pytest.mark.parametrize(
    ("name", "text", "window"),
    [
        ("cart.log", dated(), 60.0),
        ("all.log", "".join(f"{name}-1  | {line}\n" for line in dated().splitlines() for name in ("a", "b")), None),
        ("answer.json", json.dumps({"events": [{"timestamp": 1719592852000, "message": "sold"}] * STEPS}), None),
        ("events.csv", "seq_id,m_message\n" + "a,sold\n" * STEPS, None),
    ],
    ids=["windows", "containers", "records", "table"],
)
def test_what_is_read_as_a_whole_is_refused_without_enough_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, window: float | None
) -> None:
    path = tmp_path / name
    path.write_text(text)
    for module in (large, whole):
        monkeypatch.setattr(module, "LARGE", 1_000)
    monkeypatch.setattr(large, "PIECE", 500)
    monkeypatch.setattr(memory, "available", lambda: 5_000)
    with pytest.raises(InputError, match=rf"Reading .*{name} as a whole needs about .* but only 5 kB are available"):
        LO2Loader(path, options=LoadOptions(window=window)).execute()
    monkeypatch.setattr(memory, "available", lambda: None)
    assert LO2Loader(path, options=LoadOptions(window=window)).execute().height >= STEPS
