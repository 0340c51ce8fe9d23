"""Damaged compressed logs: what can be read is loaded, and the ledger says how far."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from helpers.loglines import line, write_log

from lo2core import LO2Loader, LoadOptions, Workspace, load_logs, schemas
from lo2core.base.errors import InputError
from lo2core.load import compression, large
from lo2core.load.verdict import IN_PART, NOT_READ, not_read_well, verdicts
from lo2core.pipeline.inputs import unread_in

_RANDOM = Random(7)
LINES = [line(f"{_RANDOM.getrandbits(256):064x}", f"16:{n // 60 % 60:02}:{n % 60:02}.000") for n in range(3000)]
LOG = "".join(LINES).encode()


def zstd(data: bytes) -> bytes:
    try:
        module = compression._zstandard()
        return bytes(module.compress(data, options={module.CompressionParameter.checksum_flag: 1}))
    except InputError:
        pytest.skip("needs Python 3.14 or backports.zstd")


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": lambda data: bz2.compress(data, 1),
    "xz": lzma.compress,
    "zst": zstd,
}


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def last_bytes_missing(data: bytes) -> bytes:
    return data[:-6]


@pytest.mark.parametrize("harm", [cut, last_bytes_missing])
@pytest.mark.parametrize("ending", COMPRESS)
def test_a_damaged_log_is_read_up_to_the_damage_and_the_others_whole(
    tmp_path: Path, ending: str, harm: Callable[[bytes], bytes]
) -> None:
    write_log(tmp_path / "run_1" / "correct", LOG, "token")
    write_log(tmp_path / "run_1" / "correct", harm(COMPRESS[ending](LOG)), name=f"oauth2-client-1.log.{ending}")
    loader = LO2Loader(tmp_path)
    events = loader.execute().filter(service="client")
    assert events["m_message"].to_list() == [text[:-1].partition(" - ")[2] for text in LINES[: events.height]]
    assert events.height >= 0.4 * len(LINES)
    row = loader.ledger.filter(service="client").row(0, named=True)
    assert row["bytes"] == sum(map(len, LINES[: events.height]))
    assert f"oauth2-client-1.log.{ending} is damaged: only the first" in row["damaged"]
    assert loader.ledger.filter(service="token").select("events", "damaged").row(0) == (3000, None)
    assert verdicts(loader.ledger).sort("service")["verdict"].to_list() == [IN_PART, "read well"]
    assert "Copy damaged files again" in not_read_well(loader.ledger)


def changed(data: bytes) -> bytes:
    at = len(data) * 2 // 3
    return data[:at] + bytes(byte ^ 0x55 for byte in data[at : at + 40]) + data[at + 40 :]


@pytest.mark.parametrize(("ending", "right"), [("gz", 0.6), ("xz", 0.6), ("zst", 0.3), ("bz2", 0.0)])
def test_of_changed_bytes_the_ledger_says_that_lines_may_be_wrong(tmp_path: Path, ending: str, right: float) -> None:
    write_log(tmp_path / "correct", changed(COMPRESS[ending](LOG)), name=f"oauth2-client-1.log.{ending}")
    write_log(tmp_path / "correct", LOG, "token")
    loader = LO2Loader(tmp_path)
    found = loader.execute().filter(service="client")["m_message"].to_list()
    assert found[: int(right * 3000)] == [text[:-1].partition(" - ")[2] for text in LINES[: int(right * 3000)]]
    assert "some of them may be wrong" in loader.ledger["damaged"].drop_nulls()[0]
    assert bool(found) == bool(right)


def test_blocks_in_front_of_a_damaged_one_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "CHUNK", 1 << 17)
    write_log(tmp_path / "correct", changed(bz2.compress(LOG, 1)), name="oauth2-client-1.log.bz2")
    found = LO2Loader(tmp_path).execute()["m_message"].to_list()
    assert len(found) > 1000
    assert found == [text[:-1].partition(" - ")[2] for text in LINES[: len(found)]]


def test_a_damaged_log_of_which_nothing_can_be_read_is_not_a_silent_one(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    write_log(tmp_path / "logs" / "run_1" / "correct", gzip.compress(LOG)[:12], name="oauth2-client-1.log.gz")
    write_log(tmp_path / "logs" / "run_1" / "correct", LOG, "token")
    with pytest.raises(InputError, match=r"could not be read to the end: oauth2-client-1\.log\.gz is damaged"):
        load_logs(workspace, tmp_path / "logs", strict=True)
    loaded = load_logs(workspace, tmp_path / "logs")
    assert verdicts(loaded.ledger).filter(service="client")["verdict"].to_list() == [NOT_READ]
    assert unread_in(workspace, workspace.read(schemas.Sequences)).to_list() == ["run_1__correct__client"]
    assert "1 log not read" in loaded.sentence()


def test_damaged_rotated_pieces_large_logs_and_ignored_ones_are_in_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run_1" / "correct"
    write_log(folder, cut(gzip.compress(LOG)), name="oauth2-client.log.1.gz")
    write_log(folder, LOG, name="oauth2-client.log")
    write_log(folder, cut(gzip.compress(LOG)), name="other.log.gz")
    whole = LO2Loader(tmp_path)
    events = whole.execute()
    monkeypatch.setattr(large, "LARGE", 1000)
    monkeypatch.setattr(large, "PIECE", 1 << 16)
    pieces = LO2Loader(tmp_path)
    assert pieces.execute()["m_message"].equals(events["m_message"])
    assert pieces.ledger.equals(whole.ledger)
    assert 3000 < events.height < 6000
    assert events["m_message"].to_list()[-3000:] == [text[:-1].partition(" - ")[2] for text in LINES]
    assert whole.ledger.drop_nulls("damaged")["status"].to_list() == ["read", "ignored"]


def test_a_damaged_log_of_containers_is_damaged_for_each_of_them(tmp_path: Path) -> None:
    text = "".join(f"{('cart', 'web')[n % 2]}-1  | {text}" for n, text in enumerate(LINES))
    write_log(tmp_path / "run_1" / "correct", cut(gzip.compress(text.encode())), name="all.log.gz")
    loader = LO2Loader(tmp_path, options=LoadOptions(services=("cart", "web")))
    assert loader.execute().height > 1000
    assert loader.ledger["damaged"].null_count() == 0
