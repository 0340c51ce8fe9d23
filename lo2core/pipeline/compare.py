"""Runs the compare stage on a workspace: reads saved predictions, compares them, saves the result."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from lo2core.base.calls import checked_arguments
from lo2core.base.errors import InputError, Lo2Error
from lo2core.base.schemas import INCIDENT_KEY, Counts, Predictions
from lo2core.base.text import file_name
from lo2core.compare import summaries
from lo2core.compare.comparison import Comparison
from lo2core.compare.prediction import SavedPrediction
from lo2core.messages.secrets import exported
from lo2core.pipeline.inputs import masker_of, read_items
from lo2core.pipeline.provenance import command_line
from lo2core.store.parquet import reads_tables
from lo2core.store.predictions import home_of, read_predictions, saved_names
from lo2core.store.workspace import Workspace


def read_saved(workspace: Workspace, name: str) -> SavedPrediction:
    """A saved prediction by its name; `SAMPLE/NAME` for a prediction of a sample.

    It includes the counts of its logs, if these have not changed since.
    Raises InputError if a table written by hand contains a row twice.
    """
    home, table = home_of(workspace.snapshot(), name)
    scored, loaded = (home.metadata(one).get("data_fingerprint") for one in (table, Counts))
    items = read_items(home) if loaded and scored == loaded else None
    masks = masker_of(home).fingerprint
    saved = SavedPrediction(name, read_predictions(home, table), home.metadata(table), items, masks)
    if home.artefact(table).by_hand and saved.frame.select(saved.keys).is_duplicated().any():
        raise InputError(f"{name} was written by hand and contains some rows more than once: keep one of each.")
    return saved


@checked_arguments
@reads_tables
def compare_predictions(workspace: Workspace, names: Sequence[str]) -> Comparison:
    """Compare two or more saved predictions; nothing is saved.

    names: of the predictions; for those of a log sample `<sample>/<name>`.
    Returns a `Comparison`, whose results are computed when they are first used: `verdict`, `rates`, `shifts`, `pairs`,
    `flips`, `metrics` and others, described by `schemas.Compared...`. The first two predictions are A and B, and
    differences are B - A; positive differences of scores mean that B is more anomalous. Significance: paired bootstrap
    over runs and McNemar's test.
    Raises InputError for fewer than two names or a repeated one, and ArtefactError if predictions are missing.

    Examples:
        >>> from lo2core import Workspace, compare_predictions, predict_logs
        >>> workspace = Workspace("demo/result/sample")
        >>> wide = predict_logs(workspace, "models/sample_nn.joblib", "wide", budget=20.0)
        >>> comparison = compare_predictions(workspace, ["sample_nn_predictions", "wide"])
        >>> comparison.same_sequences
        True
        >>> comparison.rates.select("prediction", "rows", "flagged").rows()
        [('sample_nn_predictions', 644, 67), ('wide', 644, 77)]
        >>> comparison.flips.height
        10
    """
    return Comparison(tuple(read_saved(workspace, name) for name in names))


@checked_arguments
def save_comparison(workspace: Workspace, comparison: Comparison, secrets: bool = False) -> list[Path]:
    """Save all tables of a comparison (Parquet and CSV) and report.html; returns their paths.

    The folder is `explainability/compare_<a>_<b>/` in the workspace. An earlier comparison of the same predictions is
    replaced; a hash is added to the name if the folder contains a comparison of others. secrets: as in
    `save_explanation`.

    Examples:
        >>> from lo2core import Workspace, compare_predictions, predict_logs, save_comparison
        >>> workspace = Workspace("demo/result/sample")
        >>> wide = predict_logs(workspace, "models/sample_nn.joblib", "wide", budget=20.0)
        >>> comparison = compare_predictions(workspace, ["sample_nn_predictions", "wide"])
        >>> paths = save_comparison(workspace, comparison)
        >>> [path.parent.name for path in paths if path.name == "report.html"]
        ['compare_sample_nn_predictions_wide']
    """
    from lo2core.report.comparison import comparison_report

    names = [one.name for one in comparison.saved]
    facts: dict[str, Any] = {"command": command_line(), "compared": names}
    found = causes(workspace, comparison)
    pages = {"report": comparison_report(comparison, secrets, found)}
    frames = comparison.frames | ({} if found is None else {"causes": found})
    folder, csv = _folder(workspace, names), partial(exported, secrets=secrets)
    return workspace.keep(folder, frames, pages, facts, csv)


def causes(workspace: Workspace, comparison: Comparison) -> pl.DataFrame | None:
    """The groups of flagged incidents of A and B side by side: `schemas.ComparedGroups`.

    None if a model that made them, or its logs, are no longer there.
    """
    from lo2core.explain.groups import paired_groups  # imports scipy, which no other part of comparing needs
    from lo2core.pipeline.explain import of_other_logs
    from lo2core.pipeline.groups import groups_of

    if any(of_other_logs(*home_of(workspace, name)) for name in comparison.names):
        return None
    try:
        a, b = (groups_of(workspace, name).groups for name in comparison.names)
    except Lo2Error:
        return None
    return paired_groups(a, b)


def _folder(workspace: Workspace, names: Sequence[str]) -> Path:
    joined = "_".join(["compare", *(file_name(name.replace("/", ".")) for name in names)])
    plain = workspace.explanations(joined if len(names) == 2 else file_name(joined))
    kept = Workspace(plain).metadata("provenance").get("compared", names)
    return plain if kept == names else workspace.explanations(file_name("//".join(["compare", *names])))


def history(workspace: Workspace) -> pl.DataFrame:
    """`summaries.history_row` of all saved predictions of a workspace and its samples, oldest first."""
    rows = [history_row(workspace, name) for name in saved_names(workspace)]
    return in_order([_history_row(SavedPrediction("", Predictions.create_empty())).clear(), *rows])


def in_order(rows: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows of `history_row` in the order of `history`."""
    return pl.concat(rows).sort("made", "prediction", "measure")


def history_row(workspace: Workspace, name: str) -> pl.DataFrame:
    """`summaries.history_row` of one saved prediction, by its name as in `read_saved`, from the columns it needs."""
    home, table = home_of(workspace, name)
    columns = (*INCIDENT_KEY, "test_case", "z_score", "threshold", "pred_ano", "anomaly")
    return _history_row(SavedPrediction(name, read_predictions(home, table, columns), home.metadata(table)))


def _history_row(saved: SavedPrediction) -> pl.DataFrame:
    return summaries.history_row(saved, saved.incidents)
