"""A small project to torture: logs, workspaces, models and predictions, and the commands of every stage."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from random import Random
from threading import Lock
from typing import TypeVar

import polars as pl
from helpers.kills import Commands, Ended
from helpers.loglines import write_runs

from lo2core.cli.commands import main

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
    "sample": "sample --output-dir new",
    "sample in a folder": "sample --output-dir empty",
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
SCORES = "ws/afterwards.parquet"
"""Another command than any of `STAGES`, which reads tables and a model, and the table that it writes."""


T = TypeVar("T")
Content = dict[str, object]


@dataclass(frozen=True)
class Undisturbed:
    """What commands do that nothing disturbs: the content of the project, and how the last of them ended."""

    content: Content
    status: int


@dataclass(frozen=True)
class Operations:
    """What the command of each stage does to files, one kind per operation (see `Ended`), and the seconds it takes."""

    kinds: Mapping[str, Sequence[str]]
    seconds: Mapping[str, float]

    @property
    def all(self) -> list[tuple[str, int]]:
        """Every operation: its stage and its number in it, from 1."""
        return [(stage, at) for stage, kinds in self.kinds.items() for at in range(1, len(kinds) + 1)]

    def of_each_kind(self, draw: Random) -> list[tuple[str, int]]:
        """One operation, drawn at random, of each kind of each stage: writing the 40th log is like writing the 39th."""
        same: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for stage, at in self.all:
            same.setdefault((stage, self.kinds[stage][at - 1]), []).append((stage, at))
        return [draw.choice(cases) for cases in same.values()]

    def chosen(self, amount: int, draw: Random, every: bool) -> list[tuple[str, int]]:
        """All of them; or at most `amount` of one of each kind."""
        if every:
            return self.all
        cases = self.of_each_kind(draw)
        return draw.sample(cases, min(amount, len(cases)))


class Project:
    """A project, and a way to run commands in copies of it."""

    def __init__(self, servers: Sequence[Commands], folder: Path) -> None:
        self._folder, self._numbers, self._here = folder, count(1), Lock()
        self._free: SimpleQueue[Commands] = SimpleQueue()
        for server in servers:
            self._free.put(server)
        self._workers = len(servers)
        self._known: dict[tuple[str, ...], Undisturbed] = {}
        self.original = _made(folder / "original")

    @contextmanager
    def copy(self) -> Iterator[Path]:
        """A copy of the project, which is removed again."""
        folder = Path(shutil.copytree(self.original, self._folder / f"copy-{next(self._numbers)}"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def run(self, folder: Path, command: str, **fault: float) -> Ended:
        """Run a command in a process of its own."""
        server = self._free.get()
        try:
            return server(folder, *command.split(), **fault)
        finally:
            self._free.put(server)

    def each(self, function: Callable[..., T], *arguments: Iterable[object]) -> Iterable[T]:
        """`map`, on as many cores as there are servers."""
        with ThreadPoolExecutor(self._workers) as pool:
            yield from pool.map(function, *arguments)

    def undisturbed(self, *commands: str) -> Undisturbed:
        """What happens when these commands run one after the other in a copy of the project."""
        with self._here:
            if commands not in self._known:
                with self.copy() as folder:
                    status = [_run_here(folder, command) for command in commands][-1]
                    self._known[commands] = Undisturbed(content(folder), status)
            return self._known[commands]

    def operations(self, stages: Sequence[str]) -> Operations:
        """Run the command of each stage, and note what it does to files and how long it takes."""
        measured = dict(zip(stages, self.each(self._measured, stages), strict=True))
        return Operations(
            {stage: kinds for stage, (kinds, _) in measured.items()}, {k: s for k, (_, s) in measured.items()}
        )

    def _measured(self, stage: str) -> tuple[Sequence[str], float]:
        with self.copy() as folder:
            began = time.monotonic()
            return self.run(folder, STAGES[stage]).kinds, time.monotonic() - began


@contextmanager
def project(folder: Path, cores: int = os.cpu_count() or 1) -> Iterator[Project]:
    """A project in an empty folder, with a signing key of its own."""
    key = os.environ.get("LO2_SIGNING_KEY_FILE")
    os.environ["LO2_SIGNING_KEY_FILE"] = str(folder / "signing.key")
    try:
        with ExitStack() as servers:
            yield Project([servers.enter_context(Commands()) for _ in range(cores)], folder)
    finally:
        os.environ.pop("LO2_SIGNING_KEY_FILE")
        if key:
            os.environ["LO2_SIGNING_KEY_FILE"] = key


def _made(folder: Path) -> Path:
    write_runs(folder / "logs", runs=3)
    write_runs(folder / "changed", runs=2, normals=3)
    newest = max(write_runs(folder / "all", runs=4).iterdir())
    shutil.copytree(newest, folder / "more" / newest.name)
    shutil.make_archive(str(folder / "logs"), "zip", folder, "logs")
    for command in _MADE:
        assert _run_here(folder, command) == 0, command
    shutil.copy(folder / "models" / "nn.joblib", folder / "models" / "strange.joblib")
    (folder / "empty").mkdir()
    return folder


def _run_here(folder: Path, command: str) -> int:
    """The exit status of a command that runs in this process, which saves its imports."""
    silent = io.StringIO()
    with chdir(folder), redirect_stdout(silent), redirect_stderr(silent):
        return main(command.split())


def content(folder: Path) -> Content:
    """What a project contains: the rows of each table, the bytes of other files; of manifests, only that they exist.

    Hidden files and the folder of temporary ones are left out, as is when, where and by which command something was
    made.
    """
    return {name: _content(folder / name) for name in _names(folder) if not name.startswith("tmp/")}


def _names(folder: Path) -> list[str]:
    found = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [str(path) for path in found if not any(part.startswith(".") for part in path.parts)]


def _content(path: Path) -> object:
    if path.suffix == ".parquet" and path.stem != "provenance":
        frame = pl.read_parquet(path).drop("evaluated_at", "root", strict=False)
        return frame.shape, int(frame.hash_rows().sum() or 0)
    return path.read_bytes() if path.suffix in (".joblib", ".log", ".csv") else path.suffix


def leftovers(folder: Path) -> list[str]:
    """What a command leaves only when it is killed: temporary files, unpacked archives, a journal."""
    kinds = ("*.tmp", "*.part", ".lo2-journal.*", "alive-*", ".parts")
    found = [path for kind in kinds for path in folder.rglob(kind)] + list((folder / "tmp").glob("*"))
    return [str(path.relative_to(folder)) for path in found]


def unlike(wanted: Content, found: Content) -> str:
    """The names of files that are not as they should be; empty if all are."""
    return ", ".join(name for name in sorted(wanted.keys() | found.keys()) if wanted.get(name) != found.get(name))
