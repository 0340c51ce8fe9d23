"""Loads new logs and scores them with a saved model, in one step; what is new in the scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from lo2core.base.schemas import Messages
from lo2core.detect.fitness import Fitness
from lo2core.load.archives import is_archive, space
from lo2core.load.plan import LoadOptions, Plan
from lo2core.load.walk import as_path
from lo2core.pipeline.bundles import LoadedBundle, open_bundle
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.predict import fitness, predict_logs
from lo2core.pipeline.provenance import fingerprint_of
from lo2core.store.predictions import home_of, newest_first
from lo2core.store.workspace import Workspace

MOST_READ, MOST_UNPACKED = 12 << 20, 64 << 20
"""Bytes of new logs that are read to tell their fitness before they are loaded, and that are unpacked for it."""
_GOLDEN = (5**0.5 - 1) / 2
"""Its multiples modulo 1 are spread evenly, however many there are."""


def score_logs(
    workspace: Workspace,
    roots: Sequence[str | Path],
    options: LoadOptions,
    bundle: Path,
    predictions: str | None = None,
    *,
    replace: bool = False,
    **how: Any,
) -> list[Path]:
    """Load logs into a workspace, usually a sample of another one, and score them; returns the files written.

    The logs are read by the formats of the model's training logs. `how` goes to `load_logs`. A model that cannot be
    opened is refused before anything is loaded. Raises as `load_logs` and `predict_logs`.
    """
    loaded = open_bundle(bundle)
    how["like"] = how.get("like") or (bundle if loaded.manifest else None)
    read = load_logs(workspace, roots, options, replace=replace, **how)
    return [*read.paths, predict_logs(workspace, bundle, predictions, replace=replace)]


def fitness_of_new(
    roots: Sequence[str | Path], options: LoadOptions, bundle: LoadedBundle, plan: Plan
) -> tuple[Fitness, int] | None:
    """Whether a model fits logs that are not loaded yet, by some of their test cases, and how many these are.

    plan: of these logs. Nothing is saved. None if that would take too long. Raises as `load_logs` and `fitness`.
    """
    cases = _some(plan)
    if not cases or sum(map(space, filter(is_archive, map(as_path, roots)))) > MOST_UNPACKED:
        return None
    with TemporaryDirectory() as folder:
        scratch = Workspace(folder)
        load_logs(scratch, roots, options, like=bundle.path, save_events=False, cases=cases)
        return fitness(scratch, bundle), len(cases)


def _some(plan: Plan) -> list[tuple[str | None, str | None]]:
    """Test cases (run, folder) of the plan, evenly chosen, with at most `MOST_READ` bytes."""
    sizes = Counter[tuple[str | None, str | None]]()
    for file in plan.chosen:
        sizes[file.run, file.folder] += file.text_bytes
    cases = list(sizes)
    spread = sorted(range(len(cases)), key=lambda n: (n * _GOLDEN) % 1)
    reached = accumulate(sizes[cases[n]] for n in spread)
    return [cases[n] for n, total in zip(spread, reached, strict=True) if total <= MOST_READ]


def earlier_predictions(workspace: Workspace, name: str) -> list[str]:
    """The saved predictions of a workspace and its samples by the model of this one that are older, newest first."""
    home, table = home_of(workspace, name)
    own = home.artefact(table)
    model = own.metadata.get("bundle_sha256")
    names = newest_first(workspace) if model else []
    found = {one: home_of(workspace, one) for one in names if one != name}
    made = {one: home.artefact(table) for one, (home, table) in found.items()}
    return [one for one, it in made.items() if it.metadata.get("bundle_sha256") == model and it.age < own.age]


def new_messages(workspace: Workspace, logs: Workspace) -> int:
    """How many different messages of these logs no other logs of the workspace and its samples contain."""
    data = fingerprint_of(logs)
    homes = (home for home in (workspace, *workspace.samples()) if home.has(Messages))
    others = [home for home in homes if fingerprint_of(home) != data]
    mine = _messages(logs)
    for home in others:
        mine = mine.join(_messages(home), on="message_id", how="anti")
    return mine.height if others else 0


def free_sample(workspace: Workspace, name: str) -> Workspace:
    """The first of the samples `name`, `name_2`, `name_3`, ... that does not exist."""
    taken = {sample.root.name for sample in workspace.samples()}
    candidates = [name, *(f"{name}_{n}" for n in range(2, len(taken) + 3))]
    return workspace.sample(next(one for one in candidates if one not in taken))


def _messages(home: Workspace) -> pl.DataFrame:
    return home.read(Messages, columns=["message_id", "kind"]).filter(kind="message").select("message_id")
