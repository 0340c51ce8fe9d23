"""Whether something became slower: CPU time and memory of the commands, as multiples of a floor, from one run.

    make benchmark                                           logs made from the sample, compared with the stored ratios
    python demo/benchmark.py --root RUN [--rounds 5]         logs of your own; nothing is compared
    python demo/benchmark.py --against usual                 a list of tokens for every event, too
    python demo/benchmark.py --against loglead --python loglead-env/bin/python
    python demo/benchmark.py --cluster                       `load` by one and by two workers, too
    python demo/benchmark.py --store                         after a change that is meant to cost time
    python demo/benchmark.py --pages                         the pages in a browser, see demo/page_speed.py

The floor is one process in which polars reads the same bytes, splits them into lines and writes zstd Parquet. All ways
run in turn, each in a process of its own, and a ratio is the median of the ratios of each round: machines differ, and
their speed varies. Exit status 1 if a ratio is more than 15 % above the stored one.

Other programs count, too: store ratios on a quiet machine only (`uptime` below 0.5), with five rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

DEMO = Path(__file__).resolve().parent
REPOSITORY = DEMO.parent
STORED = DEMO / "ratios.json"
TOLERANCE = 0.15
RUNS = 24
"""Runs of the sample, about 60 MB."""

sys.path.insert(0, str(REPOSITORY))

FLOOR = """
import sys, pathlib, polars as pl
texts = [path.read_text(errors="replace") for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.log"))]
lines = pl.DataFrame({"file": range(len(texts)), "text": texts}).with_columns(pl.col("text").str.split("\\n"))
lines.explode("text").write_parquet(sys.argv[2] + "/lines.parquet", compression="zstd", compression_level=1)
"""
USUAL = r"""
import pathlib, sys, polars as pl
from sklearn.ensemble import IsolationForest
from sklearn.feature_extraction.text import CountVectorizer
paths = sorted(pathlib.Path(sys.argv[1]).rglob("*oauth2-*.log"))
texts = [path.read_text(errors="replace").splitlines() for path in paths]
lines = pl.DataFrame({"seq_id": map(str, paths), "text": texts}).explode("text")
lines = lines.filter(pl.col("text").str.contains(r"^\d\d:\d\d:\d\d\.\d{3}"))
masked = pl.col("text").str.slice(12)
for pattern in (r"[0-9a-f]{8}-[0-9a-f-]{4,}", r"\b[0-9a-f]{8}\b", r"[\w-]{22,}", r"\d+"):
    masked = masked.str.replace_all(pattern, "<*>")
events = lines.with_columns(e_words=masked.str.split(" "), e_trigrams=pl.col("text").str.extract_all(r"(?s)..."))
events.write_parquet(sys.argv[2] + "/events.parquet")
sequences = events.group_by("seq_id", maintain_order=True).agg(pl.col("e_words").explode())
X = CountVectorizer(analyzer=lambda words: words).fit_transform(sequences["e_words"].to_list())
normal = sequences["seq_id"].str.contains("/correct", literal=True).to_numpy()
IsolationForest(random_state=0).fit(X[normal]).score_samples(X)
"""
LOGLEAD = """
import sys
from loglead import AnomalyDetector
from loglead.enhancers import EventLogEnhancer, SequenceEnhancer
from loglead.loaders import LO2Loader
loader = LO2Loader(sys.argv[1], n_runs=10_000, errors_per_run=10_000)
loader.execute()
enhancer = EventLogEnhancer(loader.df)
enhancer.mask()
enhancer.words("e_message_normalized")
sequences = SequenceEnhancer(enhancer.df, loader.df_seq)
sequences.tokens("e_words")
detector = AnomalyDetector(item_list_col="e_words", print_scores=False)
detector.train_df = detector.test_df = sequences.df_seq
detector.prepare_train_test_data()
detector.train_IsolationForest()
detector.predict().write_parquet(sys.argv[2] + "/scores.parquet")
"""


@dataclass(frozen=True)
class Cost:
    """What one process took: seconds of CPU (user and system) and of the clock, and its peak memory in MB."""

    cpu: float
    wall: float
    memory: float


def ways(root: Path, against: str | None, python: str, cluster: bool) -> dict[str, list[str]]:
    """The command of each way, without the folder for its results, which is its last argument. The floor is first.

    python: of an environment with LogLead.
    """
    lo2core = [sys.executable, "-m", "lo2core"]
    logs = ["--root", str(root)]
    forest = ["--detector", "IsolationForest", "--items", "words"]
    found = {
        "floor": [sys.executable, "-c", FLOOR, str(root)],
        "load": [*lo2core, "load", *logs, "--output-dir"],
        "load --no-save-events": [*lo2core, "load", *logs, "--no-save-events", "--output-dir"],
        "run": [*lo2core, "run", *logs, "--bundle", "BUNDLE", "--output-dir"],
        "run, IsolationForest": [*lo2core, "run", *logs, *forest, "--bundle", "BUNDLE", "--output-dir"],
    }
    if cluster:
        for n in (1, 2):
            found[f"load --cluster local:{n}"] = [*lo2core, "load", *logs, "--cluster", f"local:{n}", "--output-dir"]
    if against == "usual":
        found["the usual way"] = [sys.executable, "-c", USUAL, str(root)]
    elif against == "loglead":
        found["LogLead, IsolationForest"] = [python, "-c", LOGLEAD, str(root)]
    return found


def cost(command: list[str]) -> Cost:
    """Runs one way in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        words = [word.replace("BUNDLE", f"{folder}/model.joblib") for word in command]
        began = time.perf_counter()
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen([*words, folder], cwd=REPOSITORY, stdout=said, stderr=said)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if status:
                said.seek(0)
                raise SystemExit(f"{' '.join(words[:4])} failed:\n{said.read().decode(errors='replace')[-2000:]}")
    megabytes = used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - began, megabytes)


