"""LogLead 2.0.0's detectors on the split of `python -m lo2core evaluate`: one run left out, incidents, worst service.

LogLead needs an environment of its own (its packages differ from ours):

    python -m venv loglead-env && loglead-env/bin/pip install loglead==2.0.0
    loglead-env/bin/python demo/loglead_baseline.py --root FOLDER_OF_RUNS [--items words drain] [--apart NAME ...]

Loading, masks, words, Drain ids and detectors are LogLead's with its defaults. Ours is what it has no way for: scores
are standardised per service by those of the training normals, an incident takes its worst service, and the metrics.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from pathlib import Path

import numpy as np
import polars as pl
from loglead import AnomalyDetector
from loglead.enhancers import EventLogEnhancer, SequenceEnhancer
from loglead.loaders import LO2Loader
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

SERVICES = ("client", "code", "key", "refresh-token", "service", "token", "user")
DETECTORS = ("IsolationForest", "LOF", "KMeans", "OneClassSVM", "RarityModel", "OOVDetector")
COLUMNS = {"words": "e_words", "drain": "e_event_drain_id"}


def main() -> None:
    """Score every incident with every detector and print one line of figures for each."""
    args = arguments()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    scores = [one for service in SERVICES for one in service_scores(args.root, service, args.items)]
    print(f"{'detector':<18} {'items':<6} {'AUROC':>6} {'AP':>6} {'R@1 %':>6} {'R@5 %':>6}  incidents")
    for (items, detector), part in pl.concat(scores).group_by("items", "detector", maintain_order=True):
        print(f"{detector:<18} {items:<6} {figures(part, args.apart)}")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True, help="the folder that holds the folders of the runs")
    parser.add_argument("--items", nargs="+", choices=COLUMNS, default=["words"], help="what LogLead counts")
    parser.add_argument("--apart", nargs="+", default=[], metavar="NAME", help="test cases not in the figures")
    return parser.parse_args()


def service_scores(root: Path, service: str, items: list[str]) -> list[pl.DataFrame]:
    """Scores of all sequences of a service, each by detectors trained on the normals of the other runs."""
    sequences = service_sequences(root, service, items)
    runs = sequences["run"].unique().sort()
    scored = []
    for name in items:
        for run in runs:
            train = sequences.filter(pl.col("run") != run, ~pl.col("anomaly"))
            test = sequences.filter(pl.col("run") == run)
            for detector in DETECTORS:
                z = standardised(detector, COLUMNS[name], train, test)
                row = test.select("run", "folder", "anomaly", z=pl.Series(z, dtype=pl.Float64))
                scored.append(row.with_columns(items=pl.lit(name), detector=pl.lit(detector)))
    return scored


def service_sequences(root: Path, service: str, items: list[str]) -> pl.DataFrame:
    """LogLead's sequences of one service with their items as lists; any `correct` or `correct_<n>` is normal."""
    loader = LO2Loader(str(root), n_runs=10_000, errors_per_run=10_000, single_service=service)
    loader.execute()
    enhancer = EventLogEnhancer(loader.df)
    enhancer.mask()
    enhancer.words("e_message_normalized")
    if "drain" in items:
        enhancer.parse_drain()
    known = enhancer.df.group_by("seq_id").agg(pl.col("run").first(), folder=pl.col("test_case").first())
    sequences = SequenceEnhancer(enhancer.df, loader.df_seq.select("seq_id"))
    sequences.seq_len()
    sequences.tokens("e_words")
    if "drain" in items:
        sequences.events()
    labelled = sequences.df_seq.join(known, on="seq_id")
    return labelled.with_columns(anomaly=~pl.col("folder").str.contains(r"^correct(_\d+)?$"))


def standardised(detector: str, column: str, train: pl.DataFrame, test: pl.DataFrame) -> np.ndarray:
    """Scores of the test rows, higher is worse, minus mean and over deviation of the scores of the training rows."""
    found = [raw_scores(detector, column, train, rows) for rows in (train, test)]
    return (found[1] - found[0].mean()) / (found[0].std() + 1e-9)


def raw_scores(detector: str, column: str, train: pl.DataFrame, rows: pl.DataFrame) -> np.ndarray:
    """What LogLead's `predict` calls pred_ano_proba."""
    np.random.seed(7)
    ad = AnomalyDetector(item_list_col=column, print_scores=False, auc_roc=True)
    ad.train_df, ad.test_df = train, rows
    ad.prepare_train_test_data()
    getattr(ad, f"train_{detector}")()
    return ad.predict()["pred_ano_proba"].to_numpy().astype(float)


def figures(scores: pl.DataFrame, apart: list[str]) -> str:
    """AUROC, average precision, recall at 1 % and 5 % false alarms of incidents, the worst service standing for all."""
    incidents = scores.filter(~pl.col("folder").is_in(apart)).group_by("run", "folder").agg(pl.all().max())
    truth, z = incidents["anomaly"].to_numpy(), incidents["z"].to_numpy()
    rates, recalls, _ = roc_curve(truth, z, drop_intermediate=False)
    values = [roc_auc_score(truth, z), average_precision_score(truth, z)]
    values += [recalls[rates <= share + 1e-12].max() for share in (0.01, 0.05)]
    return f"{' '.join(f'{value:6.3f}' for value in values)}  {truth.sum()} faulty, {(~truth).sum()} normal"


if __name__ == "__main__":
    main()
