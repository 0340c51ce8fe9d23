"""Hostile files of a workspace: tables, footers, manifests, models and job files."""

from __future__ import annotations

import json
from functools import partial
from random import Random
from typing import Any, get_type_hints

import polars as pl
from torture import mutations
from torture.place import Actions, Place, run

from lo2core.base.provenance import Manifest, Metadata
from lo2core.base.schemas import Counts, Events, Ledger, Messages, Sequences
from lo2core.pipeline import compare, jobs, search, status, summary
from lo2core.pipeline.bundles import open_bundle, vouch
from lo2core.pipeline.explain import explain_incident
from lo2core.pipeline.line_filter import LineFilter
from lo2core.store import bundles, unreadable
from lo2core.store.predictions import read_predictions, read_sequence_scores, saved_names

REPORTS = 0.1


def _lists(place: Place) -> Actions:
    """What the pages show of a workspace, whatever else is in it."""
    yield partial(saved_names, place.workspace)
    yield partial(unreadable.unreadable, place.workspace)
    yield partial(status.chain, place.workspace, place.models)
    yield partial(bundles.bundles, place.models)
    yield partial(jobs.status, place.workspace)


def _of_prediction(rng: Random, place: Place, name: str) -> Actions:
    """What commands and pages do with one prediction; reports are rare, since charts take most of the time."""
    yield partial(read_predictions, place.workspace, name)
    yield partial(read_sequence_scores, place.workspace, name)
    yield partial(compare.history_row, place.workspace, name)
    if rng.random() < REPORTS:
        yield partial(run, "explain", "--output-dir", place.workspace, "--predictions", name)
        yield partial(run, "compare", "nn", name, "--output-dir", place.workspace)
    else:
        yield partial(explain_incident, place.workspace, name)
        yield lambda: compare.compare_predictions(place.workspace, ("nn", name)).frames


def predictions(rng: Random, place: Place) -> Actions:
    """A table of predictions with damaged bytes."""
    good = place.workspace.path(rng.choice(["nn", "forest"])).read_bytes()
    place.put(place.workspace.path("x"), mutations.damaged(rng, good))
    yield from _lists(place)
    yield from _of_prediction(rng, place, "x")


def footers(rng: Random, place: Place) -> Actions:
    """A table of predictions with odd provenance in its footer."""
    frame, good = pl.read_parquet(place.workspace.path("nn")), dict(place.workspace.metadata("nn"))
    good |= {key: mutations.odd_value(rng) for key in get_type_hints(Metadata) if rng.random() < 0.1}
    footer = mutations.odd_json(rng, good).decode("utf-8", "replace")
    frame.write_parquet(place.workspace.path("x"), metadata={"lo2core": footer})
    yield from _lists(place)
    yield from _of_prediction(rng, place, "x")


def written_by_hand(rng: Random, place: Place) -> Actions:
    """A table of scores with columns removed, renamed, retyped, nested or filled with odd values."""
    frame = pl.read_parquet(place.workspace.path("nn")).select(rng.sample(_COLUMNS, rng.randint(1, len(_COLUMNS))))
    for _ in range(rng.randint(0, 4)):
        frame = odd_column(rng, frame)
    frame.write_parquet(place.workspace.path("x"))
    yield from _lists(place)
    yield from _of_prediction(rng, place, "x")


_COLUMNS = ["seq_id", "seq_id", "score", "run", "folder", "test_case", "window", "service", "normal", "anomaly"]
_COLUMNS = list(dict.fromkeys([*_COLUMNS, "repetition", "z_score", "p_value", "threshold", "pred_ano", "rank"]))


