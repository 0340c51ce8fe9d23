"""AnomalyDetector: LogLead's calls on frames, with a model and a vectorizer that can be kept."""

from __future__ import annotations

import io
import subprocess
import sys

import joblib
import polars as pl
import pytest
from helpers.loglines import write_runs
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer

import lo2core
from lo2core.base.errors import InputError
from lo2core.detect.anomaly_detector import _LOGLEAD_NAMES, AnomalyDetector
from lo2core.detect.detectors import REGISTRY
from lo2core.detect.vectorizer import Vectorizer
from lo2core.enhance.enhancers import EventLogEnhancer
from lo2core.load.loader import LO2Loader

NUMBERS = ["e_chars_len", "e_event_id_len", "e_words_len"]


@pytest.fixture(scope="module")
def df_events(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    enhancer = EventLogEnhancer(LO2Loader(write_runs(tmp_path_factory.mktemp("logs"))).execute())
    enhancer.normalize().words().trigrams()
    return pl.DataFrame(enhancer.length())


def detector(
    df_events: pl.DataFrame, item_list_col: str = "e_event_drain_id", numbers: list[str] | None = None
) -> AnomalyDetector:
    sad = AnomalyDetector(item_list_col=item_list_col, numeric_cols=numbers)
    sad.train_df = df_events.filter(pl.col("test_case") == "correct")
    sad.test_df = df_events
    sad.prepare_train_test_data()
    return sad


@pytest.mark.parametrize("item_list_col", ["e_event_drain_id", "e_message_normalized", "e_words", "e_trigrams"])
def test_the_line_of_the_fault_stands_out(df_events: pl.DataFrame, item_list_col: str) -> None:
    sad = detector(df_events, item_list_col)
    sad.train_OutOfVocabulary()
    found = sad.predict()
    worst = df_events["m_message"].filter(found["rank"] <= 2)
    assert worst.str.starts_with("CLIENT_NOT_FOUND").all()
    assert found["pred_ano"].sum() == 2


def test_predictions_keep_the_rows_and_their_identity(df_events: pl.DataFrame) -> None:
    sad = detector(df_events, numbers=NUMBERS)
    sad.train_IsolationForest()
    found = sad.predict()
    identity = ["seq_id", "line_no", "run", "test_case", "service", "normal", "anomaly"]
    assert found.select(identity).equals(df_events.select(identity))
    assert {"score", "z_score", "p_value", "threshold", "pred_ano", "rank"} <= set(found.columns)
    assert not [name for name in found.columns if name.startswith(("e_", "m_message"))]
    assert found["rank"].null_count() == 0
    assert found.sort("rank")["z_score"].is_sorted(descending=True)


def test_a_dumped_tuple_is_all_that_scoring_needs(df_events: pl.DataFrame) -> None:
    sad = detector(df_events, numbers=NUMBERS)
    sad.train_IsolationForest()
    buffer = io.BytesIO()
    joblib.dump((sad.model, sad.vec), buffer)
    buffer.seek(0)
    model, vec = joblib.load(buffer)
    again = AnomalyDetector("e_event_drain_id", NUMBERS)
    again.test_df = df_events
    again.prepare_train_test_data(vectorizer_class=vec)
    again.model = model
    assert again.predict().equals(sad.predict())


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_detector_has_its_call(df_events: pl.DataFrame, name: str) -> None:
    sad = detector(df_events)
    if REGISTRY[name].supervised:
        sad.train_df = df_events
    getattr(sad, f"train_{name}")()
    assert sad.model.facts["detector"] == name
    assert sad.predict()["score"].null_count() == 0


def test_names_of_loglead_mean_our_detectors() -> None:
    calls = {name: getattr(AnomalyDetector(), f"train_{name}") for name in _LOGLEAD_NAMES}
    assert {name: call.args[0] for name, call in calls.items()} == {
        "LR": "LogisticRegression",
        "DT": "DecisionTree",
        "RF": "RandomForest",
        "LSVM": "LinearSVC",
        "LOF": "LocalOutlierFactor",
        "RarityModel": "Rarity",
        "OOVDetector": "OutOfVocabulary",
    }
    with pytest.raises(AttributeError, match="no attribute 'train_Nothing'"):
        AnomalyDetector().train_Nothing()


@pytest.mark.parametrize(
    ("vectorizer_class", "weighting"),
    [(CountVectorizer, "counts"), (TfidfVectorizer, "tf-idf"), (Vectorizer, "counts")],
)
def test_vectorizer_classes_mean_weightings(df_events: pl.DataFrame, vectorizer_class: type, weighting: str) -> None:
    sad = detector(df_events)
    sad.prepare_train_test_data(vectorizer_class=vectorizer_class)
    sad.train_IsolationForest()
    assert sad.vec.weighting == weighting


@pytest.mark.parametrize("wrong", [HashingVectorizer, CountVectorizer(), "tfidf", None])
def test_anything_else_is_not_a_vectorizer(df_events: pl.DataFrame, wrong: object) -> None:
    with pytest.raises(
        InputError, match="expected a fitted lo2core Vectorizer or one of the classes Vectorizer, Count"
    ):
        detector(df_events).prepare_train_test_data(vectorizer_class=wrong)


def test_a_fitted_vectorizer_is_used_as_it_is(df_events: pl.DataFrame) -> None:
    vec = Vectorizer(item_column="e_event_drain_id").fit_frame(df_events)
    sad = detector(df_events)
    sad.prepare_train_test_data(vectorizer_class=vec)
    sad.train_IsolationForest()
    assert sad.vec is vec


def test_a_vectorizer_of_other_columns_says_both_lists(df_events: pl.DataFrame) -> None:
    vec = Vectorizer(item_column="e_event_drain_id", numeric_columns=NUMBERS[:1]).fit_frame(df_events)
    with pytest.raises(
        InputError, match=r"columns e_event_drain_id, e_chars_len, this .* asks for the columns e_words, e_words_len"
    ):
        AnomalyDetector("e_words", ["e_words_len"]).prepare_train_test_data(vectorizer_class=vec)
    with pytest.raises(InputError, match="fitted on counts of sequences"):
        AnomalyDetector("e_words").prepare_train_test_data(vectorizer_class=Vectorizer())


def test_columns_that_are_not_there_are_named(df_events: pl.DataFrame) -> None:
    sad = detector(df_events, "e_words", ["e_lenght"])
    with pytest.raises(InputError, match="missing are e_lenght, found are"):
        sad.train_IsolationForest()


def test_what_is_not_set_is_asked_for(df_events: pl.DataFrame) -> None:
    sad = AnomalyDetector()
    with pytest.raises(InputError, match="train_df is not set"):
        sad.train_IsolationForest()
    with pytest.raises(InputError, match="There is no model yet"):
        sad.predict()
    sad = detector(df_events)
    sad.train_IsolationForest()
    del sad.test_df
    with pytest.raises(InputError, match="test_df is not set"):
        sad.predict()


def test_one_normal_test_case_is_too_few_to_train_on(df_events: pl.DataFrame) -> None:
    sad = detector(df_events)
    sad.train_df = df_events.filter(pl.col("seq_id") == df_events["seq_id"][0])
    with pytest.raises(InputError, match="at least two normal test cases, found 1"):
        sad.train_IsolationForest()


@pytest.mark.parametrize("item_list_col", ["e_event_drain_id", "e_message_normalized", "e_words"])
def test_rows_without_an_item_are_scored_as_rows_without_items(df_events: pl.DataFrame, item_list_col: str) -> None:
    not_first = pl.int_range(pl.len()) > 0
    emptied = pl.col("e_message_normalized", "e_event_drain_id", "e_words")
    holed = df_events.with_columns(pl.when(not_first).then(emptied))
    sad = detector(holed, item_list_col)
    sad.train_OutOfVocabulary()
    found = sad.predict()
    assert found.height == df_events.height
    assert found["score"][0] == 0


def test_equal_rows_share_a_rank(df_events: pl.DataFrame) -> None:
    sad = detector(df_events)
    sad.train_OutOfVocabulary()
    found = sad.predict().drop_nulls("z_score")
    assert found["rank"].to_list() == found["z_score"].rank("min", descending=True).to_list()


def test_frames_that_were_scored_before_are_scored_anew(df_events: pl.DataFrame) -> None:
    sad = detector(df_events)
    sad.train_OutOfVocabulary()
    found = sad.predict()
    old = df_events.with_columns(score=pl.lit(7.0), rank=pl.lit(1), threshold=pl.lit(0.0), pred_ano=pl.lit(True))
    sad.test_df = old
    assert sad.predict().equals(found)


def test_a_frame_without_service_is_one_group(df_events: pl.DataFrame) -> None:
    sad = detector(df_events.drop("service"))
    sad.train_OutOfVocabulary()
    assert list(sad.model.detectors) == [""]
    assert sad.predict()["score"].null_count() == 0


def test_a_service_that_was_not_trained_gets_no_score(df_events: pl.DataFrame) -> None:
    sad = detector(df_events)
    sad.train_df = sad.train_df.filter(pl.col("service") == "client")
    sad.train_IsolationForest()
    with pytest.warns(UserWarning, match="does not know token"):
        found = sad.predict()
    assert found.filter(pl.col("score").is_null())["service"].unique().to_list() == ["token"]
    assert found.filter(pl.col("service") == "token")["rank"].null_count() == (df_events["service"] == "token").sum()


def test_importing_the_package_is_cheap_and_names_are_there() -> None:
    code = "import lo2core, sys; print('polars' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    names = [getattr(lo2core, name).__name__ for name in lo2core.__all__]
    assert {"AnomalyDetector", "EventLogEnhancer", "LO2Loader", "SequenceEnhancer"} <= set(names)
