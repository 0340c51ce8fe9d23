"""All detectors by one set of rules; NearestNormal, Rarity and OutOfVocabulary against numbers worked by hand."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from threadpoolctl import threadpool_info

from lo2core.base.errors import InputError
from lo2core.detect.detectors import REGISTRY, Detector, make
from lo2core.detect.detectors.base import zeros
from lo2core.detect.detectors.sklearn_base import _one_thread

ROOT = Path(__file__).parents[2]
UNSUPERVISED = [name for name, detector in REGISTRY.items() if not detector.supervised]
SUPERVISED = [name for name, detector in REGISTRY.items() if detector.supervised]
N_ITEMS = 40
ODD_ITEMS = [0, 1, 2]
UNSEEN = N_ITEMS - 1
QUICK = {"IsolationForest": {"n_estimators": 30}, "RandomForest": {"n_estimators": 30}}
SCORE_IN_ANOTHER_PROCESS = """
import hashlib, sys
import numpy as np
from scipy import sparse
from lo2core.detect.detectors import REGISTRY, make
X, y = sparse.load_npz(sys.argv[1]), np.load(sys.argv[2])
for name, kind in REGISTRY.items():
    detector = make(name, **({"n_estimators": 30} if "Forest" in name else {}))
    detector.fit(X, y) if kind.supervised else detector.fit(X[~y])
    print(name, hashlib.sha256(detector.score(X).tobytes()).hexdigest())
"""


def threads_of(user_api: str) -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == user_api}


def test_sessions_that_overlap_have_one_thread_and_leave_all() -> None:
    import sklearn  # noqa: F401  loads what is to be limited

    before = threads_of("blas"), threads_of("openmp")
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        one, other = _one_thread(), _one_thread()
        first.submit(one.__enter__).result()
        second.submit(other.__enter__).result()
        first.submit(one.__exit__, None, None, None).result()
        assert second.submit(threads_of, "blas").result() == second.submit(threads_of, "openmp").result() == {1}
        second.submit(other.__exit__, None, None, None).result()
        assert first.submit(threads_of, "blas").result() == before[0]
        assert second.submit(threads_of, "openmp").result() == before[1]
        with _one_thread():
            assert threads_of("blas") == {1}
    assert threads_of("blas") == before[0]


def rows(*counts: ArrayLike) -> sparse.csr_matrix:
    return sparse.csr_matrix(np.array(counts, dtype=float))


def normals(n: int, seed: int = 0) -> NDArray[np.float64]:
    """Counts of n normal sequences: 20 items in use, the others of the vocabulary and the unseen column empty."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((n, N_ITEMS))
    counts[:, :20] = rng.poisson(np.linspace(0.5, 6, 20), (n, 20))
    return counts


def faults(n: int, seed: int = 1) -> NDArray[np.float64]:
    """Normal sequences with far too many of three items, and some that no normal holds."""
    counts = normals(n, seed)
    counts[:, ODD_ITEMS] += 60
    counts[:, UNSEEN] = 9
    return counts


def training() -> tuple[sparse.csr_matrix, NDArray[np.bool_]]:
    return rows(*normals(60), *faults(15)), np.repeat([False, True], [60, 15])


def fitted(name: str, order: NDArray[np.intp] | slice = slice(None)) -> Detector:
    X, y = training()
    if not REGISTRY[name].supervised:
        X, y = X[:60], y[:60]
    return make(name, **QUICK.get(name, {})).fit(X[order], y[order])


def test_registry_holds_the_twelve() -> None:
    assert (len(UNSUPERVISED), len(SUPERVISED)) == (7, 5)
    assert len({detector.short for detector in REGISTRY.values()}) == 12
    assert [n for n, d in REGISTRY.items() if "event" in d.units] == ["IsolationForest", "Rarity", "OutOfVocabulary"]


@pytest.mark.parametrize("name", REGISTRY)
def test_an_odd_row_scores_above_every_normal(name: str) -> None:
    detector = fitted(name)
    assert detector.score(rows(*faults(1, seed=5))).min() > detector.score(rows(*normals(60))).max()


