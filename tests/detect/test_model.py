"""The model: what a score means among unseen normals, and where the threshold lies."""

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from lo2core.detect.calibration import Calibration, left_out_z, threshold_for
from lo2core.detect.detectors import make
from lo2core.detect.model import Model
from lo2core.explain.model_importance import normal_scores


def calibration(*scores: float) -> Calibration:
    return Calibration.of(np.array(scores), np.ones(len(scores)))


def test_z_sets_a_score_against_mean_and_spread_of_unseen_normals() -> None:
    known = calibration(8.0, 12.0)

    assert known.z(np.array([10.0, 12.5])) == pytest.approx([0.0, 1.0])  # sd 2, plus 5 % of the mean of 10


def test_p_counts_the_normals_that_are_as_odd_or_odder() -> None:
    known = calibration(3.0, 1.0, 2.0)

    assert known.p(np.array([0.5, 2.0, 9.0])) == pytest.approx([4 / 4, 3 / 4, 1 / 4])


def test_a_row_that_stands_for_many_events_weighs_as_many() -> None:
    many = Calibration.of(np.array([1.0, 4.0]), np.array([3.0, 1.0]))

    assert many.mean == pytest.approx(calibration(1.0, 1.0, 1.0, 4.0).mean)
    assert many.p(np.array([2.0])) == pytest.approx(calibration(1.0, 1.0, 1.0, 4.0).p(np.array([2.0])))


@pytest.mark.parametrize(
    ("n_normals", "budget", "alarms"), [(44, 5, 2), (99, 5, 5), (99, 1, 1), (40, 20, 8), (10, 99, 9)]
)
def test_the_threshold_lets_as_many_normal_incidents_pass_as_the_budget_says(
    n_normals: int, budget: float, alarms: int
) -> None:
    z = np.random.default_rng(1).normal(size=n_normals)

    threshold = threshold_for(z, budget)

    assert not threshold.estimated
    assert (z >= threshold.z).sum() == alarms


def test_of_normals_with_the_same_z_none_passes_when_not_all_may() -> None:
    tied = np.array([3.0] + [1.0] * 30 + [0.0] * 13)

    threshold = threshold_for(tied, 5)

    assert not threshold.estimated
    assert (tied >= threshold.z).sum() == 1
    assert threshold_for(np.ones(44), 5).estimated


def test_with_too_few_normals_for_the_budget_only_what_is_odder_than_all_of_them_is_an_alarm() -> None:
    threshold = threshold_for(np.array([0.5, 2.0, 1.0]), 5)

    assert threshold.estimated
    assert threshold.z == pytest.approx(2.0)
    assert threshold.z > 2.0


def test_a_normal_is_measured_by_the_folds_that_it_is_not_of() -> None:
    scores, folds = np.array([8.0, 12.0, 30.0]), np.array([0, 0, 1])

    z = left_out_z(scores, np.ones(3), folds)

    assert z[2] == pytest.approx(calibration(8.0, 12.0).z(np.array([30.0]))[0])
    assert z[:2] == pytest.approx(calibration(30.0).z(scores[:2]))


@pytest.mark.parametrize(("n_normals", "budget"), [(20, 5), (10, 10), (4, 5)])
def test_new_normals_are_false_alarms_as_rarely_as_the_budget_says(n_normals: int, budget: float) -> None:
    """About so; 8 to 75 in 100 were, when a normal had a part in what it was measured by. One of n + 1 is the least."""
    rng, services, alarms = np.random.default_rng(7), 7, []
    for _ in range(400):
        known, new = rng.lognormal(size=(services, n_normals)), rng.lognormal(size=(services, 20))
        ones, folds = np.ones(n_normals), np.arange(n_normals)
        z = np.max([left_out_z(scores, ones, folds) for scores in known], axis=0)
        of_new = [Calibration.of(scores, ones).z(scored) for scores, scored in zip(known, new, strict=True)]
        alarms.append(np.mean(np.max(of_new, axis=0) >= threshold_for(z, budget).z))
    assert 100 * np.mean(alarms) <= 1.25 * max(budget, 100 / (n_normals + 1))


@pytest.fixture
def model() -> Model:
    detector = make("NearestNormal").fit(sparse.csr_matrix([[4.0, 0.0, 0.0], [6.0, 0.0, 0.0]]))
    return Model({"client": detector}, {"client": calibration(0.5, 1.5)}, threshold_for(np.array([1.0]), 5), "sequence")


def test_calibrations_without_names_still_have_scores(model: Model) -> None:
    found = normal_scores(model)
    assert found["seq_id"].to_list() == [None, None]
    assert found["score"].to_list() == [0.5, 1.5]


def test_a_service_that_the_model_does_not_know_gets_no_score(model: Model) -> None:
    X = sparse.csr_matrix([[5.0, 0.0, 0.0], [5.0, 0.0, 0.0]])

    scored = model.score(X, pl.Series(["client", "token"]))

    assert scored["score"].is_null().to_list() == [False, True]
    assert model.unknown_services(pl.Series(["client", "token"])) == ["token"]


class Width:
    """What the self-test needs of a vectorizer: how many columns it makes."""

    feature_names_ = ("a", "b", "<unseen>")


def test_the_self_test_tells_when_a_detector_no_longer_scores_as_it_did(model: Model) -> None:
    saved = model.make_self_test(Width)

    assert model.self_test(Width, saved) is None
    model.detectors["client"] = make("NearestNormal").fit(sparse.csr_matrix([[40.0, 9.0, 0.0]]))
    assert "client" in str(model.self_test(Width, saved))
