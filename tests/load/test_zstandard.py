"""Logs and archives compressed by Zstandard: read like others, with the same limits."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from helpers.loglines import line, write_log

from lo2core import LO2Loader
from lo2core.base.errors import InputError
from lo2core.load import compression
from lo2core.load.archives import unpack

LOG = line("one") * 500


@pytest.fixture
def zstd() -> Any:
    try:
        return compression._zstandard()
    except InputError:
        pytest.skip("needs Python 3.14 or backports.zstd")


def tar_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as pack:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            pack.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_a_log_and_an_archive_are_read(tmp_path: Path, zstd: Any) -> None:
    log = write_log(tmp_path / "LO2_run_1719592800" / "correct", zstd.compress(LOG.encode()), name="cart.log.zst")
    loader = LO2Loader(log.parents[2])
    assert loader.execute().height == 500
    assert loader.ledger["service"].to_list() == ["cart"]
    pack = tmp_path / "logs.tar.zst"
    pack.write_bytes(zstd.compress(tar_of({"LO2_run_1719592800/correct/cart.log": LOG.encode()})))
    assert LO2Loader(pack).execute().height == 500


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda zstd: zstd.compress(tar_of({"a/cart.log": LOG.encode()}))[:-20], "damaged"),
        (lambda zstd: zstd.compress(tar_of({"a/cart.log": bytes(80 << 20)})), "far more bytes"),
        (lambda zstd: zstd.compress(tar_of({"../cart.log": b"x\n"})), "outside the archive"),
        (lambda zstd: zstd.compress(b"") + b"\x28\xb5\x2f\xfd garbage", "damaged"),
    ],
)
def test_archives_that_are_damaged_or_lie_are_refused(tmp_path: Path, zstd: Any, make: Any, problem: str) -> None:
    pack = tmp_path / "logs.tar.zst"
    pack.write_bytes(make(zstd))
    with pytest.raises(InputError, match=problem):
        unpack(pack, tmp_path / "out")


def test_a_window_of_gigabytes_is_refused(tmp_path: Path, zstd: Any) -> None:
    options = {zstd.CompressionParameter.window_log: 30, zstd.CompressionParameter.content_size_flag: 0}
    compressor = zstd.ZstdCompressor(options=options)
    data = compressor.compress(LOG.encode()) + compressor.flush()
    log = write_log(tmp_path / "correct", data, name="cart.log.zst")
    loader = LO2Loader(log.parent)
    assert loader.execute().height == 0
    assert "is damaged: only the first 0 bytes" in loader.ledger["damaged"][0]


def test_without_a_library_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(compression, "import_module", missing)
    log = write_log(tmp_path / "correct", b"\x28\xb5\x2f\xfd...", name="cart.log.zst")
    with pytest.raises(InputError, match=r"backports\.zstd"):
        LO2Loader(log.parent).execute()
