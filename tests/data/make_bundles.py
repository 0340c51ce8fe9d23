"""Makes the bundles of this folder and what they are tested with; see README.md before you run it."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import joblib
import polars as pl

from lo2core.base.schemas import Sequences
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import train
from lo2core.detect.units import count_unit
from lo2core.load.plan import LoadOptions
from lo2core.load.synthetic import write_sample
from lo2core.messages.counts import MessageCounts
from lo2core.pipeline.inputs import masker_of, read_items
from lo2core.pipeline.load import load_logs
from lo2core.store.workspace import Workspace

RECIPES = {
    "nearest_normal": Recipe("NearestNormal"),
    "isolation_forest": Recipe("IsolationForest", params={"n_estimators": 8, "max_samples": 16}),
}
SERVICES = ("client", "token")
MOST_ROWS = 16


def make(folder: Path, logs: Path, root: Path) -> None:
    """Trains both on the sequences of two services of the sample; scores some sequences, normal and faulty."""
    workspace = Workspace(root)
    load_logs(workspace, [write_sample(logs)], LoadOptions(), jobs=1)
    sequences = workspace.read(Sequences).filter(pl.col("service").is_in(SERVICES))
    items = read_items(workspace)
    rows = sequences.sort("normal", "seq_id").gather_every(max(1, sequences.height // MOST_ROWS))
    used = MessageCounts(items.messages, items.counts.filter(pl.col("seq_id").is_in(rows["seq_id"].implode())))
    scores = rows.select("seq_id", "service")
    for name, recipe in RECIPES.items():
        source = count_unit("sequence").source(items, sequences, masker_of(workspace))
        model, vec = train(source, recipe)
        joblib.dump((model, vec), folder / f"{name}.joblib")
        found = model.score(vec.transform(used, rows["seq_id"]).X, rows["service"])
        scores = scores.with_columns(found["score"].alias(name), found["z_score"].alias(f"{name}_z"))
    seen = used.messages.join(used.counts, on="message_id", how="semi").select("message_id", "kind", "text")
    seen.write_parquet(folder / "messages.parquet")
    used.counts.write_parquet(folder / "counts.parquet")
    scores.write_csv(folder / "scores.csv")


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        make(Path(sys.argv[1]), Path(temporary) / "logs", Path(temporary) / "ws")
