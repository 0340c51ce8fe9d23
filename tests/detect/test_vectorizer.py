"""The vectorizer: one vocabulary, two doors, nothing new is lost."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from helpers.loglines import line, write_log, write_runs
from sklearn.feature_extraction.text import TfidfTransformer

from lo2core.base.errors import InputError
from lo2core.detect.vectorizer import ITEM_KINDS, Vectorizer
from lo2core.enhance.enhancers import EventLogEnhancer
from lo2core.load.loader import LO2Loader
from lo2core.messages.counts import COUNTS, MESSAGES, MessageCounts
from lo2core.messages.hashing import message_ids
from lo2core.messages.templates import UNSEEN


def items_of(**sequences: list[str]) -> MessageCounts:
    """Items of sequences that are given as lists of message texts."""
    rows = [(seq_id, "message", text) for seq_id, texts in sequences.items() for text in texts]
    long = pl.DataFrame(rows, schema=["seq_id", "kind", "text"], orient="row")
    long = long.with_columns(message_ids(long["text"]).alias("message_id"), members=pl.lit(None))
    counts = long.group_by("seq_id", "kind", "message_id").agg(n=pl.len().cast(pl.Int64))
    messages = long.unique("message_id").select(MESSAGES.names()).cast(dict(MESSAGES))
    return MessageCounts(messages, counts.select(COUNTS.names()).cast(dict(COUNTS)))


ITEMS = items_of(a=["one", "one", "two"], b=["two"], c=["two", "new", "newer", "new"])
TRAINING = pl.Series(["a", "b"])


def column(vec: Vectorizer, name: str) -> int:
    return vec.feature_names_.index(name)


def test_columns_are_the_items_of_the_training_rows_and_one_for_the_rest() -> None:
    vec = Vectorizer().fit(ITEMS, TRAINING)
    assert sorted(vec.feature_names_[:-1]) == ["one", "two"]
    assert vec.feature_names_[-1] == UNSEEN
    X = vec.transform(ITEMS, pl.Series(["b", "c", "a"])).X.toarray()
    assert X[:, column(vec, "one")].tolist() == [0, 0, 2]
    assert X[:, column(vec, "two")].tolist() == [1, 1, 1]
    assert X[:, -1].tolist() == [0, 3, 0]


def test_unseen_items_are_named() -> None:
    found = Vectorizer().fit(ITEMS, TRAINING).transform(ITEMS, pl.Series(["b", "c"])).unseen.sort("n")
    assert found.select("row", "n").rows() == [(1, 1), (1, 2)]
    assert found["feature"].to_list() == message_ids(pl.Series(["newer", "new"])).to_list()


def test_a_sequence_without_items_is_a_row_of_zeros() -> None:
    assert Vectorizer().fit(ITEMS, TRAINING).transform(ITEMS, pl.Series(["silent", "a"])).X.sum(
        axis=1
    ).ravel().tolist() == [[0, 3]]


@pytest.mark.parametrize(
    ("weighting", "expected"),
    [("counts", 2.0), ("log1p", np.log(3)), ("binary", 1.0), ("tf-idf", 2 * (np.log(3 / 2) + 1))],
)
def test_weightings(weighting: str, expected: float) -> None:
    vec = Vectorizer(weighting=weighting).fit(ITEMS, TRAINING)
    assert vec.transform(ITEMS, pl.Series(["a"])).X[0, column(vec, "one")] == pytest.approx(expected)


def test_idf_is_that_of_scikit_learn() -> None:
    counts = Vectorizer().fit(ITEMS, TRAINING).transform(ITEMS, TRAINING).X
    ours = Vectorizer(weighting="tf-idf").fit(ITEMS, TRAINING).transform(ITEMS, TRAINING).X
    theirs = TfidfTransformer(norm=None).fit_transform(counts)
    assert np.allclose(ours.toarray()[:, :-1], theirs.toarray()[:, :-1])


def test_words_are_counted_as_often_as_the_messages_hold_them() -> None:
    items = items_of(a=["x y x", "x y x", "z"], b=["x"])
    vec = Vectorizer("words").fit(items, pl.Series(["a", "b"]))
    X = vec.transform(items, pl.Series(["a", "b"])).X.toarray()
    assert {name: X[:, column(vec, name)].tolist() for name in "xyz"} == {"x": [4, 1], "y": [2, 0], "z": [1, 0]}


@pytest.mark.parametrize("items", ["messages+templates", "messages+words", "words+trigrams"])
def test_equal_texts_of_two_kinds_are_two_items(items: str) -> None:
    held = items_of(a=["new", "new", "new"], b=["two"])
    vec = Vectorizer(items).fit(held, pl.Series(["a", "b"]))
    assert vec.feature_names_[:-1].count("new") == 2
    assert sorted(vec.transform(held, pl.Series(["a"])).X.toarray()[0]) == [0, 0, 0, 3, 3]


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> LO2Loader:
    loader = LO2Loader(write_runs(tmp_path_factory.mktemp("logs")))
    loader.execute()
    return loader


@pytest.mark.parametrize("items", [*ITEM_KINDS, "messages+requests", "templates+words"])
def test_every_kind_of_item_counts_every_sequence(loader: LO2Loader, items: str) -> None:
    normals = loader.df_seq.filter("normal")["seq_id"]
    vec = Vectorizer(items).fit(loader.items, normals)
    X = vec.transform(loader.items, loader.df_seq["seq_id"]).X
    assert X.shape == (loader.df_seq.height, len(vec.feature_names_))
    fault = (~loader.df_seq["normal"] & (loader.df_seq["service"] == "client")).to_numpy()
    assert (np.asarray(X[:, -1].todense()).ravel() > 0).tolist() == fault.tolist()


def test_rows_in_another_order_give_the_same_vectorizer(loader: LO2Loader) -> None:
    normals = loader.df_seq.filter("normal")["seq_id"]
    shuffled = MessageCounts(
        loader.items.messages.reverse(), loader.items.counts.sample(fraction=1, shuffle=True, seed=1)
    )
    one, other = (
        Vectorizer("messages+words").fit(loader.items, normals),
        Vectorizer("messages+words").fit(shuffled, normals.reverse()),
    )
    assert one.feature_names_ == other.feature_names_
    X, Y = (vec.transform(items, normals).X for vec, items in ((one, loader.items), (other, shuffled)))
    assert (X != Y).nnz == 0


@pytest.mark.parametrize(
    ("item_column", "items"),
    [
        ("e_message_normalized", "messages"),
        ("e_event_drain_id", "templates"),
        ("e_words", "words"),
        ("e_trigrams", "trigrams"),
    ],
)
def test_both_doors_lead_to_one_encoding(tmp_path: Path, item_column: str, items: str) -> None:
    """The note's way (rows of a frame) and the product's (counts) agree, event by event added up."""
    write_log(
        tmp_path / "run_1" / "correct", "".join(line(f"beat {n % 3} of x{n}", f"10:00:0{n}.000") for n in range(9))
    )
    write_log(tmp_path / "run_1" / "correct_1", line("beat 0 of x0") + line("more"))
    loader = LO2Loader(tmp_path)
    loader.execute()
    frame = EventLogEnhancer(loader.df)
    frame.normalize().words().trigrams().drain()
    by_frame = Vectorizer(item_column=item_column).fit_frame(frame.df)
    by_counts = Vectorizer(items).fit(loader.items, loader.df_seq["seq_id"])
    assert by_frame.feature_names_ == by_counts.feature_names_
    total = by_counts.transform(loader.items, loader.df_seq["seq_id"]).X.sum(axis=0)
    assert (by_frame.transform_frame(frame.df).X.sum(axis=0) == total).all()


def drained(*texts: str) -> pl.DataFrame:
    enhancer = EventLogEnhancer(pl.DataFrame({"m_message": texts}))
    enhancer.normalize().drain()
    return pl.DataFrame(enhancer.length())


KNOWN = drained("user x1 in", "user x2 in", "done")
COLUMNS = ("e_chars_len", "e_words_len")


def test_template_ids_are_derived_anew_by_the_frozen_tree() -> None:
    vec = pickle.loads(pickle.dumps(Vectorizer(item_column="e_event_drain_id").fit_frame(KNOWN)))
    foreign = drained("user x9 in", "nobody knows").with_columns(e_event_drain_id=pl.lit(5, dtype=pl.UInt64))
    for frame in (foreign, foreign.drop("e_message_normalized")):
        X = vec.transform_frame(frame).X.toarray()
        assert X[0, column(vec, "user x<*> in")] == 1
        assert X[:, -1].tolist() == [0, 1]


def test_without_text_the_ids_are_taken_and_doubted() -> None:
    vec = Vectorizer(item_column="e_event_drain_id").fit_frame(KNOWN)
    ids = KNOWN.select("e_event_drain_id")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert vec.transform_frame(ids).X[:, -1].sum() == 0
    with pytest.warns(UserWarning, match="Under half of the template ids are known"):
        assert (
            vec.transform_frame(ids.with_columns(pl.lit(5, dtype=pl.UInt64).alias("e_event_drain_id"))).X[:, -1].sum()
            == 3
        )


def test_numbers_stand_between_the_items_and_the_unseen() -> None:
    vec = Vectorizer(item_column="e_message_normalized", numeric_columns=COLUMNS).fit_frame(KNOWN)
    X = vec.transform_frame(drained("done", "strange")).X.toarray()
    assert vec.feature_names_[-3:] == [*COLUMNS, UNSEEN]
    assert X[:, -3:].tolist() == [[4, 1, 0], [7, 1, 1]]


def test_other_columns_are_answered_with_both_lists() -> None:
    vec = Vectorizer(item_column="e_event_drain_id", numeric_columns=COLUMNS).fit_frame(KNOWN)
    with pytest.raises(
        InputError, match=r"needs .*_drain_id, e_chars_len, e_words_len; missing .*found are a, e_event"
    ):
        vec.transform_frame(pl.DataFrame({"a": [1], "e_event_drain_id": [1]}))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"items": "mesages"}, "Did you mean 'messages'"),
        ({"items": "messages+words+messages"}, "name messages twice"),
        ({"weighting": "idf"}, "Valid names: binary, counts, log1p, tf-idf"),
    ],
)
def test_wrong_names_are_answered_with_those_that_exist(settings: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Vectorizer(**settings).fit(ITEMS, TRAINING)


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(InputError, match="the 1 training rows contain no requests"):
        Vectorizer("requests").fit(ITEMS, pl.Series(["a"]))
    with pytest.raises(InputError, match="give item_list_col"):
        Vectorizer().fit_frame(KNOWN)
