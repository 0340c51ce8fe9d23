"""AnomalyDetector: train and predict on frames, with the calls that LogLead users know.

`model` and `vec` contain all that scoring needs: the tuple (model, vec), saved with joblib, is a complete bundle.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import polars as pl

from lo2core.base.calls import as_frame, checked_arguments, understood
from lo2core.base.errors import InputError
from lo2core.base.schemas import EventPredictions
from lo2core.detect import detectors
from lo2core.detect.instances import FrameSource
from lo2core.detect.known_items import held_out
from lo2core.detect.model import Model
from lo2core.detect.predict import labelled, unknown_services
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import train
from lo2core.detect.vectorizer import Vectorizer

_LOGLEAD_NAMES = {
    "LR": "LogisticRegression",
    "DT": "DecisionTree",
    "RF": "RandomForest",
    "LSVM": "LinearSVC",
    "LOF": "LocalOutlierFactor",
    "RarityModel": "Rarity",
    "OOVDetector": "OutOfVocabulary",
}
_SCORED = ("score", "z_score", "p_value", "threshold", "pred_ano", "rank", "status")
_IDENTITY = [name for name in EventPredictions.column_names() if name not in _SCORED]
_WEIGHTINGS = {"Vectorizer": None, "CountVectorizer": "counts", "TfidfVectorizer": "tf-idf"}
"""The weighting for each class of vectorizer that can be requested; None is the default of the detector."""


class AnomalyDetector:
    """Trains on one frame and scores another, with the interface of LogLead's AnomalyDetector.

    Set `train_df` and `test_df` (one row per event or sequence), call `prepare_train_test_data`, then `train_<Name>` or
    set `model`, then `predict`. item_list_col: column of items, a String or integer per row, or a List of them.
    numeric_cols: columns that are used as they are. `train_<Name>(**params)` exists for every detector in
    `detectors.REGISTRY`, and under the short names of LogLead (`train_LOF`, ...); one detector is trained per service.
    `predict` returns one row per row of `test_df`, in the same order: its identity columns and score, z_score, p_value,
    threshold, pred_ano and rank; higher scores are more anomalous. The tuple (`model`, `vec`) is all that scoring
    needs.
    Raises InputError for columns that are missing, and for columns that the vectorizer was not fitted on.

    Examples:
        >>> from lo2core import AnomalyDetector, EventLogEnhancer, LO2Loader
        >>> df_events = LO2Loader("demo/result/sample/logs", n_runs=2, single_service="client").execute()
        >>> df_events = EventLogEnhancer(df_events).drain()
        >>> sad = AnomalyDetector(item_list_col="e_event_drain_id")
        >>> sad.train_df = df_events.filter(test_case="correct")
        >>> sad.test_df = df_events
        >>> sad.prepare_train_test_data()
        >>> sad.train_OutOfVocabulary()
        >>> scores = sad.predict()
        >>> scores.height == df_events.height
        True
        >>> scores.filter("pred_ano")["test_case"].value_counts(sort=True)["test_case"][0]
        'get_client_404_no_client'
    """

    train_df: pl.DataFrame
    test_df: pl.DataFrame
    vec: Vectorizer
    model: Model

    @checked_arguments
    def __init__(self, item_list_col: str = "e_event_drain_id", numeric_cols: Sequence[str] | None = None) -> None:
        self.item_list_col = item_list_col
        self.numeric_cols = tuple(numeric_cols or ())
        named = (item_list_col, *self.numeric_cols)
        if twice := next((name for name in named if named.count(name) > 1), None):
            raise InputError(f"The column {twice} is named twice in item_list_col and numeric_cols: name it once.")
        self.vectorizer_class: Any = Vectorizer

    def prepare_train_test_data(self, vectorizer_class: Any = Vectorizer) -> None:
        """Choose a class of vectorizers to fit during training, or a fitted vectorizer to use as it is.

        The class is `Vectorizer`, or scikit-learn's `CountVectorizer` or `TfidfVectorizer`. Raises InputError for
        anything else, and for a vectorizer that was fitted on other columns.
        """
        if isinstance(vectorizer_class, Vectorizer):
            self._check_columns(vectorizer_class)
            self.vec = vectorizer_class
        elif not (isinstance(vectorizer_class, type) and vectorizer_class.__name__ in _WEIGHTINGS):
            raise InputError(
                f"vectorizer_class is {vectorizer_class!r}; expected a fitted lo2core Vectorizer or one of the classes "
                f"{', '.join(_WEIGHTINGS)}."
            )
        self.vectorizer_class = vectorizer_class

    def _check_columns(self, vec: Vectorizer) -> None:
        its = [str(name) for name in (vec.item_column, *vec.numeric_columns) if name]
        mine = [self.item_list_col, *self.numeric_cols]
        if vec.item_column != self.item_list_col or set(its) != set(mine):
            source = f"the columns {', '.join(its)}" if its else "counts of sequences"
            raise InputError(
                f"The vectorizer was fitted on {source}, this detector asks for the columns {', '.join(mine)}. Use the "
                "same columns, or train again."
            )

    @understood("The detector cannot be trained")
    def train(self, detector: str, **params: Any) -> None:
        """Train one detector per service on `train_df`. Unless it is supervised, all rows count as normal."""
        given = self.vectorizer_class if isinstance(self.vectorizer_class, Vectorizer) else None
        weighting = given.weighting if given else _WEIGHTINGS[self.vectorizer_class.__name__]
        recipe = Recipe(detector, items="messages", unit="row", params=params, weighting=weighting)
        source = FrameSource(self._frame("train_df"), self.item_list_col, self.numeric_cols, given)
        if not recipe.make().supervised:
            source.rows = source.rows.with_columns(normal=pl.lit(True))
        self.model, self.vec = train(source, recipe)
        normal = source.rows.filter("normal")
        self.model.facts["held_out"] = held_out(source.occurrences(normal, self.vec), normal, self.vec)

    @understood("The frame cannot be scored")
    def predict(self) -> pl.DataFrame:
        """The identity columns of `test_df`, score, z_score, p_value, threshold, pred_ano and rank, in the same order.

        Scores that the frame already contains are dropped. Warns about services that the model does not know.
        """
        if not hasattr(self, "model") or not hasattr(self, "vec"):
            raise InputError("There is no model yet: call a train_... method, or set model and a fitted vectorizer.")
        if not isinstance(self.model, Model) or not isinstance(self.vec, Vectorizer):
            raise InputError("model and vec must be those of a bundle, as in `model, vec = joblib.load(path)`.")
        frame = self._frame("test_df")
        source = FrameSource(frame, self.item_list_col, self.numeric_cols, self.vec)
        scores = self.model.score(source.encode(source.rows, self.vec).X, source.rows["service"])
        if sentence := unknown_services(self.model, source.rows["service"]):
            warnings.warn(sentence, stacklevel=2)
        identity = frame.select(name for name in _IDENTITY if name in frame.columns)
        scored = pl.concat([identity, scores[source.position]], how="horizontal").with_row_index("_row")
        return labelled(scored, self.model.threshold).sort("_row").drop("_row")

    def _frame(self, name: str) -> pl.DataFrame:
        if name not in vars(self):
            raise InputError(f"{name} is not set: give it the events or sequences, as in `sad.{name} = df_events`.")
        return as_frame(vars(self)[name], name)

    def __getattr__(self, name: str) -> Callable[..., None]:
        names = detectors.REGISTRY.keys() | _LOGLEAD_NAMES.keys()
        if name.startswith("train_") and (short := name.removeprefix("train_")) in names:
            return partial(self.train, _LOGLEAD_NAMES.get(short, short))
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
