"""The provenance of what is saved: the command, the hash of the data, the bundle that scored them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lo2core.base.clock import now
from lo2core.base.provenance import BundleFacts, DataProvenance, PredictionProvenance
from lo2core.base.schemas import Counts, Sequences
from lo2core.pipeline.lock import repeats_a_killed_command
from lo2core.store.workspace import Workspace

if TYPE_CHECKING:  # a load needs its provenance, too, and should not wait for scipy
    from lo2core.detect.calibration import Threshold
    from lo2core.detect.fitness import Fitness
    from lo2core.detect.model import Model
    from lo2core.pipeline.bundles import LoadedBundle


def command_line() -> str:
    """The command of this process as a person would type it."""
    program = "python -m lo2core" if Path(sys.argv[0]).name == "__main__.py" else f"python {sys.argv[0]}"
    return f"{program} {shlex.join(sys.argv[1:])}".strip()


def window_of(workspace: Workspace) -> float | None:
    """Length in seconds of the windows that the loaded test cases were cut into; None if they are whole."""
    window = workspace.metadata(Sequences).get("options", {}).get("window")
    return window if isinstance(window, int | float) else None


def fingerprint_of(workspace: Workspace) -> str | None:
    """Hash of the loaded counts; None where nothing is loaded, or where it is not recorded."""
    return workspace.metadata(Counts).get("data_fingerprint")


def data_provenance(workspace: Workspace) -> DataProvenance:
    """Provenance of tables made from the loaded logs of a workspace."""
    return {"command": command_line(), "data_fingerprint": fingerprint_of(workspace)}


def made_by_this_command(workspace: Workspace, recorded: DataProvenance | BundleFacts) -> bool:
    """Whether a killed command with the same arguments as this one made something from the logs loaded now."""
    made = (recorded.get("command"), recorded.get("data_fingerprint"))
    return repeats_a_killed_command() and made == (command_line(), fingerprint_of(workspace))


def bundle_facts(workspace: Workspace, model: Model, note: str) -> BundleFacts:
    """The facts of a model trained on the loaded logs of a workspace; `note` says if not all were used unchanged."""
    where: BundleFacts = {"workspace": str(workspace.root.resolve()), "note": note}
    return {**data_provenance(workspace), **model.facts, **where}


def prediction_provenance(
    workspace: Workspace, bundle: LoadedBundle, threshold: Threshold, fits: Fitness
) -> PredictionProvenance:
    """Provenance of predictions: data, bundle by path and hash, facts of its model, threshold, fitness."""
    return {
        **data_provenance(workspace),
        "bundle": str(bundle.path.resolve()),
        "bundle_sha256": bundle.manifest.get("sha256"),
        "model": {**bundle.model.facts, "data_fingerprint": bundle.facts.get("data_fingerprint")},
        "versions": bundle.manifest.get("versions", {}),
        "window": window_of(workspace),
        "threshold": threshold.z,
        "budget": threshold.budget,
        "fitness": fits.facts,
    }


def evaluation_facts(workspace: Workspace) -> dict[str, Any]:
    """The columns of an evaluation that describe its data: window, data_fingerprint, evaluated_at."""
    return {
        "window": window_of(workspace),
        "data_fingerprint": fingerprint_of(workspace),
        "evaluated_at": now(),
    }
