"""Compare, on hand-made predictions: flips, agreement, metrics, shifts, and the verdict."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats
from sklearn import metrics

from lo2core.base.errors import InputError
from lo2core.compare import comparison, drift, provenance, significance
from lo2core.compare import pairs as compare_pairs
from lo2core.compare.prediction import SavedPrediction
from lo2core.messages.counts import COUNTS, MESSAGES, MessageCounts
from lo2core.report import terminal
from lo2core.report.comparison import comparison_report, summarised
from lo2core.store.names import COMPARED
from lo2core.store.parquet import validated


def saved(name: str, z: list[float | None], threshold: float = 3.0, runs: int = 2, **metadata: Any) -> SavedPrediction:
    """Predictions of one service; the test cases of a run are `correct`, `fault_1`, `fault_2`, ... in turn."""
    per_run = len(z) // runs
    cases = ["correct" if i % per_run == 0 else f"fault_{i % per_run}" for i in range(len(z))]
    frame = pl.DataFrame({"z_score": z, "test_case": cases}, schema_overrides={"z_score": pl.Float64})
    frame = frame.with_row_index("i").with_columns(
        run=pl.format("run_{}", pl.col("i") // per_run), folder="test_case", service=pl.lit("client")
    )
    frame = frame.with_columns(
        seq_id=pl.format("{}__{}__client", "run", "folder"),
        window=pl.lit(None, dtype=pl.Int32),
        repetition=pl.lit(None, dtype=pl.Int32),
        anomaly=pl.col("test_case") != "correct",
        normal=pl.col("test_case") == "correct",
        score="z_score",
        threshold=pl.lit(threshold),
        pred_ano=pl.col("z_score") >= threshold,
    )
    return SavedPrediction(name, frame.drop("i"), metadata)


def items(texts: str) -> MessageCounts:
    ids = [ord(text) for text in texts]
    messages = pl.DataFrame(
        {"message_id": ids, "kind": "message", "text": list(texts), "members": None}, schema=MESSAGES
    )
    counts = pl.DataFrame({"seq_id": "s", "kind": "message", "message_id": ids, "n": 1}, schema=COUNTS)
    return MessageCounts(messages, counts)


def with_items(name: str, texts: str) -> SavedPrediction:
    return SavedPrediction(name, saved(name, [0, 1]).frame, {}, items(texts))


def test_flips_carry_both_scores_and_their_direction() -> None:
    pairs = compare_pairs.joined(saved("a", [0, 5, 5, 0, 1, 5]), saved("b", [0, 5, 1, 0, 9, 5]))
    flips = compare_pairs.flips(pairs)
    assert flips.select("folder", "z_a", "z_b", "change").rows() == [
        ("fault_1", 1.0, 9.0, "now flagged"),
        ("fault_2", 5.0, 1.0, "no longer flagged"),
    ]


def test_what_one_side_could_not_score_is_no_flip() -> None:
    pairs = compare_pairs.joined(saved("a", [0, None]), saved("b", [0, 9], runs=2))
    assert compare_pairs.flips(pairs).height == 0
    assert pairs["change"].null_count() == 1


def test_events_and_sequences_are_not_joined() -> None:
    events = SavedPrediction("b", saved("b", [0.0, 1.0]).frame.with_columns(line_no=pl.lit(1)))
    with pytest.raises(InputError, match="single events"):
        compare_pairs.joined(saved("a", [0.0, 1.0]), events)


def test_agreement_is_what_scipy_and_scikit_learn_say() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 200)) * 3
    ranks = compare_pairs.ranked(compare_pairs.joined(saved("a", list(a)), saved("b", list(a + b))))
    found = compare_pairs.agreement(ranks)
    assert found.n == 200
    assert found.spearman == pytest.approx(stats.spearmanr(a, a + b).statistic)
    assert found.kendall == pytest.approx(stats.kendalltau(a, a + b).statistic)
    assert found.kappa == pytest.approx(metrics.cohen_kappa_score(a >= 3, a + b >= 3))


@pytest.mark.parametrize("z", [[1.0, 1.0], [None, None]])
def test_agreement_of_constant_or_missing_scores_is_undefined(z: list[float | None]) -> None:
    found = compare_pairs.agreement(compare_pairs.ranked(compare_pairs.joined(saved("a", z), saved("b", z))))
    assert (found.spearman, found.kendall, found.kappa) == (None, None, None)


def test_movers_are_ordered_by_how_far_they_moved() -> None:
    ranks = compare_pairs.ranked(
        compare_pairs.joined(saved("a", [1, 2, 3, 4], runs=1), saved("b", [9, 2, 3, 4], runs=1))
    )
    assert compare_pairs.movers(ranks, 1).select("folder", "rank_a", "rank_b", "moved").rows() == [("correct", 4, 1, 3)]


def test_what_kept_its_rank_did_not_move() -> None:
    z: list[float | None] = [3, 2, 1, 0]
    assert compare_pairs.movers(compare_pairs.ranked(compare_pairs.joined(saved("a", z), saved("b", z)))).height == 0


def test_equal_scores_share_their_mean_rank_as_spearman_has_it() -> None:
    a, b = [5.0, 1.0, 1.0, 1.0, 0.0, None], [1.0, 5.0, 2.0, 2.0, 0.0, 9.0]
    ranks = compare_pairs.ranked(compare_pairs.joined(saved("a", a, runs=1), saved("b", b, runs=1)))
    assert ranks.select("rank_a", "rank_b").rows() == [(1, 4), (3, 1), (3, 2.5), (3, 2.5), (5, 5)]
    assert compare_pairs.agreement(ranks).spearman == pytest.approx(stats.spearmanr(a[:5], b[:5]).statistic)


def test_metrics_are_those_of_scikit_learn_with_an_interval_from_five_runs() -> None:
    rng = np.random.default_rng(2)
    a, b = saved("a", list(rng.normal(2, 3, 60)), runs=6), saved("b", list(rng.normal(3, 3, 60)), runs=6)
    table = significance.metric_differences(compare_pairs.incident_pairs(compare_pairs.joined(a, b)))
    y = a.frame["anomaly"]
    for side, one in (("a", a), ("b", b)):
        found = dict(table.select("metric", side).iter_rows())
        assert found["recall"] == pytest.approx(metrics.recall_score(y, one.frame["pred_ano"]))
        assert found["precision"] == pytest.approx(metrics.precision_score(y, one.frame["pred_ano"]))
        assert found["AUROC"] == pytest.approx(metrics.roc_auc_score(y, one.frame["z_score"]))
    assert (table["low"] <= table["difference"]).all()
    assert (table["difference"] <= table["high"]).all()


def test_few_runs_give_no_interval_and_no_labels_no_metrics() -> None:
    a, b = saved("a", [0, 5, 0, 5]), saved("b", [0, 1, 0, 5])
    pairs = compare_pairs.joined(a, b)
    assert significance.metric_differences(compare_pairs.incident_pairs(pairs))["low"].null_count() == 5
    unlabelled = compare_pairs.incident_pairs(pairs.with_columns(anomaly=pl.lit(None, dtype=pl.Boolean)))
    assert significance.metric_differences(unlabelled).height == 0
    assert significance.mcnemar(unlabelled) is None


def test_mcnemar_counts_what_only_one_side_got_right() -> None:
    pairs = compare_pairs.joined(saved("a", [0, 5, 5, 5], runs=1), saved("b", [9, 1, 1, 5], runs=1))
    test = significance.mcnemar(compare_pairs.incident_pairs(pairs))
    assert test is not None
    assert (test.only_a, test.only_b) == (3, 0)
    assert test.p_value == pytest.approx(0.25)


def test_recall_by_fault_is_set_against_the_first() -> None:
    table = comparison.Comparison((saved("a", [0, 5, 0, 5]), saved("b", [0, 5, 0, 1]))).fault_recall
    assert table.select("test_case", "prediction", "recall", "difference").rows() == [
        ("fault_1", "a", 1.0, 0.0),
        ("fault_1", "b", 0.5, -0.5),
    ]


def test_other_logs_meet_by_test_case_and_service() -> None:
    a = saved("a", [0, 5, 5], runs=1)
    tomorrow = saved("b", [0, 1, 5], runs=1).frame.with_columns(pl.col("test_case").replace("fault_2", "fault_9"))
    b = SavedPrediction("b", tomorrow.with_columns(run=pl.lit("tomorrow"), folder="test_case"))
    assert not compare_pairs.same_sequences(a, b, compare_pairs.joined(a, b).clear())
    assert drift.incident_changes(a, b).select("test_case", "change").rows() == [
        ("fault_1", "gone"),
        ("fault_2", "not in B"),
        ("fault_9", "not in A"),
    ]
    assert drift.by_test_case(a, b).filter(pl.col("test_case") == "fault_9").select("z_a", "z_b").rows() == [
        (None, 5.0)
    ]


def test_items_of_one_side_are_new_or_vanished() -> None:
    a, b = with_items("a", "xy"), with_items("b", "yz")
    assert drift.item_changes(a, b).select("item", "change").rows() == [("z", "new"), ("x", "vanished")]


@pytest.mark.parametrize(
    ("b", "said"),
    [
        (SavedPrediction("b", saved("b", [0, 1]).frame, {}, None), "b does not record its logs"),
        (SavedPrediction("b", saved("b", [0, 1]).frame, {}, items("x"), "other"), "masked with different rules"),
    ],
)
def test_items_that_were_not_compared_are_not_said_to_be_the_same(b: SavedPrediction, said: str) -> None:
    moved = replace(b, frame=b.frame.with_columns(seq_id=pl.col("seq_id") + "_2"))
    found = comparison.Comparison((SavedPrediction("a", saved("a", [0, 1]).frame, {}, items("x"), "mine"), moved))
    for told in (terminal.comparison(found), comparison_report(found)):
        assert "Items were not compared" in told and said in told
        assert "items: no change" not in told


def test_a_terminal_and_a_report_say_what_the_page_remarks() -> None:
    a = saved("a", [0, 1], data_fingerprint="d1", model={"data_fingerprint": "d1"})
    found = comparison.Comparison((a, saved("b", [0, 1])))
    assert found.note in terminal.comparison(found)
    assert "a scored the logs that the model was trained on" in comparison_report(found)


def test_of_three_predictions_all_facts_are_told_and_whose_rows_are_compared() -> None:
    made = [
        saved(name, [0, 1], model={"unit": unit}) for name, unit in (("a", "sequence"), ("b", "sequence"), ("c", "row"))
    ]
    told = terminal.comparison(comparison.Comparison(tuple(made)))
    assert "what differs: a / b / c\n" in told
    assert "unit: sequence / sequence / row" in told
    assert "compare a and b only" in told
    assert "only" not in terminal.comparison(comparison.Comparison(tuple(made[:2])))


def test_shifts_tell_alike_from_moved_scores() -> None:
    rng = np.random.default_rng(0)
    a, alike, moved = (saved(name, list(rng.normal(mean, 1, 400))) for name, mean in (("a", 0), ("b", 0), ("c", 2)))
    assert drift.shifts(a, alike)["scores"][0] < 0.1
    assert drift.shifts(a, moved)["scores"][0] > 0.25


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        ("m1", "d1", "the scores are identical"),
        ("m2", "d1", "the model changed"),
        ("m1", "d2", "the logs changed"),
        ("m2", "d2", "cannot be separated"),
        (None, "d1", "does not record"),
    ],
)
def test_verdict_tells_changed_logs_from_a_changed_model(model: str | None, data: str, said: str) -> None:
    a = saved("a", [0, 1], bundle_sha256="m1", data_fingerprint="d1")
    b = saved("b", [0, 1], bundle_sha256=model, data_fingerprint=data)
    assert said in provenance.verdict(a, b)


def test_the_verdict_does_not_blame_the_logs_for_a_moved_threshold() -> None:
    a = saved("a", [0, 1], bundle_sha256="m1", data_fingerprint="d1")
    b = saved("b", [0, 1], threshold=2.5, bundle_sha256="m1", data_fingerprint="d2")
    assert "the threshold was moved from 3.00 to 2.50" in provenance.verdict(a, b)


def test_the_verdict_does_not_blame_the_model_for_another_budget() -> None:
    a = saved("a", [0, 1], bundle_sha256="m1", data_fingerprint="d1", budget=60.0)
    b = saved("b", [0, 1], threshold=2.5, bundle_sha256="m2", data_fingerprint="d1", budget=5.0)
    assert "all differences in scores come from the model" in provenance.verdict(a, b)
    assert "alert budgets differ (60 and 5 false alarms" in provenance.verdict(a, b)


def test_the_windows_of_model_and_logs_are_told_and_remarked_upon() -> None:
    a = saved("a", [0, 1], model={"window": None}, window=60.0)
    b = saved("b", [0, 1], model={"window": 60.0}, window=60.0)
    found = comparison.Comparison((a, b))
    assert found.provenance.filter(fact="window").rows() == [
        ("window", "a", "trained on whole test cases, scored windows of 60 s", True),
        ("window", "b", "trained on windows of 60 s, scored windows of 60 s", True),
    ]
    assert found.note.startswith("a: The model was trained on whole test cases")


def test_figures_of_logs_that_a_model_had_learned_from_are_remarked_upon() -> None:
    a = saved("a", [0, 1], data_fingerprint="d1", model={"data_fingerprint": "d1"})
    b = saved("b", [0, 1], data_fingerprint="d1", model={"data_fingerprint": "d0"})
    assert comparison.Comparison((a, b)).note.startswith("a scored the logs that the model was trained on")
    assert comparison.Comparison((b, saved("c", [0, 1]))).note == ""


def test_runs_that_a_model_had_learned_from_are_remarked_upon_among_new_ones() -> None:
    learned = {"data_fingerprint": "d1", "runs": ["run_0", "run_1", "run_2", "run_9"]}
    grown = saved("a", [0, 1] * 4, runs=4, data_fingerprint="d2", model=learned)
    assert "(3 of 4)" in comparison.Comparison((grown, saved("c", [0, 1]))).note


def test_of_scored_events_the_worst_stands_for_its_sequence() -> None:
    sequences = saved("a", [0, 5, 0, 5])
    events = [sequences.frame.with_columns(line_no=pl.lit(n), z_score=pl.col("z_score") - n) for n in (1, 0, 2)]
    found = comparison.Comparison((sequences, SavedPrediction("b", pl.concat(events))))
    assert found.pairs is not None
    assert found.pairs["z_b"].equals(found.pairs["z_a"].alias("z_b"))
    assert "One of them scored single events" in found.verdict


def test_a_report_shows_scored_events_one_by_one() -> None:
    a = saved("a", [0, 5, 0, 5])
    events = pl.concat([a.frame.with_columns(line_no=pl.lit(n), z_score=pl.col("z_score") + n) for n in range(3)])
    page = comparison_report(comparison.Comparison((SavedPrediction("a", events), SavedPrediction("b", events))))
    assert "12 events scored by both" in page
    drawn = re.search(r'_marks".*?</g>', page)
    assert drawn is not None and drawn[0].count("<path") == 12
    mixed = comparison_report(comparison.Comparison((SavedPrediction("b", events), a)))
    assert "4 sequences scored by both" in mixed


def test_provenance_marks_what_differs() -> None:
    a = saved("a", [0, 1], model={"detector": "NearestNormal", "items": "messages"})
    b = saved("b", [0, 1], model={"detector": "IsolationForest", "items": "messages"}, threshold=3.0)
    differs = dict(provenance.facts([a, b]).select("fact", "differs").iter_rows())
    assert (differs["model"], differs["items"], differs["threshold"]) == (True, False, False)


def test_facts_of_the_provenance_read_as_text() -> None:
    a = saved("a", [0, 1], model={"params": {"trees": 200, "depth": None}, "runs": ["r1", "r2"]})
    facts = dict(provenance.side_by_side(provenance.facts([a, saved("b", [0, 1])])).select("fact", "0").iter_rows())
    assert (facts["settings"], facts["training runs"]) == ("trees 200, depth null", "r1, r2")
    assert (facts["items"], facts["scored rows"]) == ("not recorded", "2")


def test_incidents_of_rows_that_both_hold_are_grouped_once_and_are_the_same() -> None:
    a, b = saved("a", [0, 5, None, 0, 1, 5]), saved("b", [0, 5, 1, 4, 9, None])
    for other in (b, SavedPrediction("b", b.frame.head(5))):
        found = comparison.Comparison((a, other)).incidents
        for one, incidents in zip((a, other), found, strict=True):
            assert incidents.select(one.incidents.columns).equals(one.incidents)


def test_a_prediction_without_labels_is_judged_by_those_of_the_other() -> None:
    labelled = saved("b", [0, 5, 0, 1])
    bare = saved("a", [0, 5, 0, 5]).frame.with_columns(
        pl.lit(None, dtype=pl.Boolean).alias(n) for n in ("normal", "anomaly")
    )
    for pair in ((SavedPrediction("a", bare), labelled), (labelled, SavedPrediction("a", bare))):
        recalls = comparison.Comparison(pair).fault_recall
        assert dict(recalls.select("prediction", "recall").iter_rows()) == {"a": 1.0, "b": 0.5}


def as_events(one: SavedPrediction) -> SavedPrediction:
    return replace(one, frame=one.frame.with_columns(line_no=pl.lit(1, dtype=pl.Int64)))


SAME = saved("a", [0, 5, 0, 5, None, 1]), saved("b", [0, 5, 0, 1, 2, 5])
OTHER = with_items("a", "xy"), replace(with_items("b", "yz"), frame=saved("b", [5, 9]).frame.with_columns(seq_id="run"))
UNSCORED = saved("a", [None, None]), saved("b", [None, None])


@pytest.mark.parametrize(
    "pair", [SAME, (as_events(SAME[0]), as_events(SAME[1])), OTHER, UNSCORED], ids=["same", "events", "other", "null"]
)
def test_every_kept_table_is_declared_and_fits_its_schema(pair: tuple[SavedPrediction, SavedPrediction]) -> None:
    frames = comparison.Comparison(pair).frames
    for name, frame in frames.items():
        validated(COMPARED[name], frame, name)
    of_logs = {"causes"}  # they need the model, too
    assert (frames.keys() == COMPARED.keys() - of_logs) == (pair is not OTHER)


def test_a_prediction_may_be_named_like_a_column() -> None:
    found = comparison.Comparison((replace(SAME[0], name="fact"), replace(SAME[1], name="test_case")))
    shown = summarised(found)
    assert [title.text for title in shown.provenance.titles] == ["fact", "fact", "test_case"]
    assert shown.recall is not None
    assert [title.text for title in shown.recall.titles] == ["test case", "fact", "test_case"]
    assert "what differs: fact / test_case" in terminal.comparison(found)


def told_of(a: list[float], b: list[float], thresholds: tuple[float, float] = (3.0, 3.0)) -> str:
    sides = [saved(name, z, threshold) for name, z, threshold in zip("ab", (a, b), thresholds, strict=True)]
    return drift.shift_in_words(*sides)


def test_distributions_are_called_similar_only_with_enough_scores() -> None:
    rng = np.random.default_rng(0)
    assert "a similar distribution" in told_of(list(rng.normal(0, 1, 400)), list(rng.normal(0, 1, 400)))
    assert "60 and 60 scores are too few to say whether" in told_of(
        list(rng.normal(0, 1, 60)), list(rng.normal(0, 1, 60))
    )
    assert "but the highest ones differ: 0.0% of them are flagged in a" in told_of([0.0] * 30, [9.0] * 30)
    assert told_of([0, 1], [0, 1]) == ""


def test_distributions_with_other_tails_are_not_called_similar() -> None:
    rng = np.random.default_rng(0)
    usual = list(rng.normal(0, 1, 400))
    tail = sorted(usual)[:360] + [50.0] * 40  # the same up to the last bin of the PSI, which is open
    assert "but not the highest: 0.0% of them are flagged in a, 10.0% in b" in told_of(usual, tail, (4.0, 4.0))
    assert "but not the highest" in told_of(usual, tail, (99.0, 99.0))
    assert "are flagged in a" in told_of(usual, usual, (2.33, -0.67))  # 1 % and 75 %


def test_incidents_that_are_not_fully_scored_count_as_neither_flagged_nor_not() -> None:
    a, b = saved("a", [5, 0, 0, 5]), saved("b", [None, 0, 0, 5])
    found = comparison.Comparison((a, b))
    assert found.rates.select("flagged_incidents", "not_fully_scored", "alert_rate").rows() == [
        (2, 0, 0.5),
        (1, 1, 1 / 3),
    ]
    assert "1 of 4 incidents flagged (33.3%), 1 not fully scored" in terminal.comparison(found)
    assert found.incident_pairs is not None
    assert found.incident_pairs["change"].null_count() == 1
