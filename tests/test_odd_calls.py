"""What a script may hand to the public API by mistake, frames and parameters of all kinds: each is a sentence."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

import lo2core
from lo2core import (
    AnomalyDetector,
    EventLogEnhancer,
    LO2Loader,
    LoadOptions,
    Recipe,
    SequenceEnhancer,
    Vectorizer,
    Workspace,
)
from lo2core.base.errors import InputError, Lo2Error
from lo2core.detect.detectors import REGISTRY

N = 24
EVENTS = pl.DataFrame(
    {
        "seq_id": [f"s{n % 8}" for n in range(N)],
        "run": [f"r{n % 4}" for n in range(N)],
        "test_case": ["correct" if n % 8 < 6 else "fault" for n in range(N)],
        "service": ["a" if n % 2 else "b" for n in range(N)],
        "m_message": [f"GET /user/{n % 5} ok" for n in range(N)],
        "m_timestamp": [dt.datetime(2026, 1, 1, 0, 0, n) for n in range(N)],
        "normal": [n % 8 < 6 for n in range(N)],
        "anomaly": [n % 8 >= 6 for n in range(N)],
        "e_words": [["GET", "user", str(n % 5)] for n in range(N)],
        "e_chars_len": [float(n % 7) for n in range(N)],
    }
)
COLUMNS: list[pl.Series] = [
    pl.Series(["x"] * N),
    pl.Series([None] * N),
    pl.Series([-5] * N),
    pl.Series([float("nan")] * N),
    pl.Series([float("inf")] * N),
    pl.Series([1e308] * N),
    pl.Series([{"a": 1}] * N),
    pl.Series([["a", "b"]] * N),
    pl.Series([[["a"]]] * N),
    pl.Series([[-1]] * N),
    pl.Series([[{"a": 1}]] * N),
    pl.Series([[]] * N, dtype=pl.List(pl.String)),
    pl.Series([object()] * N, dtype=pl.Object),
    pl.Series([b"\xff"] * N),
    pl.Series([dt.date(2026, 1, 1)] * N),
    pl.Series([dt.timedelta(1)] * N),
    pl.Series(["x"] * N, dtype=pl.Categorical),
    pl.Series([[1, 2]] * N, dtype=pl.Array(pl.Int64, 2)),
    pl.Series([2**100] * N, dtype=pl.Int128),
    pl.Series([None, *["y"] * (N - 1)]),
]
NO_FRAMES: list[Any] = [
    None,
    EVENTS.lazy(),
    [1, 2],
    "x",
    3,
    EVENTS["run"],
    np.zeros((3, 2)),
    EVENTS.rows(),
    pl.DataFrame,
    {"a": {"b": 1}},
    pa.table([pa.array([1]), pa.array([2])], names=["run", "run"]),
    pl.DataFrame(),
    EVENTS.clear(),
    EVENTS.head(1),
]
VALUES: list[Any] = [None, 0, -1, 1.5, float("nan"), float("inf"), "x", "", [], {}, True, object(), 10**20, b"x", (1,)]


def scored(
    train: Any, test: Any, items: Any = "e_words", numbers: Any = None, detector: str = "Rarity", **params: Any
) -> Any:
    sad = AnomalyDetector(items, numbers)
    sad.train_df, sad.test_df = train, test
    sad.prepare_train_test_data()
    sad.train(detector, **params)
    return sad.predict()


def is_understood(call: Callable[[], Any]) -> bool:
    """Whether a call works or is refused with a sentence; every other error fails the test."""
    try:
        call()
    except Lo2Error as error:
        assert str(error).endswith((".", "?"))
    return True


@pytest.mark.parametrize(
    ("said", "call"),
    [
        (
            "column m_message has the type Int32; expected texts",
            lambda: EventLogEnhancer(EVENTS.with_columns(m_message=1)),
        ),
        ("column run has the type String; expected numbers", lambda: scored(EVENTS, EVENTS, "e_words", ["run"])),
        ("e_chars_len is named twice", lambda: AnomalyDetector("e_words", ["e_chars_len", "e_chars_len"])),
        ("numeric_cols must be .*found 'run'", lambda: AnomalyDetector("e_words", "run")),
        ("train_df is a LazyFrame: call .collect", lambda: scored(EVENTS.lazy(), EVENTS)),
        ("df is of the type NoneType; expected a polars", lambda: EventLogEnhancer(None)),  # type: ignore[arg-type]
        ("cannot be converted .*each column named once", lambda: SequenceEnhancer(NO_FRAMES[10], EVENTS)),
        (
            "service has the type Struct.*expected texts",
            lambda: scored(EVENTS.with_columns(service=COLUMNS[6]), EVENTS),
        ),
        ("n_estimators=0", lambda: scored(EVENTS, EVENTS, detector="IsolationForest", n_estimators=0)),
        ("n_estimators up to 100,000", lambda: scored(EVENTS, EVENTS, detector="RandomForest", n_estimators=10**20)),
        ("workspace must be Workspace, found 'ws'", lambda: lo2core.load_logs("ws", "logs")),  # type: ignore[arg-type]
        ("n_runs must be int . None, found 'x'", lambda: LoadOptions(n_runs="x")),  # type: ignore[arg-type]
        ("filename must be str . .*Path, found 3", lambda: LO2Loader(3)),  # type: ignore[arg-type]
        ("X is not a matrix of numbers", lambda: REGISTRY["Rarity"]().fit("x")),  # type: ignore[arg-type]
    ],
)
def test_the_sentence_says_what_was_wrong(said: str, call: Callable[[], Any]) -> None:
    with pytest.raises(InputError, match=said):
        call()


def test_numbers_of_numpy_and_lists_are_as_good_as_those_of_python() -> None:
    assert LoadOptions(n_runs=np.int64(3), window=np.float32(2), services=["key"]).n_runs == 3  # type: ignore[arg-type]


@pytest.mark.parametrize("frame", NO_FRAMES, ids=lambda value: type(value).__name__)
def test_what_is_no_frame(frame: Any) -> None:
    assert is_understood(lambda: scored(frame, EVENTS))
    assert is_understood(lambda: scored(EVENTS, frame))
    assert is_understood(lambda: EventLogEnhancer(frame).normalize().words().trigrams())
    assert is_understood(lambda: SequenceEnhancer(frame, EVENTS).tokens())
    assert is_understood(lambda: SequenceEnhancer(EVENTS, frame).duration())
    assert is_understood(lambda: Vectorizer(item_column="e_words").fit_frame(frame).transform_frame(EVENTS))


@pytest.mark.parametrize("seed", range(10))
def test_columns_of_any_type(seed: int) -> None:
    draw = random.Random(seed)
    column = draw.choice(EVENTS.columns)
    odd = EVENTS.with_columns(draw.choice(COLUMNS).alias(column))
    train, test = draw.choice([(odd, EVENTS), (EVENTS, odd), (odd, odd)])
    items, numbers = draw.choice([(column, None), ("e_words", [column]), ("e_words", None)])
    assert is_understood(lambda: scored(train, test, items, numbers))
    step = draw.choice(["normalize", "words", "trigrams", "length", "drain"])
    assert is_understood(lambda: getattr(EventLogEnhancer(odd), step)())
    step = draw.choice(["seq_len", "start_time", "end_time", "duration", "events", "tokens", "eve_len"])
    assert is_understood(lambda: getattr(SequenceEnhancer(odd, EVENTS), step)())
    assert is_understood(lambda: getattr(SequenceEnhancer(EVENTS, odd), step)())


@pytest.mark.parametrize("name", ["NearestNormal", "IsolationForest", "KMeans", "Rarity", "DecisionTree"])
def test_parameters_and_matrices_of_any_value(name: str) -> None:
    draw = random.Random(name)
    X = sparse.csr_matrix(np.random.default_rng(1).poisson(1, (12, 5)).astype(float))
    y = np.arange(12) % 2 == 0
    for param in REGISTRY[name]().__dict__:
        for value in draw.sample(VALUES, 1):
            assert is_understood(lambda value=value, param=param: REGISTRY[name](**{param: value}).fit(X, y).score(X))
    fitted = REGISTRY[name]().fit(X, y)
    for matrix in (
        None,
        "x",
        [[1, 2]],
        np.zeros(3),
        np.array([["a"]]),
        -X,
        X[:0],
        X[:, :0],
        X.astype(complex),
        X * 1e300,
    ):
        assert is_understood(lambda matrix=matrix: fitted.score(matrix))
        assert is_understood(lambda matrix=matrix: REGISTRY[name]().fit(matrix, y))


@pytest.mark.parametrize("value", VALUES[::5], ids=repr)
def test_arguments_of_any_value(value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workspace = Workspace(tmp_path / "ws")
    for function in (
        lo2core.predict_logs,
        lo2core.compare_predictions,
        lo2core.explain_incident,
        lo2core.evaluate_recipes,
    ):
        assert is_understood(lambda function=function: function(value, value))
        assert is_understood(lambda function=function: function(workspace, value))
    for function in (lo2core.open_bundle, lo2core.Incident.parse, lo2core.Templates().fit, lo2core.Masker, Workspace):
        assert is_understood(lambda function=function: function(value))
    for field in ("detector", "items", "unit", "weighting", "budget", "params"):
        assert is_understood(lambda field=field: Recipe(**{field: value}))
    for field in ("n_runs", "services", "errors_per_run", "window", "labels", "seed", "skip_init_lines"):
        assert is_understood(lambda field=field: LoadOptions(**{field: value}))
    assert is_understood(lambda: LO2Loader(value).execute())
    assert is_understood(lambda: lo2core.load_logs(workspace, value))
