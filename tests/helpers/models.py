"""Small models for tests of bundles: 60 rows of words in two services, a few of them faults."""

from __future__ import annotations

import io
from functools import cache

import joblib
import numpy as np
import polars as pl

from lo2core.base.schemas import Sequences
from lo2core.detect.instances import FrameSource, Source
from lo2core.detect.model import Model
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import train
from lo2core.detect.units import count_unit
from lo2core.detect.vectorizer import Vectorizer
from lo2core.pipeline.inputs import masker_of, read_items
from lo2core.store.workspace import Workspace


@cache
def frame(rows: int = 60) -> pl.DataFrame:
    """Rows as AnomalyDetector takes them, with the identity columns, e_words and e_words_len."""
    rng = np.random.default_rng(7)
    faulty = [row % 5 == 0 for row in range(rows)]
    words = [[f"word{n}" for n in rng.integers(0, 30, 12)] + ["fault"] * fault for fault in faulty]
    return pl.DataFrame(
        {
            "run": [f"run{row % 3}" for row in range(rows)],
            "test_case": ["fault" if fault else "correct" for fault in faulty],
            "repetition": list(range(rows)),
            "service": ["client" if row % 2 else "token" for row in range(rows)],
            "normal": [not fault for fault in faulty],
            "anomaly": faulty,
            "e_words": words,
            "e_words_len": [len(each) for each in words],
        }
    )


def of_rows(detector: str, numeric: tuple[str, ...] = ()) -> tuple[Model, Vectorizer]:
    """A model of the rows of `frame`, to change at will."""
    model, vec = joblib.load(io.BytesIO(_of_rows(detector, numeric)))
    return model, vec


@cache
def _of_rows(detector: str, numeric: tuple[str, ...]) -> bytes:
    file = io.BytesIO()
    joblib.dump(train(rows_of(numeric), Recipe(detector, unit="row")), file)
    return file.getvalue()


def rows_of(numeric: tuple[str, ...] = ()) -> FrameSource:
    return FrameSource(frame(), "e_words", numeric)


def of_logs(workspace: Workspace, recipe: Recipe) -> tuple[Model, Vectorizer]:
    """A model of the logs of a workspace."""
    return train(source_of(workspace, recipe.unit), recipe)


def source_of(workspace: Workspace, unit: str) -> Source:
    return count_unit(unit).source(read_items(workspace), workspace.read(Sequences), masker_of(workspace))


def scores(model: Model, vec: Vectorizer, source: Source) -> pl.DataFrame:
    """What the model says of all rows of a source."""
    return model.score(source.encode(source.rows, vec).X, source.rows["service"])
