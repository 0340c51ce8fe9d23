"""Compare: saved predictions side by side. What differs in their making, in their scores, in what they flag.

Two predictions of the same sequences are joined row by row; those of other logs meet by test case and service.
Everything is frames in, small frames out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats

from lo2core.config import SEED
from lo2core.errors import InputError
from lo2core.items import Items
from lo2core.metrics import MIN_RUNS, psi

Floats = NDArray[np.float64]

BOTH, NEITHER, NOW, NO_LONGER = "flagged by both", "flagged by neither", "now flagged", "no longer flagged"
INCIDENT = ("run", "folder", "window")
KENDALL_ROWS = 50_000
"""Kendall's tau is taken on so many rows, spread evenly, where there are more."""
BLOCKS, REPLICATES = 20, 2_000
"""The bootstrap draws runs, put together to at most so many blocks, so often."""
SOME_SHIFT, STRONG_SHIFT = 0.1, 0.25
"""The usual reading of a population stability index."""
_FLOOR = 1e-4


@dataclass(frozen=True, eq=False)
class Saved:
    """A saved prediction: what it is called, its table, its metadata, and the items of the logs that it scored."""

    name: str
    frame: pl.DataFrame
    metadata: Mapping[str, Any] = field(default_factory=dict)
    items: Items | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """What names a row: the sequence, and the line where single events were scored."""
        return ("seq_id", "line_no") if "line_no" in self.frame.columns else ("seq_id",)

    @property
    def threshold(self) -> float:
        return float(self.frame["threshold"][0]) if self.frame.height else float("nan")

    @cached_property
    def incidents(self) -> pl.DataFrame:
        """One row an incident: run, folder, window, test_case, z (its worst service's), flagged, anomaly."""
        return self.frame.group_by(*INCIDENT, "test_case", maintain_order=True).agg(
            z=pl.col("z_score").max(), flagged=pl.col("pred_ano").any(), anomaly=pl.col("anomaly").first()
        )


def making(saved: Sequence[Saved]) -> pl.DataFrame:
    """How each prediction was made: a row a fact with the columns fact, one for each prediction's name, and differs."""
    facts = [_facts(one) for one in saved]
    rows = [
        {"fact": name} | {one.name: fact[name] for one, fact in zip(saved, facts, strict=True)} for name in facts[0]
    ]
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
        "threshold": round(saved.threshold, 4),
        "training runs": model.get("runs"),
        "training data": model.get("data_fingerprint"),
        "bundle": made.get("bundle"),
        "bundle content": (made.get("bundle_sha256") or "")[:12],
        "scored data": (made.get("data_fingerprint") or "")[:12],
        "rows": saved.frame.height,
        "versions": made.get("versions") or made.get("version"),
        "made": made.get("created"),
        "command": made.get("command"),
    }
    return {name: _told(value) for name, value in told.items()}


def _told(value: Any) -> str:
    if value in (None, "", [], {}):
        return "not recorded"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def joined(a: Saved, b: Saved) -> pl.DataFrame:
    """The rows of both: identity columns, score_a, z_a, flagged_a, the same of b, and `change` (null: unscored).

    `change` is one of "flagged by both", "flagged by neither", "now flagged" (by b alone), "no longer flagged".
    """
    identity = [name for name in _IDENTITY if name in a.frame.columns and name not in a.keys]
    left = a.frame.select(*a.keys, *identity, score_a="score", z_a="z_score", flagged_a="pred_ano")
    right = b.frame.select(*b.keys, score_b="score", z_b="z_score", flagged_b="pred_ano")
    if a.keys != b.keys:
        raise InputError(f"{a.name} scores {_unit(a)}, {b.name} scores {_unit(b)}: they cannot be joined row by row.")
    both = left.join(right, on=a.keys, how="inner", maintain_order="left")
    return both.with_columns(change=_change())


_IDENTITY = ("run", "folder", "test_case", "repetition", "window", "service", "normal", "anomaly")


def _unit(saved: Saved) -> str:
    return "single events" if "line_no" in saved.keys else "sequences"