@pytest.mark.parametrize("name", REGISTRY)
def test_scores_do_not_depend_on_other_rows_on_order_or_on_pickling(name: str) -> None:
    detector, X = fitted(name), rows(*normals(40, seed=3), *faults(5, seed=4), np.zeros(N_ITEMS))
    scores = detector.score(X)
    backwards = np.arange(X.shape[0])[::-1]
    n_training = 75 if detector.supervised else 60
    assert np.isfinite(scores).all()
    assert [detector.score(X[row])[0] for row in range(35, 46)] == scores[35:].tolist()
    assert detector.score(X[backwards]).tolist() == scores[backwards].tolist()
    assert pickle.loads(pickle.dumps(detector)).score(X).tolist() == scores.tolist()
    assert fitted(name, np.arange(n_training)[::-1]).score(X).tolist() == scores.tolist()


def test_scores_are_the_same_in_another_process_with_four_threads(tmp_path: Path) -> None:
    X, y = training()
    sparse.save_npz(tmp_path / "X.npz", X)
    np.save(tmp_path / "y.npy", y)
    command = [sys.executable, "-c", SCORE_IN_ANOTHER_PROCESS, str(tmp_path / "X.npz"), str(tmp_path / "y.npy")]
    other = subprocess.Popen(command, env=os.environ | FOUR_THREADS, stdout=subprocess.PIPE, text=True)
    here = [f"{name} {hashlib.sha256(fitted(name).score(X).tobytes()).hexdigest()}" for name in REGISTRY]
    assert other.communicate()[0].splitlines() == here


