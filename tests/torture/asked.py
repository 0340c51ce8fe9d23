"""Hostile questions: frames for the Python API, and addresses of pages."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

import polars as pl
from helpers.models import frame
from helpers.pageverbs import ROOT
from streamlit.testing.v1 import AppTest
from torture import mutations
from torture.place import Actions, Place
from torture.stored import odd_column

from lo2core import AnomalyDetector, EventLogEnhancer
from lo2core.base.schemas import Events


def frames(rng: Random, place: Place) -> Actions:
    """A frame with odd columns for `AnomalyDetector`, and one for `EventLogEnhancer`."""
    rows = frame()
    for _ in range(rng.randint(0, 3)):
        rows = odd_column(rng, rows)
    events = place.workspace.read(Events)
    for _ in range(rng.randint(0, 2)):
        events = odd_column(rng, events)
    yield partial(_train_and_predict, rng, rows)
    yield partial(_enhance, rng, events)


def _train_and_predict(rng: Random, rows: pl.DataFrame) -> None:
    columns = rng.sample([*rows.columns, "e_words", "nowhere"], rng.randint(0, 2))
    sad = AnomalyDetector(item_list_col=rng.choice(["e_words", "e_words", *rows.columns, None]), numeric_cols=columns)
    sad.train_df, sad.test_df = rng.choice([rows, frame(), rows.head(0), rows.lazy(), None]), rows
    sad.prepare_train_test_data()
    kind = rng.choice(["IsolationForest", "KMeans", "LogisticRegression", "OutOfVocabulary", "NearestNormal"])
    options: dict[str, Any] = rng.choice([{}, {}, {}, {"n_estimators": 0}, {"nonsense": 1}])
    getattr(sad, f"train_{kind}")(**options)
    sad.predict()


def _enhance(rng: Random, events: pl.DataFrame) -> None:
    enhancer = EventLogEnhancer(events)
    for step in rng.sample(["normalize", "words", "trigrams", "length", "drain"], rng.randint(1, 5)):
        getattr(enhancer, step)()


def pages(rng: Random, place: Place) -> Actions:
    """A page with odd query parameters."""
    script = rng.choice(PAGES)
    names = rng.sample(PARAMETERS, rng.randint(1, 6))
    good = ["nn", "forest", "today/nn", "today", "get_client_404_no_client", "light-oauth2-data-1719592986", "client"]
    good += [str(place.workspace.root), "1", "-1", "9" * 30]
    yield partial(
        _open, script, {name: rng.choice([*good, mutations.text(rng), mutations.text(rng)]) for name in names}
    )


PAGES = ["streamlit_app.py", *sorted(f"pages/{path.name}" for path in (ROOT / "pages").glob("*.py"))]
PARAMETERS = ["a", "b", "prediction", "sample", "bundle", "run", "folder", "window", "service", "view", "about", "ws"]


def _open(script: str, values: dict[str, str]) -> None:
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=500)
    app.switch_page(script)
    for name, value in values.items():
        app.query_params[name] = value
    app.run()
    said = [str(text.value) for text in app.text if "Unexpected error" in str(text.value)]
    said += [f"{one.message} {one.stack_trace[-3:]}" for one in app.exception]
    assert not said, f"{script} {values}: {said}"
