"""IsolationForest: the trees of scikit-learn, or trees that each leave out half of the runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from helpers.loglines import write_runs
from numpy.typing import NDArray
from scipy import sparse
from sklearn import ensemble

from lo2core.base.config import SEED
from lo2core.detect.anomaly_detector import AnomalyDetector
from lo2core.detect.detectors import Detector, make
from lo2core.detect.detectors.base import content_order
from lo2core.detect.model import Model
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import steps, train
from lo2core.detect.units import count_unit
from lo2core.load.loader import LO2Loader


def rows(n: int, seed: int = 0, factor: float = 1) -> sparse.csr_matrix:
    rng = np.random.default_rng(seed)
    return sparse.csr_matrix(rng.poisson(factor * np.linspace(0, 6, 30), (n, 30)).astype(float))


def of_scikit_learn(X: sparse.csr_matrix, **params: Any) -> ensemble.IsolationForest:
    in_order = X[content_order(X, np.zeros(X.shape[0], dtype=bool))]
    return ensemble.IsolationForest(random_state=SEED, **params).fit(in_order)


@pytest.mark.parametrize(("n", "params"), [(20, {}), (300, {}), (40, {"max_samples": 16}), (40, {"max_samples": 0.3})])
def test_trees_and_scores_are_those_of_scikit_learn(n: int, params: dict[str, Any]) -> None:
    ours, theirs = make("IsolationForest", n_estimators=20, **params), {"n_estimators": 20, **params}
    scores = ours.fit(rows(n)).score(rows(30, seed=1))
    assert np.array_equal(scores, -of_scikit_learn(rows(n), **theirs).score_samples(rows(30, seed=1)))


def by_run(X: sparse.csr_matrix, runs: list[int], **params: Any) -> tuple[Detector, NDArray[np.float64] | None]:
    detector = make("IsolationForest", **params)
    return detector, detector.fit_out_of_bag(X, np.array(runs), np.arange(X.shape[0]))


def test_a_normal_is_scored_by_trees_that_have_not_seen_its_run() -> None:
    usual, strange = rows(60), rows(10, seed=5, factor=4)
    runs = [row % 6 for row in range(60)]
    detector, unseen = by_run(sparse.vstack([usual, strange], format="csr"), [*runs, *[6] * 10])
    without, _ = by_run(usual, runs)
    assert unseen is not None
    assert unseen[60:].min() > unseen[:60].max()
    assert detector.score(strange).mean() < unseen[60:].mean() - 0.02
    assert unseen[60:].mean() == pytest.approx(without.score(strange).mean(), abs=0.02)


@pytest.mark.parametrize(("n_rows", "params"), [(60, {"n_estimators": 49}), (15, {})])
def test_with_too_few_trees_or_rows_there_is_no_forest_by_run(n_rows: int, params: dict[str, Any]) -> None:
    assert by_run(rows(n_rows), [row % 5 for row in range(n_rows)], **params)[1] is None


def test_a_forest_of_an_earlier_version_scores_as_before() -> None:
    forest = of_scikit_learn(rows(20))
    old = make("IsolationForest")
    old.__setstate__({"n_items_": 30, "estimator_": forest})  # type: ignore[attr-defined]  # only this detector has it
    assert np.array_equal(old.score(rows(30, seed=1)), -forest.score_samples(rows(30, seed=1)))


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> LO2Loader:
    loader = LO2Loader(write_runs(tmp_path_factory.mktemp("logs"), runs=5, normals=4))
    loader.execute()
    return loader


def trained(loader: LO2Loader, runs: int, items: str = "words") -> Model:
    names = loader.df_seq["run"].unique().sort().head(runs)
    source = count_unit("sequence").source(loader.items, loader.df_seq.filter(pl.col("run").is_in(names.implode())))
    recipe, done = Recipe("IsolationForest", items=items), []
    model, _ = train(source, recipe, lambda service, n: done.extend([service] * n))
    assert len(done) == steps(source, recipe)
    assert set(done) == {"client", "token"}
    return model


@pytest.mark.parametrize(
    ("runs", "items", "by_run"), [(4, "words", False), (5, "words", True), (5, "templates", False)]
)
def test_with_five_runs_a_forest_is_grown_once(loader: LO2Loader, runs: int, items: str, by_run: int) -> None:
    model = trained(loader, runs, items)
    X = model.normals["client"][1]
    of_all = np.array_equal(model.detectors["client"].score(X), -of_scikit_learn(X).score_samples(X))
    assert of_all != by_run
    assert len(model.normal_incidents) == 4 * runs


def test_rows_of_a_frame_have_the_forest_of_scikit_learn_with_any_number_of_runs(loader: LO2Loader) -> None:
    sad = AnomalyDetector(item_list_col="m_message")
    sad.train_df = sad.test_df = loader.df.filter(pl.col("test_case") == "correct", pl.col("service") == "client")
    sad.prepare_train_test_data()
    sad.train_IsolationForest(n_estimators=120)
    X = sad.vec.transform_frame(sad.train_df).X
    theirs = -of_scikit_learn(X, n_estimators=120).score_samples(X)
    assert np.array_equal(sad.predict()["score"].to_numpy(), theirs)
