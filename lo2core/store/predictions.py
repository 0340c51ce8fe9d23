"""Saved predictions of a workspace and its samples: their names, paths, bundles and tables.

The name of a prediction is the name of its table; for predictions of a sample it is `SAMPLE/NAME`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from lo2core.base.calls import checked_arguments
from lo2core.base.schemas import Counts, EventPredictions, Predictions
from lo2core.base.untrusted import check_regular
from lo2core.store import handwritten
from lo2core.store.bundles import claimed_sha256, has_signed_manifest
from lo2core.store.changes import names
from lo2core.store.parquet import readable, table_name
from lo2core.store.workspace import Workspace


def saved_names(workspace: Workspace) -> list[str]:
    """Names of all saved predictions: the workspace's, then its samples', newest first; unreadable ones last."""
    theirs = [f"{sample.root.name}/{name}" for sample in workspace.samples() for name in sample.predictions()]
    return sorted(workspace.predictions() + theirs, key=lambda name: not _works(*home_of(workspace, name)))


def newest_first(workspace: Workspace) -> list[str]:
    """Names of all saved predictions, newest first; unreadable ones last."""

    def order(name: str) -> tuple[bool, tuple[datetime, int]]:
        home, table = home_of(workspace, name)
        return _works(home, table), home.artefact(table).age

    return sorted(saved_names(workspace), key=order, reverse=True)


def _works(home: Workspace, table: str) -> bool:
    return not handwritten.problem(home, table)


def home_of(workspace: Workspace, name: str) -> tuple[Workspace, str]:
    """The workspace or sample of a saved prediction, and the name of its table there."""
    sample, _, table = name.rpartition("/")
    return (workspace.sample(sample) if sample else workspace), table


@checked_arguments
def read_predictions(workspace: Workspace, name: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Saved predictions: one row per scored sequence (`schemas.Predictions`) or event (`schemas.EventPredictions`).

    columns: only these; None reads all of them. `score` is in units of the detector and `z_score` in spreads above the
    mean of held-out normals of the service; for both, higher is more anomalous. `pred_ano` is z_score >= threshold, and
    rank 1 is the most anomalous row.
    Raises ArtefactError if there are no predictions of that name.

    Examples:
        >>> from lo2core import Workspace, read_predictions
        >>> workspace = Workspace("demo/result/sample")
        >>> predictions = read_predictions(workspace, "sample_nn_predictions")
        >>> flagged = predictions.filter("pred_ano")
        >>> predictions.height, flagged.height, flagged["test_case"].n_unique()
        (644, 67, 11)
    """
    with readable(workspace.path(name)):
        return handwritten.scan(workspace, name).select(columns or pl.all()).collect()


def bundle_of(workspace: Workspace, name: str, models: Path) -> Path | None:
    """The bundle that made saved predictions: at the recorded path, or else of the same name in `models`.

    If that is another one by its SHA-256, a bundle in `models` with the recorded hash counts. So the bundle is found
    after it was renamed, and after a project folder was moved with its models. Predictions may come from anywhere, so
    the recorded path counts only if it is in `models` or this user has signed the bundle. None if the predictions do
    not record a bundle, for example because they were written by hand.
    """
    metadata = workspace.metadata(name)
    recorded, sha256 = metadata.get("bundle"), metadata.get("bundle_sha256")
    if not recorded or "\0" in recorded:
        return None
    path = Path(recorded) if _is_known(Path(recorded), models) else models / Path(recorded).name
    if not sha256 or claimed_sha256(path) == sha256:
        return path
    renamed = (models / one for one in names(models, ".joblib") if claimed_sha256(models / one) == sha256)
    return next(renamed, path)


def _is_known(path: Path, models: Path) -> bool:
    try:
        check_regular(path)
    except OSError:
        return False
    return path.resolve().parent == models.resolve() or has_signed_manifest(path)


def scored_by(workspace: Workspace, bundle_sha256: str | None) -> str | None:
    """The newest saved prediction of the loaded logs by the bundle with this SHA-256; None if there is none."""
    data = workspace.metadata(Counts).get("data_fingerprint")
    for name in workspace.predictions() if data and bundle_sha256 else ():
        made = workspace.metadata(name)
        if (made.get("data_fingerprint"), made.get("bundle_sha256")) == (data, bundle_sha256):
            return name
    return None


def newest_by(workspace: Workspace, detector: str | None) -> str | None:
    """The newest saved prediction of the workspace by this detector, otherwise by any; None if there is none."""
    names = [name for name in newest_first(workspace) if "/" not in name]
    by_it = (name for name in names if workspace.metadata(name).get("model", {}).get("detector") == detector)
    return next(by_it, names[0] if names else None)


def _of_events(workspace: Workspace, name: str) -> bool:
    return workspace.artefact(name).table == table_name(EventPredictions)


def read_sequence_scores(workspace: Workspace, name: str) -> pl.DataFrame:
    """Saved predictions, one row per sequence, worst first. For event scores: the worst event of each, without a rank.

    Within a service, score, z and p all have the same worst event. Raises as `read_predictions`.
    """
    if not _of_events(workspace, name):
        return read_predictions(workspace, name)
    columns = [column for column in Predictions.column_names() if column not in ("seq_id", "rank")]
    worst = {"score": pl.max, "z_score": pl.max, "p_value": pl.min, "pred_ano": pl.max}
    found = handwritten.scan(workspace, name).group_by("seq_id")
    one_each = found.agg(worst.get(column, pl.first)(column) for column in columns)
    ordered = one_each.sort("z_score", "seq_id", descending=[True, False], nulls_last=True)
    with readable(workspace.path(name)):
        return ordered.collect(engine="streaming")
