"""One function a stage: call the stage, then the store. Command line, pages and scripts all compute through these."""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from dataclasses import replace as replace_fields
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from lo2core import archives, bundles, enhance, load, parquet, predict, sample, store, train, windows
from lo2core.bundles import LoadedBundle
from lo2core.config import models_dir
from lo2core.errors import ArtefactError, ExistsError, InputError
from lo2core.items import Items, combine, remask
from lo2core.jobs import Progress
from lo2core.load import LoadOptions
from lo2core.masks import Masker, user_rule
from lo2core.model import Threshold
from lo2core.rows import CountSource
from lo2core.store import Workspace
from lo2core.tables import Counts, EnrichedEvents, EventPredictions, Events, Ledger, Messages, Predictions, Sequences
from lo2core.train import Recipe
from lo2core.vectorizer import Vectorizer

if TYPE_CHECKING:
    from lo2core.evaluate import Protocol

_LIST_ROWS = 16_384
"""Rows in a group of the enriched events, which hold lists of tokens."""
_Parts = dict[Any, store.PartsWriter]
_SMALL = (Sequences, Ledger, Messages, Counts)


@dataclass(frozen=True)
class LoadResult:
    """What a load left on disk, and what it says about itself."""

    paths: list[Path]
    plan: str
    ledger: pl.DataFrame

    def sentence(self) -> str:
        """The account of every line, in words."""
        total = self.ledger.select(pl.col(pl.Int64).sum()).row(0, named=True)
        kinds = ("events", "continuations", "orphans", "blank", "skipped")
        parts = ", ".join(f"{total[kind]:,} {kind}" for kind in kinds)
        return f"{self.plan}\n{total['lines']:,} lines: {parts}."


def command_line() -> str:
    """The command of this process as a person would type it."""
    program = "python -m lo2core" if Path(sys.argv[0]).name == "__main__.py" else f"python {sys.argv[0]}"
    return f"{program} {shlex.join(sys.argv[1:])}".strip()


def masker_of(workspace: Workspace) -> Masker:
    """The masks that the workspace was loaded with; the default ones where nothing is loaded."""
    saved = workspace.metadata(Messages).get("masks")
    return Masker.from_json(saved) if saved else Masker()


def extended_masker(workspace: Workspace, rules: Iterable[Sequence[str]]) -> Masker:
    """The workspace's masks with further rules (name, pattern, replacement) behind them; those it has stay as they are.

    Raises InputError for a rule that cannot work or has the name of another one.
    """
    there = masker_of(workspace).rules
    added = [user_rule(*rule) for rule in rules]
    return Masker((*there, *(rule for rule in added if rule not in there)))


def read_items(workspace: Workspace) -> Items:
    """Messages and counts of a workspace."""
    return Items(workspace.read(Messages), workspace.read(Counts))


def load_logs(
    workspace: Workspace,
    roots: Sequence[str | Path],
    options: LoadOptions | None = None,
    *,
    service: str | None = None,
    masker: Masker | None = None,
    jobs: int = 2,
    save_events: bool = True,
    append: bool = False,
    replace: bool = False,
) -> LoadResult:
    """Load stage: read the roots and save events, sequences, ledger, messages and counts in the workspace.

    A load that was interrupted goes on with the runs that were not finished. `append` adds runs to what is there.
    Raises ExistsError when tables are there and neither `append` nor `replace` is given, InputError for bad input.
    """
    options = options or LoadOptions()
    masker = masker or (masker_of(workspace) if append else masker_of(workspace).renewed())
    tables = (Events, *_SMALL) if save_events else _SMALL
    if not append:
        _refuse_existing(workspace, tables, replace)
    with _folders(roots) as folders:
        plan = load.plan(folders, options, service)
        if append:
            _refuse_loaded(workspace, plan)
            _refuse_unlike(workspace, options, save_events)
        parts = {schema: workspace.parts(schema, _key(plan, options, masker)) for schema in tables}
        _load_runs(plan, options, masker, parts, jobs)
        provenance = _provenance(plan=plan.sentence(), options=asdict(options), masks=masker.to_json())
        return _merge(workspace, plan, parts, provenance, append=append)


@contextmanager
def _folders(roots: Sequence[str | Path]) -> Iterator[list[Path]]:
    """The roots, archives unpacked for as long as the block lasts."""
    with ExitStack() as stack:
        if not any(archives.is_archive(Path(root)) for root in roots):
            yield stack.enter_context(load.unpacked(roots))
            return
        with Progress(None, "Unpack", "bytes") as progress:
            folders = stack.enter_context(load.unpacked(roots, progress.advance))
        yield folders


