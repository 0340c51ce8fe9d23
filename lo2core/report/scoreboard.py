"""An evaluation as text: a table of detectors and trivial baselines, followed by notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from lo2core.base.text import plural, windows
from lo2core.detect.evaluation.notes import notes
from lo2core.detect.evaluation.shortcuts import SHORTCUTS, warning

_HEAD = ("detector", "items", "split", "level", "AUROC (95 %)", "AP", "R@1 %", "R@5 %", "precision", "recall", "F1")
_MAIN = (pl.col("level") == "incident") & (pl.col("split") == "by run")
_TAIL = ("false alarms (95 %)", "PSI", "right service")


def as_text(figures: pl.DataFrame) -> str:
    """The rows of `schemas.Evaluation` as a table, best incident AUROC first, trivial baselines last, and notes."""
    ranks = {"incident": 0, "sequence": 1, "event": 2}
    ordered = figures.with_columns(
        level_rank=pl.col("level").cast(pl.String).replace_strict(ranks, return_dtype=pl.Int8),
        best=pl.col("auroc")
        .filter(pl.col("level") == "incident", pl.col("split") == "by run")
        .max()
        .over("evaluation"),
        shortcut=pl.col("kind") == "shortcut",
    ).sort("shortcut", "best", "evaluation", "split", "level_rank", descending=[False, True, False, False, False])
    lines = [_size(figures), "", *aligned([(*_HEAD, *_TAIL), *map(_cells, ordered.iter_rows(named=True))])]
    return "\n".join([*lines, "", *_notes(figures), *warnings(figures)]).rstrip()


def in_short(figures: pl.DataFrame) -> str:
    """A line about one evaluation (rows of `schemas.Evaluation`): its main metrics of incidents in held-out runs."""
    row = figures.filter(_MAIN, pl.col("kind") == "detector").row(0, named=True)
    alarms = f"{plural(row['false_positives'], 'false alarm')} in {plural(row['normal'], 'normal incident')}"
    auroc, recall = _number(row["auroc"], 4), _number(row["recall"], 3)
    return f"{row['detector']}, {row['items']}: AUROC {auroc}, recall {recall}, {alarms}"


def warnings(figures: pl.DataFrame) -> list[str]:
    """The leakage check: a sentence for each trivial baseline that explains a metric or beats a detector."""
    incidents = figures.filter(_MAIN, pl.col("auroc").is_not_null()).sort("auroc", descending=True)
    name = pl.concat_str("detector", "items", separator=" on ", ignore_nulls=True)
    alone, detectors = (
        dict(incidents.filter(kind=kind).select(name, "auroc").iter_rows()) for kind in ("shortcut", "detector")
    )
    sentences = (warning(shortcut, alone.get(shortcut.title), detectors) for shortcut in SHORTCUTS)
    return [sentence for sentence in sentences if sentence]


def aligned(rows: Sequence[Sequence[str]], numbers: int = 0) -> Iterator[str]:
    """The rows as lines with aligned columns, separated by two spaces; the first `numbers` columns to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        right, left = zip(row[:numbers], widths, strict=False), zip(row[numbers:], widths[numbers:], strict=True)
        cells = [*(cell.rjust(width) for cell, width in right), *(cell.ljust(width) for cell, width in left)]
        yield "  ".join(cells).rstrip()


def _size(figures: pl.DataFrame) -> str:
    row = figures.filter(_MAIN).row(0, named=True)
    apart = f"; reported separately: {', '.join(row['apart'])}" if row["apart"] else ""
    data = windows(row["window"])
    return f"{plural(row['runs'], 'run')}, {data}: {row['faulty']} faulty and {row['normal']} normal incidents{apart}."


def _cells(row: dict[str, object]) -> tuple[str, ...]:
    alarms = "" if row["true_negatives"] is None else f"{row['false_positives']} of {row['normal']}"
    return (
        str(row["detector"]),
        str(row["items"] or ""),
        str(row["split"]),
        str(row["level"]),
        _number(row["auroc"], 4) + _interval(row["auroc_low"], row["auroc_high"], 3),
        *(_number(row[n], 3) for n in ("average_precision", "recall_at_1", "recall_at_5", "precision", "recall", "f1")),
        alarms + _interval(row["false_alarm_low"], row["false_alarm_high"], 3),
        _number(row["psi"], 2),
        _number(row["right_service"], 2),
    )


def _number(value: object, digits: int) -> str:
    return f"{value:.{digits}f}" if isinstance(value, float) else "-"


def _interval(low: object, high: object, digits: int) -> str:
    return "" if low is None else f" ({_number(low, digits)}-{_number(high, digits)})"


def _notes(figures: pl.DataFrame) -> list[str]:
    """The notes of all evaluations, each once, with the detectors it concerns."""
    detectors: dict[str, list[str]] = {}
    for detector, sentence in notes(figures):
        names = detectors.setdefault(sentence, [])
        if detector not in names:
            names.append(detector)
    return [f"{', '.join(names)}: {sentence}" for sentence, names in detectors.items()]
