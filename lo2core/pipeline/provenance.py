"""Where an artefact comes from: the command that made it, the data by their fingerprint, the bundle that scored."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

from lo2core.base.clock import now
from lo2core.base.schemas import Counts, Sequences
from lo2core.detect.calibration import Threshold
from lo2core.store.bundles import LoadedBundle
from lo2core.store.workspace import Workspace


def command_line() -> str:
    """The command of this process as a person would type it."""
    program = "python -m lo2core" if Path(sys.argv[0]).name == "__main__.py" else f"python {sys.argv[0]}"
    return f"{program} {shlex.join(sys.argv[1:])}".strip()


def window_of(workspace: Workspace) -> float | None:
    """Length in seconds of the windows that the loaded test cases were cut into; None where they are whole."""
    return (workspace.metadata(Sequences).get("options") or {}).get("window")


def data_provenance(workspace: Workspace) -> dict[str, Any]:
    """Provenance of what is made from the workspace's loaded tables: command, data_fingerprint."""
    return {"command": command_line(), "data_fingerprint": workspace.metadata(Counts).get("data_fingerprint")}


def prediction_provenance(workspace: Workspace, bundle: LoadedBundle, threshold: Threshold) -> dict[str, Any]:
    """Provenance of predictions: that of their data, the bundle by path and hash, what its model says of itself."""
    made, trained_on = bundle.manifest, bundle.manifest.get("facts", {}).get("data_fingerprint")
    model = bundle.model.facts | {"data_fingerprint": trained_on}
    facts = {"bundle": str(bundle.path.resolve()), "bundle_sha256": made.get("sha256"), "model": model}
    facts |= {"versions": made.get("versions"), "window": window_of(workspace)}
    return data_provenance(workspace) | facts | {"threshold": threshold.z, "budget": threshold.budget}


def evaluation_facts(workspace: Workspace) -> dict[str, Any]:
    """What an evaluation says of its data: columns window, data_fingerprint, evaluated_at."""
    data = workspace.metadata(Counts).get("data_fingerprint")
    return {"window": window_of(workspace), "data_fingerprint": data, "evaluated_at": now()}
