"""A file that was found, with the names of its sequence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from os.path import commonpath
from pathlib import Path, PurePath, PurePosixPath

from lo2core.load.compression import USUAL_RATIO, is_compressed_log
from lo2core.load.names import normal_form, piece_of, stem_of

TABLE = "table of events"
FLATTENED = "flattened"
ANY_RUN = "folders by run"
RUNS = {
    "full set": re.compile(r"^light-oauth2-data[-_](?P<epoch>[0-9]{9,11})$", re.I),
    "newer script": re.compile(r"^LO2_run[-_](?P<epoch>[0-9]{9,11})$", re.I),
    "hand-made": re.compile(r"^run[-_]?[0-9]+$", re.I),
}
"""How each layout names the folders of runs."""


@dataclass(frozen=True)
class LogFile:
    """A file, and for a service log the sequence that it contains."""

    path: Path
    source: str
    """Name in the ledger: the name of the root or archive, and the path of the file in it."""
    bytes: int
    run: str | None = None
    folder: str | None = None
    test_case: str | None = None
    repetition: int | None = None
    service: str | None = None
    normal: bool | None = None
    """Whether the test case is normal; None if that is not known."""
    layout: str | None = None
    home: Path | None = None
    """The folder of the test case, if it is not the one that contains the file."""
    older: tuple[Path, ...] = ()
    """Rotated pieces of the same log, oldest first; they are read before it."""
    container: str | None = None
    """The container whose lines are read, of a file that holds those of several."""
    regular: bool = True
    """False for a pipe or a device, which is never read."""
    modified: int = 0
    """When the file, or the archive that contains it, was last changed, in ns since 1970."""
    damage: str | None = None
    """A text about the damage of the archive that it comes from, if that concerns this file."""

    @property
    def text_bytes(self) -> int:
        """Bytes of text; an estimate for a compressed log."""
        return self.bytes * (USUAL_RATIO if is_compressed_log(self.path.name) else 1)

    @property
    def epoch(self) -> datetime | None:
        """Start of the run in UTC, from the name of its folder; None if the name does not contain it."""
        match = next(filter(None, (form.match(self.run or "") for form in RUNS.values())), None)
        epoch = match.groupdict().get("epoch") if match else None
        return datetime.fromtimestamp(int(epoch), UTC).replace(tzinfo=None) if epoch else None

    @property
    def seq_id(self) -> str:
        return f"{self.run}__{self.folder}__{self.service}"

    @property
    def case_folder(self) -> Path:
        """The folder of the test case."""
        return self.home or self.path.parent


def layout_of_run(folder: str) -> str | None:
    """The layout whose runs have such names; None if the folder can be anything."""
    return next((layout for layout, form in RUNS.items() if form.match(folder)), None)


def order(file: LogFile) -> tuple[object, ...]:
    """Sort key: runs by epoch, folders and services by name; numbers in names are compared by value."""
    names = [part or "" for part in (file.run, file.folder, file.service)]
    return (file.epoch or datetime.max, *map(natural, names), *names)


def natural(text: str) -> str:
    """Sort key under which `correct_2` comes before `correct_10`."""
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(12), text)


def distinct(names: Iterable[str | None]) -> list[str]:
    """The distinct names in order of first appearance, without None."""
    return [name for name in dict.fromkeys(names) if name is not None]


def last_parts(path: PurePath | str) -> tuple[str, ...]:
    """The last three parts of a path or source: folder of the test cases, test case, log."""
    return PurePosixPath(normal_form(str(path))).parts[-3:]


def with_distinct_runs(files: Sequence[LogFile]) -> list[LogFile]:
    """The files; where two logs would belong to the same sequence, runs get the name of a further folder.

    That is the nearest folder in whose name the two logs differ. All logs of their layouts get the name of that folder,
    unless all logs are below it, so that the runs of one load are named alike: `staging/run-1` and `prod/run-1` become
    `staging_run-1` and `prod_run-1`. Logs that cannot be told apart stay as they are, and so do tables and LO2's runs:
    two runs with the same start in their names are copies of each other.
    """
    renamed, around = list(files), _folder_of_all(files)
    for _ in range(_MOST_FOLDERS):
        pair = same_sequence(sorted(renamed, key=lambda file: file.path))
        number = _first_difference(*pair) if pair else None
        if pair is None or number is None:
            break
        layouts = {file.layout for file in pair}
        renamed = [by_folder_above(file, number, around) if file.layout in layouts else file for file in renamed]
    return renamed


def _folder_of_all(files: Iterable[LogFile]) -> Path | None:
    """The nearest folder that all logs are below."""
    folders = {str(file.case_folder) for file in files if file.service}
    return Path(commonpath(folders)) if len(folders) > 1 else None


_MOST_FOLDERS = 8
"""Folders whose names a run may get."""


def same_sequence(files: Iterable[LogFile]) -> tuple[LogFile, LogFile] | None:
    """The first two logs that belong to the same sequence, if there are any."""
    seen: dict[str, LogFile] = {}
    for file in files:
        if file.service and (other := seen.setdefault(file.seq_id, file)) is not file:
            return other, file
    return None


def _first_difference(one: LogFile, other: LogFile) -> int | None:
    """The number of the nearest folder above two test cases that has different names; None if there is none."""
    if (one.run, one.folder) != (other.run, other.folder):  # only put together, their names are the same
        return None
    pairs = zip(one.case_folder.parents, other.case_folder.parents, strict=False)
    differ = (number for number, (a, b) in enumerate(pairs) if normal_form(a.name) != normal_form(b.name))
    number = next(differ, None)
    fixed = any(file.layout == TABLE or (file.epoch and not _is_below_run(file, number or 0)) for file in (one, other))
    return None if fixed else number


def by_folder_above(file: LogFile, number: int = 0, around: Path | None = None) -> LogFile:
    """The log with the name of a folder in that of its run: of the one above its test case, if the number is 0.

    A folder between the run and the test case is behind the name of the run, any other one in front of it. around: a
    folder that says nothing, like those above it.
    """
    folder = next(islice(file.case_folder.parents, number, None), None)
    if not file.service or folder is None or not folder.name or (around and around.is_relative_to(folder)):
        return file
    name = normal_form(folder.name)
    return replace(file, run=f"{file.run}_{name}" if _is_below_run(file, number) else f"{name}_{file.run}")


def _is_below_run(file: LogFile, number: int) -> bool:
    """Whether a folder above the test case is below the folder of the run."""
    names = [normal_form(folder.name) for folder in file.case_folder.parents]
    return file.run in names[number + 1 :] and file.run not in names[: number + 1]


def log_name(path: Path) -> str:
    """The name of the log that a file belongs to; the file's own name if it is no log."""
    piece = piece_of(path.name)
    return piece.log if piece else path.name


def log_stem(path: Path) -> str:
    """The name of the log that a file belongs to, without its ending, in Unicode's composed form."""
    return normal_form(stem_of(log_name(path)))