def _key(plan: load.Plan, options: LoadOptions, masker: Masker) -> str:
    """Names the parts of this very load: same files, options and masks."""
    files = [(file.source, file.bytes) for file in plan.chosen]
    return hashlib.sha256(json.dumps([files, asdict(options), masker.fingerprint]).encode()).hexdigest()[:16]


def _refuse_existing(workspace: Workspace, tables: Sequence[Any], replace: bool) -> None:
    there = [workspace.path(schema) for schema in tables if workspace.has(schema)]
    if there and not replace:
        raise ExistsError(
            f"{there[0]} exists already and was not touched: use --replace to load anew, --append to add runs, or "
            "another --output-dir."
        )


def _refuse_unlike(workspace: Workspace, options: LoadOptions, save_events: bool) -> None:
    """Appended logs must be cut as those that are there, and have events if those have."""
    saved = workspace.metadata(Sequences).get("options", {}) | {"save_events": workspace.has(Events)}
    for name, value in {**asdict(options), "save_events": save_events}.items():
        if name in ("window", "skip_init_lines", "save_events") and saved.get(name, value) != value:
            raise InputError(
                f"The workspace was loaded with {name} {saved[name]}, these logs would be with {value}: use the same "
                "setting to append, or load all anew with --replace."
            )


def _refuse_loaded(workspace: Workspace, plan: load.Plan) -> None:
    there = set(workspace.read(Sequences, columns=["run"])["run"])
    if twice := [run for run in plan.runs if run in there]:
        raise InputError(f"The run {twice[0]} is loaded already; append other runs, or load all anew with --replace.")


def _load_runs(plan: load.Plan, options: LoadOptions, masker: Masker, parts: _Parts, jobs: int) -> None:
    """Load every run that has no finished parts yet; the parts of a run are finished together."""
    done = frozenset.intersection(*(frozenset(writer.finished()) for writer in parts.values()))
    with Progress(plan.bytes, "Load", "bytes") as progress, ExitStack() as stack:
        for writer in parts.values():
            stack.enter_context(writer)
        progress.advance(sum(file.bytes for file in plan.chosen if file.run in done))
        folders = load.load_folders(plan, options, masker, jobs=jobs, skip=done)
        for run, group in groupby(folders, key=itemgetter(0)):
            small = []
            for _, loaded in group:
                if Events in parts:
                    parts[Events].append(run, loaded.events)
                small.append(replace_fields(loaded, events=loaded.events.clear()))
                progress.advance(int(loaded.ledger["bytes"].sum()))
            _finish_run(parts, run, load.gather_loaded(small))


def _finish_run(parts: _Parts, run: str, loaded: load.Loaded) -> None:
    frames = (loaded.sequences, loaded.ledger, loaded.items.messages, loaded.items.counts)
    for schema, frame in zip(_SMALL, frames, strict=True):
        parts[schema].append(run, frame)
    for writer in parts.values():
        writer.finish(run)


def _merge(
    workspace: Workspace, plan: load.Plan, parts: _Parts, provenance: dict[str, Any], append: bool
) -> LoadResult:
    """Parts, and with `append` the tables that are there, become the tables of the workspace.

    The sequences come last: they tell what is loaded. After a break before that, rows of these parts are dropped from
    the tables that had been written already.
    """
    new = parts[Sequences].scan().select("seq_id").collect()["seq_id"].to_list()
    saved = [schema for schema in parts if append and workspace.has(schema)]
    before = {schema: [_without(workspace, schema, new)] if schema in saved else [] for schema in parts}
    small = {schema: pl.concat([*before[schema], parts[schema].scan()]).collect() for schema in _SMALL}
    items = combine([Items(small[Messages], small[Counts])])
    ledger = pl.concat([small[Ledger], load.unread(plan)])
    ledger = ledger.sort(pl.col("status") == "not chosen", maintain_order=True)
    ledger = ledger.unique("source", keep="first", maintain_order=True)
    frames = {Ledger: ledger, Messages: items.messages, Counts: items.counts, Sequences: small[Sequences]}
    provenance = provenance | {"data_fingerprint": store.fingerprint(items.counts)}
    paths = [parts[Events].merge(provenance, replace=True, before=before[Events])] if Events in parts else []
    paths += [workspace.write(s, frame, provenance=provenance, replace=True) for s, frame in frames.items()]
    if Events not in parts:
        workspace.remove(Events)  # those of an earlier load are of other logs
    workspace.clear_parts()
    return LoadResult(paths, plan.sentence(), ledger)


