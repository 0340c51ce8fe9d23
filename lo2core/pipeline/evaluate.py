"""Runs the evaluation on a workspace: reads the counts, evaluates recipes, saves the metrics."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import compress
from operator import not_
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from lo2core.base.calls import checked_arguments
from lo2core.base.provenance import DataProvenance, EvaluationProvenance
from lo2core.base.schemas import Sequences
from lo2core.base.table import Table
from lo2core.base.types import Mapped
from lo2core.detect.recipe import Recipe
from lo2core.detect.units import count_unit
from lo2core.detect.vectorizer import check_items
from lo2core.pipeline.cluster import Cluster, connected
from lo2core.pipeline.inputs import masker_of, read_items, unread_in
from lo2core.pipeline.progress import Progress, tell
from lo2core.pipeline.provenance import data_provenance, evaluation_facts, made_by_this_command
from lo2core.report.scoreboard import in_short
from lo2core.store.parquet import reads_tables
from lo2core.store.workspace import Workspace

if TYPE_CHECKING:
    from lo2core.detect.evaluation.evaluate import Evaluated, EvaluationProtocol


@checked_arguments
@reads_tables
def evaluate_recipes(
    workspace: Workspace,
    recipes: Sequence[Recipe],
    protocol: EvaluationProtocol | None = None,
    *,
    jobs: int = 1,
    cluster: Cluster | str | None = None,
    replace: bool = False,
) -> pl.DataFrame:
    """Evaluate stage: how well each recipe finds faults in runs that it was not trained on.

    Each run is held out in turn and scored by models that were trained on the other runs. Trivial baselines (such as
    the length of a log) are evaluated on the same incidents. protocol: how to evaluate; None holds out runs and leaves
    no test case out of the figures. jobs: number of processes that train supervised detectors.
    cluster: as in `load_logs`; its workers train and score one fold each.
    Each evaluation is saved when it is ready; a command that was killed and is repeated continues with the next one.
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
    recipes = _possible(recipes, sequences)
    units = {recipe.unit for recipe in recipes}
    sources = {unit: count_unit(unit).source(items, sequences, masker_of(loaded)) for unit in units}
    saved, done = _before(loaded, replace)
    facts = evaluation_facts(loaded)
    efforts = [evaluate.steps(sources[one.unit], one, protocol) * one.make().effort for one in recipes]
    ready = [evaluate.name_of(recipe, protocol, facts) in done for recipe in recipes]
    done_before = sum(compress(efforts, ready))
    with connected(cluster) as workers, Progress(sum(efforts), "Evaluate", done=done_before) as progress:
        for recipe in compress(recipes, map(not_, ready)):
            progress.stage(f"Evaluate {recipe.detector}, {recipe.items}")
            advance = partial(_advance, progress, recipe.make().effort)
            mapped = workers.map if workers else _mapped(recipe, jobs)
            facts = evaluation_facts(loaded)
            found = evaluate.evaluate(sources[recipe.unit], sequences, recipe, protocol, facts, advance, mapped)
            saved = evaluate.merged(saved, found)
            done.extend(found.figures["evaluation"].unique(maintain_order=True))
            _save(workspace, dict(zip(evaluate.TABLES, saved.frames(), strict=True)), data_provenance(loaded), done)
            progress.say(in_short(found.figures))
    figures = saved.figures if saved else evaluate.TABLES[0].create_empty()
    return figures.filter(pl.col("evaluation").is_in(done))


def _possible(recipes: Sequence[Recipe], sequences: pl.DataFrame) -> Sequence[Recipe]:
    """The recipes that can be evaluated; supervised ones among others are left out if the logs have no faults."""
    able = [recipe for recipe in recipes if not recipe.make().supervised]
    if sequences["anomaly"].any() or not able:
        return recipes
    left_out = [recipe.detector for recipe in recipes if recipe not in able]
    if left_out:
        tell(f"Not evaluated, since they learn from labelled faults and these logs have none: {', '.join(left_out)}.")
    return able


def _before(workspace: Workspace, replace: bool) -> tuple[Evaluated | None, list[str]]:
    """The saved evaluations to keep, and the names of those that a killed command with the same arguments has saved."""
    from lo2core.detect.evaluation import evaluate

    if not all(workspace.has(schema) for schema in evaluate.TABLES):
        return None, []
    recorded = cast(EvaluationProvenance, workspace.metadata(evaluate.TABLES[0]))
    done = recorded.get("evaluations", []) if made_by_this_command(workspace, recorded) else []
    if replace and not done:
        return None, []
    return evaluate.Evaluated(*(workspace.read(schema) for schema in evaluate.TABLES)), done


def _advance(progress: Progress, effort: float, n: int) -> None:
    progress.advance(effort * n)


def _mapped(recipe: Recipe, jobs: int) -> Mapped:
    return partial(_in_processes, jobs) if jobs > 1 and recipe.make().supervised else map


def _in_processes(jobs: int, function: Callable[[Any], Any], values: Iterable[Any]) -> Iterable[Any]:
    """`map` in several processes."""
    from joblib import Parallel, delayed  # slow to import

    calls = (delayed(_without_warnings)(function, value) for value in values)
    results: Iterable[Any] = Parallel(n_jobs=jobs, return_as="generator")(calls)
    return results


def _without_warnings(function: Callable[[Any], Any], value: Any) -> Any:
    """Each process would repeat them for each fold."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(value)


def _save(
    workspace: Workspace, frames: Mapping[type[Table], pl.DataFrame], made: DataProvenance, done: list[str]
) -> None:
    provenance: EvaluationProvenance = {**made, "evaluations": done}
    with workspace.change() as change:
        for schema, frame in frames.items():
            workspace.write(schema, frame, provenance=provenance, replace=True, change=change)
