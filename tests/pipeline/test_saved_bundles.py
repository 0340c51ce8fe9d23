"""The bundles in tests/data, saved by an earlier version: they open, and score as they did."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from lo2core.messages.counts import MessageCounts
from lo2core.pipeline.bundles import open_bundle, vouch

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("name", ["nearest_normal", "isolation_forest"])
def test_a_bundle_of_an_earlier_version_scores_as_it_did(tmp_path: Path, name: str) -> None:
    path = Path(shutil.copy(DATA / f"{name}.joblib", tmp_path))
    vouch(path)
    opened = open_bundle(path)
    items = MessageCounts(pl.read_parquet(DATA / "messages.parquet"), pl.read_parquet(DATA / "counts.parquet"))
    expected = pl.read_csv(DATA / "scores.csv")
    found = opened.model.score(opened.vec.transform(items, expected["seq_id"]).X, expected["service"])
    np.testing.assert_allclose(found["score"], expected[name], rtol=1e-9)
    np.testing.assert_allclose(found["z_score"], expected[f"{name}_z"], rtol=1e-9)