def same_sequences(a: Saved, b: Saved, pairs: pl.DataFrame) -> bool:
    """Whether `joined` rows say enough: at least half of the smaller side is among them."""
    return pairs.height > 0 and pairs.height * 2 >= min(a.frame.height, b.frame.height)


def _change() -> pl.Expr:
    a, b = pl.col("flagged_a"), pl.col("flagged_b")
    return (
        pl.when(a & b)
        .then(pl.lit(BOTH))
        .when(~a & ~b)
        .then(pl.lit(NEITHER))
        .when(~a & b)
        .then(pl.lit(NOW))
        .when(a & ~b)
        .then(pl.lit(NO_LONGER))
    )


def flips(pairs: pl.DataFrame) -> pl.DataFrame:
    """The rows that only one of the two flagged, those of the largest difference in z first."""
    flipped = pairs.filter(pl.col("change").is_in([NOW, NO_LONGER])).with_columns(
        difference=pl.col("z_b") - pl.col("z_a")
    )
    return flipped.sort(pl.col("difference").abs(), descending=True, maintain_order=True)


@dataclass(frozen=True)
class Agreement:
    """How alike two scorings of the same rows are; None where it is not defined (constant scores, a single row).

    spearman, kendall: of the z-scores, 1 is the same order; kappa: Cohen's, of the flags, 0 is what chance gives.
    """

    n: int
    spearman: float | None
    kendall: float | None
    kappa: float | None