def measured(root: Path, commands: dict[str, list[str]], rounds: int) -> dict[str, float]:
    """Prints the table; the ratio of each way's CPU time to that of the floor."""
    costs = [{way: cost(command) for way, command in commands.items()} for _ in range(rounds)]
    size = sum(path.stat().st_size for path in root.rglob("*.log")) / 1e6
    print(f"{size:,.1f} MB of logs, medians of {rounds} rounds\n")
    print(f"{'way':<26}{'CPU s':>8}{'wall s':>8}{'MB':>8}{'floors':>8}")
    ratios = {}
    for way in commands:
        cpu, wall, memory = (median(getattr(one[way], name) for one in costs) for name in ("cpu", "wall", "memory"))
        ratios[way] = round(median(one[way].cpu / one["floor"].cpu for one in costs), 2)
        print(f"{way:<26}{cpu:>8.2f}{wall:>8.2f}{memory:>8,.0f}{ratios[way]:>8.2f}")
    return ratios


def slower(ratios: dict[str, float], stored: dict[str, float]) -> list[str]:
    """A sentence for each way that takes more than `TOLERANCE` longer than stored."""
    return [
        f"{way} takes {ratio} floors, {stored[way]} are stored: {ratio / stored[way] - 1:.0%} more."
        for way, ratio in ratios.items()
        if way in stored and ratio > (1 + TOLERANCE) * stored[way]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, help="a folder of LO2 logs; without it, logs made from the sample")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", choices=["usual", "loglead"], help="measure this way, too")
    parser.add_argument("--python", default="loglead-env/bin/python", help="Python of an environment with LogLead")
    parser.add_argument("--cluster", action="store_true", help="measure a load by one and by two workers, too")
    parser.add_argument("--store", action="store_true", help="store the ratios, which later ones are compared with")
    parser.add_argument("--pages", action="store_true", help="measure the pages instead")
    args = parser.parse_args()
    if args.pages:
        raise SystemExit(subprocess.call([sys.executable, str(DEMO / "page_speed.py")]))
    how = (args.against, args.python, args.cluster)
    if args.root:
        measured(args.root, ways(args.root, *how), args.rounds)
        return
    from lo2core.load.synthetic import write_sample

    with tempfile.TemporaryDirectory() as folder:
        root = write_sample(Path(folder) / "logs", runs=RUNS)
        ratios = measured(root, ways(root, *how), args.rounds)
    if args.store:
        STORED.write_text(json.dumps(ratios, indent=2) + "\n")
    elif found := slower(ratios, json.loads(STORED.read_text())):
        raise SystemExit("\n" + "\n".join(found))


if __name__ == "__main__":
    main()
