"""Runs the predict stage on a workspace: reads counts and bundle, scores, saves the predictions."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from lo2core.base.calls import checked_arguments
from lo2core.base.schemas import EventPredictions, Predictions
from lo2core.detect.calibration import Threshold
from lo2core.detect.fitness import Fitness, judge
from lo2core.detect.predict import predict
from lo2core.detect.units import unit_of
from lo2core.pipeline.bundles import LoadedBundle, open_bundle
from lo2core.pipeline.cluster import Cluster, connected
from lo2core.pipeline.inputs import logs_for
from lo2core.pipeline.progress import Progress
from lo2core.pipeline.provenance import made_by_this_command, prediction_provenance, window_of
from lo2core.store.parquet import reads_tables
from lo2core.store.workspace import Workspace


@checked_arguments
@reads_tables
def predict_logs(
    workspace: Workspace,
    bundle: str | Path,
    name: str | None = None,
    *,
    budget: float | None = None,
    cluster: Cluster | str | None = None,
    replace: bool = False,
) -> Path:
    """Predict stage: score the logs of the workspace with a saved model, without training, and save the predictions.

    name: of the predictions; None derives a free name from that of the bundle. budget: alert budget as false alarms per
    100 normal incidents; None takes that of the model. cluster: as in `load_logs`; its workers score one service each.
    Returns the path of the table (`schemas.Predictions`, one row per sequence, or `schemas.EventPredictions`, one row
    per event); `read_predictions` reads it. For every detector, a higher score is more anomalous. A service that the
    model does not know gets null scores; this and other remarks are printed to standard error.
    Raises UntrustedError or BundleError for a model that cannot be opened, ExistsError if the predictions exist and
    `replace` is not given, and ArtefactError if nothing is loaded or the logs have other masks than the model.

    Examples:
        >>> from lo2core import Workspace, predict_logs, read_predictions
        >>> workspace = Workspace("demo/result/sample")
        >>> predict_logs(workspace, "models/sample_nn.joblib", "wide", budget=20.0).name
        'wide.parquet'
        >>> worst = read_predictions(workspace, "wide").row(0, named=True)
        >>> worst["test_case"], worst["service"], worst["pred_ano"], worst["rank"]
        ('get_client_404_no_client', 'client', True, 1)
    """
    bundle, workspace = Path(bundle), workspace.snapshot()
    loaded = open_bundle(bundle)
    name = name or workspace.free_name(f"{bundle.stem}_predictions")
    made = workspace.metadata(name)
    if made.get("bundle_sha256") == loaded.manifest.get("sha256") and made_by_this_command(workspace, made):
        return workspace.path(name)
    threshold = loaded.model.threshold if budget is None else loaded.model.threshold_at(budget)
    with connected(cluster) as workers, Progress(None, f"Predict with {bundle.name}"):
        logs = logs_for(workspace, loaded.vec)
        fits = judge(loaded.model, loaded.vec, logs, window_of(workspace))
        mapped = workers.map if workers else map
        scores = unit_of(loaded.model).predict(loaded.model, loaded.vec, logs, threshold, mapped)
        return save_predictions(workspace, loaded, scores, threshold, name, fits, replace=replace)


def fitness(workspace: Workspace, bundle: LoadedBundle) -> Fitness:
    """Whether a bundle fits the loaded logs, see `detect.fitness`. Nothing is scored. Raises as `items_for`."""
    workspace = workspace.snapshot()
    logs = logs_for(workspace, bundle.vec)
    return judge(bundle.model, bundle.vec, logs, window_of(workspace))


def recorded_fitness(workspace: Workspace, name: str) -> Fitness | None:
    """The fitness that was recorded with saved predictions; None if there is none."""
    return Fitness.of(workspace.metadata(name).get("fitness", {}))


def score(workspace: Workspace, bundle: LoadedBundle, threshold: Threshold | None = None) -> pl.DataFrame:
    """`schemas.Predictions` of the workspace's sequences, from its counts; nothing is saved."""
    workspace = workspace.snapshot()
    logs = logs_for(workspace, bundle.vec)
    return predict(bundle.model, bundle.vec, logs.items, logs.sequences, threshold, logs.unread)


def save_predictions(
    workspace: Workspace,
    bundle: LoadedBundle,
    predictions: pl.DataFrame | pl.LazyFrame,
    threshold: Threshold,
    name: str,
    fits: Fitness,
    *,
    command: str = "",
    replace: bool = False,
) -> Path:
    """Save scores under `name`, with the provenance of the data, the bundle and the threshold, and with the fitness.

    command: what a user would type for the same, if it differs from the command of this process.
    """
    provenance = prediction_provenance(workspace, bundle, threshold, fits)
    provenance |= {"command": command} if command else {}
    if isinstance(predictions, pl.LazyFrame):  # scores of events, which may not fit in memory
        return workspace.sink(EventPredictions, predictions, name=name, provenance=provenance, replace=replace)
    return workspace.write(Predictions, predictions, name=name, provenance=provenance, replace=replace)
