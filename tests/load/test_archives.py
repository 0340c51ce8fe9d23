"""Archives are unpacked up to their damage or refused: no member chooses its path, nothing damaged passes for whole."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import line, write_runs

from lo2core import Workspace, load_logs, schemas
from lo2core.base.errors import InputError
from lo2core.load import archives, compression
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


def test_a_log_that_unpacks_to_far_more_than_logs_do_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compression, "max_decompressed", lambda size: 1 << 20)
    path = tmp_path / f"{Path(NAME).name}.xz"
    path.write_bytes(lzma.compress(bytes(3 << 20)))
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


def test_a_bomb_is_stopped_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "max_decompressed", lambda size: 2 << 20)
    path = make_zip(tmp_path / "x.zip", {NAME: bytes(4 << 20)})
    with pytest.raises(InputError, match="to far more bytes than expected"):
        unpack(path, tmp_path / "out")
    assert sum(map(len, contents(tmp_path / "out").values())) <= 2 << 20


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


LINES = {
    name: [line(random.Random(f"{name}{n}").randbytes(20).hex()) for n in range(300)]
    for name in ("client", "code", "key")
}
LOGS = {f"run_1/correct/oauth2-{name}.log": "".join(lines).encode() for name, lines in LINES.items()}


@pytest.mark.parametrize(
    ("ending", "share", "whole"),
    [
        ("tar", 0.5, 1),
        ("tar.gz", 0.2, 0),
        ("tar.gz", 0.999, 3),
        ("tar.xz", 0.8, 2),
        ("tgz", 0.5, 1),
    ],
)
def test_of_a_truncated_tar_the_logs_in_front_of_the_damage_are_read(
    tmp_path: Path, ending: str, share: float, whole: int
) -> None:
    path = make_tar(tmp_path / f"logs.{ending}", LOGS, TARS[ending])
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    loader = LO2Loader(path)
    events = loader.execute()
    rows = loader.ledger.select("service", "events", "damaged").rows()
    assert [n for _, n, damage in rows if damage is None] == [300] * (len(rows) - 1)
    assert re.search(r"is damaged: only its first (file|\d files) could be read, up to byte", rows[-1][2])
    assert len(rows) - (rows[-1][1] < 300) == whole
    for service in events["service"].unique():
        found = events.filter(service=service)["m_message"].to_list()
        assert found == [text[:-1].partition(" - ")[2] for text in LINES[service][: len(found)]]


def test_of_a_zip_with_damaged_members_all_others_are_read(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "logs.zip", LOGS)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as pack:
        starts = [member.header_offset for member in pack.infolist()]
    data[starts[1] + 6000] ^= 0x55
    data[starts[2]] ^= 0x55
    path.write_bytes(data)
    loader = LO2Loader(path)
    loader.execute()
    client, code, key = loader.ledger.select("events", "damaged", "status").rows()
    assert client == (300, None, "read")
    assert 0 < code[0] < 300
    assert code[1].startswith("logs.zip is damaged: only the first ")
    assert (key[0], key[2]) == (0, "read")
    with pytest.raises(InputError, match="2 logs could not be read to the end"):
        load_logs(Workspace(tmp_path / "ws"), path, strict=True)


@pytest.mark.parametrize("ending", ["zip", *TARS])
def test_an_archive_of_which_nothing_can_be_read_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"logs.{ending}"
    make_zip(path, LOGS) if ending == "zip" else make_tar(path, LOGS, TARS[ending])
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(InputError, match=r"logs\..* is damaged or not an archive"):
        unpack(path, tmp_path / "out")


def test_a_damaged_header_does_not_end_a_tar_silently(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "logs.tar", {"a.log": b"1" * 511 + b"\n", "b.log": b"2" * 512, "c.log": b"3"})
    data = bytearray(path.read_bytes())
    data[1024 + 150] ^= 1
    path.write_bytes(data)
    damages: dict[Path, str] = {}
    unpack(path, tmp_path / "out", damages=damages)
    text = "logs.tar is damaged: only its first file could be read, up to byte 512: a header cannot be read"
    assert damages == {tmp_path / "out" / "logs" / "a.log": text}


def test_after_a_wrong_checksum_no_log_of_a_tar_passes_for_right(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "logs.tar.gz", {NAME: noise(20_000), "b.log": b"2\n"}, "gz")
    data = bytearray(path.read_bytes())
    data[10_000] ^= 1
    path.write_bytes(data)
    damages: dict[Path, str] = {}
    unpack(path, tmp_path / "out", damages=damages)
    assert len(damages) == 2
    assert all("some bytes of them may be wrong" in text for text in damages.values())


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
    runs = [f"{above}/LO2_run_1719592986/correct/oauth2-client.log" for above in "ab"]
    twice = make_zip(tmp_path / "twice.zip", dict.fromkeys(runs, line().encode()))
    with pytest.raises(InputError, match=r"twice\.zip/a/LO2_run_.*client\.log and /.*/twice\.zip/b/LO2_run_"):
        LO2Loader(twice).execute()


def test_runs_of_one_name_in_archives_of_several_folders_are_told_apart(tmp_path: Path) -> None:
    for above in ("staging", "prod"):
        (tmp_path / above).mkdir()
        make_zip(tmp_path / above / "logs.zip", {NAME: line().encode()})
    workspace = Workspace(tmp_path / "ws")
    load_logs(workspace, [tmp_path / above / "logs.zip" for above in ("staging", "prod")])
    assert set(workspace.read(schemas.Sequences)["run"]) == {"staging_run_1", "prod_run_1"}
