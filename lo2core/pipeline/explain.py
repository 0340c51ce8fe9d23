"""Runs the explain stage on a workspace: reads inputs, explains, saves the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from lo2core.base.calls import checked_arguments
from lo2core.base.config import models_dir
from lo2core.base.errors import ArtefactError
from lo2core.base.schemas import Counts, Events, Sequences
from lo2core.detect.incidents import Incident, worst_incidents
from lo2core.detect.logs import Logs
from lo2core.detect.units import unit_of
from lo2core.explain import explanation as explain_explanation
from lo2core.explain import raw_lines
from lo2core.explain.evidence import Evidence
from lo2core.explain.explanation import Explanation, unfolded_diff
from lo2core.explain.groups import group_incidents
from lo2core.explain.incidents import false_positives
from lo2core.messages.secrets import exported
from lo2core.pipeline.bundles import LoadedBundle, open_bundle
from lo2core.pipeline.inputs import masked_for, masker_of, read_items, training_data
from lo2core.pipeline.provenance import command_line
from lo2core.store import bundles
from lo2core.store.parquet import intact, reads_tables
from lo2core.store.predictions import bundle_of as recorded_bundle
from lo2core.store.predictions import home_of, read_predictions
from lo2core.store.workspace import Workspace


def evidence(workspace: Workspace, bundle: LoadedBundle) -> Evidence:
    """The inputs of all explanations of this workspace by this bundle, read once."""
    workspace = workspace.snapshot()
    here = _logs(workspace, bundle)
    return Evidence(bundle.model, bundle.vec, here, _training_logs(workspace, bundle, here))


def _training_logs(workspace: Workspace, bundle: LoadedBundle, here: Logs) -> Logs:
    """The logs that the bundle was trained on; `Logs.gone()` if they are missing or have changed."""
    facts = bundle.manifest.get("facts", {})
    home = Workspace(facts.get("workspace") or workspace.root).snapshot()
    unit = unit_of(bundle.model)
    if not unit.knows_training:
        return here
    try:
        mine = home.root.resolve() == workspace.root.resolve() and not facts.get("note")
        logs = here if mine or not home.has(Sequences) else _logs(home, bundle, training=True)
        return logs if unit.has_training(bundle.model, bundle.vec, logs) else Logs.gone()
    except ArtefactError:  # its workspace is damaged, or was masked anew
        return Logs.gone()


def lines_with(workspace: Workspace, item: int) -> pl.DataFrame:
    """`raw_lines.lines_with` of the logs of a workspace."""
    workspace = workspace.snapshot()
    events = workspace.scan(Events) if workspace.has(Events) else None
    logs = Logs(read_items(workspace), workspace.read(Sequences), events)
    return raw_lines.lines_with(logs, masker_of(workspace), item)


def _logs(workspace: Workspace, bundle: LoadedBundle, training: bool = False) -> Logs:
    """The logs of a workspace under the bundle's masks; `training`: cut into windows as they were for training."""
    if training:
        items, sequences, _ = training_data(workspace)
    else:
        items, sequences = read_items(workspace), workspace.read(Sequences)
    items, events = masked_for(workspace, bundle.vec, items)
    return Logs(items, sequences, events)


def bundle_of(workspace: Workspace, name: str) -> LoadedBundle:
    """The opened bundle that made saved predictions; raises ArtefactError if they do not record it."""
    path = recorded_bundle(workspace, name, models_dir())
    if path is None:
        raise ArtefactError(
            f"{workspace.path(name)} does not record which model made it: name the bundle with --bundle."
        )
    return open_bundle(path)


def made_by_another(workspace: Workspace, name: str, bundle: Path) -> str:
    """A sentence if saved predictions record that another bundle made them; otherwise empty."""
    made_by = workspace.metadata(name).get("bundle_sha256")
    if made_by in (None, bundles.claimed_sha256(bundle)):
        return ""
    return (
        f"{name} was made by another model than {bundle.name} is now. The scores are from the earlier model, "
        "the explanations from the current one: predict again to get both from the same model."
    )


def of_other_logs(workspace: Workspace, name: str) -> str:
    """A sentence if saved predictions record that they were made from other logs than are loaded now; else empty."""
    scored, now = (workspace.metadata(table).get("data_fingerprint") for table in (name, Counts))
    if None in (scored, now) or scored == now:
        return ""
    return f"{name} was made from other logs than are loaded now: predict again, since its lines are not these."