def _without(workspace: Workspace, schema: Any, seq_ids: list[str]) -> pl.LazyFrame:
    """A saved table without the rows of some sequences."""
    frame = workspace.scan(schema)
    return frame.filter(~pl.col("seq_id").is_in(seq_ids)) if "seq_id" in schema.column_names() else frame


def enhance_events(workspace: Workspace, *, masker: Masker | None = None, replace: bool = False) -> Path:
    """Enhance stage: save every event with its normalised text, words, trigrams, lengths and template.

    With other masks than the workspace has, messages and counts are masked anew first.
    """
    if workspace.has(EnrichedEvents) and not replace:
        raise ExistsError(f"{workspace.path(EnrichedEvents)} exists already and was not touched: use --replace.")
    if masker and masker.fingerprint != masker_of(workspace).fingerprint:
        _remask(workspace, masker)
    messages = workspace.read(Messages)
    with Progress(None, "Enhance"):
        enriched = enhance.enrich_events(workspace.scan(Events), messages)
        provenance = _provenance_of(workspace)
        return workspace.sink(EnrichedEvents, enriched, provenance=provenance, replace=replace, row_group=_LIST_ROWS)


def training_data(workspace: Workspace) -> tuple[Items, pl.DataFrame, str]:
    """Items and sequences to train on, and a sentence where they are not simply those of the workspace."""
    items, sequences = read_items(workspace), workspace.read(Sequences)
    if not workspace.has(Events):
        return items, sequences, ""
    return windows.cut_single_normal(items, sequences, workspace.scan(Events), masker_of(workspace))


def train_bundle(workspace: Workspace, recipe: Recipe, bundle: Path, *, replace: bool = False) -> Path:
    """Train stage: fit and calibrate on the normal sequences of the workspace and save the signed bundle."""
    bundles.check_free(bundle, replace)
    with Progress(None, f"Train {recipe.detector}"):
        items, sequences, note = training_data(workspace)
        source = CountSource(items, sequences, recipe.unit, masker_of(workspace))
        model, vec = train.train(source, recipe)
    facts = _provenance_of(workspace) | model.facts | {"workspace": str(workspace.root), "note": note}
    bundles.save_bundle(model, vec, bundle, facts, model.make_self_test(vec), replace=replace)
    return bundle


def predict_bundle(
    workspace: Workspace, bundle: Path, name: str | None = None, *, budget: float | None = None, replace: bool = False
) -> Path:
    """Predict stage: score the workspace with a saved bundle, without training, and save the predictions."""
    loaded = bundles.load_bundle(bundle)
    name = name or workspace.free_name(f"{bundle.stem}_predictions")
    threshold = loaded.model.threshold if budget is None else loaded.model.threshold_at(budget)
    with Progress(None, f"Predict with {bundle.name}"):
        if loaded.model.unit == "event":
            return _save_event_scores(workspace, loaded, threshold, name, replace)
        return save_predictions(workspace, loaded, score(workspace, loaded, threshold), name, replace=replace)


def score(workspace: Workspace, bundle: LoadedBundle, threshold: Threshold | None = None) -> pl.DataFrame:
    """`tables.Predictions` of the workspace's sequences, from its counts alone; nothing is saved."""
    items = items_for(workspace, bundle.vec)
    return predict.predict(bundle.model, bundle.vec, items, workspace.read(Sequences), threshold)


def save_predictions(
    workspace: Workspace,
    bundle: LoadedBundle,
    predictions: pl.DataFrame,
    name: str,
    *,
    command: str = "",
    replace: bool = False,
) -> Path:
    """Save scored sequences under `name`, with the bundle and the data they came from.

    `command` is what a person would type for the same, where that is not the command of this process.
    """
    provenance = _prediction_provenance(workspace, bundle, float(predictions["threshold"][0]))
    provenance |= {"command": command} if command else {}
    return workspace.write(Predictions, predictions, name=name, provenance=provenance, replace=replace)


def _save_event_scores(
    workspace: Workspace, bundle: LoadedBundle, threshold: Threshold, name: str, replace: bool
) -> Path:
    events = workspace.scan(Events)
    items = items_for(workspace, bundle.vec)
    scored = predict.predict_events(bundle.model, bundle.vec, items, workspace.read(Sequences), events, threshold)
    provenance = _prediction_provenance(workspace, bundle, threshold.z)
    return workspace.sink(EventPredictions, scored, name=name, provenance=provenance, replace=replace)


