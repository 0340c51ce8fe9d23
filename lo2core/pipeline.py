"""One function a stage: call the stage, then the store. Command line, pages and scripts all compute through these."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from lo2core import bundles, enhance, predict, sample, train
from lo2core.bundles import LoadedBundle
from lo2core.config import models_dir
from lo2core.errors import ExistsError, InputError
from lo2core.ingest import LoadResult, load_logs
from lo2core.load import LoadOptions
from lo2core.loaded import extended_masker, items_for, mask_anew, masked_for, masker_of, read_items, training_data
from lo2core.masks import Masker
from lo2core.model import Threshold
from lo2core.progress import Progress
from lo2core.provenance import command_line, data_provenance, evaluation_facts, prediction_provenance, window_of
from lo2core.rows import CountSource
from lo2core.store import Workspace
from lo2core.tables import EnrichedEvents, EventPredictions, Events, Messages, Predictions, Sequences
from lo2core.train import Recipe
from lo2core.vectorizer import check_items

if TYPE_CHECKING:
    from lo2core.evaluate import Protocol

__all__ = [
    "LoadResult",
    "command_line",
    "demo",
    "enhance_events",
    "evaluate_recipes",
    "extended_masker",
    "items_for",
    "load_logs",
    "masker_of",
    "predict_bundle",
    "read_items",
    "run",
    "save_predictions",
    "score",
    "train_bundle",
    "training_data",
]

_LIST_ROWS = 16_384
"""Rows in a group of the enriched events, which hold lists of tokens."""


def enhance_events(workspace: Workspace, *, masker: Masker | None = None, replace: bool = False) -> Path:
    """Enhance stage: save every event with its normalised text, words, trigrams, lengths and template.

    With other masks than the workspace has, messages and counts are masked anew first.
    Raises ExistsError where that, or events enriched before, would be overwritten without `replace`.
    """
    if workspace.has(EnrichedEvents) and not replace:
        raise ExistsError(f"{workspace.path(EnrichedEvents)} exists already and was not touched: use --replace.")
    if masker and masker.fingerprint != masker_of(workspace).fingerprint:
        if not replace:
            raise ExistsError(
                f"The logs in {workspace.root} are masked without these rules and were not touched: use --replace to "
                "mask them anew, and then train anew, since bundles of before cannot score them."
            )
        mask_anew(workspace, masker)
    messages = workspace.read(Messages)
    with Progress(None, "Enhance"):
        enriched = enhance.enrich_events(workspace.scan(Events), messages)
        provenance = data_provenance(workspace)
        return workspace.sink(EnrichedEvents, enriched, provenance=provenance, replace=replace, row_group=_LIST_ROWS)


def train_bundle(workspace: Workspace, recipe: Recipe, bundle: Path, *, replace: bool = False) -> Path:
    """Train stage: fit and calibrate on the normal sequences of the workspace and save the signed bundle."""
    bundles.check_free(bundle, replace)
    with Progress(None, f"Train {recipe.detector}"):
        items, sequences, note = training_data(workspace)
        source = CountSource(items, sequences, recipe.unit, masker_of(workspace))
        model, vec = train.train(source, recipe)
        model.facts["window"] = window_of(workspace)
    facts = data_provenance(workspace) | model.facts | {"workspace": str(workspace.root.resolve()), "note": note}
    bundles.save_bundle(model, vec, bundle, facts, model.make_self_test(vec), replace=replace)
    return bundle


def predict_bundle(
    workspace: Workspace, bundle: Path, name: str | None = None, *, budget: float | None = None, replace: bool = False
) -> Path:
    """Predict stage: score the workspace with a saved bundle, without training, and save the predictions.

    What to know before the scores are believed (`predict.remarks`) is said on standard error.
    """
    loaded = bundles.load_bundle(bundle)
    name = name or workspace.free_name(f"{bundle.stem}_predictions")
    threshold = loaded.model.threshold if budget is None else loaded.model.threshold_at(budget)
    with Progress(None, f"Predict with {bundle.name}"):
        if loaded.model.unit != "sequence":
            path = _save_event_scores(workspace, loaded, threshold, name, replace)
        else:
            scores = score(workspace, loaded, threshold)
            path = save_predictions(workspace, loaded, scores, threshold, name, replace=replace)
    services = workspace.read(Sequences, columns=["service"])["service"]
    for sentence in predict.remarks(loaded.model, services, window_of(workspace)):
        print(sentence, file=sys.stderr)
    return path


def score(workspace: Workspace, bundle: LoadedBundle, threshold: Threshold | None = None) -> pl.DataFrame:
    """`tables.Predictions` of the workspace's sequences, from its counts alone; nothing is saved."""
    items = items_for(workspace, bundle.vec)
    return predict.predict(bundle.model, bundle.vec, items, workspace.read(Sequences), threshold)


