"""Archives that lie about themselves: each is refused with a sentence, in little memory and time."""

from __future__ import annotations

import gzip
import lzma
import resource
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from lo2core.base.errors import InputError
from lo2core.load import archive_headers, archives
from lo2core.load.archives import unpack

END = bytes(1024)
LONG = b"a" * (1 << 20)


def header(
    name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, more: Callable[[bytearray], None] | None = None
) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    data = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    if more:
        more(data)
        data[148:156] = b" " * 8
        data[148:156] = b"%06o\0 " % sum(data)
    return bytes(data)


def pax(record: bytes) -> bytes:
    return header("pax", len(record), tarfile.XHDTYPE) + record.ljust(-(-len(record) // 512) * 512, b"\0")


def negative_size(data: bytearray) -> None:
    data[124:136] = b"\xff" + (2**88 - 512).to_bytes(11, "big")


def sparse_map_goes_on(data: bytearray) -> None:
    data[482] = 1


def claimed(kind: bytes) -> Iterable[bytes]:
    """A name, link or attribute of 64 MB."""
    return [header("x", 64 << 20, kind), *[LONG] * 64, header("x.log"), END]


TARS: dict[str, tuple[Callable[[], Iterable[bytes]], str]] = {
    "long name": (lambda: claimed(tarfile.GNUTYPE_LONGNAME), "longer than 64 KiB"),
    "long link": (lambda: claimed(tarfile.GNUTYPE_LONGLINK), "longer than 64 KiB"),
    "attributes": (lambda: claimed(tarfile.XHDTYPE), "longer than 64 KiB"),
    "attributes of all": (lambda: claimed(tarfile.XGLTYPE), "longer than 64 KiB"),
    "attributes of Solaris": (lambda: claimed(tarfile.SOLARIS_XHDTYPE), "longer than 64 KiB"),
    "claims only": (lambda: [header("x", 8 << 30, tarfile.GNUTYPE_LONGNAME), END], "longer than 64 KiB"),
    "names of names": (lambda: [header("x", 5, tarfile.GNUTYPE_LONGNAME) + b"abcd".ljust(512, b"\0")] * 900, "64 KiB"),
    "digits": (lambda: [pax(b"1" * 60_000), header("x.log"), END], "a number of more than 255 digits"),
    "sparse map": (
        lambda: [
            header("x.log", 0, tarfile.GNUTYPE_SPARSE, sparse_map_goes_on),
            *[(b"1".rjust(504) + b"\1").ljust(512)] * 900,
        ],
        "longer than 64 KiB|damaged",
    ),
    "sparse": (lambda: [header("x.log", 0, tarfile.GNUTYPE_SPARSE), END], "neither a regular file nor a folder"),
    "backwards": (lambda: [header("a.log"), header("x.log", more=negative_size), END], "damaged|backwards"),
    "pipe": (lambda: [header("x.log", 0, tarfile.FIFOTYPE), END], "neither a regular file nor a folder"),
    "device": (lambda: [header("x.log", 0, tarfile.CHRTYPE), END], "neither a regular file nor a folder"),
    "unknown kind": (lambda: [header("x", 64 << 20, b"Z"), *[LONG] * 64, END], "neither a regular file nor a folder"),
    "folder outside": (lambda: [header("../x", 0, tarfile.DIRTYPE), END], "a path outside the archive"),
    "no name": (lambda: [header(""), END], "a file without a name"),
    "deep": (lambda: [header("/".join("abcdefghijklmnopqrstuvwxyz" * 2)), END], "more than 32 folders"),
    "long path": (lambda: [pax(b"2011 path=" + b"a/" * 1000 + b"\n"), header("x"), END], "more than 32 folders"),
}


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """At most 300 MB more than the tests have now."""
    if sys.platform != "linux":
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + (300 << 20), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("case", TARS)
def test_a_tar_that_lies(tmp_path: Path, case: str) -> None:
    parts, said = TARS[case]
    with gzip.open(tmp_path / "x.tar.gz", "wb", compresslevel=1) as out:
        for part in parts():
            out.write(part)
    with pytest.raises(InputError, match=rf"^x\.tar\.gz .*({said})"):
        unpack(tmp_path / "x.tar.gz", tmp_path / "out")


def test_folders_count_as_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_MEMBERS", 20)
    written = tmp_path / "x.tar.gz"
    written.write_bytes(gzip.compress(b"".join(header(f"d{n}", 0, tarfile.DIRTYPE) for n in range(21)) + END))
    with pytest.raises(InputError, match="more than 20 files and folders"):
        unpack(written, tmp_path / "a")
    written.write_bytes(gzip.compress(header("a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/x.log") + END))
    with pytest.raises(InputError, match="more than 20 files and folders"):
        unpack(written, tmp_path / "b")


def test_what_follows_the_end_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "max_decompressed", lambda size: 1 << 20)
    monkeypatch.setattr(archive_headers, "MAX_METADATA_BYTES", 1 << 20)
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(header("x.log") + END + bytes(3 << 20)))
    with pytest.raises(InputError, match="far more bytes than expected"):
        unpack(tmp_path / "x.tar.gz", tmp_path / "out")


