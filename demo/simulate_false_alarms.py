"""How many new normals an isolation forest flags at an alert budget, on simulated runs.

    python demo/simulate_false_alarms.py [--repeats 60] [--normals 8]

Counts of a sequence are Poisson; each run multiplies all of its rates by a factor of its own, as real runs do. Each
repetition draws runs with some normals, trains on them and scores normals of twenty new runs. "by fold" fits a forest
without each run, "by run" grows one whose trees leave out runs, with five runs or more. Intervals are 95 %, over
repetitions. "expected": what a threshold from so few normals can promise, see `calibration.threshold_for`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy import sparse

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lo2core.detect.calibration import Calibration, left_out_z, threshold_for
from lo2core.detect.detectors import make

ITEMS, NEW_RUNS, BUDGETS = 40, 20, (1.0, 5.0, 10.0)


def normals(rng: np.random.Generator, n_runs: int, per_run: int) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Counts of normals [n_runs * per_run, ITEMS], and the run of each."""
    runs = np.repeat(np.arange(n_runs), per_run)
    rates = np.linspace(0.2, 12, ITEMS) * np.exp(0.1 * rng.normal(size=(n_runs, ITEMS)))
    return sparse.csr_matrix(rng.poisson(rates[runs]).astype(float)), runs


def by_fold(X: sparse.csr_matrix, runs: np.ndarray) -> tuple[object, np.ndarray]:
    """A forest of all rows, and the score of each by a forest without its run."""
    scores = np.empty(len(runs))
    for run in np.unique(runs):
        scores[runs == run] = make("IsolationForest").fit(X[runs != run]).score(X[runs == run])
    return make("IsolationForest").fit(X), scores


def by_run(X: sparse.csr_matrix, runs: np.ndarray) -> tuple[object, np.ndarray] | None:
    """A forest whose trees leave out runs, and the score of each row by the trees that have not seen its run."""
    forest = make("IsolationForest")
    scores = forest.fit_out_of_bag(X, runs, np.arange(len(runs)))
    return None if scores is None else (forest, scores)


def alarms(forest: object, scores: np.ndarray, runs: np.ndarray, new: sparse.csr_matrix) -> list[float]:
    """The share of new normals that are flagged, for each budget."""
    weights = np.ones(len(runs))
    z = left_out_z(scores, weights, runs)
    of_new = Calibration.of(scores, weights).z(forest.score(new))
    return [float(np.mean(of_new >= threshold_for(z, budget).z)) for budget in BUDGETS]


def cell(shares: list[list[float]], at: int) -> str:
    rates = 100 * np.array(shares)[:, at]
    half = 1.96 * rates.std(ddof=1) / np.sqrt(len(rates))
    return f"{rates.mean():.1f} ({max(0, rates.mean() - half):.1f}-{rates.mean() + half:.1f})"


def expected(n: int, budget: float) -> str:
    allowed = min(int((n + 1) * budget / 100), n - 1)
    return f"{100 * allowed / (n + 1):.1f}-{100 * (allowed + 1) / (n + 1):.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=60)
    parser.add_argument("--normals", type=int, default=8, help="normals of each run")
    options = parser.parse_args()
    print("| runs | trained | " + " | ".join(f"budget {b:g}, expected: flagged" for b in BUDGETS) + " |")
    print("| --- " * (2 + len(BUDGETS)) + "|")
    for n_runs in range(2, 11):
        found: dict[str, list[list[float]]] = {"by fold": [], "by run": []}
        for repeat in range(options.repeats):
            rng = np.random.default_rng([n_runs, repeat])
            X, runs = normals(rng, n_runs, options.normals)
            new, _ = normals(rng, NEW_RUNS, options.normals)
            found["by fold"].append(alarms(*by_fold(X, runs), runs, new))
            if n_runs >= 5 and (once := by_run(X, runs)):
                found["by run"].append(alarms(*once, runs, new))
        for way, shares in found.items():
            if shares:
                n = n_runs * options.normals
                cells = [f"{expected(n, b)}: {cell(shares, at)}" for at, b in enumerate(BUDGETS)]
                print(f"| {n_runs} | {way} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
