"""Fixtures for all tests: settings that leave the user's own alone, the sample, parts of the real logs."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from lo2core.load.plan import LoadOptions
from lo2core.load.synthetic import write_sample
from lo2core.pipeline.load import load_logs
from lo2core.store.workspace import Workspace

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"

Unpack = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def _own_settings(shared_tmp: Path) -> Iterator[None]:
    """No test, nor a process it starts, signs with the user's key or works in the user's folders.

    All workers sign with one key, for they share bundles.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LO2_SIGNING_KEY_FILE", str(shared_tmp / "signing.key"))
        for name in ("LO2_WORKSPACE", "LO2_MODELS"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def shared_tmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary folder that all xdist workers of this test run see."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def sample_logs(shared_tmp: Path) -> Path:
    """The synthetic LO2 folder of `make run`, read only: copy it to change it."""
    return _once(shared_tmp / "sample-logs", lambda folder: write_sample(folder, seed=7))


@pytest.fixture(scope="session")
def loaded_sample(sample_logs: Path, shared_tmp: Path) -> Path:
    """The sample, loaded into a workspace; read only: copy it to write."""
    return _once(
        shared_tmp / "sample-workspace", lambda folder: load_logs(Workspace(folder), [sample_logs], LoadOptions())
    )


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
        return _once(shared_tmp / f"real-{name}", lambda folder: _extract(real_data / archive, patterns, folder))

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


def _once(folder: Path, make: Callable[[Path], object]) -> Path:
    """`folder`, filled by `make` unless another worker has done that already."""
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder


def _extract(archive: Path, patterns: tuple[str, ...], folder: Path) -> None:
    with tarfile.open(archive, "r|*") as stream:
        for member in stream:
            if member.isfile() and (not patterns or any(fnmatch.fnmatch(member.name, p) for p in patterns)):
                stream.extract(member, folder, filter="data")
