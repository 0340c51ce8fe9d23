"""Archives are unpacked whole or refused: no member chooses its path, nothing damaged passes for less."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import line, write_runs

from lo2core.base.errors import InputError
from lo2core.load import archives
from lo2core.load.archives import is_archive, unpack
from lo2core.load.loader import LO2Loader

TARS = {"tar": "", "tar.gz": "gz", "tgz": "gz", "tar.xz": "xz", "tar.bz2": "bz2"}
NAME = "run_1/correct/oauth2-client.log"


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in members.items():
            pack.writestr(name, content)
    return path


def make_tar(path: Path, members: dict[str, bytes | tarfile.TarInfo], compression: str = "") -> Path:
    with tarfile.open(path, f"w:{compression}") as pack:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                pack.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            pack.addfile(info, io.BytesIO(content))
    return path


def noise(n: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(n)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("ending", ["zip", *TARS])
def test_members_are_unpacked_as_they_are(tmp_path: Path, ending: str) -> None:
    members = {NAME: noise(3000), "a b/ü.log": b"", "locust.log": b"x\n"}
    path = tmp_path / f"logs.{ending}"
    make_zip(path, members) if ending == "zip" else make_tar(path, members, TARS[ending])
    written: list[int] = []
    folder = unpack(path, tmp_path / "out", written.append)
    assert (folder.name, contents(folder), sum(written)) == ("logs", members, 3002)


@pytest.mark.parametrize("ending", ["zip", "tar.xz"])
def test_an_archive_loads_like_its_folder(tmp_path: Path, ending: str) -> None:
    root = write_runs(tmp_path / "logs")
    members = contents(root)
    path = tmp_path / f"logs.{ending}"
    make_zip(path, members) if ending == "zip" else make_tar(path, members, "xz")
    assert LO2Loader(path).execute().equals(LO2Loader(root).execute())


@pytest.mark.parametrize(("ending", "compress"), [("gz", gzip.compress), ("xz", lzma.compress), ("bz2", bz2.compress)])
def test_compressed_logs_load_like_the_logs(tmp_path: Path, ending: str, compress: Callable[[bytes], bytes]) -> None:
    root = write_runs(tmp_path / "logs")
    plain = LO2Loader(root)
    plain.execute()
    for log in root.rglob("*.log"):
        log.with_name(f"{log.name}.{ending}").write_bytes(compress(log.read_bytes()))
        log.unlink()
    loader = LO2Loader(root)
    events = loader.execute()
    named = pl.col("source").str.strip_suffix(f".{ending}")
    assert events.with_columns(named).equals(plain.df)
    assert loader.ledger.with_columns(named).equals(plain.ledger)
    one = next(root.rglob(f"*.log.{ending}"))
    assert set(LO2Loader(one).execute()["seq_id"]) <= set(events["seq_id"])
    one.write_bytes(one.read_bytes()[:-4])
    for damaged in (one, root):
        loader = LO2Loader(damaged)
        loader.execute()
        (text,) = loader.ledger["damaged"].drop_nulls()
        assert text.startswith(f"{one.name} is damaged")


def test_a_log_that_unpacks_to_far_more_than_logs_do_is_refused(tmp_path: Path) -> None:
    path = tmp_path / f"{Path(NAME).name}.xz"
    path.write_bytes(lzma.compress(bytes(65 << 20)))
    with pytest.raises(InputError, match="to far more bytes than expected"):
        LO2Loader(path).execute()


def test_lines_of_compressed_logs_of_other_services_are_counted(tmp_path: Path) -> None:
    root = write_runs(tmp_path / "logs")
    (root / "locust.log.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    loader = LO2Loader(root)
    loader.execute()
    ignored = loader.ledger.filter(pl.col("source").str.ends_with("locust.log.gz"))
    assert ignored.select("status", "lines", "skipped").row(0) == ("ignored", 2, 2)


@pytest.mark.parametrize("name", ["../evil.log", "a/../../evil.log", "/etc/evil.log", "C:\\evil.log", "..\\evil.log"])
def test_members_that_would_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"not unpacked: its member .*evil.log' is a path outside"):
        unpack(make_zip(tmp_path / "x.zip", {NAME: b"", name: b"evil"}), tmp_path / "out")
    with pytest.raises(InputError, match="is a path outside"):
        unpack(make_tar(tmp_path / "x.tar", {NAME: b"", name: b"evil"}), tmp_path / "out2")
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_are_refused(tmp_path: Path, kind: bytes) -> None:
    link = tarfile.TarInfo("link.log")
    link.type, link.linkname = kind, "/etc/passwd"
    with pytest.raises(InputError, match=r"'link\.log' is a link"):
        unpack(make_tar(tmp_path / "x.tar.gz", {"link.log": link}, "gz"), tmp_path / "out")


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.log")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as pack:
        pack.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match=r"'link\.log' is a link"):
        unpack(tmp_path / "x.zip", tmp_path / "out")


def test_encrypted_members_are_refused(tmp_path: Path) -> None:
    data = bytearray(make_zip(tmp_path / "x.zip", {NAME: b"secret"}).read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + flags] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(InputError, match="contains the encrypted file"):
        unpack(tmp_path / "x.zip", tmp_path / "out")


def test_a_bomb_is_stopped_while_it_is_written(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {NAME: bytes(70 << 20)})
    with pytest.raises(InputError, match="to far more bytes than expected"):
        unpack(path, tmp_path / "out")
    assert sum(map(len, contents(tmp_path / "out").values())) <= 64 << 20


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    with pytest.raises(InputError, match="more than 2 files"):
        unpack(make_zip(tmp_path / "x.zip", {f"{n}.log": b"" for n in range(3)}), tmp_path / "out")


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="name of an earlier member"):
        unpack(make_zip(tmp_path / "x.zip", {"a/b.log": b"1", "a\\b.log": b"2"}), tmp_path / "out")


def test_a_file_where_a_folder_is_needed_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="could not be unpacked"):
        unpack(make_tar(tmp_path / "x.tar", {"a": b"1", "a/b.log": b"2"}), tmp_path / "out")


@pytest.mark.parametrize("ending", ["zip", *TARS])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_a_truncated_archive_is_refused(tmp_path: Path, ending: str, share: float) -> None:
    members = {f"run_1/correct/oauth2-{name}.log": noise(20_000) for name in ("client", "code", "key")}
    path = tmp_path / f"logs.{ending}"
    make_zip(path, members) if ending == "zip" else make_tar(path, members, TARS[ending])
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=r"logs\..* is damaged or not an archive"):
        unpack(path, tmp_path / "out")


def test_a_damaged_header_does_not_end_a_tar_silently(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "logs.tar", {"a.log": b"1" * 512, "b.log": b"2" * 512, "c.log": b"3"})
    data = bytearray(path.read_bytes())
    data[1024 + 150] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="header cannot be read"):
        unpack(path, tmp_path / "out")


def test_a_changed_byte_in_a_compressed_tar_is_noticed(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "logs.tar.gz", {NAME: noise(20_000)}, "gz")
    data = bytearray(path.read_bytes())
    data[10_000] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        unpack(path, tmp_path / "out")


def test_what_only_looks_like_an_archive_is_refused(tmp_path: Path) -> None:
    for ending in ("zip", "tar.gz", "tar"):
        path = tmp_path / f"x.{ending}"
        path.write_text(line())
        assert is_archive(path)
        with pytest.raises(InputError, match="damaged or not an archive"):
            unpack(path, tmp_path / ending)


def test_errors_name_the_archive_and_not_where_it_was_unpacked(tmp_path: Path) -> None:
    nothing = make_zip(tmp_path / "nest.zip", {"inner.zip": b"x"})
    with pytest.raises(InputError, match=r"No log in /.*/nest\.zip: .*found 1 file \(inner\.zip\)"):
        LO2Loader(nothing).execute()
    twice = make_zip(tmp_path / "twice.zip", {f"{above}/{NAME}": line().encode() for above in "ab"})
    with pytest.raises(InputError, match=r"twice\.zip/a/run_1/correct/oauth2-client\.log and /.*/twice\.zip/b/run_1"):
        LO2Loader(twice).execute()