def odd_column(rng: Random, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with a column removed, renamed or filled with odd values, or with other rows."""
    if not frame.width:
        return frame
    name = rng.choice(frame.columns)
    column = pl.col(name)
    odd = [
        column.cast(pl.String),
        pl.lit(None).alias(name),
        pl.concat_list(column),
        pl.struct(column).alias(name),
        column.cast(pl.Categorical) if frame[name].dtype == pl.String else column,
        pl.lit(rng.choice([float("inf"), float("nan"), -1e308, 0.0])).alias(name),
        pl.lit(mutations.text(rng)).alias(name),
        pl.lit(rng.choice([2**63 - 1, -1, 0])).alias(name),
        pl.when(pl.int_range(pl.len()) % 2 == 0).then(column).alias(name),
        column.first().alias(name),
        column.cast(pl.Binary) if frame[name].dtype == pl.String else column,
        pl.lit(b"\xff").alias(name),
    ]
    match rng.randrange(6):
        case 0:
            new = mutations.text(rng) or "line_no"
            return frame.drop(name) if new in frame.columns or rng.random() < 0.5 else frame.rename({name: new})
        case 1:
            return frame.head(rng.randint(0, 2))
        case 2:
            return frame.with_columns(line_no=pl.int_range(pl.len()))
        case 3:
            return pl.concat([frame, frame])
    try:
        return frame.with_columns(rng.choice(odd))
    except pl.exceptions.PolarsError:  # no such column can be made of this one
        return frame


def logs_tables(rng: Random, place: Place) -> Actions:
    """A table of the loaded logs with damaged bytes, an odd column, or an odd footer."""
    schema = rng.choice([Events, Sequences, Ledger, Messages, Counts])
    path = place.workspace.path(schema)
    good, facts = path.read_bytes(), dict(place.workspace.metadata(schema))
    if rng.random() < 0.5:
        place.attack(path, mutations.damaged(rng, good))
    else:
        frame = odd_column(rng, pl.read_parquet(path))
        footer = mutations.odd_json(rng, facts).decode("utf-8", "replace")
        place.attack(path, b"")
        frame.write_parquet(path, metadata={"lo2core": footer} if rng.random() < 0.5 else {})
    yield from _lists(place)
    for figures in (summary.totals, summary.line_kinds, summary.noteworthy_files, summary.test_case_bands):
        yield partial(figures, place.workspace)
    yield partial(summary.error_ticks, place.workspace)
    yield partial(search.find_lines, place.workspace, LineFilter(text="beat"))
    yield partial(search.over_time, place.workspace, LineFilter())
    yield partial(search.values, place.workspace)
    yield partial(run, "predict", "--output-dir", place.workspace, "--bundle", place.models / "nn.joblib")
    yield from _of_prediction(rng, place, "nn")
    if rng.random() < REPORTS:
        yield partial(run, "enhance", "--output-dir", place.workspace)
        yield partial(run, "train", "--output-dir", place.workspace, "--bundle", place.models / "new.joblib")
        yield partial(run, "evaluate", "--output-dir", place.workspace)


def manifests(rng: Random, place: Place) -> Actions:
    """The manifest of a model with odd values or damaged bytes."""
    path = place.models / "nn.json"
    good = json.loads(path.read_bytes())
    good |= {key: mutations.odd_value(rng) for key in get_type_hints(Manifest) if rng.random() < 0.05}
    place.attack(path, mutations.odd_json(rng, good))
    yield from _lists(place)
    yield partial(open_bundle, place.models / "nn.joblib")
    yield partial(run, "predict", "--output-dir", place.workspace, "--bundle", place.models / "nn.joblib")


def models(rng: Random, place: Place) -> Actions:
    """The bytes of a model, damaged."""
    path = place.models / f"{rng.choice(['nn', 'forest'])}.joblib"
    place.attack(path, mutations.damaged(rng, path.read_bytes()))
    place.attack(path.with_suffix(".json"), path.with_suffix(".json").read_bytes())
    yield from _lists(place)
    yield partial(open_bundle, path)
    yield partial(vouch, path)
    yield partial(run, "predict", "--output-dir", place.workspace, "--bundle", path)


def job_files(rng: Random, place: Place) -> Actions:
    """The files of a job with odd values."""
    folder = place.workspace.root / ".job"
    for name, good in _JOB.items():
        if rng.random() < 0.8:
            place.put(folder / name, mutations.odd_json(rng, good) if name.endswith(".json") else rng.randbytes(300))
    yield partial(jobs.status, place.workspace)
    yield partial(run, "enhance", "--output-dir", place.workspace)
    yield partial(jobs.status, place.workspace)


_JOB: dict[str, dict[str, Any]] = {
    "job.json": {
        "arguments": ["-m", "lo2core", "load"],
        "stage": "load",
        "output_dir": "ws",
        "bundle": "models/x.joblib",
        "predictions": "x",
        "pid": 2**30,
        "started": "2026-01-01T00:00:00+00:00",
        "detached": True,
        "alive": "alive-0123456789ab",
    },
    "progress.json": {"label": "Load", "fraction": 0.5, "rate": "1 MB/s", "eta": 5.0},
    "outcome.json": {"state": "failed", "message": "no", "ended": "2026-01-01T00:01:00+00:00"},
    "cancelled.json": {"alive": "alive-0123456789ab", "at": "2026-01-01T00:01:00+00:00"},
    "output.log": {},
    "errors.log": {},
}
