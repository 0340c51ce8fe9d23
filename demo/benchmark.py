"""What counting once saves: load, train and predict our way and the usual way, on the same logs, in turn.

    python demo/benchmark.py [--root PATH] [--repeats 3]
    python demo/benchmark.py --predictions 1000000        how long comparing two saved predictions takes

The usual way makes a list of tokens for every event and a document for every sequence, and vectorises those. Each way
runs in a process of its own; the figures to quote are the ratios, since machines differ and are noisy. Without --root
the synthetic sample is used.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))


def once(root: Path, output: Path) -> None:
    """Our way: the command `run`, events saved."""
    from lo2core.cli.commands import main

    main(["run", "--root", str(root), "--output-dir", str(output), "--bundle", str(output / "nn.joblib")])


def counts_only(root: Path, output: Path) -> None:
    """Our way, without saving the events."""
    from lo2core.cli.commands import main

    bundle = str(output / "nn.joblib")
    main(["run", "--root", str(root), "--output-dir", str(output), "--bundle", bundle, "--no-save-events"])


def usual(root: Path, output: Path) -> None:
    """The usual way: regular expressions and token lists for every line, then CountVectorizer and IsolationForest."""
    import polars as pl
    from sklearn.ensemble import IsolationForest
    from sklearn.feature_extraction.text import CountVectorizer

    from lo2core.load.layouts import find_logs

    logs = [file for file in find_logs([root]) if file.service]
    lines = pl.concat(
        pl.DataFrame({"text": file.path.read_text(errors="replace").splitlines()}).with_columns(
            seq_id=pl.lit(file.source), normal=pl.lit(file.normal)
        )
        for file in logs
    )
    lines = lines.filter(pl.col("text").str.contains(r"^\d\d:\d\d:\d\d\.\d{3}"))
    masked = pl.col("text").str.slice(12)
    for pattern in (r"[0-9a-f]{8}-[0-9a-f-]{4,}", r"\b[0-9a-f]{8}\b", r"[\w-]{22,}", r"\d+"):
        masked = masked.str.replace_all(pattern, "<*>")
    events = lines.with_columns(e_words=masked.str.split(" "))
    events = events.with_columns(e_trigrams=pl.col("text").str.extract_all(r"(?s)..."))
    events.write_parquet(output / "events.parquet")
    sequences = events.group_by("seq_id", maintain_order=True).agg(
        pl.col("e_words").explode(), pl.col("normal").first()
    )
    X = CountVectorizer(analyzer=lambda words: words).fit_transform(sequences["e_words"].to_list())
    model = IsolationForest(random_state=0).fit(X[sequences["normal"].fill_null(False).to_numpy()])
    model.score_samples(X)


WAYS: dict[str, Callable[[Path, Path], None]] = {"once": once, "counts only": counts_only, "usual": usual}


def measure(way: str, root: Path) -> dict[str, float]:
    """Seconds and megabytes of one way in a process of its own."""
    with tempfile.TemporaryDirectory() as output:
        command = [sys.executable, __file__, "--way", way, "--root", str(root), "--output-dir", output]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def one_way(way: str, root: Path, output: Path) -> None:
    """Run one way here and print its seconds and its peak memory, as JSON."""
    began = time.perf_counter()
    WAYS[way](root, output)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    megabytes = peak / (1e6 if sys.platform == "darwin" else 1e3)
    print(json.dumps({"seconds": time.perf_counter() - began, "megabytes": megabytes}))


def compare(root: Path, repeats: int) -> None:
    """All ways in turn, `repeats` times; medians, and ratios to the usual way taken round by round."""
    rounds = [{way: measure(way, root) for way in WAYS} for _ in range(repeats)]
    size = sum(path.stat().st_size for path in root.rglob("*.log")) / 1e6
    print(f"{size:,.1f} MB of logs, {repeats} rounds")
    for way in WAYS:
        seconds = median(r[way]["seconds"] for r in rounds)
        memory = median(r[way]["megabytes"] for r in rounds)
        faster = median(r["usual"]["seconds"] / r[way]["seconds"] for r in rounds)
        leaner = median(r["usual"]["megabytes"] / r[way]["megabytes"] for r in rounds)
        print(
            f"{way:12s} {seconds:7.2f} s {size / seconds:7.1f} MB/s {memory:8,.0f} MB   "
            f"{faster:5.1f} times as fast, 1/{leaner:.1f} of the memory of the usual way"
        )


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
    arguments.add_argument("--root", type=Path, help="a folder of LO2 logs")
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--predictions", type=int, metavar="N", help="compare two predictions of N sequences")
    arguments.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments.add_argument("--output-dir", type=Path, help=argparse.SUPPRESS)
    args = arguments.parse_args()
    if args.way:
        one_way(args.way, args.root, args.output_dir)
    elif args.predictions:
        compare_predictions(args.predictions, args.repeats)
    elif args.root:
        compare(args.root, args.repeats)
    else:
        from lo2core.load.synthetic import write_sample

        with tempfile.TemporaryDirectory() as folder:
            compare(write_sample(Path(folder) / "logs"), args.repeats)


if __name__ == "__main__":
    main()
