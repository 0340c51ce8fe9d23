"""Evaluation: left-out scores, figures, shortcuts, faults, and tables from elsewhere."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from helpers.loglines import write_runs
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from lo2core.base.config import MIN_RUNS
from lo2core.base.errors import InputError
from lo2core.base.schemas import Evaluation, EvaluationCurves, EvaluationFaults, Sequences
from lo2core.base.statistics import binomial, psi, psi_of_counts
from lo2core.cli import commands
from lo2core.detect.evaluation import holdout, metrics
from lo2core.detect.evaluation.evaluate import (
    Evaluated,
    EvaluationProtocol,
    evaluate,
    merged,
    read_concerns,
    recipes,
    shortcuts_beside,
    steps,
)
from lo2core.detect.evaluation.metrics import Scored
from lo2core.detect.evaluation.shortcuts import incident_facts
from lo2core.detect.folds import run_folds
from lo2core.detect.instances import CountSource, EventSource
from lo2core.detect.predict import predict
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import train
from lo2core.messages.counts import COUNTS, MESSAGES, MessageCounts
from lo2core.pipeline.evaluate import evaluate_recipes
from lo2core.pipeline.inputs import read_items
from lo2core.pipeline.load import load_logs
from lo2core.report.scoreboard import as_text, warnings
from lo2core.store.workspace import Workspace

N_RUNS, N_NORMALS, LONG = 5, 4, 6
NORMAL_ITEMS, FAULT_ITEM, START_UP_ITEM = range(1, 9), 90, 91
FACTS = {"window": None, "data_fingerprint": "abc", "evaluated_at": "2026-01-01T00:00:00+00:00"}


def small_logs(long_first: bool = False) -> tuple[MessageCounts, pl.DataFrame]:
    """Five runs, two services; four normal incidents each, a loud fault in `token`, a mute one that leaves nothing."""
    rng = np.random.default_rng(3)
    sequences, counts = [], []
    cases = [("correct", i or None, True) for i in range(N_NORMALS)]
    for run in range(N_RUNS):
        for place, (case, repetition, normal) in enumerate([*cases, ("loud", None, False), ("mute", None, False)]):
            folder = f"{case}_{repetition}" if repetition else case
            times = LONG if long_first and place == 0 else 1
            for service in ("token", "user"):
                seq_id = f"run_{run}__{folder}__{service}"
                found = {item: int(times * rng.integers(18, 23)) for item in NORMAL_ITEMS}
                if case == "loud" and service == "token":
                    found[FAULT_ITEM] = 12
                if place == 0:
                    found[START_UP_ITEM] = 1
                counts += [(seq_id, "message", item, n) for item, n in found.items()]
                sequences.append(sequence(seq_id, run, folder, case, repetition, service, normal, place, found, times))
    ids = {item for _, _, item, _ in counts}
    messages = [(item, "message", f"INFO a.B c - item {item}", None) for item in sorted(ids)]
    items = MessageCounts(pl.DataFrame(messages, MESSAGES, orient="row"), pl.DataFrame(counts, COUNTS, orient="row"))
    return items, pl.DataFrame(sequences, Sequences.create_empty().schema)


def sequence(seq_id, run, folder, case, repetition, service, normal, place, found, times):
    start, n = datetime(2026, 1, 1 + run, 12, 5 * place), sum(found.values())
    return {
        "seq_id": seq_id,
        "run": f"run_{run}",
        "folder": folder,
        "test_case": case,
        "repetition": repetition,
        "service": service,
        "normal": normal,
        "anomaly": not normal,
        "start_time": start,
        "end_time": start + timedelta(seconds=6 * times),
        "events": n,
        "lines": n,
        "bytes": 80 * n,
    }


@pytest.fixture(scope="module")
def logs() -> tuple[MessageCounts, pl.DataFrame]:
    return small_logs()


@pytest.fixture(scope="module")
def evaluated(logs: tuple[MessageCounts, pl.DataFrame]) -> Evaluated:
    concerns = pl.DataFrame({"pattern": ["^loud", "^mute"], "service": ["token", "user"]})
    return evaluate(
        CountSource(*logs), logs[1], Recipe(), EvaluationProtocol(apart=("mute",), concerns=concerns), FACTS
    )


@pytest.fixture(scope="module")
def evaluated_tree(logs: tuple[MessageCounts, pl.DataFrame]) -> Evaluated:
    return evaluate(CountSource(*logs), logs[1], Recipe("DecisionTree"), APART, FACTS)


APART = EvaluationProtocol(apart=("mute",))


def main_row(frame: pl.DataFrame, **where: object) -> dict[str, object]:
    wanted = {"level": "incident", "split": "by run", "kind": "detector"} | where
    return frame.filter(*(pl.col(name) == value for name, value in wanted.items())).row(0, named=True)


def scored(truth: list[int], score: list[float], group: list[str] | None = None) -> Scored:
    y = np.array(truth, dtype=bool)
    return Scored(
        y, np.array(score, dtype=float), np.array(score) >= 3, np.ones(len(y)), np.array(group or ["a"] * len(y))
    )


def test_a_fold_is_what_train_and_predict_would_do_without_it(logs: tuple[MessageCounts, pl.DataFrame]) -> None:
    items, sequences = logs
    source = CountSource(items, sequences)
    found = holdout.left_out(source, Recipe(), run_folds(source.rows), lambda n: None)
    model, vec = train(CountSource(items, sequences.filter(pl.col("run") != "run_2")), Recipe())
    alone = predict(model, vec, items, sequences.filter(pl.col("run") == "run_2"))
    joined = alone.join(found.rows, on="seq_id")
    assert joined.height == 12
    assert joined["z_score"].equals(joined["z_score_right"].rename("z_score"))
    assert joined["threshold"].equals(joined["threshold_right"].rename("threshold"))


@pytest.mark.parametrize(("share", "n"), [(0.01, 1), (0.5, 2), (0.99, N_RUNS - 1)])
def test_a_share_trains_on_one_run_at_least_and_leaves_one(
    logs: tuple[MessageCounts, pl.DataFrame], share: float, n: int
) -> None:
    rows = CountSource(*logs).rows
    (fold,) = run_folds(rows, share)
    assert rows.filter(fold.train)["run"].n_unique() == n
    assert rows.filter(fold.test)["run"].n_unique() == N_RUNS - n


def test_every_labelled_row_is_tested_once(logs: tuple[MessageCounts, pl.DataFrame]) -> None:
    source = CountSource(*logs)
    found = holdout.left_out(source, Recipe(), run_folds(source.rows), lambda n: None)
    assert sorted(found.rows["seq_id"]) == sorted(source.rows["seq_id"])


def test_training_in_parallel_changes_no_figure(
    logs: tuple[MessageCounts, pl.DataFrame], evaluated_tree: Evaluated
) -> None:
    recipe, done = Recipe("DecisionTree"), []
    with ThreadPoolExecutor(2) as pool:
        parallel = evaluate(CountSource(*logs), logs[1], recipe, APART, FACTS, done.append, pool.map)
    assert all(one.equals(other) for one, other in zip(parallel.frames(), evaluated_tree.frames(), strict=True))
    assert sum(done) == steps(CountSource(*logs), recipe, APART)


def test_a_loud_fault_is_found_and_test_cases_apart_do_not_count(evaluated: Evaluated) -> None:
    row = main_row(evaluated.figures)
    assert (row["auroc"], row["recall_at_5"], row["recall"]) == (1, 1, 1)
    assert (row["faulty"], row["normal"], row["apart"]) == (N_RUNS, N_RUNS * N_NORMALS, ["mute"])
    assert row["right_service"] == 1
    assert row["auroc_low"] <= row["auroc"] <= row["auroc_high"]


def test_the_fault_table_shows_where_a_fault_shows(evaluated: Evaluated) -> None:
    table = evaluated.faults.filter(pl.col("split") == "by run")
    share = {
        (case, service): share for case, service, share in table.select("test_case", "service", "share").iter_rows()
    }
    assert share["loud", "token"] == share["loud", "any"] == 1
    assert share["loud", "user"] < 0.5
    assert share["mute", "any"] < 0.5
    assert table.filter("apart")["test_case"].unique().to_list() == ["mute"]
    loud = table.filter(pl.col("test_case") == "loud", pl.col("service") == "token").row(0, named=True)
    assert loud["concerned"] and loud["named"] == N_RUNS


def test_false_alarms_come_with_their_binomial_interval(evaluated: Evaluated) -> None:
    row = main_row(evaluated.figures)
    assert row["false_alarm_low"] <= row["false_alarm_rate"] <= row["false_alarm_high"]
    assert binomial(0, 70) == pytest.approx((0, 0.0513), abs=1e-4)
    assert binomial(0, 0) == (None, None)


def test_the_saved_tables_fit_their_declaration(evaluated: Evaluated) -> None:
    for schema, frame in zip((Evaluation, EvaluationCurves, EvaluationFaults), evaluated.frames(), strict=True):
        schema.validate(frame)
    assert set(evaluated.curves["curve"]) == {"roc", "precision-recall"}


def test_unlabelled_rows_do_not_count(logs: tuple[MessageCounts, pl.DataFrame]) -> None:
    items, sequences = logs
    hidden = pl.when(pl.col("test_case") == "loud").then(None)
    unknown = sequences.with_columns(hidden.otherwise(pl.col(n)).alias(n) for n in ("normal", "anomaly"))
    row = main_row(evaluate(CountSource(items, unknown), unknown, Recipe(), facts=FACTS).figures)
    assert row["faulty"] == N_RUNS


def test_normals_alone_give_false_alarms_but_no_auroc(logs: tuple[MessageCounts, pl.DataFrame]) -> None:
    items, sequences = logs
    normal = sequences.filter("normal")
    found = evaluate(CountSource(items, normal), normal, Recipe(), facts=FACTS)
    row = main_row(found.figures)
    assert row["auroc"] is None and "nothing to rank" in str(row["note"])
    assert row["true_negatives"] + row["false_positives"] == row["normal"]
    other = evaluate(CountSource(items, normal), normal, Recipe("Rarity"), facts=FACTS)
    said = as_text(merged(found, other).figures).splitlines()
    assert sum("NearestNormal, Rarity: All labelled rows are normal" in line for line in said) == 1


def test_a_memorised_fault_shows_when_it_is_left_out(evaluated_tree: Evaluated) -> None:
    """`loud` is the only fault with a trace: a tree that never met one has nothing to tell it by."""
    known, left_out = (main_row(evaluated_tree.figures, split=split) for split in ("by run", "fault left out"))
    assert left_out["auroc"] < 0.7 < known["auroc"]
    assert left_out["faulty"] == known["faulty"]


def test_long_normals_are_scored_by_what_short_ones_taught() -> None:
    items, sequences = small_logs(long_first=True)
    found = evaluate(CountSource(items, sequences), sequences, Recipe(), EvaluationProtocol(apart=("mute",)), FACTS)
    row = main_row(found.figures, split="long normals")
    assert (row["normal"], row["faulty"]) == (N_RUNS, 0)
    assert "nothing to rank" not in as_text(found.figures)


def test_events_are_measured_at_three_levels(logs: tuple[MessageCounts, pl.DataFrame]) -> None:
    found = evaluate(EventSource(*logs), logs[1], Recipe("Rarity", unit="event"), facts=FACTS)
    detector = found.figures.filter(pl.col("kind") == "detector", pl.col("split") == "by run")
    assert set(detector["level"]) == {"event", "sequence", "incident"}
    events = main_row(found.figures, level="event")
    assert events["normal"] + events["faulty"] == logs[0].counts["n"].sum()


def test_shortcuts_are_direction_free_and_look_at_no_label() -> None:
    items, sequences = small_logs(long_first=True)
    known = sequences.with_columns(incident="folder").select("seq_id", incident=pl.format("{}{}", "run", "folder"))
    facts = incident_facts(items, sequences, known)
    hidden = sequences.with_columns(normal=pl.lit(None, pl.Boolean), anomaly=pl.lit(None, pl.Boolean))
    assert facts.equals(incident_facts(items, hidden, known))
    first = facts.filter(pl.col("incident") == "run_0correct").row(0, named=True)
    assert first["position"] == 1 and first["start-up lines"] == 2
    assert first["length"] > 3 * facts["length"].median()


def test_length_that_gives_the_label_away_is_told_in_words() -> None:
    items, sequences = small_logs()
    longer = sequences.with_columns(events=pl.when("normal").then(pl.col("events") * 6).otherwise("events"))
    found = evaluate(CountSource(items, longer), longer, Recipe(), EvaluationProtocol(apart=("mute",)), FACTS)
    length = main_row(found.figures, kind="shortcut", detector="length alone")
    assert length["auroc"] == 1
    assert any(
        "Length alone would have scored 1.00" in line and "--window 6" in line for line in warnings(found.figures)
    )


def test_every_detector_below_a_shortcut_is_told(
    evaluated: Evaluated, logs: tuple[MessageCounts, pl.DataFrame]
) -> None:
    worse = evaluate(CountSource(*logs), logs[1], Recipe("IsolationForest"), EvaluationProtocol(apart=("mute",)), FACTS)
    told = warnings(merged(evaluated, worse).figures)
    assert (
        "Start-up lines alone would have scored 0.62: it is not beaten by IsolationForest on messages (0.29); "
        "try --skip-init-lines 100."
    ) in told


def test_figures_agree_with_numbers_worked_by_hand() -> None:
    rows = scored([0, 0, 0, 1, 1], [1, 2, 4, 3, 5])
    found = metrics.figures(rows)
    assert (found["true_negatives"], found["false_positives"], found["true_positives"]) == (2, 1, 2)
    assert found["precision"] == pytest.approx(2 / 3)
    assert found["auroc"] == pytest.approx(5 / 6)
    assert found["recall_at_5"] == 0.5
    assert found["precision_at_10"] is None


def test_precision_at_k_counts_a_row_as_often_as_its_weight_says() -> None:
    rows = scored([1, 0, 0], [5, 4, 3])
    common, rare = (replace(rows, weight=np.array([first, 4.0, 40.0])) for first in (1_000.0, 6.0))
    assert metrics.figures(common)["precision_at_10"] == 1
    assert metrics.figures(rare)["precision_at_10"] == pytest.approx(0.6)
    assert metrics.figures(rare)["precision_at_50"] == pytest.approx(0.12)


def test_the_bootstrap_measures_as_scikit_learn_does() -> None:
    rng = np.random.default_rng(0)
    rows = scored(list(rng.integers(0, 2, 60)), list(rng.integers(0, 9, 60)))
    weight = rng.integers(0, 3, 60).astype(float)
    order = np.argsort(-rows.score, kind="stable")
    auroc, recall = metrics._quick_roc(rows.take(order), weight[order])
    assert auroc == pytest.approx(roc_auc_score(rows.truth, rows.score, sample_weight=weight))
    assert recall == pytest.approx(metrics.recall_at(replace(rows, weight=weight), 0.05))


def test_fewer_than_five_runs_get_no_interval() -> None:
    four = metrics.figures(scored([0, 1] * 4, [1, 5] * 4, list("aabbccdd")))
    five = metrics.figures(scored([0, 1] * 5, [1, 5] * 5, list("aabbccddee")))
    assert "auroc_low" not in four and five["auroc_low"] == 1


def test_intervals_hold_the_true_figure_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    truth, runs = ([0] * 9 + [1] * 30) * 5, sorted("abcde" * 39)
    true, held = norm.cdf(1.5 / np.sqrt(2)), 0
    for _ in range(60):
        found = metrics._intervals(scored(truth, list(rng.normal(1.5 * np.array(truth))), runs))
        held += found["auroc_low"] <= true <= found["auroc_high"]
    assert held >= 52  # of percentiles alone 48


def test_psi_is_small_for_like_and_large_for_unlike_scores() -> None:
    rng = np.random.default_rng(1)
    like, unlike = rng.normal(size=500), rng.normal(3, size=500)
    assert psi(rng.normal(size=500), like) < 0.1 < 0.25 < psi(like, unlike)
    assert psi(like, like[:5]) is None


def test_psi_of_counts_is_not_defined_where_nothing_was_counted() -> None:
    counts = np.array([3.0, 1.0])
    assert psi_of_counts(counts, 2 * counts) == pytest.approx(0)
    assert psi_of_counts(counts, np.zeros(2)) is None


def test_an_evaluation_of_the_same_name_is_replaced(
    evaluated: Evaluated, logs: tuple[MessageCounts, pl.DataFrame]
) -> None:
    other = evaluate(CountSource(*logs), logs[1], Recipe("OutOfVocabulary"), facts=FACTS)
    both = merged(evaluated, other)
    assert set(both.figures["detector"]) >= {"NearestNormal", "OutOfVocabulary"}
    assert merged(both, other).figures.height == both.figures.height


def test_a_detector_stands_beside_shortcuts_on_its_own_incidents(
    evaluated: Evaluated, logs: tuple[MessageCounts, pl.DataFrame]
) -> None:
    half = evaluate(CountSource(*logs), logs[1], Recipe(), EvaluationProtocol(share=0.5), FACTS)
    anew = evaluate(
        CountSource(*logs), logs[1], Recipe("Rarity"), EvaluationProtocol(), FACTS | {"data_fingerprint": "def"}
    )
    figures = merged(merged(evaluated, half), anew).figures
    for row in figures.filter(pl.col("kind") == "detector", level="incident", split="by run").iter_rows(named=True):
        beside = shortcuts_beside(figures, row).filter(detector="length alone")
        same = ("apart", "runs", "faulty", "normal", "data_fingerprint")
        assert beside.select(same).rows(named=True) == [{name: row[name] for name in same}]


def test_a_wrong_test_case_to_report_apart_is_named(logs: tuple[MessageCounts, pl.DataFrame]) -> None:
    with pytest.raises(InputError, match=r"no labelled test case 'silent' to report separately\. Found correct, loud"):
        evaluate(CountSource(*logs), logs[1], Recipe(), EvaluationProtocol(apart=("silent",)))


def test_all_means_every_detector_that_scores_the_unit() -> None:
    assert "NearestNormal" in {recipe.detector for recipe in recipes(["all"], ["messages"], "sequence", 5)}
    assert "NearestNormal" not in {recipe.detector for recipe in recipes(["all"], ["messages"], "event", 5)}


def test_a_table_without_patterns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="columns pattern and service"):
        read_concerns(tmp_path / "c.csv")


def test_a_pattern_that_the_engine_does_not_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("pattern,service\n,client\n(?=a),client\n")
    with pytest.raises(InputError, match=r"c\.csv cannot be used: the pattern '\(\?=a\)' contains look-around"):
        read_concerns(tmp_path / "c.csv")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables_from_elsewhere_are_loaded_trained_and_scored(tmp_path: Path, ending: str) -> None:
    rng = np.random.default_rng(5)
    rows = []
    for number in range(30):
        faulty = number >= 24
        texts = [f"took block blk_{rng.integers(10**9, 10**10)}", "stored it"] * 3 + [
            "disk on fire\n\tat Disk.burn"
        ] * faulty
        rows += [{"seq_id": f"s{number}", "m_message": text, "anomaly": faulty} for text in texts]
    frame = pl.DataFrame(rows)
    path = tmp_path / f"other.{ending}"
    frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
    workspace = Workspace(tmp_path / "w")
    assert "continuations" in load_logs(workspace, [path]).sentence()
    sequences = workspace.read(Sequences)
    assert (sequences["run"].unique().item(), sequences["folder"].n_unique()) == ("other", 30)
    assert read_items(workspace).messages["kind"].cast(pl.String).unique().sort().to_list() == [
        "message",
        "trace",
    ]
    figures = evaluate_recipes(workspace, [Recipe()], EvaluationProtocol(share=0.5))
    assert main_row(figures)["auroc"] == 1


def test_a_table_that_is_none_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    pl.DataFrame({"text": ["a"]}).write_csv(tmp_path / "x.csv")
    with pytest.raises(InputError, match="has no column seq_id and no column m_message"):
        load_logs(Workspace(tmp_path / "w"), [tmp_path / "x.csv"])


def test_the_command_prints_and_keeps_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root, logs = str(tmp_path / "w"), write_runs(tmp_path / "logs", runs=MIN_RUNS)
    assert commands.main(["load", "--root", str(logs), "--output-dir", root]) == 0
    command = ["evaluate", "--output-dir", root, "--detector", "NearestNormal", "OutOfVocabulary"]
    assert commands.main(command) == 0
    printed = capsys.readouterr().out
    assert "false alarms (95 %)" in printed and "length alone" in printed
    saved = Workspace(root).read(Evaluation)
    assert {"NearestNormal", "OutOfVocabulary", "duration alone"} <= set(saved["detector"])
    assert commands.main(command) == 0
    assert Workspace(root).read(Evaluation).height == saved.height


def test_another_weighting_is_another_evaluation(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "w")
    load_logs(workspace, [write_runs(tmp_path / "logs", runs=3)], save_events=False)
    command = ["evaluate", "--output-dir", str(workspace.root), "--detector", "OutOfVocabulary"]
    assert commands.main(command) == 0
    assert commands.main([*command, "--weighting", "binary"]) == 0
    saved = workspace.read(Evaluation).filter(pl.col("kind") == "detector")
    assert dict(saved.select("evaluation", "weighting").iter_rows()) == {
        "OutOfVocabulary, messages, counts, sequences, whole test cases": "counts",
        "OutOfVocabulary, messages, binary, sequences, whole test cases": "binary",
    }


@pytest.mark.real
def test_known_faults_lie_above_all_normals_of_the_public_folders(
    labeled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace(tmp_path)
    load_logs(workspace, [labeled], save_events=False)
    assert main_row(evaluate_recipes(workspace, [Recipe()], EvaluationProtocol()))["auroc"] == 1


@pytest.mark.real
def test_public_hdfs_is_ranked_with_the_same_defaults(real_data: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    load_logs(workspace, [real_data / "hdfs-1pct.parquet"], save_events=False)
    assert main_row(evaluate_recipes(workspace, [Recipe()], EvaluationProtocol(share=0.5)))["auroc"] >= 0.999


def test_supervised_detectors_are_left_out_of_several_if_there_is_no_fault(
    tmp_path: Path, loaded_sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace(shutil.copytree(loaded_sample, tmp_path / "ws"))
    sequences = workspace.read(Sequences).with_columns(normal=pl.lit(True), anomaly=pl.lit(False))
    workspace.write(Sequences, sequences, provenance=workspace.metadata(Sequences), replace=True)
    figures = evaluate_recipes(workspace, [Recipe("OutOfVocabulary"), Recipe("LogisticRegression")])
    assert set(figures.filter(kind="detector")["detector"]) == {"OutOfVocabulary"}
    assert "these logs have none: LogisticRegression." in capsys.readouterr().err
