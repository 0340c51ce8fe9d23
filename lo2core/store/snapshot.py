"""The tables of workspaces as they were at one moment, for readers that read more than one of them.

The files are kept open: what replaces them later does not change what is read. The tables of loaded logs carry the id
of the change that wrote them (`generation` in the footer). Tables with different ids are refused; only a copy by hand
can bring them together. A table without an id was written by hand and goes with all others.
"""

from __future__ import annotations

from io import BufferedReader
from pathlib import Path

from lo2core.base.errors import ArtefactError
from lo2core.base.schemas import (
    Counts,
    EnrichedEvents,
    Evaluation,
    EvaluationCurves,
    EvaluationFaults,
    Events,
    Ledger,
    Messages,
    Sequences,
)
from lo2core.base.table import Table
from lo2core.store.changes import opened, opened_together
from lo2core.store.names import TABLES
from lo2core.store.parquet import footer_of, own_metadata

_LOGS = (Events, Sequences, Ledger, Messages, Counts)
_EVALUATION = (Evaluation, EvaluationCurves, EvaluationFaults)
_MOST_FOLDERS = 12
"""Workspaces and samples whose files are kept open at a time: open files are limited."""


def _file_names(*schemas: type[Table]) -> list[str]:
    return [f"{TABLES[schema]}.parquet" for schema in schemas]


KEPT = _file_names(*_LOGS, EnrichedEvents, *_EVALUATION)
_GENERATIONS = (_file_names(*_LOGS), _file_names(*_EVALUATION))


class Snapshot:
    """Open files by folder; each folder as it was when the first of its tables was read."""

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, BufferedReader | None]] = {}
        self._checked: set[Path] = set()

    def files(self, folder: Path) -> dict[str, BufferedReader | None]:
        """The files named in `KEPT`, None where there is none; those that cannot be opened are left out."""
        if folder not in self._folders:
            if len(self._folders) >= _MOST_FOLDERS:
                self.forget(list(self._folders)[1])  # the first folder is the workspace itself
            self._folders[folder] = _opened_in(folder)
        return self._folders[folder]

    def forget(self, folder: Path) -> None:
        """Read the folder again, the next time, as it is then."""
        self._folders.pop(folder, None)
        self._checked.discard(folder)

    def check(self, folder: Path) -> None:
        """Raise `ArtefactError` if tables that must have been written together were not."""
        if folder in self._checked:
            return
        for group in _GENERATIONS:
            generations = {
                name: _generation(folder / name, file) for name in group if (file := self._file(folder, name))
            }
            known = {name: generation for name, generation in generations.items() if generation}
            if len(set(known.values())) > 1:
                raise ArtefactError(
                    f"{folder} contains tables that were not written together ({', '.join(sorted(known))}): copy all "
                    "of them again, or make them again with --replace."
                )
        self._checked.add(folder)

    def _file(self, folder: Path, name: str) -> BufferedReader | None:
        return self.files(folder).get(name)


def _opened_in(folder: Path) -> dict[str, BufferedReader | None]:
    names = KEPT
    try:
        return dict(zip(names, opened_together([folder / name for name in names]), strict=True))
    except OSError:
        names = [name for name in names if _can_be_opened(folder / name)]
        return dict(zip(names, opened_together([folder / name for name in names]), strict=True))


def _can_be_opened(path: Path) -> bool:
    try:
        file = opened(path)
    except OSError:
        return False
    if file:
        file.close()
    return True


def _generation(path: Path, file: BufferedReader) -> str:
    try:
        return own_metadata(footer_of(path, file))[0].get("generation", "")
    except ArtefactError:  # damaged, which whoever reads it will be told
        return ""
