"""How predictions were made: the facts of it side by side, and in a sentence whether the logs changed or the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from lo2core.base.statistics import shift_in_words
from lo2core.base.text import local_time, windows
from lo2core.compare import drift
from lo2core.compare.prediction import Saved


def facts(saved: Sequence[Saved]) -> pl.DataFrame:
    """How each prediction was made: a row a fact with the columns fact, one for each prediction's name, and differs."""
    told = [_facts(one) for one in saved]
    rows = [{"fact": name} | {one.name: fact[name] for one, fact in zip(saved, told, strict=True)} for name in told[0]]
    table = pl.DataFrame(rows, schema={"fact": pl.String, **{one.name: pl.String for one in saved}})
    names = [one.name for one in saved]
    return table.with_columns(differs=pl.concat_list(names).list.n_unique() > 1)


def _facts(saved: Saved) -> dict[str, str]:
    made = saved.metadata
    model = made.get("model") or {}
    told = {
        "model": model.get("detector"),
        "items": model.get("items"),
        "weighting": model.get("weighting"),
        "unit": model.get("unit"),
        "settings": model.get("params"),
        "threshold": round(saved.threshold, 4) if saved.frame.height else None,
        "budget": made.get("budget"),
        "window": _window(saved),
        "training runs": model.get("runs"),
        "training data": (model.get("data_fingerprint") or "")[:12],
        "bundle": made.get("bundle"),
        "bundle content": (made.get("bundle_sha256") or "")[:12],
        "scored data": (made.get("data_fingerprint") or "")[:12],
        "rows": saved.frame.height,
        "versions": made.get("versions") or made.get("version"),
        "made": local_time(made["created"]) if "created" in made else None,
        "command": made.get("command"),
    }
    return {name: _told(value) for name, value in told.items()}


def _window(saved: Saved) -> str | None:
    """What the model learned from, and what it scored; None where neither is recorded."""
    sides = (("trained on", saved.metadata.get("model") or {}), ("scored", saved.metadata))
    return ", ".join(f"{verb} {windows(facts['window'])}" for verb, facts in sides if "window" in facts) or None


def _told(value: Any) -> str:
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


def verdict(a: Saved, b: Saved) -> str:
    """One sentence: did the logs change, the model, both, or neither."""
    for one in (a, b):
        if not one.frame.height:
            return f"{one.name} holds no scores, so there is nothing to compare."
    same_model = _equal(a, b, "bundle_sha256")
    same_logs = _equal(a, b, "data_fingerprint")
    units = "" if a.keys == b.keys else " One scored single events: the worst of each sequence stands for it."
    if same_model is None or same_logs is None:
        return (
            "One of the two does not record its model or its data, so changed logs cannot be told from a changed model."
            + units
        )
    if same_model and same_logs:
        moved = "" if a.threshold == b.threshold else " Only the threshold was moved."
        return f"The same model scored the same logs: the scores agree.{moved}"
    budgets = _budgets(a, b)
    if same_logs:
        differs = f"every difference{' of scores' if budgets else ''} comes from the model"
        return f"The logs are the same, the model changed: {differs}.{budgets}{units}"
    shift = drift.score_shift(a, b)
    told = units + ("" if shift is None else f" The scores are {shift_in_words(shift)} (PSI {shift:.2f}).")
    if not same_model:
        return (
            f"Both the logs and the model changed, so their effects cannot be told apart.{budgets}{told} "
            "Score both logs with one bundle to see what the logs did."
        )
    if a.threshold == b.threshold:
        return f"The model is the same, the logs changed: every difference comes from the logs.{told}"
    return (
        f"The model is the same, the logs changed, and the threshold was moved from {a.threshold:.2f} to "
        f"{b.threshold:.2f}: scores differ because of the logs, flags because of both.{told}"
    )


def _budgets(a: Saved, b: Saved) -> str:
    if _equal(a, b, "budget") in (None, True):
        return ""
    return (
        f" The thresholds were set for different budgets, {a.metadata['budget']:g} and {b.metadata['budget']:g} false "
        "alarms per 100 normal incidents, so flags differ because of these too."
    )


def _equal(a: Saved, b: Saved, fact: str) -> bool | None:
    values = a.metadata.get(fact), b.metadata.get(fact)
    return None if None in values else values[0] == values[1]
