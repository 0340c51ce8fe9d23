"""Archives in .7z: read like others, with the same limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers.loglines import line, write_runs

from lo2core import LO2Loader
from lo2core.base.errors import InputError
from lo2core.load import archives, seven_zip
from lo2core.load.archives import unpack

py7zr = pytest.importorskip("py7zr")
LOG = line("one").encode() * 500


def make(path: Path, members: dict[str, bytes], **options: Any) -> Path:
    with py7zr.SevenZipFile(path, "w", **options) as pack:
        for name, content in members.items():
            pack.writestr(content, name)
    return path


def test_an_archive_loads_like_its_folder(tmp_path: Path) -> None:
    root = write_runs(tmp_path / "logs")
    with py7zr.SevenZipFile(tmp_path / "logs.7z", "w") as pack:
        pack.writeall(root, "logs")
    written: list[int] = []
    unpack(tmp_path / "logs.7z", tmp_path / "out", written.append)
    assert sum(written) == sum(path.stat().st_size for path in root.rglob("*.log"))
    assert LO2Loader(tmp_path / "logs.7z").execute().drop("source").equals(LO2Loader(root).execute().drop("source"))


def test_empty_files_and_names_made_on_windows_are_unpacked(tmp_path: Path) -> None:
    pack = make(tmp_path / "logs.7z", {"run-1/correct/empty.log": b"", "run-1/correct/cart.log": LOG})
    folder = unpack(pack, tmp_path / "out")
    assert sorted(path.stat().st_size for path in folder.rglob("*.log")) == [0, len(LOG)]


def link(path: Path) -> Path:
    (path.parent / "target.log").write_bytes(LOG)
    (path.parent / "link.log").symlink_to("target.log")
    with py7zr.SevenZipFile(path, "w") as pack:
        pack.write(path.parent / "target.log", "target.log")
        pack.write(path.parent / "link.log", "link.log")
    return path


def cut(path: Path) -> Path:
    path.write_bytes(make(path, {"cart.log": LOG}).read_bytes()[:-40])
    return path


def renamed(path: Path, old: str, new: str) -> Path:
    """An archive whose list, which is not compressed, has another name of the same length."""
    with py7zr.SevenZipFile(path, "w") as pack:
        pack.set_encoded_header_mode(False)
        for name in (old, "b.log"):
            pack.writestr(LOG, name)
    data = path.read_bytes().replace(old.encode("utf-16-le"), new.encode("utf-16-le"))
    start = 32 + int.from_bytes(data[12:20], "little")
    crc = py7zr.helpers.calculate_crc32(data[start:])
    head = data[12:28] + crc.to_bytes(4, "little")
    path.write_bytes(data[:8] + py7zr.helpers.calculate_crc32(head).to_bytes(4, "little") + head + data[32:])
    return path


@pytest.mark.parametrize(
    ("build", "problem"),
    [
        (link, "is a link"),
        (cut, "damaged or not an archive"),
        (lambda path: make(path, {"cart.log": LOG}, password="x"), "encrypted"),
        (lambda path: make(path, {"cart.log": LOG}, password="x", header_encryption=True), "encrypted"),
        (lambda path: make(path, {"cart.log": bytes(3 << 20)}), "far more bytes"),
        (
            lambda path: make(path, {"cart.log": LOG}, filters=[{"id": py7zr.FILTER_LZMA2, "dict_size": 1 << 28}]),
            "more than 128 MiB of memory",
        ),
        (lambda path: renamed(path, "aaaaa/cart.log", "../../cart.log"), "a path outside the archive"),
        (lambda path: renamed(path, "a.log", "b.log"), "the name of an earlier member"),
    ],
)
def test_archives_that_are_damaged_or_lie_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build: Callable[[Path], Path], problem: str
) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 2 << 20)
    (tmp_path / "in").mkdir()
    pack = build(tmp_path / "in" / "logs.7z")
    with pytest.raises(InputError, match=problem):
        unpack(pack, tmp_path / "out")
    assert not list(tmp_path.glob("*.log"))


def test_of_a_damaged_archive_the_files_that_can_be_read_are_read(tmp_path: Path) -> None:
    names = [f"run-1/correct/{name}.log" for name in ("cart", "pay", "web")]
    pack = make(tmp_path / "logs.7z", dict.fromkeys(names, LOG * 20), filters=[{"id": py7zr.FILTER_COPY}])
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 0x55
    pack.write_bytes(data)
    loader = LO2Loader(pack)
    loader.execute()
    cart, pay, web = loader.ledger.select("events", "damaged").rows()
    assert cart == (10_000, None)
    assert "the checksum of" in pay[1]
    assert web[0] == 0
    assert "only the first 0 bytes of this file could be read" in web[1]


def test_an_archive_with_too_many_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    pack = make(tmp_path / "logs.7z", {f"{n}.log": b"x" for n in range(4)})
    with pytest.raises(InputError, match=r"exceeds limit 3|more than 3 files"):
        unpack(pack, tmp_path / "out")


def test_without_the_library_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    pack = make(tmp_path / "logs.7z", {"cart.log": LOG})
    monkeypatch.setattr(seven_zip, "import_module", missing)
    with pytest.raises(InputError, match=r"lo2core\[7z\]"):
        unpack(pack, tmp_path / "out")
