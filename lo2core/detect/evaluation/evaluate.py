"""Evaluation: how well a recipe finds faults in held-out runs, compared with trivial baselines.

Data is split by run, never by row. Thresholds come from normals, never from labelled test data. Rows without a label do
not count. Labels are given to test cases: each event and sequence of a faulty test case counts as faulty, even if the
fault left no trace in it. Metrics of events and sequences therefore only compare detectors; metrics of incidents show
what is found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lo2core.base.calls import check_fields
from lo2core.base.csv import restored
from lo2core.base.errors import InputError, reason
from lo2core.base.schemas import Evaluation, EvaluationCurves, EvaluationFaults
from lo2core.base.statistics import binomial, psi
from lo2core.base.text import plural
from lo2core.base.types import Mapped
from lo2core.base.untrusted import read_small
from lo2core.detect import folds as detect_folds
from lo2core.detect.detectors import REGISTRY
from lo2core.detect.evaluation import metrics
from lo2core.detect.evaluation.faults import fault_table, right_service
from lo2core.detect.evaluation.holdout import LeftOut, alarm, at_level, faults_left_out, fully_scored, left_out
from lo2core.detect.evaluation.metrics import Scored
from lo2core.detect.evaluation.shortcuts import SHORTCUTS, Shortcut, incident_facts, oriented
from lo2core.detect.folds import BY_RUN, FAULT_LEFT_OUT, LONG_NORMALS, MAX_FOLDS, Fold, long_normal_folds, run_folds
from lo2core.detect.instances import CountSource
from lo2core.detect.recipe import Recipe
from lo2core.detect.units import UNITS
from lo2core.messages.patterns import linear_pattern

TABLES = (Evaluation, EvaluationCurves, EvaluationFaults)

_MAX_CONCERNS_BYTES = 16 << 20


@dataclass(frozen=True)
class EvaluationProtocol:
    """How to evaluate, the same for all recipes.

    apart: test cases that are reported separately, in the fault table only. concerns: columns pattern (regular
    expression) and service, the expected service of test cases, to check whether it is the worst one. share: train once
    on this share of the runs instead of leaving them out in turn. fault_groups: number of groups of faults to leave out
    for supervised detectors.

    Examples:
        >>> from lo2core import EvaluationProtocol
        >>> EvaluationProtocol(apart=("register_client_404_no_user",), share=0.5).fault_groups
        10
    """

    apart: tuple[str, ...] = ()
    concerns: pl.DataFrame | None = None
    share: float | None = None
    fault_groups: int = MAX_FOLDS

    def __post_init__(self) -> None:
        check_fields(self)
        if self.fault_groups < 2:
            raise InputError(f"Faults are left out in at least two groups, found {self.fault_groups}.")

    def check(self, rows: pl.DataFrame) -> None:
        """Raises InputError if no row has a label, or if a test case to report separately does not exist."""
        if not rows.height:
            raise InputError(
                "Evaluation needs labelled logs, and none of these is labelled. Load logs whose test case names say "
                "which are normal, and take the labels from the names (--labels names)."
            )
        if unknown := set(self.apart) - set(rows["test_case"]):
            names = ", ".join(sorted(rows["test_case"].unique())[:6])
            raise InputError(
                f"There is no labelled test case {sorted(unknown)[0]!r} to report separately. Found {names}, ..."
            )


def read_concerns(path: Path) -> pl.DataFrame:
    """`EvaluationProtocol.concerns` from a CSV file.

    Raises InputError if it lacks the columns pattern and service, and for a pattern that cannot be used.
    """
    try:
        read = restored(pl.read_csv(read_small(path, _MAX_CONCERNS_BYTES)).lazy())
        concerns = read.select(pl.col("pattern", "service").cast(pl.String)).collect()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}. Give a CSV file.") from error
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path} is not a CSV file with the columns pattern and service: {reason(error)}.") from error
    for pattern in concerns["pattern"].drop_nulls():
        try:
            linear_pattern(pattern)
        except InputError as error:
            raise InputError(f"{path} cannot be used: {error}.") from error
    return concerns


@dataclass(frozen=True)
class Evaluated:
    """`schemas.Evaluation`, `EvaluationCurves` and `EvaluationFaults` of one or more recipes."""

    figures: pl.DataFrame
    curves: pl.DataFrame
    faults: pl.DataFrame

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        return self.figures, self.curves, self.faults


def evaluate(
    source: CountSource,
    sequences: pl.DataFrame,
    recipe: Recipe,
    protocol: EvaluationProtocol | None = None,
    facts: dict[str, Any] | None = None,
    advance: Callable[[int], None] = lambda n: None,
    mapped: Mapped = map,
) -> Evaluated:
    """Metrics of one recipe on the labelled rows of a source, and of the trivial baselines on the same incidents.

    facts: values for the columns window, data_fingerprint and evaluated_at. `advance(1)` is called `steps` times.
    mapped: `map`, or one that trains in several processes; the metrics are the same.
    """
    protocol, source = protocol or EvaluationProtocol(), labelled(source)
    protocol.check(source.rows)
    incidents = incident_facts(
        source.items, sequences, source.rows.select("seq_id", "incident").unique(maintain_order=True)
    )
    identity = _identity(recipe, protocol, facts or {})
    figures, curves, faults = [], [], []
    for split, held_out in _splits(source, recipe, protocol, incidents, advance, mapped):
        key = identity | {"split": split}
        for level in UNITS[recipe.unit].levels:
            rows = at_level(held_out.rows.filter(~pl.col("test_case").is_in(protocol.apart)), level)
            known = fully_scored(rows) if level == "incident" else rows
            found = _figures(known, held_out, level, protocol)
            found["note"] = " ".join(filter(None, [found["note"], _not_counted(rows.height - known.height)]))
            figures.append(key | {"level": level} | found)
            curves.append(_keyed(metrics.curves(scored(known)).with_row_index("point"), key | {"level": level}))
        faults.append(_keyed(fault_table(held_out.rows, protocol.apart, protocol.concerns), key))
        if split == BY_RUN:
            figures += _shortcut_rows(held_out, incidents, protocol, facts or {})
    return Evaluated(
        _as(Evaluation, pl.DataFrame(figures, infer_schema_length=None)),
        _as(EvaluationCurves, pl.concat(curves)),
        _as(EvaluationFaults, pl.concat(faults)),
    )


def recipes(
    names: Sequence[str], items: Sequence[str], unit: str, budget: float, weighting: str | None = None
) -> list[Recipe]:
    """A recipe for each detector and kind of items; the name "all" means every detector that can score the unit."""
    able = [name for name, detector in REGISTRY.items() if UNITS[unit].scored_by(detector)]
    return [Recipe(n, i, unit, weighting, budget) for n in (able if "all" in names else names) for i in items]


def labelled(source: CountSource) -> CountSource:
    """The source with only its labelled rows."""
    return source.where(pl.col("normal").is_not_null())


def steps(source: CountSource, recipe: Recipe, protocol: EvaluationProtocol) -> int:
    """How often `evaluate` will call `advance`; the short evaluation on long normals is not counted."""
    rows = labelled(source).rows
    groups = len(detect_folds.fault_groups(rows, protocol.fault_groups)) if recipe.make().supervised else 0
    return len(run_folds(rows, protocol.share)) * (1 + groups)


def merged(before: Evaluated | None, new: Evaluated) -> Evaluated:
    """Both together; an evaluation of the same name is replaced."""
    if before is None:
        return new
    names = new.figures["evaluation"].unique().implode()
    kept = (frame.filter(~pl.col("evaluation").is_in(names)) for frame in before.frames())
    return Evaluated(*(pl.concat(pair) for pair in zip(kept, new.frames(), strict=True)))


def shortcuts_beside(figures: pl.DataFrame, row: Mapping[str, Any]) -> pl.DataFrame:
    """The trivial baselines in `schemas.Evaluation` that were measured on the same incidents as one of its rows."""
    measured_on = pl.col("evaluation").str.strip_prefix(pl.col("detector"))
    return figures.filter(
        pl.col("kind") == "shortcut",
        pl.lit(row["evaluation"]).str.ends_with(measured_on),
        pl.col("apart") == pl.lit(row["apart"], dtype=pl.List(pl.String)),  # null in tables of earlier versions
        pl.col("data_fingerprint").eq_missing(pl.lit(row["data_fingerprint"], dtype=pl.String)),
    )


def _splits(
    source: CountSource,
    recipe: Recipe,
    protocol: EvaluationProtocol,
    incidents: pl.DataFrame,
    advance: Callable[[int], None],
    mapped: Mapped,
) -> Iterator[tuple[str, LeftOut]]:
    folds = run_folds(source.rows, protocol.share)
    by_run = left_out(source, recipe, folds, advance, mapped)
    yield BY_RUN, by_run
    if recipe.make().supervised:
        groups = detect_folds.fault_groups(source.rows, protocol.fault_groups)
        yield FAULT_LEFT_OUT, faults_left_out(source, recipe, folds, by_run, groups, advance, mapped)
        return
    long = long_normal_folds(folds, source.rows, incidents)
    if long and _trainable(source, long):
        yield LONG_NORMALS, left_out(source, recipe, long, lambda n: None)


def _trainable(source: CountSource, folds: list[Fold]) -> bool:
    return all(source.rows.filter(fold.train & source.rows["normal"])["incident"].n_unique() > 1 for fold in folds)


def name_of(recipe: Recipe, protocol: EvaluationProtocol, facts: dict[str, Any]) -> str:
    """The name of an evaluation: the column `evaluation` of its tables."""
    return str(_identity(recipe, protocol, facts)["evaluation"])


def _identity(recipe: Recipe, protocol: EvaluationProtocol, facts: dict[str, Any]) -> dict[str, Any]:
    weighting = recipe.weighting or recipe.make().weighting
    params = [json.dumps(recipe.params, sort_keys=True)] if recipe.params else []
    name = [recipe.detector, recipe.items, weighting, *params, f"{recipe.unit}s", _measured_on(protocol, facts)]
    return {
        "evaluation": ", ".join(name),
        "kind": "detector",
        "detector": recipe.detector,
        "items": recipe.items,
        "weighting": weighting,
        "unit": recipe.unit,
        "budget": recipe.budget,
        **facts,
    }


def _measured_on(protocol: EvaluationProtocol, facts: dict[str, Any]) -> str:
    """Which incidents were measured: the last part of the name of an evaluation."""
    window = facts.get("window")
    data = f"windows of {window:g} s" if window else "whole test cases"
    share = [f"{protocol.share:g} for training"] if protocol.share else []
    apart = [f"without {', '.join(sorted(protocol.apart))}"] if protocol.apart else []
    return ", ".join([data, *share, *apart])


def scored(rows: pl.DataFrame) -> Scored:
    """Arrays to compute metrics from; rows without a score count as the least anomalous."""
    least = pl.coalesce(pl.col("z_score").min() - 1, 0.0)
    ranked = rows.with_columns(alarm(), pl.col("z_score").fill_null(least))
    columns = ("anomaly", "z_score", "alarm", "weight", "run")
    return Scored(*(ranked[name].to_numpy() for name in columns))


def _figures(rows: pl.DataFrame, found: LeftOut, level: str, protocol: EvaluationProtocol) -> dict[str, Any]:
    counted = scored(rows)
    normal_z = rows.filter("normal")["z_score"].drop_nulls().to_numpy()
    low, high = _false_alarm_interval(counted) if level == "incident" else (None, None)
    return {
        **_size(counted, protocol),
        **metrics.figures(counted),
        "false_alarm_low": low,
        "false_alarm_high": high,
        "threshold": float(np.median([threshold.z for threshold in found.thresholds])),
        "estimated": any(threshold.estimated for threshold in found.thresholds),
        "psi": psi(found.training_z(level), normal_z),
        "right_service": right_service(rows, protocol.concerns) if level == "incident" else None,
        "note": " ".join(_notes(counted, rows)),
    }


def _size(counted: Scored, protocol: EvaluationProtocol) -> dict[str, Any]:
    return {
        "apart": sorted(protocol.apart),
        "runs": len(np.unique(counted.group)),
        "faulty": round(float(counted.weight[counted.truth].sum())),
        "normal": round(float(counted.weight[~counted.truth].sum())),
    }


def _false_alarm_interval(counted: Scored) -> tuple[float | None, float | None]:
    return binomial(int(counted.alarm[~counted.truth].sum()), int((~counted.truth).sum()))


def _notes(counted: Scored, rows: pl.DataFrame) -> Iterable[str]:
    if not counted.two_classes:
        present = "faulty" if counted.truth.any() else "normal"
        yield f"All labelled rows are {present}, so there is nothing to rank."
    if unscored := rows["z_score"].null_count():
        yield f"{unscored} rows of services that the model does not know count as not detected."


def _not_counted(incidents: int) -> str:
    if not incidents:
        return ""
    return f"{plural(incidents, 'incident')} without an alarm, in which a service has no score, not counted."


def _shortcut_rows(
    held_out: LeftOut, facts: pl.DataFrame, protocol: EvaluationProtocol, about: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    incidents = at_level(held_out.rows, "incident").join(facts, on="incident")
    counted = incidents.filter(~pl.col("test_case").is_in(protocol.apart))
    for shortcut in SHORTCUTS:
        yield {
            "evaluation": f"{shortcut.title}, {_measured_on(protocol, about)}",
            "split": BY_RUN,
            "level": "incident",
            "kind": "shortcut",
            "detector": shortcut.title,
            **_shortcut_figures(shortcut, counted, protocol),
            **about,
        }


def _shortcut_figures(shortcut: Shortcut, rows: pl.DataFrame, protocol: EvaluationProtocol) -> dict[str, Any]:
    """A trivial baseline has no threshold: only its ranking is measured, in the better direction."""
    measurable = rows.drop_nulls(shortcut.name)
    truth, fact = measurable["anomaly"].to_numpy(), measurable[shortcut.name].to_numpy()
    as_is = Scored(truth, fact, np.zeros(len(truth), dtype=bool), np.ones(len(truth)), measurable["run"].to_numpy())
    size = _size(as_is, protocol)
    if not as_is.two_classes or 2 * measurable["normal"].sum() < rows["normal"].sum():
        return size | {"note": "Not measured: no time stamps, one test case a run, or labels of one kind."}
    score = oriented(fact, metrics.auroc(as_is))
    return size | metrics.ranked(replace(as_is, score=score)) | {"note": shortcut.about}


def _keyed(frame: pl.DataFrame, key: dict[str, Any]) -> pl.DataFrame:
    return frame.with_columns(
        pl.lit(value).alias(name) for name, value in key.items() if name in ("evaluation", "split", "level")
    )


def _as(schema: Any, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with exactly the columns and types of a table; columns it lacks are null."""
    columns = schema.create_empty().schema
    missing = [pl.lit(None).alias(name) for name in columns if name not in frame.columns]
    return frame.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in columns.items())
