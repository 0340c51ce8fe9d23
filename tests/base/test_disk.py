"""Disks that are full, read-only or broken: real errors of the system, through each library that writes."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from helpers.loglines import write_runs

from lo2core.base import disk
from lo2core.base.errors import ArtefactError, DiskError, InputError
from lo2core.pipeline.load import load_logs
from lo2core.store.atomic import write_atomic, write_json_atomic
from lo2core.store.workspace import Workspace

FRAME = pl.DataFrame({"text": [f"line {n}" for n in range(5_000)]})
FULL = Path("/dev/full")

needs_full = pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")


@needs_full
@pytest.mark.parametrize(
    "write",
    [
        FRAME.write_parquet,
        FRAME.lazy().sink_parquet,
        FRAME.write_csv,
        lambda path: pq.write_table(FRAME.to_arrow(), path),
        lambda path: path.write_bytes(b"x" * 100_000),
    ],
    ids=["parquet", "streamed parquet", "csv", "pyarrow", "bytes"],
)
def test_a_full_disk_is_one_sentence_whatever_writes(write: Callable[[Path], object], tmp_path: Path) -> None:
    def fill(temporary: Path) -> None:
        temporary.unlink()
        temporary.symlink_to(FULL)  # a library may remove the file that it could not write
        write(temporary)

    path = tmp_path / "table.parquet"
    path.write_text("old")
    with pytest.raises(DiskError, match=rf"^{path} was not written: the disk is full \(.*\)\. Make room there, then"):
        write_atomic(path, fill, replace=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, r"the disk is full \(7 B needed, .* free in {0}\)\. Make room there"),
        (errno.EDQUOT, r"the disk quota of your account is used up \(7 B needed, .* free in {0}\)\. Make room there"),
        (errno.EROFS, r"the disk is read-only\. Choose another folder"),
        (errno.EIO, r"the disk reports an error\. Check the disk"),
        (errno.EFBIG, r"it is larger than a file may be there"),
    ],
)
@pytest.mark.parametrize("error", [lambda n: OSError(n, os.strerror(n)), lambda n: RuntimeError(f"bad (os error {n})")])
def test_each_trouble_has_its_sentence(
    number: int, sentence: str, error: Callable[[int], Exception], tmp_path: Path
) -> None:
    found = f"new/log was not written: {sentence.format(re.escape(str(tmp_path)))}"
    with pytest.raises(DiskError, match=found), disk.writing(tmp_path / "new" / "log", needed=7):
        raise error(number)


def test_what_a_library_does_not_say_is_tried(tmp_path: Path) -> None:
    script = """if True:
        import resource
        from pathlib import Path
        import polars as pl
        from lo2core.base.disk import writing
        error = pl.exceptions.ComputeError("parquet: File out of specification: Invalid thrift: transport error")
        try:
            with writing("events.parquet"):
                raise error
        except pl.exceptions.ComputeError:
            print("left as it is")
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, -1))
        with writing("events.parquet"):
            raise error
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert ended.stdout == "left as it is\n"
    assert "DiskError: events.parquet was not written: it is larger than a file may be there" in ended.stderr


def test_other_errors_are_left_as_they_are(tmp_path: Path) -> None:
    for error in (KeyError("os"), FileNotFoundError(errno.ENOENT, "none"), InputError("This file says (os error 28).")):
        with pytest.raises(type(error)) as caught, disk.writing(tmp_path):
            raise error
        assert caught.value is error
    (tmp_path / "file").touch()
    with pytest.raises(ArtefactError, match="could not be written: File exists"):
        write_json_atomic(tmp_path / "file" / "below.json", {})


def test_space_is_checked_where_a_new_folder_would_be(tmp_path: Path) -> None:
    disk.check_space(tmp_path / "a" / "b", 1, "Loading")
    with pytest.raises(DiskError, match=rf"^Loading needs about 1e\+12 TB in {tmp_path}, but only .* are free there"):
        disk.check_space(tmp_path / "a" / "b", 10**24, "Loading")


@needs_full
def test_what_cannot_be_printed_is_one_sentence(tmp_path: Path) -> None:
    with FULL.open("w") as full:
        command = [sys.executable, "-m", "lo2core", "sample", "--output-dir", tmp_path / "sample"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 2
    assert (
        ended.stderr == "lo2core: Nothing more can be written: the disk is full. Make room, then repeat what you did.\n"
    )


@needs_full
def test_work_goes_on_where_its_progress_cannot_be_printed() -> None:
    script = "from lo2core.pipeline.progress import Progress; Progress(1, 'Load').__enter__(); print('goes on')"
    with FULL.open("w") as full:
        ended = subprocess.run([sys.executable, "-c", script], stderr=full, stdout=subprocess.PIPE, text=True)
    assert (ended.returncode, ended.stdout) == (0, "goes on\n")


def test_a_load_that_cannot_fit_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    for run in range(100):
        folder = tmp_path / "logs" / f"run_{run}" / "correct"
        folder.mkdir(parents=True)
        with (folder / "oauth2-client.log").open("wb") as log:
            log.truncate(4 << 40)  # takes no space, and nobody could read it in time
    with pytest.raises(DiskError, match=r"^Loading these logs needs about 44 TB in .*, but only .* are free there"):
        load_logs(Workspace(tmp_path / "ws"), tmp_path / "logs")
    assert not list((tmp_path / "ws").rglob("*.parquet"))


def test_an_archive_that_cannot_fit_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with (tmp_path / "logs.tar.gz").open("wb") as archive:
        archive.truncate(4 << 40)
    found = "^Unpacking these archives needs about 22 TB"
    with pytest.raises(DiskError, match=found):
        load_logs(Workspace(tmp_path / "ws"), tmp_path / "logs.tar.gz")


def test_unpacking_to_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "logs"), "zip", write_runs(tmp_path / "logs"))
    script = """if True:
        import resource
        from pathlib import Path
        from lo2core.load.archives import unpack
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, -1))
        unpack(Path("logs.zip"), Path("to"))
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert re.search(r"DiskError: to/logs was not written: it is larger than a file may be there", ended.stderr)