def save_predictions(
    workspace: Workspace,
    bundle: LoadedBundle,
    predictions: pl.DataFrame,
    threshold: Threshold,
    name: str,
    *,
    command: str = "",
    replace: bool = False,
) -> Path:
    """Save scored sequences under `name`, with the bundle and the data they came from, and how they were judged.

    `command` is what a person would type for the same, where that is not the command of this process.
    """
    provenance = prediction_provenance(workspace, bundle, threshold)
    provenance |= {"command": command} if command else {}
    return workspace.write(Predictions, predictions, name=name, provenance=provenance, replace=replace)


def _save_event_scores(
    workspace: Workspace, bundle: LoadedBundle, threshold: Threshold, name: str, replace: bool
) -> Path:
    items, events = masked_for(workspace, bundle.vec, read_items(workspace))
    events = workspace.scan(Events) if events is None else events  # says that there are none
    if bundle.model.unit == "row":
        scored = predict.predict_rows(bundle.model, bundle.vec, items.messages, events, threshold)
    else:
        sequences = workspace.read(Sequences)
        scored = predict.predict_events(bundle.model, bundle.vec, items, sequences, events, threshold)
    provenance = prediction_provenance(workspace, bundle, threshold)
    return workspace.sink(EventPredictions, scored, name=name, provenance=provenance, replace=replace)


def evaluate_recipes(
    workspace: Workspace, recipes: Sequence[Recipe], protocol: Protocol, *, replace: bool = False
) -> pl.DataFrame:
    """Evaluate stage: add the figures, curves and faults of each recipe to those saved; returns the new figures.

    An evaluation of the same name is replaced; with `replace`, all earlier ones are forgotten.
    """
    for recipe in recipes:
        check_items(recipe.items, recipe.unit)
    from lo2core import evaluate  # its metrics take a second to import, which no other stage should wait for

    items, sequences = read_items(workspace), workspace.read(Sequences)
    sources = {unit: CountSource(items, sequences, unit, masker_of(workspace)) for unit in {r.unit for r in recipes}}
    known = not replace and all(workspace.has(schema) for schema in evaluate.TABLES)
    saved = evaluate.Evaluated(*(workspace.read(schema) for schema in evaluate.TABLES)) if known else None
    new = None
    total = sum(evaluate.steps(sources[recipe.unit], recipe, protocol) for recipe in recipes)
    with Progress(total, "Evaluate") as progress:
        for recipe in recipes:
            progress.stage(f"Evaluate {recipe.detector}, {recipe.items}")
            facts = evaluation_facts(workspace)
            found = evaluate.evaluate(sources[recipe.unit], sequences, recipe, protocol, facts, progress.advance)
            saved, new = evaluate.merged(saved, found), evaluate.merged(new, found)
            for schema, frame in zip(evaluate.TABLES, saved.frames(), strict=True):
                workspace.write(schema, frame, provenance=data_provenance(workspace), replace=True)
    return new.figures if new else evaluate.TABLES[0].create_empty()


def run(
    workspace: Workspace,
    roots: Sequence[str | Path],
    options: LoadOptions,
    recipe: Recipe,
    bundle: Path,
    *,
    replace: bool = False,
    **how: Any,
) -> list[Path]:
    """Load, train and predict in one process; returns the files written. `how` goes to `load_logs`.

    What cannot be trained in any case is refused before anything is loaded.
    """
    bundles.check_free(bundle, replace)
    check_items(recipe.items, recipe.unit)
    if options.labels == "none":
        raise InputError("Without labels nothing can be trained: use --labels names or normal, or load alone.")
    loaded = load_logs(workspace, roots, options, replace=replace, **how)
    train_bundle(workspace, recipe, bundle, replace=replace)
    predictions = predict_bundle(workspace, bundle, f"{bundle.stem}_predictions", replace=replace)
    return [*loaded.paths, bundle, predictions]


def demo(workspace: Workspace) -> list[Path]:
    """Make, train on and score the synthetic sample by two detectors, unless that has been done; the files written.

    What broke off is made anew. Raises ExistsError where the workspace holds other logs than the sample's.
    """
    bundle = models_dir() / "sample_nn.joblib"
    predictions = f"{bundle.stem}_predictions"
    if workspace.has(predictions) and bundle.exists():
        return []
    _refuse_other_logs(workspace)
    logs = workspace.root / "logs"
    if not logs.exists():
        sample.write_sample(logs)
    second = Recipe("IsolationForest")
    paths = run(workspace, [logs], LoadOptions(), second, models_dir() / "sample_if.joblib", replace=True)
    train_bundle(workspace, Recipe(), bundle, replace=True)
    return [*paths, bundle, predict_bundle(workspace, bundle, predictions, replace=True)]


def _refuse_other_logs(workspace: Workspace) -> None:
    """The tables of a load are written one after the other: where it broke off, only the first of them are there."""
    for schema in filter(workspace.has, (Events, Sequences)):
        runs = workspace.scan(schema, columns=["run"]).unique().collect()["run"]
        if others := sorted(run for run in runs if not sample.is_sample(run)):
            raise ExistsError(
                f"{workspace.root} holds logs that are not the sample's (run {others[0]}) and was not touched: name "
                "another --output-dir."
            )
