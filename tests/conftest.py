"""Fixtures: folders with parts of the real logs, and the built documentation. More fixtures are in `../conftest.py`."""

from __future__ import annotations

import fnmatch
import hashlib
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Generator
from itertools import chain
from pathlib import Path

import build_site
import pytest
from _pytest.doctest import DoctestModule
from helpers.once import once
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"

SLOWEST = 10
"""Files that `make test` names at its end."""

Unpack = Callable[..., Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests start first: they wait most, and one worker runs them all."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """With `--dist loadfile`, one worker runs all browser tests, while the others keep the cores busy."""
    return _Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


class _Scheduling(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Examples in docstrings are tests in the package, not here."""
    return [found for found in (yield) if not isinstance(found, DoctestModule)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the slowest files, where there are many."""
    seconds = Counter[str]()
    for report in chain(*terminalreporter.stats.values()):
        if isinstance(report, pytest.TestReport):
            seconds[report.nodeid.partition("::")[0]] += report.duration
    if len(seconds) > SLOWEST:
        terminalreporter.section("slowest files")
        for name, spent in seconds.most_common(SLOWEST):
            terminalreporter.write_line(f"{spent:6.1f} s  {name}")


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