def items_for(workspace: Workspace, vec: Vectorizer) -> Items:
    """The workspace's items under the masks of the vectorizer.

    Raises ArtefactError where the logs were masked by rules that the bundle does not know, so that ids cannot match.
    """
    items, mine, its = read_items(workspace), masker_of(workspace), vec.masker
    if mine.fingerprint == its.fingerprint:
        return items
    if its.rules[: len(mine.rules)] == mine.rules:
        return remask(items, its)[0]
    raise ArtefactError(
        f"{workspace.root} was masked by other rules than the bundle was trained with. Load these logs anew with "
        "--replace, or train a bundle on them."
    )


def evaluate_recipes(
    workspace: Workspace, recipes: Sequence[Recipe], protocol: Protocol, *, replace: bool = False
) -> pl.DataFrame:
    """Evaluate stage: add the figures, curves and faults of each recipe to those saved; returns the new figures.

    An evaluation of the same name is replaced; with `replace`, all earlier ones are forgotten.
    """
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
            facts = _evaluation_facts(workspace)
            found = evaluate.evaluate(sources[recipe.unit], sequences, recipe, protocol, facts, progress.advance)
            saved, new = evaluate.merged(saved, found), evaluate.merged(new, found)
            for schema, frame in zip(evaluate.TABLES, saved.frames(), strict=True):
                workspace.write(schema, frame, provenance=_provenance_of(workspace), replace=True)
    return new.figures if new else evaluate.TABLES[0].create_empty()


def _evaluation_facts(workspace: Workspace) -> dict[str, Any]:
    """What an evaluation says of its data: columns window, data_fingerprint, evaluated_at."""
    options = workspace.metadata(Sequences).get("options") or {}
    fingerprint = workspace.metadata(Counts).get("data_fingerprint")
    return {"window": options.get("window"), "data_fingerprint": fingerprint, "evaluated_at": parquet.now()}


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
    """Load, train and predict in one process; returns the files written. `how` goes to `load_logs`."""
    bundles.check_free(bundle, replace)
    loaded = load_logs(workspace, roots, options, replace=replace, **how)
    train_bundle(workspace, recipe, bundle, replace=replace)
    predictions = predict_bundle(workspace, bundle, f"{bundle.stem}_predictions", replace=replace)
    return [*loaded.paths, bundle, predictions]


def demo(workspace: Workspace) -> list[Path]:
    """Make, train on and score the synthetic sample by two detectors, unless that has been done; the files written."""
    bundle = models_dir() / "sample_nn.joblib"
    if workspace.predictions() and bundle.exists():
        return []
    logs = workspace.root / "logs"
    if not logs.exists():
        sample.write_sample(logs)
    second = Recipe("IsolationForest")
    paths = run(workspace, [logs], LoadOptions(), second, models_dir() / "sample_if.joblib", replace=True)
    train_bundle(workspace, Recipe(), bundle, replace=True)
    return [*paths, bundle, predict_bundle(workspace, bundle, f"{bundle.stem}_predictions", replace=True)]


def _provenance(**facts: Any) -> dict[str, Any]:
    return {"command": command_line(), **facts}


def _provenance_of(workspace: Workspace) -> dict[str, Any]:
    """Provenance of what is made from the workspace's loaded tables."""
    return _provenance(data_fingerprint=workspace.metadata(Counts).get("data_fingerprint"))


def _prediction_provenance(workspace: Workspace, bundle: LoadedBundle, threshold: float) -> dict[str, Any]:
    made, trained_on = bundle.manifest, bundle.manifest.get("facts", {}).get("data_fingerprint")
    model = bundle.model.facts | {"data_fingerprint": trained_on}
    facts = {"bundle": str(bundle.path), "bundle_sha256": made.get("sha256"), "model": model}
    facts |= {"versions": made.get("versions")}
    return _provenance_of(workspace) | facts | {"threshold": threshold}


def _remask(workspace: Workspace, masker: Masker) -> None:
    """Mask the loaded messages by rules that extend their own; the ids in the events follow."""
    items, mapping = remask(read_items(workspace), masker)
    facts = {"masks": masker.to_json(), "data_fingerprint": store.fingerprint(items.counts)}
    provenance = workspace.metadata(Messages) | facts
    renamed = workspace.scan(Events).join(mapping.lazy(), on="message_id", how="left", maintain_order="left")
    workspace.sink(Events, renamed.with_columns(message_id="new_id"), provenance=provenance, replace=True)
    workspace.write(Messages, items.messages, provenance=provenance, replace=True)
    workspace.write(Counts, items.counts, provenance=provenance, replace=True)
