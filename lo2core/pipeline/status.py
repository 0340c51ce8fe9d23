"""The state of each stage of a workspace (missing, stale or up to date), from footers and small tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from lo2core.base.clock import moment_of
from lo2core.base.errors import Lo2Error
from lo2core.base.schemas import INCIDENT_KEY, Counts, EnrichedEvents, Ledger, Messages, Sequences
from lo2core.base.text import plural
from lo2core.base.untrusted import is_file
from lo2core.detect.fitness import NOT_AT_ALL
from lo2core.detect.incidents import flagged, per_incident
from lo2core.load import verdict
from lo2core.load.ledger import of_logs
from lo2core.store import bundles, signing
from lo2core.store.predictions import bundle_of, home_of, newest_first, read_predictions
from lo2core.store.unreadable import damaged
from lo2core.store.workspace import Artefact, Workspace

FRESH, STALE, MISSING, OPTIONAL, BROKEN = "fresh", "stale", "missing", "optional", "cannot be read"


@dataclass(frozen=True)
class Step:
    """One stage. `why`: a sentence if it is not up to date, or about logs not read well; `facts`: its figures."""

    name: str
    state: str = MISSING
    made: datetime | None = None
    why: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def doubtful(self) -> bool:
        """Whether it says little although it is up to date: logs were not read well, or the model does not fit."""
        badly_read = self.name == "Loaded" and bool(self.why)
        return self.state == FRESH and (badly_read or self.facts.get("fitness") == NOT_AT_ALL)


def chain(workspace: Workspace, models: Path) -> list[Step]:
    """The steps Loaded, Enriched, Model, Predictions, Explained, Compared.

    A step is stale if it was made from other logs (data fingerprint), by an earlier state of its bundle (SHA-256), or
    before the predictions it explains. The newest prediction counts, including those of samples, with the model that
    made it; before the first one, the newest model. A damaged file affects its own step only.
    """
    workspace = workspace.snapshot()
    saved = {name: _artefact(workspace, name) for name in newest_first(workspace)}
    newest = next(iter(saved), None)
    return [
        _told("Loaded", _loaded, workspace),
        _told("Enriched", _enriched, workspace),
        _told("Model", _model, workspace, models, newest),
        _told("Predictions", _predicted, workspace, models, newest),
        _told("Explained", _explained, workspace, saved),
        _told("Compared", _compared, workspace, saved),
    ]


def _told(name: str, step: Callable[..., Step], *arguments: Any) -> Step:
    try:
        return step(*arguments)
    except Lo2Error as error:
        return Step(name, BROKEN, why=str(error))


def _artefact(workspace: Workspace, name: str) -> Artefact:
    home, table = home_of(workspace, name)
    return home.artefact(table)


def _loaded(workspace: Workspace) -> Step:
    name = "Loaded"
    if not workspace.has(Sequences):
        return Step(name, why="No logs are loaded yet.")
    runs = workspace.read(Sequences, columns=["run"])["run"].n_unique()
    created = workspace.artefact(Sequences).created
    if not workspace.has(Ledger):
        return Step(name, FRESH, created, facts={"runs": runs})
    ledger = workspace.read(Ledger)
    facts = {"runs": runs, "lines": of_logs(ledger)["lines"].sum()}
    return Step(name, FRESH, created, verdict.in_short(ledger), facts)


def _enriched(workspace: Workspace) -> Step:
    name, made = "Enriched", workspace.artefact(EnrichedEvents)
    messages = workspace.read(Messages, columns=["kind"]) if workspace.has(Messages) else None
    facts = {} if messages is None else {"messages": messages.filter(pl.col("kind") == "message").height}
    if not made.exists:
        return Step(name, OPTIONAL, why="Events are not enriched; training does not need it.", facts=facts)
    return Step(name, *_made_of(made, workspace), facts=facts)


def _made_of(artefact: Artefact, home: Workspace) -> tuple[str, datetime | None, str]:
    """State, time and reason of a table that records the fingerprint of the logs in `home`."""
    before, data = artefact.metadata.get("data_fingerprint"), _fingerprint(home)
    if before and data and before != data:
        return STALE, artefact.created, _changed(home, artefact.created)
    return FRESH, artefact.created, "Written by hand." if artefact.by_hand else ""


def _fingerprint(workspace: Workspace) -> str | None:
    found: str | None = workspace.metadata(Counts).get("data_fingerprint")
    return found


def _changed(home: Workspace, made: datetime | None) -> str:
    """Why logs have changed since `made`: masks that are added later do not change the table of sequences."""
    loaded = home.artefact(Sequences)
    masked_since = loaded.metadata.get("masks") != home.metadata(Messages).get("masks")
    if masked_since and made and loaded.created and made >= loaded.created:
        return "The logs were enriched with other mask rules since."
    return "The logs were loaded again since."


def _model(workspace: Workspace, models: Path, newest: str | None) -> Step:
    name, data = "Model", _fingerprint(workspace)
    found = bundles.bundles(models)
    mine = [info for info in found if _trained_here(info, workspace, data)]
    used = _used(workspace, models, newest)
    if not mine and not used:
        others = f" Page Predict shows whether one of {plural(len(found), 'saved model')} fits." if found else ""
        return Step(name, why=f"No model was trained here yet.{others}")
    info = max(used or mine, key=_saved)
    facts = {
        "name": info.name,
        "detector": info.facts.get("detector"),
        "normals": info.facts.get("normal_incidents"),
    }
    made = moment_of(bundles.stamp(info.path)[0] / 1e9)
    if info.state is not signing.BundleState.SIGNED:
        return Step(name, STALE, made, f"It is {info.state.value}.", facts)
    if not _trained_here(info, workspace, data):
        return Step(name, FRESH, made, "Trained on other logs.", facts)
    if data and info.facts.get("data_fingerprint") not in (None, data):
        return Step(name, STALE, made, _changed(workspace, made), facts)
    newer = [one.name for one in mine if _saved(one) > _saved(info)]
    return Step(name, FRESH, made, f"Newer: {', '.join(newer)}." if newer else "", facts)


def _trained_here(info: bundles.BundleInfo, workspace: Workspace, data: str | None) -> bool:
    """Whether a model was trained on the loaded logs (with the fingerprint data), or on others in this workspace."""
    same_logs = data is not None and info.facts.get("data_fingerprint") == data
    return same_logs or workspace.is_at(info.facts.get("workspace"))


def _used(workspace: Workspace, models: Path, newest: str | None) -> list[bundles.BundleInfo]:
    """The model that made the newest predictions, if it is known and still there."""
    path = bundle_of(*home_of(workspace, newest), models) if newest else None
    if path is None or not is_file(path):
        return []
    return [bundles.BundleInfo(path, bundles.state(path), bundles.facts_of(path))]


def _saved(info: bundles.BundleInfo) -> int:
    return bundles.stamp(info.path)[0]


def _predicted(workspace: Workspace, models: Path, newest: str | None) -> Step:
    name = "Predictions"
    lost = {"damaged": ", ".join(damaged(workspace)) or None}
    if newest is None:
        return Step(name, why="Nothing is scored yet.", facts=lost)
    home, table = home_of(workspace, newest)
    rows = read_predictions(home, table, [*INCIDENT_KEY, "test_case", "pred_ano"])
    incidents = per_incident(rows, flagged())
    artefact = home.artefact(table)
    facts = {"name": newest, "incidents": incidents.height, "flagged": incidents["pred_ano"].sum()} | lost
    facts["unscored"] = incidents["pred_ano"].null_count() or None
    facts["fitness"] = artefact.metadata.get("fitness", {}).get("verdict")
    state, made, why = _made_of(artefact, home)
    used, then = bundle_of(home, table, models), artefact.metadata.get("bundle_sha256")
    if state == FRESH and used and bundles.claimed_sha256(used) != then:
        state, why = STALE, "The model was trained again since." if is_file(used) else "Its model is missing."
    return Step(name, state, made, why, facts)


def _explained(workspace: Workspace, saved: Mapping[str, Artefact]) -> Step:
    name, kept = "Explained", {}
    for prediction in saved:
        home, table = home_of(workspace, prediction)
        if made := _newest_file(home.explanations(table)):
            kept[prediction] = made
    if not kept:
        return Step(name, OPTIONAL, why="No explanation is saved yet.")
    newest = max(kept, key=lambda one: kept[one])
    made, created, facts = kept[newest], saved[newest].created, {"prediction": newest}
    if created and made < created:
        return Step(name, STALE, made, "The predictions are newer.", facts)
    return Step(name, FRESH, made, facts=facts)


def _compared(workspace: Workspace, saved: Mapping[str, Artefact]) -> Step:
    name, folders = "Compared", list((workspace.root / "explainability").glob("compare_*"))
    times = {folder: made for folder in folders if (made := _newest_file(folder))}
    if not times:
        return Step(name, OPTIONAL, why="No comparison is saved yet.")
    folder = max(times, key=lambda one: times[one])
    compared = Workspace(folder).metadata("provenance").get("compared", ())
    about = [saved[one] for one in compared if one in saved]
    facts = {"name": "\n".join(compared) or folder.name.removeprefix("compare_")}
    if any(one.created and one.created > times[folder] for one in about):
        return Step(name, STALE, times[folder], "A prediction is newer.", facts)
    return Step(name, FRESH, times[folder], facts=facts)


def _newest_file(folder: Path) -> datetime | None:
    """When the newest file of a folder was written; None if there is none."""
    return max(filter(None, map(_written, folder.glob("**/[!.]*"))), default=None)


def _written(path: Path) -> datetime | None:
    try:
        return moment_of(path.stat().st_mtime) if path.is_file() else None
    except OSError:  # it was removed meanwhile, or may not be read
        return None
