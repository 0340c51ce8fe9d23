"""Disks that are full, read-only or broken: real errors of the system, through each library that writes."""

from __future__ import annotations

import errno
import os
import re
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
from lo2core.store.atomic import write_atomic, write_json_atomic

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
    with pytest.raises(DiskError, match=rf"^Loading needs about 1e\+15 GB in {tmp_path}, but only .* are free there"):
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
def test_a_command_works_where_its_progress_cannot_be_written(tmp_path: Path) -> None:
    root = write_runs(tmp_path / "logs", runs=1)
    with FULL.open("w") as full:
        command = [sys.executable, "-m", "lo2core", "load", "--root", root, "--output-dir", tmp_path / "ws"]
        assert subprocess.run(command, stderr=full, stdout=subprocess.DEVNULL).returncode == 0
