"""Files of a workspace that cannot be used: they are listed with the reason, and everything else works without them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from lo2core.base.errors import ArtefactError
from lo2core.base.schemas import EventPredictions, Predictions
from lo2core.base.untrusted import printable
from lo2core.store import handwritten
from lo2core.store.names import TABLES
from lo2core.store.parquet import table_name
from lo2core.store.workspace import Workspace

_PREDICTIONS = (table_name(Predictions), table_name(EventPredictions))


class Unreadable(NamedTuple):
    """name: as in `predictions.saved_names`; a path for what is not a table. why: a sentence."""

    name: str
    why: str


def unreadable(workspace: Workspace) -> list[Unreadable]:
    """The tables of a workspace and its samples that cannot be read, then folders in `samples/` with invalid names."""
    found = []
    for home in (workspace, *workspace.samples()):
        prefix = "" if home is workspace else f"{home.root.name}/"
        paths = [home.root / f"{name}.parquet" for name in home.names()]
        found += [Unreadable(f"{prefix}{printable(path.stem)}", why) for path in paths if (why := _why(home, path))]
    return found + [
        Unreadable(
            f"samples/{printable(path.name)}",
            "A sample has a name of at most 100 letters, digits, '.', '-' or '_': rename the folder.",
        )
        for path in workspace.misnamed_samples()
    ]


def damaged(workspace: Workspace) -> list[str]:
    """Names of damaged files of the workspace and its samples that may have been predictions."""
    found = []
    for home in (workspace, *workspace.samples()):
        prefix = "" if home is workspace else f"{home.root.name}/"
        names = sorted(set(home.names()) - set(TABLES.values()))
        found += [f"{prefix}{printable(name)}" for name in names if home.artefact(name).problem]
    return found


def _why(home: Workspace, path: Path) -> str:
    """Why a table cannot be used; empty if it can, or if it is no table of lo2core."""
    artefact = home.artefact(path.stem)
    if not artefact.exists:
        return f"{path} is a link to a file that does not exist." if path.is_symlink() else ""
    schemas = [schema for schema, name in TABLES.items() if name == path.stem]
    try:
        for schema in schemas:
            home.scan(schema)
    except ArtefactError as error:
        return str(error)
    if artefact.problem or not artefact.doubt:
        return artefact.problem or (handwritten.problem(home, path.stem) if artefact.table in _PREDICTIONS else "")
    return f"How it was made cannot be read ({artefact.doubt}), so it counts as written by hand."
