"""A small project that hostile inputs are put into, and what is asked of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.loglines import write_runs

from lo2core.cli.commands import main
from lo2core.detect.recipe import Recipe
from lo2core.load.plan import LoadOptions
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.predict import predict_logs
from lo2core.pipeline.train import train_bundle
from lo2core.store.workspace import Workspace

Actions = Iterator[Callable[[], object]]


def make_template(folder: Path) -> Path:
    """A small project: logs, a workspace with two predictions and a sample, two models, a signing key."""
    folder.mkdir(parents=True)
    os.environ |= {"LO2_SIGNING_KEY_FILE": str(folder / "signing.key"), "LO2_MODELS": str(folder / "models")}
    logs, workspace = write_runs(folder / "logs"), Workspace(folder / "ws")
    load_logs(workspace, [logs], LoadOptions(), jobs=1)
    for name, detector in (("nn", "NearestNormal"), ("forest", "IsolationForest")):
        predict_logs(workspace, train_bundle(workspace, Recipe(detector), folder / "models" / f"{name}.joblib"), name)
    load_logs(workspace.sample("today"), [logs], LoadOptions(n_runs=1, labels="none"), jobs=1)
    return folder


@dataclass(frozen=True)
class Place:
    """A copy of the template that inputs are put into."""

    template: Path
    folder: Path

    @classmethod
    def copy_of(cls, template: Path, folder: Path) -> Place:
        shutil.copytree(template, folder)
        os.environ |= {"LO2_SIGNING_KEY_FILE": str(folder / "signing.key"), "LO2_MODELS": str(folder / "models")}
        os.environ |= {"LO2_WORKSPACE": str(folder / "ws")}
        return cls(template, folder)

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.folder / "ws")

    @property
    def models(self) -> Path:
        return self.folder / "models"

    def put(self, path: Path, content: bytes) -> Path:
        """Write a file, its time too: `restored` does not take it for a change by lo2core."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def contents(self) -> dict[str, tuple[int, int]]:
        """Time and size of every file of the template."""
        known = (path.relative_to(self.template) for path in self.template.rglob("*") if path.is_file())
        return {str(path): _stamp(self.folder / path) for path in known}

    def restored(self, before: dict[str, tuple[int, int]]) -> list[str]:
        """Remove what the input brought along; returns the files of the template that lo2core has changed."""
        changed = [path for path, stamp in before.items() if _stamp(self.folder / path) != stamp]
        mine = [path for path in changed if (self.folder / f"{path}.attacked").exists()]
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if not (self.template / path.relative_to(self.folder)).exists():
                _remove(path)
        for path in changed:
            _remove(self.folder / path)
            shutil.copy2(self.template / path, self.folder / path)
        return [path for path in changed if path not in mine]

    def attack(self, path: Path, content: bytes) -> Path:
        """Replace a file of the template."""
        path.with_name(f"{path.name}.attacked").touch()
        return self.put(path, content)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        entry = path.lstat()
    except OSError:
        return 0, 0
    return entry.st_mtime_ns, entry.st_size


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def run(*arguments: object) -> None:
    """A command in this process; its exit status is 0 or 2, and it prints no traceback."""
    assert main([os.fspath(one) if isinstance(one, os.PathLike) else str(one) for one in arguments]) in (0, 2)
