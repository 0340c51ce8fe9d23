"""A file that was found, with the names of its sequence."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
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


def by_folder_above(file: LogFile) -> LogFile:
    """The log with the name of a further folder in that of its run, if its layout leaves that open.

    That is the folder that contains the test cases in the flattened layout, the one that contains the runs if these can
    have any name, and else the one between the run and the test case, if there is one.
    """
    above = file.case_folder.parent
    between = normal_form(above.name)
    if file.layout in (FLATTENED, ANY_RUN):
        name = normal_form(above.parent.name) if file.layout == ANY_RUN else between
        return replace(file, run=f"{name}_{file.run}") if name else file
    return (
        replace(file, run=f"{file.run}_{between}")
        if file.layout in RUNS and file.folder != file.run != between
        else file
    )


def log_name(path: Path) -> str:
    """The name of the log that a file belongs to; the file's own name if it is no log."""
    piece = piece_of(path.name)
    return piece.log if piece else path.name


def log_stem(path: Path) -> str:
    """The name of the log that a file belongs to, without its ending, in Unicode's composed form."""
    return normal_form(stem_of(log_name(path)))
