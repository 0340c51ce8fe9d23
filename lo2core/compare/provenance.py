"""How predictions were made: the facts side by side, and a verdict on whether the logs or the model changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from lo2core.base.clock import local_time
from lo2core.base.provenance import Metadata
from lo2core.base.schemas import ComparedProvenance
from lo2core.base.text import windows
from lo2core.compare import drift
from lo2core.compare.prediction import SavedPrediction
from lo2core.detect.fitness import FITS


def facts(saved: Sequence[SavedPrediction]) -> pl.DataFrame:
    """How each prediction was made, as `schemas.ComparedProvenance`: fact, prediction, value, differs."""
    rows = [(fact, one.name, _as_text(value)) for one in saved for fact, value in _facts(one).items()]
    table = pl.DataFrame(rows, schema=["fact", "prediction", "value"], orient="row")
    return ComparedProvenance.cast(table.with_columns(differs=pl.col("value").n_unique().over("fact") > 1))


def side_by_side(provenance: pl.DataFrame) -> pl.DataFrame:
    """The `facts` with one row per fact: fact, differs, and a column of values per prediction, named "0", "1", ..."""
    found = provenance.group_by("fact", maintain_order=True).agg("value", pl.col("differs").first())
    n = provenance["prediction"].n_unique()
    return found.select("fact", "differs", *(pl.col("value").list.get(i).alias(str(i)) for i in range(n)))


def _facts(saved: SavedPrediction) -> dict[str, Any]:
    made = saved.metadata
    model = made.get("model") or {}
    return {
        "model": model.get("detector"),
        "items": model.get("items"),
        "weighting": model.get("weighting"),
        "unit": model.get("unit"),
        "settings": model.get("params"),
        "threshold": round(saved.threshold, 4) if saved.frame.height else None,
        "alert budget": made.get("budget"),
        "window": _window(saved),
        "fitness": made.get("fitness", {}).get("verdict"),
        "fitness by service": _fitness_by_service(made),
        "training runs": model.get("runs"),
        "training data": (model.get("data_fingerprint") or "")[:12],
        "model file": made.get("bundle"),
        "model hash": (made.get("bundle_sha256") or "")[:12],
        "scored data": (made.get("data_fingerprint") or "")[:12],
        "scored rows": saved.frame.height,
        "versions": made.get("versions") or made.get("version"),
        "created": local_time(made["created"]) if "created" in made else None,
        "command": made.get("command"),
    }


def _window(saved: SavedPrediction) -> str | None:
    """The windows of the training logs and of the scored logs; None if neither is recorded."""
    sides = (("trained on", saved.metadata.get("model") or {}), ("scored", saved.metadata))
    return ", ".join(f"{verb} {windows(made['window'])}" for verb, made in sides if "window" in made) or None


def _fitness_by_service(made: Metadata) -> list[str]:
    """The verdict on each service that the model does not fit in full; empty if no verdict is recorded."""
    services = made.get("fitness", {}).get("services", {})
    others = [f"{name} {verdict}" for name, verdict in services.items() if verdict != FITS]
    return others or ["all fit"] * bool(services)


def _as_text(value: Any) -> str:
    if value in (None, "", [], {}):
        return "not recorded"
    match value:
        case dict():
            parts = {name: part if isinstance(part, str) else json.dumps(part) for name, part in value.items()}
            return ", ".join(f"{name} {part}" for name, part in parts.items())
        case list():
            return ", ".join(map(str, value))
        case float():
            return f"{value:g}"
        case int() if not isinstance(value, bool):
            return f"{value:,}"
    return str(value)


def verdict(a: SavedPrediction, b: SavedPrediction) -> str:
    """Whether the logs changed, the model, both, or neither, according to their hashes; and the threshold."""
    for one in (a, b):
        if not one.frame.height:
            return f"{one.name} contains no scores, so there is nothing to compare."
    same_model = _equal(a, b, "bundle_sha256")
    same_logs = _equal(a, b, "data_fingerprint")
    units = "" if a.keys == b.keys else " One of them scored single events: each sequence counts with its worst event."
    if same_model is None or same_logs is None:
        return (
            "At least one prediction does not record its model or its data, so it is unknown whether the logs or the "
            f"model changed.{units}"
        )
    if same_model and same_logs:
        moved = "" if a.threshold == b.threshold else " Only the threshold was moved."
        return f"The same model scored the same logs, so the scores are identical.{moved}"
    budgets = _budgets(a, b)
    if same_logs:
        differences = f"all differences{' in scores' if budgets else ''} come from the model"
        return f"The logs are the same, the model changed: {differences}.{budgets}{units}"
    shift = drift.shift_in_words(a, b)
    more = units + (f" {shift}" if shift else "")
    if not same_model:
        return (
            f"Both the logs and the model changed, so their effects cannot be separated.{budgets}{more} "
            "Score both logs with the same model to see the effect of the logs."
        )
    if a.threshold == b.threshold:
        return f"The model is the same, the logs changed: all differences come from the logs.{more}"
    return (
        f"The model is the same, the logs changed, and the threshold was moved from {a.threshold:.2f} to "
        f"{b.threshold:.2f}: scores differ because of the logs, flags because of both.{more}"
    )


def _budgets(a: SavedPrediction, b: SavedPrediction) -> str:
    if _equal(a, b, "budget") in (None, True):
        return ""
    return (
        f" The alert budgets differ ({a.metadata['budget']:g} and {b.metadata['budget']:g} false alarms per 100 normal "
        "incidents), so flags also differ because of the thresholds."
    )


def _equal(a: SavedPrediction, b: SavedPrediction, fact: str) -> bool | None:
    """Whether both record the same value; None if either does not record it."""
    values = a.metadata.get(fact), b.metadata.get(fact)
    return None if None in values else values[0] == values[1]
