"""Fixtures for all tests and for the examples in docstrings: settings of their own, the sample, a folder to work in."""

from __future__ import annotations

import doctest
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from helpers.once import once
from helpers.watched import sitecustomize

import lo2core
from lo2core.base.config import SAMPLE_WORKSPACE
from lo2core.load.plan import LoadOptions
from lo2core.load.synthetic import write_sample
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.predict import predict_logs
from lo2core.pipeline.train import train_bundle
from lo2core.store.workspace import Workspace

ROOT = Path(__file__).parent

# Fewer collections of garbage save a twentieth of the CPU time of all tests.
gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session", autouse=True)
def _own_settings(shared_tmp: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test, nor a process it starts, signs with the user's key or works in the user's folders or in the checkout.

    All workers sign with one key, for they share bundles. The value is the file in which `watched` notes what a test
    does elsewhere nevertheless.
    """
    own = tmp_path_factory.mktemp("process")
    for folder in (own / "home", own / "working-folder"):
        folder.mkdir()
    (own / "working-folder" / ".streamlit").symlink_to(ROOT / ".streamlit")
    (own / "notes").touch()
    allowed = (ROOT.parent / "shared", sys.prefix, sys.base_prefix, tempfile.gettempdir(), shared_tmp)
    settings = {
        sitecustomize.VARIABLE: os.pathsep.join(map(str, (own / "notes", ROOT, Path.home(), *allowed))),
        "PYTHONPATH": sitecustomize.__file__.rpartition("/")[0],
        "HOME": own / "home",
        "LO2_SIGNING_KEY_FILE": shared_tmp / "signing.key",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, str(value))
        for name in ("LO2_WORKSPACE", "LO2_MODELS", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
            patch.delenv(name, raising=False)
        patch.chdir(own / "working-folder")
        sitecustomize.watch()
        yield own / "notes"


@pytest.fixture(autouse=True)
def _stays_in_its_folders(_own_settings: Path) -> Iterator[None]:
    yield
    noted = _own_settings.read_text().splitlines()
    os.truncate(_own_settings, 0)
    left = {path.name for path in _own_settings.with_name("working-folder").iterdir()} - {".streamlit"}
    noted += [f"leaves {name} in the working folder" for name in sorted(left)]
    assert not noted, "No test may use the checkout's results, the home folder, a fixed port or the network."


@pytest.fixture(scope="session")
def shared_tmp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A temporary folder that all xdist workers of this test run see."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def sample_logs(shared_tmp: Path) -> Path:
    """The synthetic LO2 folder of `make run`, read only: copy it to change it."""
    return once(shared_tmp / "sample-logs", lambda folder: write_sample(folder, seed=7))


@pytest.fixture(scope="session")
def loaded_sample(sample_logs: Path, shared_tmp: Path) -> Path:
    """The sample, loaded into a workspace; read only: copy it to write."""
    return once(
        shared_tmp / "sample-workspace", lambda folder: load_logs(Workspace(folder), [sample_logs], LoadOptions())
    )


@pytest.fixture(scope="session")
def sample_project(sample_logs: Path, loaded_sample: Path, shared_tmp: Path) -> Path:
    """A folder as `make run` leaves it: the sample's workspace, a model in `models/` and its predictions; read only."""
    name = "sample_nn.joblib"
    models = once(shared_tmp / "sample-models", lambda to: train_bundle(Workspace(loaded_sample), None, to / name))

    def make(folder: Path) -> None:
        workspace = Workspace(shutil.copytree(loaded_sample, folder / SAMPLE_WORKSPACE))
        (workspace.root / "logs").symlink_to(sample_logs)
        shutil.copytree(models, folder / "models")
        predict_logs(workspace, models / name)

    return once(shared_tmp / "sample-project", make)


@pytest.fixture(scope="session")
def trained_runs(sample_logs: Path, shared_tmp: Path) -> Path:
    """A folder with `ws`, which has two runs of the sample loaded, and `models/lo2_nn.joblib`; read only."""

    def make(folder: Path) -> None:
        workspace = Workspace(folder / "ws")
        load_logs(workspace, [sample_logs], LoadOptions(n_runs=2), jobs=1)
        train_bundle(workspace, None, folder / "models" / "lo2_nn.joblib")

    return once(shared_tmp / "trained-runs", make)


@pytest.fixture(autouse=True)
def _folder_of_an_example(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example in a docstring runs in a copy of `sample_project` of its own."""
    if isinstance(request.node, pytest.DoctestItem):
        copy = request.getfixturevalue("tmp_path") / "project"
        shutil.copytree(request.getfixturevalue("sample_project"), copy, symlinks=True)
        monkeypatch.chdir(copy)


def _is_of_module(self: doctest.DocTestFinder, module: ModuleType | None, found: object) -> bool:
    """Classes of saved models name `lo2core` as their module (`lo2core._PICKLED`); their examples are of another."""
    home = lo2core._PICKLED.get(getattr(found, "__name__", "")) if isinstance(found, type) else None
    if module and home and found.__module__ == "lo2core":
        return module.__name__ == f"lo2core.{home}"
    return _finds(self, module, found)


_finds = doctest.DocTestFinder._from_module
doctest.DocTestFinder._from_module = _is_of_module