def test_folders_may_follow_their_files(tmp_path: Path) -> None:
    parts = [header("./", 0, tarfile.DIRTYPE), header("./a/x.log"), header("./a", 0, tarfile.DIRTYPE), END]
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(b"".join(parts)))
    assert [path.name for path in unpack(tmp_path / "x.tar.gz", tmp_path / "out").rglob("*.log")] == ["x.log"]


def test_an_xz_that_asks_for_much_memory(tmp_path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 4 << 20}]
    packed = bytearray(lzma.compress(header("x.log") + END, filters=filters))
    assert packed[12 + 2 : 12 + 5] == b"\x21\x01\x14"  # the filter, the size of its properties, 4 MB
    packed[12 + 4] = 0x25  # 1.5 GB
    packed[12 + 8 : 12 + 12] = struct.pack("<I", zlib.crc32(packed[12:20]))
    (tmp_path / "x.tar.xz").write_bytes(packed)
    with pytest.raises(InputError, match=r"x\.tar\.xz is damaged .*Memory usage limit"):
        unpack(tmp_path / "x.tar.xz", tmp_path / "out")


def test_several_streams_of_xz_are_read_as_one(tmp_path: Path) -> None:
    parts = [lzma.compress(header("x.log", 3) + b"one"), bytes(8), lzma.compress(bytes(509) + END), bytes(4)]
    (tmp_path / "x.tar.xz").write_bytes(b"".join(parts))
    assert (unpack(tmp_path / "x.tar.xz", tmp_path / "out") / "x.log").read_bytes() == b"one"


def raw_zip(names: Iterable[bytes], flags: int = 0, more: bytes = b"", repeats: int = 1, size: int = 0) -> bytes:
    """A zip of empty files, written byte by byte."""
    local, listed = b"", b""
    for name in names:
        sizes = (0, 0, size)
        listed += struct.pack(
            "<4s6H3I5H2I", b"PK\1\2", 20, 20, flags, 0, 0, 0, *sizes, len(name), 0, len(more), 0, 0, 0, len(local)
        )
        listed += name + more
        local += struct.pack("<4s5H3I2H", b"PK\3\4", 20, flags, 0, 0, 0, *sizes, len(name), 0) + name
    listed *= repeats
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(listed), len(local), 0)
    return local + listed + end


ZIPS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a name that begins with NUL": (lambda: raw_zip([b"\0evil.log"]), r"its member '\\x00evil.log' is a path outside"),
    "a name that contains NUL": (lambda: raw_zip([b"a.log\0.exe"]), "is a path outside the archive"),
    "no name": (lambda: raw_zip([b""]), "its member '' is a file without a name"),
    "a name that is not UTF-8": (lambda: raw_zip([b"\xff\xfe.log"], flags=0x800), "a name that is not UTF-8"),
    "only a slash": (lambda: raw_zip([b"/"]), "is a path outside the archive"),
    "only dots": (lambda: raw_zip([b"./."]), "is a file without a name"),
    "a name twice": (lambda: raw_zip([b"a.log", b"a.log"]), "is the name of an earlier member"),
    "members that overlap": (lambda: raw_zip([b"a.log"], repeats=3), "is the name of an earlier member|Overlapped"),
    "many members": (lambda: raw_zip([b"a.log"], repeats=400_000), "more than 200,000 files and folders"),
    "a long list": (lambda: raw_zip([b"a.log"], more=bytes(60_000), repeats=1150), "is larger than 64 MiB"),
    "a size that is wrong": (lambda: raw_zip([b"a.log"], size=100), "is damaged"),
    "an offset that is wrong": (lambda: raw_zip([b"a.log"]).replace(b"PK\3\4", b"PK\7\7"), "is damaged"),
    "deep": (lambda: raw_zip([b"a/" * 40 + b"a.log"]), "more than 32 folders"),
}


@pytest.mark.parametrize("case", ZIPS)
def test_a_zip_that_lies(tmp_path: Path, case: str) -> None:
    made, said = ZIPS[case]
    (tmp_path / "x.zip").write_bytes(made())
    with pytest.raises(InputError, match=rf"^x\.zip .*({said})"):
        unpack(tmp_path / "x.zip", tmp_path / "out")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_zipfile_unpacks_without_limit(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w", method) as pack:
        pack.writestr("x.log", b"one")
    with pytest.raises(InputError, match="compressed by a method other than deflate"):
        unpack(tmp_path / "x.zip", tmp_path / "out")