FOUR_THREADS = {"OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "4"}


def test_importing_the_registry_loads_neither_scikit_learn_nor_shap() -> None:
    code = "import sys, lo2core.detect.detectors; print({'sklearn', 'shap'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.parametrize("name", UNSUPERVISED)
@pytest.mark.parametrize("counts", [[[2, 1, 0]], [[0, 0, 0]], [[0, 0, 0], [0, 0, 0]], [[2, 1, 0], [2, 2, 0]]])
def test_one_or_two_normals_are_enough_even_silent_ones(name: str, counts: list[list[int]]) -> None:
    detector = make(name, **QUICK.get(name, {})).fit(rows(*counts))
    assert np.isfinite(detector.score(rows([2, 1, 0], [0, 0, 0], [9, 0, 7]))).all()


@pytest.mark.parametrize("name", REGISTRY)
def test_no_rows_get_no_scores(name: str) -> None:
    assert fitted(name).score(sparse.csr_matrix((0, N_ITEMS))).shape == (0,)


def test_nearest_normal_counts_what_is_more_in_full() -> None:
    detector = make("NearestNormal").fit(rows([1, 1, 0], [1, 1, 0]))
    # log(1 + 3) / sqrt(0.1)
    assert detector.score(rows([1, 1, 3])) == pytest.approx([4.383847])


def test_nearest_normal_counts_what_is_missing_three_tenths() -> None:
    detector = make("NearestNormal").fit(rows([1, 1, 0], [1, 1, 0]))
    # 0.3 * log(2) / sqrt(0.1)
    assert detector.score(rows([1, 0, 0])) == pytest.approx([0.657577])


def test_nearest_normal_brings_normals_to_the_size_of_the_sequence() -> None:
    detector = make("NearestNormal").fit(rows([1, 2, 0]))
    assert detector.score(rows([10, 20, 0])) == pytest.approx([0])


def test_nearest_normal_averages_over_its_neighbours() -> None:
    detector = make("NearestNormal").fit(rows([1, 1, 0], [1, 3, 0]))
    # To the second: the ratios 1 and 1/3 make it (2/3, 2). First item log(2 / (5/3)) / sqrt(0.1) = 0.576552; the second
    # varies by (log(4/2) / 2)^2 = 0.120113, so 0.3 * log(3/2) / sqrt(0.220113) = 0.259270.
    second = np.hypot(0.576552, 0.259270)
    assert detector.score(rows([1, 1, 0])) == pytest.approx([(0 + second) / 2], rel=1e-5)
    indices, distances = detector.neighbours(rows([1, 1, 0]))
    assert indices.tolist() == [[0, 1]]
    assert distances == pytest.approx(np.array([[0, second]]), rel=1e-5)


def test_nearest_normal_sees_only_the_five_largest_differences() -> None:
    detector = make("NearestNormal", n_foreign=9).fit(rows([1] + [0] * 8))
    scores = detector.score(rows([1] + [1] * 5 + [0] * 3, [1] + [1] * 8))
    # log(2) / sqrt(0.1) five times, squared, summed, rooted
    assert scores == pytest.approx([4.901291, 4.901291])


def test_nearest_normal_looks_at_the_two_most_frequent_items_that_no_normal_holds() -> None:
    detector = make("NearestNormal").fit(rows([1] + [0] * 8))
    scores = detector.score(rows([1, 3, 1] + [0] * 6, [1, 3, 1] + [1] * 6))
    # (log(4)^2 + log(2)^2) / 0.1, rooted
    assert scores == pytest.approx([4.901291, 4.901291])


def test_nearest_normal_brings_a_long_sequence_down_to_the_usual_size() -> None:
    detector = make("NearestNormal").fit(rows([4, 0], [4, 0]))
    # ten times as long as the normals, so its ten foreign lines count as one: log(2) / sqrt(0.1)
    assert detector.score(rows([40, 10])) == pytest.approx([2.191924])
    # a short one is left as it is: log(11) / sqrt(0.1)
    assert detector.score(rows([2, 10])) == pytest.approx([7.582811])


def test_nearest_normal_takes_equal_normals_as_so_many_neighbours() -> None:
    detector = make("NearestNormal").fit(rows([5, 0, 0], [1, 1, 0], [1, 1, 0], [1, 1, 0]))
    indices, distances = detector.neighbours(rows([1, 1, 0]))
    assert indices.tolist() == [[1, 2, 3]]
    assert distances.tolist() == [[0, 0, 0]]


def test_nearest_normal_in_blocks_scores_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    detector, X = fitted("NearestNormal"), rows(*faults(5))
    whole = detector.score(X)
    monkeypatch.setattr("lo2core.detect.detectors.nearest_normal._BLOCK_CELLS", 50)
    assert detector.score(X).tolist() == whole.tolist()


def test_rarity_by_hand() -> None:
    # 200 counts: the first item is common, the second 1 in 200, the third 2 in 200, the last never seen
    detector = make("Rarity").fit(rows([100, 1, 0, 0], [97, 0, 2, 0]))
    second, third, never = 148.7356, 97.6659, 2 * 148.7356
    scores = detector.score(rows([5, 0, 0, 0], [5, 1, 2, 0], [0, 0, 0, 2], [0, 0, 0, 0]))
    assert scores == pytest.approx([0, (second + 2 * third) / 3, 2 * never, 0], rel=1e-5)


def test_out_of_vocabulary_by_hand() -> None:
    # the second item is in the vocabulary because of another service: no row of this one holds it
    detector = make("OutOfVocabulary").fit(rows([1, 0, 2, 0], [0, 0, 1, 0]))
    assert detector.score(rows([3, 2, 0, 4], [9, 0, 9, 0])).tolist() == [6, 0]
    assert detector.attribute(rows([3, 2, 0, 4])).tolist() == [[0, 2, 0, 4]]


@pytest.mark.parametrize("name", ["NearestNormal", "Rarity", "OutOfVocabulary"])
def test_own_shares_add_up_to_the_score(name: str) -> None:
    detector, X = fitted(name), rows(*faults(5), *normals(20, seed=8), np.zeros(N_ITEMS))
    assert detector.attribute(X).sum(axis=1) == pytest.approx(detector.score(X), abs=1e-9)


@pytest.mark.parametrize("name", SUPERVISED)
def test_shares_of_supervised_detectors_add_up_but_for_a_constant(name: str) -> None:
    pytest.importorskip("shap")
    detector, X = fitted(name), rows(*faults(5), *normals(20, seed=8))
    assert np.ptp(detector.score(X) - detector.attribute(X).sum(axis=1)) < 1e-6


@pytest.mark.parametrize("name", UNSUPERVISED)
def test_an_odd_item_gets_the_largest_share(name: str) -> None:
    assert fitted(name).attribute(rows(*faults(1, seed=5)))[0].argmax() in [*ODD_ITEMS, UNSEEN]


def test_isolation_forest_leaves_one_item_out_where_shap_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "shap", None)
    detector, X = fitted("IsolationForest"), rows(*faults(1))
    without = X.copy()
    without[0, 0] = 0
    assert detector.attribute(X)[0, 0] == detector.score(X)[0] - detector.score(without)[0]
    assert detector.attribution.startswith("SHAP is not installed")