def agreement(pairs: pl.DataFrame) -> Agreement:
    """Rank correlation of the scores and Cohen's kappa of the flags. Kendall's on at most `KENDALL_ROWS` rows."""
    scored = pairs.drop_nulls(["z_a", "z_b"])
    if scored.height < 2:
        return Agreement(scored.height, None, None, None)
    spearman = scored.select(pl.corr("z_a", "z_b", method="spearman")).item()
    thin = scored.gather_every(-(-scored.height // KENDALL_ROWS))
    kendall = stats.kendalltau(thin["z_a"].to_numpy(), thin["z_b"].to_numpy()).statistic
    return Agreement(scored.height, _defined(spearman), _defined(kendall), _kappa(scored))


def _defined(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _kappa(scored: pl.DataFrame) -> float | None:
    """As `sklearn.metrics.cohen_kappa_score`, from the four counts alone."""
    n = scored.height
    a, b = scored["flagged_a"], scored["flagged_b"]
    both, p, q = (int(flags.sum()) / n for flags in (a & b, a, b))
    by_chance = p * q + (1 - p) * (1 - q)
    if by_chance == 1:
        return None
    return (1 - p - q + 2 * both - by_chance) / (1 - by_chance)


def movers(pairs: pl.DataFrame, n: int = 20) -> pl.DataFrame:
    """The rows whose rank changed most: rank_a, rank_b (1 is worst), moved (positive: worse in b)."""
    scored = pairs.drop_nulls(["z_a", "z_b"])
    ranked = scored.with_columns(
        rank_a=pl.col("z_a").rank("min", descending=True).cast(pl.Int64),
        rank_b=pl.col("z_b").rank("min", descending=True).cast(pl.Int64),
    ).with_columns(moved=pl.col("rank_a") - pl.col("rank_b"))
    return ranked.top_k(n, by=pl.col("moved").abs()).sort(pl.col("moved").abs(), descending=True, maintain_order=True)


def incident_pairs(pairs: pl.DataFrame) -> pl.DataFrame:
    """The joined rows by incident: the worst z of each side, flagged where any service is, the truth (anomaly)."""
    return (
        pairs.group_by(*INCIDENT, "test_case", maintain_order=True)
        .agg(
            pl.col("z_a", "z_b").max(),
            pl.col("flagged_a", "flagged_b").any(),
            pl.col("anomaly").first(),
        )
        .with_columns(change=_change())
    )


def metric_differences(incidents: pl.DataFrame) -> pl.DataFrame:
    """Metrics of a and b on labelled incidents: metric, a, b, difference (b - a), low, high; empty without both labels.

    low, high: 95 % interval of the difference by a paired bootstrap over runs, null under five runs.
    """
    labelled = incidents.drop_nulls(["anomaly", "z_a", "z_b"])
    if labelled["anomaly"].n_unique() < 2:
        return pl.DataFrame(schema=_METRICS)
    blocks = labelled["run"].rank("dense").to_numpy().astype(int) - 1
    n_runs = int(blocks.max()) + 1
    blocks %= BLOCKS
    sides = [_Side.of(labelled, side, blocks) for side in ("a", "b")]
    ones = np.ones((1, sides[0].counts.shape[0]))
    draws = np.random.default_rng(SEED).multinomial(ones.size, np.full(ones.size, 1 / ones.size), REPLICATES)
    point, spread = ([side.metrics(weights) for side in sides] for weights in (ones, draws.astype(float)))
    rows = []
    for name in point[0]:
        a, b = (float(side[name][0]) for side in point)
        low, high = np.nanpercentile(spread[1][name] - spread[0][name], [2.5, 97.5])
        interval = (float(low), float(high)) if n_runs >= MIN_RUNS else (None, None)
        rows.append((name, a, b, b - a, *interval))
    return pl.DataFrame(rows, schema=_METRICS, orient="row")


_METRICS = {"metric": pl.String} | dict.fromkeys(("a", "b", "difference", "low", "high"), pl.Float64)


@dataclass(frozen=True)
class _Side:
    """One prediction, summed up by blocks of runs, so that a bootstrap only weighs blocks.

    counts: [blocks, 4] true and false positives, false and true negatives; wins: [blocks, blocks] pairs of a faulty
    incident of the one and a normal one of the other block in which the faulty one has the larger z (ties count half).
    """

    counts: Floats
    wins: Floats

    @classmethod
    def of(cls, incidents: pl.DataFrame, side: str, blocks: NDArray[np.int_]) -> _Side:
        y, flagged = incidents["anomaly"].to_numpy(), incidents[f"flagged_{side}"].to_numpy()
        n = int(blocks.max()) + 1
        kinds = (y & flagged, ~y & flagged, y & ~flagged, ~y & ~flagged)
        counts = np.stack([np.bincount(blocks[kind], minlength=n) for kind in kinds], axis=1).astype(float)
        z = incidents[f"z_{side}"].to_numpy()
        faulty = [np.sort(z[y & (blocks == block)]) for block in range(n)]
        normal = [np.sort(z[~y & (blocks == block)]) for block in range(n)]
        wins = [
            [(np.searchsorted(m, f, "left") + np.searchsorted(m, f, "right")).sum() / 2 for m in normal] for f in faulty
        ]
        return cls(counts, np.asarray(wins, dtype=float))

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """Metrics by name, one value for each row of weights [replicates, blocks]."""
        tp, fp, fn, tn = (weights @ self.counts).T
        pairs = np.einsum("rb,bc,rc->r", weights, self.wins, weights, optimize=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            return {
                "precision": tp / (tp + fp),
                "recall": tp / (tp + fn),
                "F1": 2 * tp / (2 * tp + fp + fn),
                "false alarms per 100 normals": 100 * fp / (fp + tn),
                "AUROC": pairs / ((tp + fn) * (fp + tn)),
            }


@dataclass(frozen=True)
class McNemar:
    """Exact McNemar test: incidents that only a, or only b, judged right; p of so uneven a split by chance."""

    only_a: int
    only_b: int
    p_value: float


def mcnemar(incidents: pl.DataFrame) -> McNemar | None:
    """The test on labelled incidents; None where there is no label."""
    labelled = incidents.drop_nulls(["anomaly", "flagged_a", "flagged_b"])
    if not labelled.height:
        return None
    right_a, right_b = (labelled[f"flagged_{side}"] == labelled["anomaly"] for side in ("a", "b"))
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    p = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    return McNemar(only_a, only_b, float(p))


def fault_recall(saved: Sequence[Saved]) -> pl.DataFrame:
    """Share of flagged incidents by faulty test case: test_case, prediction, recall, n, difference (to the first)."""
    parts = []
    for one in saved:
        incidents = one.incidents.filter("anomaly")
        found = incidents.group_by("test_case").agg(recall=pl.col("flagged").mean(), n=pl.len().cast(pl.Int64))
        parts.append(found.with_columns(prediction=pl.lit(one.name)))
    first = parts[0].select("test_case", first="recall")
    table = pl.concat(parts).join(first, on="test_case", how="left")
    return table.sort("test_case", "prediction").select(
        "test_case", "prediction", "recall", "n", difference=pl.col("recall") - pl.col("first")
    )


def by_test_case(a: Saved, b: Saved) -> pl.DataFrame:
    """Test case x service with the median z of each side: test_case, service, z_a, n_a, z_b, n_b, difference."""
    sides = [
        one.frame.group_by("test_case", "service").agg(
            pl.col("z_score").median().alias(f"z_{side}"), pl.len().cast(pl.Int64).alias(f"n_{side}")
        )
        for side, one in (("a", a), ("b", b))
    ]
    both = sides[0].join(sides[1], on=["test_case", "service"], how="full", coalesce=True)
    both = both.with_columns(pl.col("n_a", "n_b").fill_null(0), difference=pl.col("z_b") - pl.col("z_a"))
    columns = ("test_case", "service", "z_a", "n_a", "z_b", "n_b", "difference")
    return both.sort("test_case", "service").select(columns)


def incident_changes(a: Saved, b: Saved) -> pl.DataFrame:
    """Test cases x services that were flagged on one side only: test_case, service, z (where flagged), n, change.

    `change` is "new" (flagged in b alone) or "gone"; the largest z first.
    """
    sides = [
        one.frame.filter("pred_ano")
        .group_by("test_case", "service")
        .agg(z=pl.col("z_score").max(), n=pl.len().cast(pl.Int64))
        for one in (a, b)
    ]
    on = ["test_case", "service"]
    new = sides[1].join(sides[0], on=on, how="anti").with_columns(change=pl.lit("new"))
    gone = sides[0].join(sides[1], on=on, how="anti").with_columns(change=pl.lit("gone"))
    return pl.concat([new, gone]).sort("z", *on, descending=[True, False, False])


def item_changes(a: Saved, b: Saved) -> pl.DataFrame:
    """Messages, traces and request kinds that only one side's logs hold: kind, item (text), n, sequences, change."""
    if a.items is None or b.items is None:
        return pl.DataFrame(
            schema={"kind": pl.String, "item": pl.String, "n": pl.Int64, "sequences": pl.Int64, "change": pl.String}
        )
    parts = []
    for mine, other, change in ((b.items, a.items, "new"), (a.items, b.items, "vanished")):
        only = mine.counts.join(other.counts, on="message_id", how="anti")
        counted = only.group_by("message_id").agg(
            pl.col("n").sum(), sequences=pl.col("seq_id").n_unique().cast(pl.Int64)
        )
        texts = mine.messages.select("message_id", pl.col("kind").cast(pl.String), item="text")
        parts.append(counted.join(texts, on="message_id").with_columns(change=pl.lit(change)))
    return (
        pl.concat(parts)
        .sort("change", "n", "item", descending=[False, True, False])
        .select("kind", "item", "n", "sequences", "change")
    )


def _divergence(a: Floats, b: Floats) -> float:
    a, b = np.maximum(a, _FLOOR), np.maximum(b, _FLOOR)
    return float(((b - a) * np.log(b / a)).sum())


def shifts(a: Saved, b: Saved) -> pl.DataFrame:
    """PSI of the z-scores and of the items of each service, and of all: service, scores, items (null: not known)."""
    scores = [_z_by_service(one.frame) for one in (a, b)]
    items = _item_psi(a, b)
    names = sorted(scores[0].keys() | scores[1].keys())
    none = np.zeros(0)
    rows = [("all services", psi(*(_together(side) for side in scores)), items.get(None))]
    rows += [(name, psi(*(side.get(name, none) for side in scores)), items.get(name)) for name in names]
    return pl.DataFrame(rows, schema={"service": pl.String, "scores": pl.Float64, "items": pl.Float64}, orient="row")


def _z_by_service(frame: pl.DataFrame) -> dict[str, Floats]:
    parts = frame.drop_nulls("z_score").group_by("service").agg("z_score")
    return {service: part.to_numpy() for service, part in zip(parts["service"], parts["z_score"], strict=True)}


def _together(parts: dict[str, Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *parts.values()])


def _item_psi(a: Saved, b: Saved) -> dict[str | None, float]:
    """PSI of how often each message occurs, by service; None stands for all."""
    if a.items is None or b.items is None:
        return {}
    sides = []
    for frame, items in ((a.frame, a.items), (b.frame, b.items)):
        services = frame.select("seq_id", "service").unique("seq_id")
        counts = items.counts.filter(pl.col("kind") == "message").join(services, on="seq_id")
        sides.append(counts.group_by("service", "message_id").agg(pl.col("n").sum()))
    both = sides[0].join(sides[1], on=["service", "message_id"], how="full", coalesce=True, suffix="_b").fill_null(0)
    parts = {str(service): part for (service,), part in both.group_by("service")}
    return {service: _shares_psi(part) for service, part in [(None, both), *parts.items()]}


def _shares_psi(counts: pl.DataFrame) -> float:
    n_a, n_b = counts["n"].to_numpy().astype(float), counts["n_b"].to_numpy().astype(float)
    return _divergence(n_a / max(n_a.sum(), 1), n_b / max(n_b.sum(), 1))


def rates(saved: Sequence[Saved]) -> pl.DataFrame:
    """How much each flagged: prediction, sequences, flagged, incidents, flagged_incidents, alert_rate (incidents)."""
    rows = []
    for one in saved:
        incidents = one.incidents
        flagged = int(incidents["flagged"].sum())
        rate = flagged / incidents.height if incidents.height else None
        rows.append((one.name, one.frame.height, int(one.frame["pred_ano"].sum()), incidents.height, flagged, rate))
    names = ("prediction", "sequences", "flagged", "incidents", "flagged_incidents", "alert_rate")
    return pl.DataFrame(rows, schema=names, orient="row")


def verdict(a: Saved, b: Saved, shifted: pl.DataFrame) -> str:
    """One sentence: did the logs change, the model, both, or neither."""
    same_model = _equal(a, b, "bundle_sha256")
    same_logs = _equal(a, b, "data_fingerprint")
    if same_model is None or same_logs is None:
        return (
            "One of the two does not record its model or its data, so changed logs cannot be told from a changed model."
        )
    if same_model and same_logs:
        moved = "" if a.threshold == b.threshold else " Only the threshold was moved."
        return f"The same model scored the same logs: the scores agree.{moved}"
    if same_logs:
        return "The logs are the same, the model changed: every difference comes from the model."
    shift = shifted["scores"][0] if shifted.height else None
    told = "" if shift is None else f" The scores {_shift_words(shift)} (PSI {shift:.2f})."
    if same_model:
        return f"The model is the same, the logs changed: every difference comes from the logs.{told}"
    return (
        f"Both the logs and the model changed, so their effects cannot be told apart.{told} "
        "Score both logs with one bundle to see what the logs did."
    )


def _equal(a: Saved, b: Saved, fact: str) -> bool | None:
    values = a.metadata.get(fact), b.metadata.get(fact)
    return None if None in values else values[0] == values[1]


def _shift_words(index: float) -> str:
    if index < SOME_SHIFT:
        return "are spread as before"
    return "are spread somewhat differently" if index < STRONG_SHIFT else "are spread quite differently"


def history_row(saved: Saved) -> pl.DataFrame:
    """What a saved prediction looks like in a time line: prediction, made, measure, value; a row a measure."""
    incidents = saved.incidents
    z = saved.frame["z_score"].drop_nulls()
    measures = {
        "incidents": float(incidents.height),
        "flagged incidents, %": 100 * int(incidents["flagged"].sum()) / incidents.height if incidents.height else None,
        "median z": z.median(),
        "largest z": z.max(),
        "threshold": saved.threshold,
    }
    made = saved.metadata.get("created")
    frame = pl.DataFrame(
        {"measure": list(measures), "value": list(measures.values())}, schema_overrides={"value": pl.Float64}
    )
    stamp = pl.lit(made, dtype=pl.String).str.to_datetime(time_unit="ms", time_zone="UTC", strict=False)
    return frame.select(prediction=pl.lit(saved.name), made=stamp, measure="measure", value="value")
