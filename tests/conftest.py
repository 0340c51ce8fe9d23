"""Fixtures: folders with parts of the real logs, and the built documentation. More fixtures are in `../conftest.py`."""

from __future__ import annotations

import fnmatch
import hashlib
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import build_site
import pytest
from helpers.once import once

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"

Unpack = Callable[..., Path]


@pytest.fixture(scope="session")
def site(shared_tmp: Path) -> Path:
    """The built documentation, read only; building it fails on any warning, such as a broken link."""

    def build(folder: Path) -> None:
        built = subprocess.run(
            [sys.executable, build_site.__file__, folder], capture_output=True, text=True, check=False
        )
        assert built.returncode == 0, built.stdout + built.stderr

    return once(shared_tmp / "site", build)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real logs beside the project; without it the test is skipped."""
    if not DATA.is_dir():
        pytest.skip(f"the real logs are not there: {DATA}")
    return DATA


@pytest.fixture(scope="session")
def unpack(real_data: Path, shared_tmp: Path) -> Unpack:
    """`unpack("lo2-runs.tar.xz", "*/correct/*", ...)` gives a folder with the files that match any pattern; read only.

    Without a pattern everything is unpacked. Each choice is unpacked once in a test run, by the first worker.
    """

    def part(archive: str, *patterns: str) -> Path:
        name = hashlib.sha256(repr((archive, patterns)).encode()).hexdigest()[:12]
        return once(shared_tmp / f"real-{name}", lambda folder: _extract(real_data / archive, patterns, folder))

    return part


@pytest.fixture(scope="session")
def labeled(unpack: Unpack) -> Path:
    """Seven public folders, flattened layout: five `correct_<n>`, two faults (35 MB)."""
    return unpack("lo2-labeled.tar.xz") / "LO2" / "Labeled"


@pytest.fixture(scope="session")
def three_runs(unpack: Unpack) -> Path:
    """Part of three generated runs: `correct`, `correct_1`, `correct_2` and two faults that leave a trace (60 MB)."""
    cases = ("correct", "correct_1", "correct_2", "get_client_404_no_client", "update_password_401_wrong_password")
    runs = ("1795452464", "1795453386", "1795454301")
    return unpack("lo2-runs.tar.xz", *(f"*-{run}/{case}/*" for run in runs for case in cases))


def _extract(archive: Path, patterns: tuple[str, ...], folder: Path) -> None:
    with tarfile.open(archive, "r|*") as stream:
        for member in stream:
            if member.isfile() and (not patterns or any(fnmatch.fnmatch(member.name, p) for p in patterns)):
                stream.extract(member, folder, filter="data")
