"""Several stages in one process: load, train and predict; and the demo on synthetic logs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lo2core.base.config import SAMPLE_MODELS, models_dir
from lo2core.base.errors import ExistsError, InputError
from lo2core.base.schemas import Events, Sequences
from lo2core.detect.recipe import Recipe
from lo2core.detect.vectorizer import check_items
from lo2core.load import synthetic
from lo2core.load.plan import LoadOptions
from lo2core.pipeline.cluster import Cluster, connected
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.lock import repeats_a_killed_command
from lo2core.pipeline.predict import predict_logs
from lo2core.pipeline.train import train_bundle
from lo2core.store import bundles
from lo2core.store.atomic import already_there
from lo2core.store.workspace import Workspace


def run(
    workspace: Workspace,
    roots: Sequence[str | Path],
    options: LoadOptions,
    recipe: Recipe,
    bundle: Path,
    *,
    replace: bool = False,
    cluster: Cluster | str | None = None,
    **how: Any,
) -> list[Path]:
    """Load, train and predict in one process; returns the files written. `how` goes to `load_logs`.

    cluster: as in `load_logs`; it does not train. A recipe that cannot be trained is refused before anything is loaded.
    Repeated after it was killed, it continues.
    """
    predictions = f"{bundle.stem}_predictions"
    if not repeats_a_killed_command():
        bundles.check_free(bundle, replace)
        if workspace.has(predictions) and not replace:
            raise already_there(workspace.path(predictions))
    check_items(recipe.items, recipe.unit)
    if options.labels == "none":
        raise InputError("Without labels nothing can be trained: use --labels names or normal, or only load.")
    with connected(cluster) as workers:
        loaded = load_logs(workspace, roots, options, replace=replace, cluster=workers, **how)
        train_bundle(workspace, recipe, bundle, replace=replace)
        path = predict_logs(workspace, bundle, predictions, replace=replace, cluster=workers)
    return [*loaded.paths, bundle, path]


def demo(workspace: Workspace) -> list[Path]:
    """Make, train on and score the synthetic sample by two detectors, unless they exist; returns the files written.

    The second detector sees only what no normal log contains, so a comparison shows what the first one finds beyond
    that. Incomplete results are made again. Raises ExistsError if the workspace contains other logs than the sample.
    """
    bundle, other = (models_dir() / f"{name}.joblib" for name in SAMPLE_MODELS)
    predictions = f"{bundle.stem}_predictions"
    if workspace.has(predictions) and bundle.exists():
        return []
    _refuse_other_logs(workspace)
    logs = workspace.root / "logs"
    if not logs.exists():
        synthetic.write_sample(logs)
    paths = run(workspace, [logs], LoadOptions(), Recipe("OutOfVocabulary"), other, replace=True)
    train_bundle(workspace, Recipe(), bundle, replace=True)
    return [*paths, bundle, predict_logs(workspace, bundle, predictions, replace=True)]


def _refuse_other_logs(workspace: Workspace) -> None:
    """Raises ExistsError if events or sequences of other logs exist; an interrupted load may leave only one."""
    for schema in filter(workspace.has, (Events, Sequences)):
        runs = workspace.scan(schema, columns=["run"]).unique().collect()["run"]
        if others := sorted(run for run in runs if not synthetic.is_sample(run)):
            raise ExistsError(
                f"{workspace.root} contains other logs than the sample (run {others[0]}) and was not changed: name "
                "another --output-dir."
            )
