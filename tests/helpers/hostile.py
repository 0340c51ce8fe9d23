"""A hostile workspace: beside good logs, models and scores lies one file or folder of each kind that cannot be read."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, get_type_hints

import polars as pl

from lo2core.base.provenance import Manifest, Metadata
from lo2core.base.schemas import Evaluation, EvaluationCurves, EvaluationFaults, Feedback, Triage
from lo2core.store.workspace import Workspace

DEEP = "[" * 100_000
GARBAGE = bytes(range(256)) * 40
ODD_VALUES: list[Any] = [None, True, -1, 10**400, 1e308, "", "\0", "\ud800", "x" * 5000, [], [[]], {}, {"": []}]
"""What a JSON value can be where another type is expected; two of them no other library can hold."""
ODD_TIMES = ["yesterday", "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59-23:59", "2026-13-01T00:00:00+00:00"]
ODD_PATHS = ["/dev/zero", "a\0b", "x" * 5000, "../" * 2000 + "etc/passwd", "~nobody/x", "\udce9"]


def odd_footers(known: type = Metadata) -> dict[str, str]:
    """Texts by a name: no JSON, JSON that is no object, and objects with odd values under every known key."""
    whole = {"cut": "{", "list": "[1]", "null": "null", "deep": DEEP, "objects": '{"a":' * 100_000, "nul": "\0"}
    whole |= {"huge": f'{{"rows": {"9" * 5000}}}', "nan": '{"threshold": NaN, "budget": Infinity, "window": -1e999}'}
    mixed = {f"value{n}": dict.fromkeys(get_type_hints(known), value) for n, value in enumerate(ODD_VALUES)}
    mixed |= {f"time{n}": {"created": value} for n, value in enumerate(ODD_TIMES)}
    mixed |= {f"path{n}": {"bundle": value, "workspace": value} for n, value in enumerate(ODD_PATHS)}
    return whole | {name: json.dumps({"table": "predictions"} | facts) for name, facts in mixed.items()}


def make_hostile(folder: Path) -> set[str]:
    """Adds to `folder/ws` and `folder/models` of `helpers.scored`; returns the names of tables that cannot be read."""
    workspace = Workspace(folder / "ws")
    _models(folder / "models")
    _job(workspace.root / ".job")
    _explainability(workspace.root / "explainability")
    _samples(workspace.root / "samples")
    for table in (Feedback, Triage, Evaluation, EvaluationCurves, EvaluationFaults):
        workspace.path(table).write_bytes(GARBAGE)
    scores = pl.read_parquet(workspace.path("nn")).head(50)
    for name, footer in odd_footers().items():
        scores.write_parquet(workspace.path(f"footer_{name}"), metadata={"lo2core": footer})
    return _tables(workspace, scores)


def _tables(workspace: Workspace, scores: pl.DataFrame) -> set[str]:
    whole = workspace.path("nn").read_bytes()
    unreadable = {"empty": b"", "garbage": GARBAGE, "cut": whole[:2000], "tail": whole[-2000:], "magic": b"PAR1PAR1"}
    for name, content in unreadable.items():
        workspace.path(name).write_bytes(content)
    odd_entries(workspace.root, ".parquet")
    odd = {
        "no_columns": pl.DataFrame(),
        "no_rows": scores.clear(),
        "text_scores": scores.with_columns(pl.col("score").cast(pl.String)),
        "list_scores": scores.with_columns(pl.concat_list("score")),
        "struct_ids": scores.with_columns(seq_id=pl.struct("seq_id", "run")),
        "infinite": scores.with_columns(score=pl.lit(float("inf"))),
        "nan": scores.with_columns(score=pl.lit(float("nan"))),
        "nothing_but_null": scores.with_columns(pl.lit(None).alias(name) for name in scores.columns),
        "a name\nwith a line end": scores,
        "twice": pl.concat([scores, scores]),
    }
    for name, frame in odd.items():
        frame.write_parquet(workspace.root / f"{name}.parquet")
    return {*unreadable, *ODD_ENTRIES, "text_scores", "list_scores", "struct_ids", "infinite"}


ODD_ENTRIES = {"folder", "pipe", "device", "lost", "loop"}


def odd_entries(folder: Path, suffix: str) -> None:
    """A folder, a pipe, a device, a link to nothing, to itself, and a name that is not UTF-8, with this suffix."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"folder{suffix}").mkdir()
    os.mkfifo(folder / f"pipe{suffix}")
    for name, to in (("device", "/dev/zero"), ("lost", "nowhere"), ("loop", f"loop{suffix}")):
        (folder / f"{name}{suffix}").symlink_to(to)
    (folder / os.fsdecode(b"caf\xe9" + suffix.encode())).write_bytes(GARBAGE)


def _models(folder: Path) -> None:
    odd_entries(folder, ".joblib")
    good = json.loads((folder / "nn.json").read_bytes())
    for name, text in odd_footers(Manifest).items():
        shutil.copy(folder / "nn.joblib", folder / f"m_{name}.joblib")
        text = json.dumps(good | json.loads(text)) if name.startswith(("value", "time", "path")) else text
        (folder / f"m_{name}.json").write_text(text)
    for name in ("folder", "pipe"):
        shutil.copy(folder / "nn.joblib", folder / f"manifest_{name}.joblib")
    (folder / "manifest_folder.json").mkdir()
    os.mkfifo(folder / "manifest_pipe.json")
    (folder / "empty.joblib").touch()


def _job(folder: Path) -> None:
    """A job that failed, by its files."""
    folder.mkdir(exist_ok=True)
    odd = {"detached": True, "arguments": [1], "stage": {}, "started": "yesterday", "alive": "../../x", "pid": -1}
    (folder / "job.json").write_text(json.dumps(odd))
    (folder / "progress.json").write_text(json.dumps({"label": ["a"], "fraction": 7, "eta": 1e308, "rate": 3}))
    (folder / "outcome.json").write_text(DEEP)
    os.mkfifo(folder / "output.log")
    (folder / "errors.log").write_bytes(GARBAGE)
    (folder / "cancelled.json").mkdir()


def _explainability(folder: Path) -> None:
    odd_entries(folder, "")
    (folder / "compare_file").write_text("no folder")
    for name, content in (("compare_odd", GARBAGE), ("nn", b"")):
        (folder / name).mkdir()
        odd_entries(folder / name, ".parquet")
        (folder / name / "provenance.parquet").write_bytes(content)
    os.utime(folder / "compare_odd" / "provenance.parquet", (2**55, 2**55))


def _samples(folder: Path) -> None:
    for name in ("my logs", "ärger", "x" * 150):
        (folder / name).mkdir(parents=True)
    odd_entries(folder, "")
    odd_entries(folder / "odd", ".parquet")
