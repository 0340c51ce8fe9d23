"""Runs the train stage on a workspace: reads the counts, trains, saves the signed bundle."""

from __future__ import annotations

from pathlib import Path

from lo2core.base.calls import checked_arguments
from lo2core.detect import train
from lo2core.detect.known_items import held_out
from lo2core.detect.recipe import Recipe
from lo2core.detect.units import count_unit
from lo2core.pipeline.bundles import default_bundle, save_bundle
from lo2core.pipeline.formats import reading_facts
from lo2core.pipeline.inputs import masker_of, reading_of, training_data
from lo2core.pipeline.progress import Progress
from lo2core.pipeline.provenance import bundle_facts, made_by_this_command, window_of
from lo2core.store import bundles
from lo2core.store.parquet import reads_tables
from lo2core.store.signing import BundleState
from lo2core.store.workspace import Workspace


@checked_arguments
@reads_tables
def train_bundle(
    workspace: Workspace, recipe: Recipe | None = None, bundle: str | Path | None = None, *, replace: bool = False
) -> Path:
    """Train stage: fit one detector per service on the normal sequences of the workspace, and save the model.

    recipe: detector, items and alert budget; None takes the default, `NearestNormal` on messages. bundle: the file to
    save, ending in .joblib; None takes `default_bundle`. Supervised detectors also learn from faulty sequences.
    Scores are calibrated on normals of held-out runs, and the threshold is the z-score at which at most `recipe.budget`
    of 100 normal incidents are flagged.
    Returns the path of the bundle; `open_bundle` opens it.
    Raises ExistsError if the bundle exists and `replace` is not given, InputError for logs without labels or with too
    few normal test cases, and ArtefactError if nothing is loaded.

    Examples:
        >>> from lo2core import Recipe, Workspace, train_bundle
        >>> workspace = Workspace("demo/result/sample")
        >>> train_bundle(workspace, Recipe("OutOfVocabulary", budget=10.0), "models/oov.joblib").name
        'oov.joblib'
    """
    recipe = recipe or Recipe()
    bundle = Path(bundle) if bundle else default_bundle(workspace, recipe)
    if bundles.state(bundle) is BundleState.SIGNED and made_by_this_command(workspace, bundles.facts_of(bundle)):
        return bundle
    bundles.check_free(bundle, replace)
    logs = workspace.snapshot()
    items, sequences, note = training_data(logs)
    source = count_unit(recipe.unit).source(items, sequences, masker_of(logs))
    label = f"Train {recipe.detector}"
    with Progress(train.steps(source, recipe), label) as progress:
        model, vec = train.train(source, recipe, lambda service, n: progress.advance(n, f"{label}: {service}"))
        normal = source.rows.filter("normal")
        yardstick = held_out(source.occurrences(normal, vec), normal, vec)
        read_as = reading_of(logs)
        model.facts |= {"window": window_of(logs), "held_out": yardstick, "formats": read_as.formats}
        if read_as.services_in_part:
            model.facts["in_part"] = read_as.services_in_part
        model.facts["reading"] = reading_facts(logs)
    save_bundle(model, vec, bundle, bundle_facts(logs, model, note), replace=replace)
    return bundle
