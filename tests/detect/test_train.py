"""Training: on normals alone, calibrated by normals that the detector has not seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from helpers.loglines import line, write_log, write_runs

from lo2core.base.errors import InputError
from lo2core.detect.folds import folds
from lo2core.detect.incidents import by_incident
from lo2core.detect.instances import CountSource
from lo2core.detect.predict import predict
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import MAX_TRAINING_ROWS, _repeated, train, training_rows, unseen_normals
from lo2core.detect.units import count_unit
from lo2core.load.loader import LO2Loader
from lo2core.load.plan import LoadOptions


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> LO2Loader:
    loader = LO2Loader(write_runs(tmp_path_factory.mktemp("logs"), runs=3))
    loader.execute()
    return loader


def source(loader: LO2Loader, unit: str = "sequence", keep: pl.Expr | bool = True) -> CountSource:
    return count_unit(unit).source(loader.items, loader.df_seq.filter(keep))


def test_unsupervised_detectors_learn_from_normal_rows_alone(loader: LO2Loader) -> None:
    assert training_rows(source(loader).rows, Recipe())["normal"].all()
    everything = training_rows(source(loader).rows, Recipe("LogisticRegression"))
    assert everything.height == loader.df_seq.height


def test_faults_do_not_change_what_is_learned(loader: LO2Loader) -> None:
    with_faults, vec = train(source(loader), Recipe())
    without, other = train(source(loader, keep=pl.col("normal")), Recipe())
    assert vec.feature_names_ == other.feature_names_
    assert with_faults.threshold == without.threshold
    assert with_faults.make_self_test(vec) == without.make_self_test(other)


def test_whole_runs_are_left_out(loader: LO2Loader) -> None:
    rows = source(loader).rows
    assert [rows.filter(left_out)["run"].unique().to_list() for left_out, _ in folds(rows)] == [
        [run] for run in rows["run"].unique().sort()
    ]


def test_with_one_run_test_cases_are_left_out(loader: LO2Loader) -> None:
    rows = source(loader, keep=pl.col("run").str.ends_with("1719592986")).rows
    assert [rows.filter(left_out)["test_case"].n_unique() for left_out, _ in folds(rows)] == [1, 1, 1]


def test_more_than_ten_runs_are_left_out_in_ten_groups() -> None:
    rows = pl.DataFrame({"run": [f"run_{n}" for n in range(25)], "normal": True})
    left_out = [mask.to_numpy() for mask, _ in folds(rows)]
    assert len(left_out) == 10
    assert np.sum(left_out, axis=0).tolist() == [1] * 25


def windows_of(*cases: str) -> pl.DataFrame:
    parts = [(case, f"{case}__{n:06d}") for case in cases for n in range(12)]
    return pl.DataFrame(parts, schema=["case", "incident"], orient="row").with_columns(run=pl.lit("r"), normal=True)


def test_windows_of_one_test_case_are_left_out_together() -> None:
    rows = windows_of("correct", "correct_1")
    left_out = [rows.filter(mask)["case"].unique().to_list() for mask, _ in folds(rows)]
    assert left_out == [["correct"], ["correct_1"]]


def test_windows_of_the_only_normal_test_case_are_left_out_in_blocks_of_neighbours() -> None:
    rows = windows_of("correct")
    left_out = [mask.arg_true().to_list() for mask, _ in folds(rows)]
    assert len(left_out) == 10
    assert all(block == list(range(block[0], block[-1] + 1)) for block in left_out)


def test_calibration_scores_are_of_unseen_normals(loader: LO2Loader) -> None:
    rows = training_rows(source(loader).rows, Recipe())
    unseen = pl.concat(unseen_normals(source(loader), rows, Recipe(), rows["service"].unique().to_list()))
    assert sorted(unseen["seq_id"]) == sorted(rows["seq_id"])
    model, _ = train(source(loader), Recipe())
    run = str(rows["run"][0])
    others, other_vec = train(source(loader, keep=pl.col("run") != run), Recipe())
    left_out = predict(others, other_vec, loader.items, loader.df_seq.filter(pl.col("run") == run, pl.col("normal")))
    expected = dict(left_out.select("seq_id", "score").iter_rows())
    found = unseen.filter(pl.col("seq_id").is_in(list(expected)))
    assert dict(found.select("seq_id", "score").iter_rows()) == expected
    client, known = unseen.filter(pl.col("service") == "client"), model.calibrations["client"]
    assert known.scores.tolist() == sorted(client["score"])
    named = zip(known.seq_ids, known.scores, strict=True)
    assert dict(named) == dict(client.select("seq_id", "score").iter_rows())


@pytest.mark.parametrize("unit", ["sequence", "event"])
@pytest.mark.parametrize("detector", ["IsolationForest", "OutOfVocabulary"])
def test_the_order_of_rows_does_not_matter(loader: LO2Loader, detector: str, unit: str) -> None:
    one, vec = train(source(loader, unit), Recipe(detector, unit=unit))
    backward = count_unit(unit).source(loader.items, loader.df_seq.reverse())
    other, other_vec = train(backward, Recipe(detector, unit=unit))
    assert one.make_self_test(vec) == other.make_self_test(other_vec)
    assert np.array_equal(one.normal_incidents, other.normal_incidents)


def test_a_service_that_cannot_be_calibrated_gets_no_score(tmp_path: Path) -> None:
    write_runs(tmp_path)
    write_log(tmp_path / "light-oauth2-data-1719592986" / "correct", line("only here"), "key")
    loader = LO2Loader(tmp_path)
    loader.execute()
    model, vec = train(source(loader), Recipe())
    found = predict(model, vec, loader.items, loader.df_seq)
    assert found.filter(pl.col("score").is_null())["service"].to_list() == ["key"]
    assert list(model.detectors) == list(model.normals) == ["client", "token"]


def test_normals_in_one_run_alone_are_enough_for_a_supervised_detector(tmp_path: Path) -> None:
    root = write_runs(tmp_path, normals=3)
    for folder in root.glob("*1719593986/correct*"):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    loader = LO2Loader(root)
    loader.execute()
    model, _ = train(source(loader), Recipe("LogisticRegression"))
    assert "client" in model.detectors


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"detector": "NearestNormall"}, "Did you mean 'NearestNormal'"),
        ({"budget": 100.0}, "0 or more and below 100; found 100"),
        ({"budget": -1.0}, "false alarms per 100 normal incidents"),
        ({"unit": "event"}, "NearestNormal does not score single events; choose sequence"),
        ({"params": {"k": 3, "nonsense": 1}}, "has no parameter"),
    ],
)
def test_recipes_that_cannot_be_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Recipe(**settings)  # type: ignore[arg-type]


def test_without_normal_test_cases_training_says_what_was_found(loader: LO2Loader) -> None:
    with pytest.raises(
        InputError, match=r"at least two normal test cases, found 0 \(test cases: get_client_404_no_client\)"
    ):
        train(source(loader, keep=~pl.col("normal")), Recipe())


def test_services_with_a_single_normal_test_case_each_are_too_little(tmp_path: Path) -> None:
    for run, service in (("run_1", "client"), ("run_2", "token")):
        write_log(tmp_path / run / "correct", line(), service)
    loader = LO2Loader(tmp_path)
    loader.execute()
    with pytest.raises(InputError, match="needs a service with two normal test cases"):
        train(source(loader), Recipe())


def test_many_rows_are_thinned_in_proportion() -> None:
    index = _repeated(np.array([90_000.0, 10_000.0]))
    assert len(index) == MAX_TRAINING_ROWS
    assert np.bincount(index).tolist() == [45_000, 5_000]
    assert _repeated(np.array([2.0, 1.0])).tolist() == [0, 0, 1]


@pytest.fixture(scope="module")
def public(labeled: Path) -> LO2Loader:
    loader = LO2Loader(labeled)
    loader.execute()
    return loader


@pytest.mark.real
@pytest.mark.parametrize("window", [None, 6.0])
def test_both_public_faults_rank_above_all_normals(labeled: Path, window: float | None) -> None:
    loader = LO2Loader(labeled, options=LoadOptions(window=window))
    loader.execute()
    model, vec = train(source(loader), Recipe())
    found = by_incident(predict(model, vec, loader.items, loader.df_seq.filter("anomaly")))
    worst = found.group_by("test_case").agg(pl.col("z_score").max())
    assert worst.height == 2
    assert worst["z_score"].min() > model.normal_incidents.max()


@pytest.mark.real
def test_each_public_normal_left_out_stays_below_both_faults(public: LO2Loader) -> None:
    for run in sorted(public.df_seq.filter("normal")["run"].unique()):
        left_out = pl.col("run") == run
        model, vec = train(source(public, keep=~left_out & pl.col("normal")), Recipe())
        found = by_incident(predict(model, vec, public.items, public.df_seq.filter(left_out | pl.col("anomaly"))))
        normal = found.filter("normal", left_out)
        assert normal.height == 1
        assert normal["z_score"][0] < found.filter("anomaly")["z_score"].min()