@checked_arguments
def explain_incident(
    workspace: Workspace, predictions: str, incident: Incident | str | None = None, bundle: str | Path | None = None
) -> Explanation:
    """Explain one incident of saved predictions; nothing is saved.

    predictions: their name, for those of a log sample `<sample>/<name>`. incident: `run/folder` or
    `run/folder/window`; None takes the one with the highest score. bundle: the model that explains the scores; None
    takes the one that made them.
    Returns an `Explanation`: its attributes `services`, `items`, `lines`, `nearest_normals`, `requests` and
    `first_odd` are frames that `schemas` describes, and `diff` compares the worst service to its nearest normal.
    Raises InputError for an incident that does not exist or has no score, ArtefactError where the predictions are
    missing or do not name their model, and BundleError as `open_bundle`.

    Examples:
        >>> from lo2core import Workspace, explain_incident
        >>> workspace = Workspace("demo/result/sample")
        >>> explanation = explain_incident(workspace, "sample_nn_predictions")
        >>> str(explanation.incident)
        'light-oauth2-data-1735736022/get_client_404_no_client'
        >>> explanation.services.filter("pred_ano")["service"].to_list()
        ['client']
        >>> explanation.items.filter(rank=1).select("here", "normals").row(0)
        (8.0, [0.0, 0.0, 0.0])
    """
    home, name = home_of(workspace.snapshot(), predictions)
    scores = read_predictions(home, name)
    opened = open_bundle(bundle) if bundle else bundle_of(home, name)
    if incident is None:
        incident = worst_incidents(scores, 1)[0]
    elif isinstance(incident, str):
        incident = Incident.parse(incident)
    with intact(home.root):
        return explain_explanation.explain_incident(evidence(home, opened), scores, incident, predictions)


@checked_arguments
@reads_tables
def save_explanation(
    workspace: Workspace, explanation: Explanation, bundle: str | Path | None = None, secrets: bool = False
) -> list[Path]:
    """Save what `explain_incident` returned; returns the paths of the tables (Parquet and CSV) and of report.html.

    They are written to `explainability/<predictions>/<incident>/` in the workspace and replace an earlier explanation
    of the same incident. bundle: as in `explain_incident`. secrets: do not mask passwords, tokens and keys in the
    report and in CSV; Parquet contains them in any case.

    Examples:
        >>> from lo2core import Incident, Workspace, explain_incident, save_explanation
        >>> workspace = Workspace("demo/result/sample")
        >>> incident = Incident("light-oauth2-data-1735736022", "get_client_404_no_client")
        >>> paths = save_explanation(workspace, explain_incident(workspace, "sample_nn_predictions", incident))
        >>> [path.parent.name for path in paths if path.name == "report.html"]
        ['light-oauth2-data-1735736022__get_client_404_no_client']
    """
    home, name = home_of(workspace.snapshot(), explanation.prediction)
    opened = open_bundle(bundle) if bundle else bundle_of(home, name)
    return keep_incident(home, evidence(home, opened), replace(explanation, prediction=name), secrets)


def keep_incident(
    workspace: Workspace, evidence: Evidence, explanation: Explanation, secrets: bool = False
) -> list[Path]:
    """Save an explanation in `explainability/<prediction>/<incident>/`: tables and report.html; returns the paths.

    secrets: as in `save_explanation`.
    """
    from lo2core.report.incident import incident_report

    folder = workspace.explanations(explanation.prediction) / explanation.incident.file_name
    pages = {"report": incident_report(explanation, unfolded_diff(evidence, explanation), secrets)}
    facts = {"prediction": explanation.prediction, "incident": str(explanation.incident)}
    provenance = {"command": command_line(), **facts}
    return workspace.keep(folder, explanation.frames, pages, provenance, partial(exported, secrets=secrets))


def keep_prediction(
    workspace: Workspace,
    evidence: Evidence,
    predictions: pl.DataFrame,
    explanations: Sequence[Explanation],
    secrets: bool = False,
) -> list[Path]:
    """Save a report of a whole prediction under `explainability/<prediction>/`; returns the paths.

    `explanations` (at least one) are shown in order; all explained items are saved too, and the false positives if the
    logs are labelled. secrets: as in `save_explanation`.
    """
    from lo2core.report.prediction import prediction_report

    name = explanations[0].prediction
    made = workspace.metadata(name)
    groups = group_incidents(evidence.model, evidence.vec, evidence.here, predictions).groups
    pages = {"report": prediction_report(name, predictions, explanations, made, secrets, groups)}
    frames = {"items": pl.concat([one.items for one in explanations])}
    wrong, shared = false_positives(evidence, predictions)
    if wrong.height:
        frames |= {"false_positives": wrong, "false_positives_share": shared}
    folder, provenance = workspace.explanations(name), {"command": command_line()}
    return workspace.keep(folder, frames, pages, provenance, partial(exported, secrets=secrets))
