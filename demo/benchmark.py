"""What counting once saves: load, train and predict our way and the usual way, on the same logs, in turn.

    python demo/benchmark.py [--root PATH] [--repeats 3]

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

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))


def once(root: Path, output: Path) -> None:
    """Our way: the command `run`, events saved."""
    from lo2core.__main__ import main

    main(["run", "--root", str(root), "--output-dir", str(output), "--bundle", str(output / "nn.joblib")])


def counts_only(root: Path, output: Path) -> None:
    """Our way, without saving the events."""
    from lo2core.__main__ import main

    bundle = str(output / "nn.joblib")
    main(["run", "--root", str(root), "--output-dir", str(output), "--bundle", bundle, "--no-save-events"])


def usual(root: Path, output: Path) -> None:
    """The usual way: regular expressions and token lists for every line, then CountVectorizer and IsolationForest."""
    import polars as pl
    from sklearn.ensemble import IsolationForest
    from sklearn.feature_extraction.text import CountVectorizer

    from lo2core.sources import find_logs

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


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--root", type=Path, help="a folder of LO2 logs")
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments.add_argument("--output-dir", type=Path, help=argparse.SUPPRESS)
    args = arguments.parse_args()
    if args.way:
        one_way(args.way, args.root, args.output_dir)
    elif args.root:
        compare(args.root, args.repeats)
    else:
        from lo2core.sample import write_sample

        with tempfile.TemporaryDirectory() as folder:
            compare(write_sample(Path(folder) / "logs"), args.repeats)


if __name__ == "__main__":
    main()
