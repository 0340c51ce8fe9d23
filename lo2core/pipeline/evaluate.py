"""Runs the evaluation on a workspace: reads the counts, evaluates recipes, saves the metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dataframely as dy
import polars as pl

from lo2core.base.calls import checked_arguments
from lo2core.base.schemas import Sequences
from lo2core.detect.recipe import Recipe
from lo2core.detect.units import count_unit
from lo2core.detect.vectorizer import check_items
from lo2core.pipeline.inputs import masker_of, read_items, unread_in
from lo2core.pipeline.progress import Progress
from lo2core.pipeline.provenance import data_provenance, evaluation_facts
from lo2core.store.parquet import reads_tables
from lo2core.store.workspace import Workspace

if TYPE_CHECKING:
    from lo2core.detect.evaluation.evaluate import EvaluationProtocol


@checked_arguments
@reads_tables
def evaluate_recipes(
    workspace: Workspace,
    recipes: Sequence[Recipe],
    protocol: EvaluationProtocol | None = None,
    *,
    replace: bool = False,
) -> pl.DataFrame:
    """Evaluate stage: how well each recipe finds faults in runs that it was not trained on.

    Each run is held out in turn and scored by models that were trained on the other runs. Trivial baselines (such as
    the length of a log) are evaluated on the same incidents. protocol: how to evaluate; None holds out runs and leaves
    no test case out of the figures.
    Returns the figures (`schemas.Evaluation`): one row per recipe or baseline, split and level, with AUROC, average
    precision, recall at 1 % and 5 % false alarms and others, all from 0 to 1. They are saved in the workspace together
    with curves and faults, and replace an earlier evaluation of the same recipe; with `replace`, all earlier ones are
    removed.
    Raises InputError if the logs are not labelled or the recipe does not fit them, and ArtefactError if nothing is
    loaded.

    Examples:
        >>> from lo2core import Recipe, Workspace, evaluate_recipes
        >>> workspace = Workspace("demo/result/sample")
        >>> figures = evaluate_recipes(workspace, [Recipe("OutOfVocabulary")])
        >>> found = figures.filter(split="by run", level="incident")
        >>> found.select("detector", "auroc").row(0)
        ('OutOfVocabulary', 0.8625)
        >>> found.filter(kind="shortcut").height
        5
    """
    for recipe in recipes:
        check_items(recipe.items, recipe.unit)
    from lo2core.detect.evaluation import evaluate  # its metrics take a second to import

    protocol = protocol or evaluate.EvaluationProtocol()

    loaded = workspace.snapshot()
    items, sequences = read_items(loaded), loaded.read(Sequences)
    sequences = sequences.with_columns(read=~pl.col("seq_id").is_in(unread_in(loaded, sequences).implode()))
    units = {recipe.unit for recipe in recipes}
    sources = {unit: count_unit(unit).source(items, sequences, masker_of(loaded)) for unit in units}
    known = not replace and all(loaded.has(schema) for schema in evaluate.TABLES)
    saved = evaluate.Evaluated(*(loaded.read(schema) for schema in evaluate.TABLES)) if known else None
    new = None
    total = sum(evaluate.steps(sources[recipe.unit], recipe, protocol) for recipe in recipes)
    with Progress(total, "Evaluate") as progress:
        for recipe in recipes:
            progress.stage(f"Evaluate {recipe.detector}, {recipe.items}")
            facts = evaluation_facts(loaded)
            found = evaluate.evaluate(sources[recipe.unit], sequences, recipe, protocol, facts, progress.advance)
            saved, new = evaluate.merged(saved, found), evaluate.merged(new, found)
            _save(workspace, dict(zip(evaluate.TABLES, saved.frames(), strict=True)), data_provenance(loaded))
    return new.figures if new else evaluate.TABLES[0].create_empty()


def _save(workspace: Workspace, frames: Mapping[type[dy.Schema], pl.DataFrame], provenance: Mapping[str, Any]) -> None:
    with workspace.change() as change:
        for schema, frame in frames.items():
            workspace.write(schema, frame, provenance=provenance, replace=True, change=change)
