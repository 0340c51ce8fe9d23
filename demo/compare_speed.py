"""How long comparing two saved predictions takes: the first view of page Compare and every table, against reading both.

python demo/compare_speed.py [--predictions 1000000] [--repeats 3]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def compare_predictions(rows: int, repeats: int) -> None:
    """Two made-up predictions of `rows` sequences: what page Compare shows first, and every table, against reading."""
    import polars as pl

    from lo2core.pipeline import compare as pipeline_compare
    from lo2core.store.workspace import Workspace

    def read(workspace: Workspace) -> None:
        for name in "ab":
            pl.read_parquet(workspace.path(name))

    def first_view(workspace: Workspace) -> None:
        found = pipeline_compare.compare_predictions(workspace, "ab")
        for part in ("verdict", "making", "rates", "agreement", "flips", "density"):
            getattr(found, part)

    def every_table(workspace: Workspace) -> None:
        _ = pipeline_compare.compare_predictions(workspace, "ab").frames

    ways = {"read both": read, "first view": first_view, "every table": every_table}
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(folder)
        for seed, name in enumerate("ab"):
            save_made_up(workspace, name, rows, seed)
        rounds = [{way: seconds_of(run, workspace) for way, run in ways.items()} for _ in range(repeats + 1)][1:]
    print(f"two predictions of {rows:,} sequences, {repeats} rounds after one that is not counted")
    for way in ways:
        ratio = median(r[way] / r["read both"] for r in rounds)
        print(f"{way:12s} {median(r[way] for r in rounds):6.2f} s   {ratio:5.1f} times as long as reading both")


def seconds_of(run: Callable[[Any], None], argument: Any) -> float:
    began = time.perf_counter()
    run(argument)
    return time.perf_counter() - began


def save_made_up(workspace: Any, name: str, rows: int, seed: int) -> None:
    """Predictions of runs of 65 test cases and 7 services; one test case in five is faulty, and mostly flagged."""
    import numpy as np
    import polars as pl

    from lo2core.base.config import SERVICES
    from lo2core.base.schemas import Predictions
    from lo2core.detect.calibration import Threshold
    from lo2core.detect.predict import COLUMNS, SCORED, labelled

    at = pl.int_range(rows, dtype=pl.Int64)
    case, faulty = at // 7 % 65, at // 7 % 5 == 0
    z = pl.Series(np.random.default_rng(seed).normal(size=rows))
    frame = pl.select(
        run=pl.format("light-oauth2-data-{}", 1_700_000_000 + at // 455),
        folder=pl.format("test_case_{}", case),
        service=pl.Series(SERVICES).gather(pl.select(at % 7).to_series()),
        anomaly=faulty,
        normal=~faulty,
    ).with_columns(
        seq_id=pl.format("{}__{}__{}", "run", "folder", "service"),
        test_case="folder",
        repetition=pl.lit(None, pl.Int32),
        window=pl.lit(None, pl.Int32),
        score=z,
        z_score=z + 4 * pl.col("anomaly"),
        p_value=pl.lit(0.5),
        status=pl.lit(SCORED, COLUMNS["status"]),
    )
    scored = labelled(frame, Threshold(3.0, 5.0, 100, False)).select(COLUMNS.names())
    facts = {"bundle_sha256": name, "data_fingerprint": "made up"}
    workspace.write(Predictions, scored, name=name, provenance=facts)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(
        "--predictions", type=int, default=1_000_000, metavar="N", help="sequences of each of the two"
    )
    arguments.add_argument("--repeats", type=int, default=3)
    args = arguments.parse_args()
    compare_predictions(args.predictions, args.repeats)


if __name__ == "__main__":
    main()