def test_the_matrix_of_the_caller_is_left_as_it_is() -> None:
    X = sparse.csr_matrix(([1.0, 0.0, 2.0], ([0, 0, 1], [1, 0, 1])), shape=(2, 3))
    make("NearestNormal").fit(X).score(X)
    assert X.nnz == 3


def test_unknown_detector_says_what_there_is() -> None:
    with pytest.raises(InputError, match="Did you mean 'KMeans'"):
        make("Kmeans")


def test_unknown_parameter_says_what_there_is() -> None:
    with pytest.raises(InputError, match=r"NearestNormal has no parameter 'neighbors'.*n_neighbors"):
        make("NearestNormal", neighbors=5)


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize(
    ("y", "words"), [([True, True], "2 anomalous ones only"), ([False, False], "2 normal"), (None, "a label")]
)
def test_supervised_detectors_want_both_kinds_of_rows(name: str, y: list[bool] | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make(name).fit(rows([1, 0], [2, 0]), y)


def test_other_columns_than_in_training_are_refused() -> None:
    with pytest.raises(InputError, match="trained on 2 columns, found 3"):
        make("Rarity").fit(rows([1, 0])).score(rows([1, 0, 0]))


def test_a_detector_that_was_not_trained_says_so() -> None:
    with pytest.raises(InputError, match="call fit first"):
        make("KMeans").score(rows([1, 0]))


@pytest.mark.parametrize(("value", "words"), [(np.nan, "not finite"), (-1, "needs counts, found -1")])
def test_values_that_are_no_counts_are_refused(value: float, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make("NearestNormal").fit(rows([value, 0]))


def test_no_training_rows_are_refused() -> None:
    with pytest.raises(InputError, match="found 0 training rows"):
        make("NearestNormal").fit(sparse.csr_matrix((0, 3)))


def test_a_matrix_too_large_to_make_dense_is_refused_with_its_size() -> None:
    wide = sparse.csr_matrix((2, 200_000_000))
    with pytest.raises(InputError, match=r"2 rows x 200,000,000 items, 3\.0 GiB, and 2 GiB is the limit"):
        zeros(wide.shape, "This")


def test_columns_that_never_vary_change_nothing_in_gradient_boosting() -> None:
    rng = np.random.default_rng(3)
    X, y = rng.poisson(2, (60, 8)).astype(float), rng.random(60) < 0.5
    padded = np.insert(X, [0, 3, 8], [7.0, 0.0, 1.0], axis=1)
    plain, wide = (make("HistGradientBoosting").fit(sparse.csr_matrix(part), y) for part in (X, padded))
    assert plain.score(sparse.csr_matrix(X)).tolist() == wide.score(sparse.csr_matrix(padded)).tolist()
    attributed = wide.attribute(sparse.csr_matrix(padded[:5]))
    assert attributed.shape == (5, 11)
    assert not attributed[:, [0, 4, 10]].any()


def test_columns_in_the_same_order_do_not_change_the_boosted_trees() -> None:
    X, y = training()
    twins = sparse.csr_matrix(sparse.hstack([X, 3 * X[:, :20], X[:, :20].power(2)]))
    doubled, scored = make("HistGradientBoosting").fit(twins, y), sparse.csr_matrix(sparse.hstack([X, 0 * X]))
    alone = make("HistGradientBoosting").fit(X, y)
    assert np.array_equal(doubled.score(scored), alone.score(X))
