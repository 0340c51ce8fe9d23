"""A small project to torture: logs, workspaces, models and predictions, and the commands of every stage."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from helpers.kills import Commands, Ended
from helpers.loglines import write_runs

STAGES = {
    "load": "load --root logs --output-dir new --jobs 1",
    "load an archive": "load --root logs.zip --output-dir new --jobs 1",
    "load --append": "load --root more --output-dir ws --jobs 1 --append",
    "load --replace": "load --root changed --output-dir ws --jobs 1 --replace",
    "enhance": "enhance --output-dir plain",
    "enhance --replace --mask": "enhance --output-dir ws --replace --mask beat beat.[0-9] <BEAT>",
    "train": "train --output-dir ws --bundle models/new.joblib",
    "train --replace": "train --output-dir ws --bundle models/nn.joblib --detector OutOfVocabulary --replace",
    "predict": "predict --output-dir ws --bundle models/nn.joblib --predictions new",
    "predict --replace": "predict --output-dir ws --bundle models/oov.joblib --predictions nn --replace",
    "explain": "explain --predictions nn --output-dir ws --top 2",
    "compare": "compare nn oov --output-dir ws",
    "evaluate": "evaluate --output-dir ws --detector OutOfVocabulary",
    "run": "run --root logs --output-dir new --bundle models/new.joblib --jobs 1",
    "trust": "trust models/strange.joblib",
    "sample": "sample --output-dir sample",
}
"""The commands that are disturbed, by name; each runs in a copy of the project."""

_MADE = (
    "load --root logs --output-dir plain --jobs 1",
    "load --root logs --output-dir ws --jobs 1",
    "enhance --output-dir ws",
    "train --output-dir ws --bundle models/nn.joblib",
    "train --output-dir ws --bundle models/oov.joblib --detector OutOfVocabulary",
    "predict --output-dir ws --bundle models/nn.joblib --predictions nn",
    "predict --output-dir ws --bundle models/oov.joblib --predictions oov",
)


AFTERWARDS = "predict --output-dir ws --bundle models/nn.joblib --predictions afterwards --replace"
"""Another command than any of `STAGES`, which reads tables and a model."""


class Project:
    """A project, and a way to run commands in copies of it."""

    def __init__(self, run: Commands, folder: Path) -> None:
        self._run, self._folder, self._copies = run, folder, 0
        self.original = _made(run, folder / "original")
        self._after: dict[str, dict[str, object]] = {}

    @contextmanager
    def copy(self) -> Iterator[Path]:
        """A copy of the project, which is removed again."""
        self._copies += 1
        folder = Path(shutil.copytree(self.original, self._folder / f"copy-{self._copies}"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def run(self, folder: Path, command: str, **fault: float) -> Ended:
        return self._run(folder, *command.split(), **fault)

    def after(self, *commands: str) -> dict[str, object]:
        """The content of the project after commands that nothing disturbed."""
        key = " && ".join(commands)
        if key not in self._after:
            with self.copy() as folder:
                for command in commands:
                    ended = self.run(folder, command)
                    assert ended.status == 0, ended.output
                self._after[key] = content(folder)
        return self._after[key]


@contextmanager
def project(folder: Path) -> Iterator[Project]:
    """A project in an empty folder, with a signing key of its own."""
    key = os.environ.get("LO2_SIGNING_KEY_FILE")
    os.environ["LO2_SIGNING_KEY_FILE"] = str(folder / "signing.key")
    try:
        with Commands() as run:
            yield Project(run, folder)
    finally:
        os.environ.pop("LO2_SIGNING_KEY_FILE")
        if key:
            os.environ["LO2_SIGNING_KEY_FILE"] = key


def _made(run: Commands, folder: Path) -> Path:
    write_runs(folder / "logs", runs=3)
    write_runs(folder / "changed", runs=2, normals=3)
    newest = max(write_runs(folder / "all", runs=4).iterdir())
    shutil.copytree(newest, folder / "more" / newest.name)
    shutil.make_archive(str(folder / "logs"), "zip", folder, "logs")
    for command in _MADE:
        ended = run(folder, *command.split())
        assert ended.status == 0, ended.output
    shutil.copy(folder / "models" / "nn.joblib", folder / "models" / "strange.joblib")
    return folder


def content(folder: Path) -> dict[str, object]:
    """What a project contains: the rows of each table, the bytes of other files; of manifests, only that they exist.

    Hidden files and the folder of temporary ones are left out, as is when and by which command something was made.
    """
    return {name: _content(folder / name) for name in _names(folder) if not name.startswith("tmp/")}


def _names(folder: Path) -> list[str]:
    found = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [str(path) for path in found if not any(part.startswith(".") for part in path.parts)]


def _content(path: Path) -> object:
    if path.suffix == ".parquet" and path.stem != "provenance":
        frame = pl.read_parquet(path)
        return frame.shape, int(frame.hash_rows().sum() or 0)
    return path.read_bytes() if path.suffix in (".joblib", ".log", ".csv") else path.suffix


def leftovers(folder: Path) -> list[str]:
    """What a command leaves only when it is killed: temporary files, unpacked archives, a journal."""
    kinds = ("*.tmp", "*.part", ".lo2-journal.*", "alive-*", ".parts")
    found = [path for kind in kinds for path in folder.rglob(kind)] + list((folder / "tmp").glob("*"))
    return [str(path.relative_to(folder)) for path in found]
