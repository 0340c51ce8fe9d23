"""Tables whose pages are damaged while their footers are whole: a function of the API raises one sentence."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from lo2core import (
    LO2Loader,
    LoadOptions,
    Recipe,
    Workspace,
    compare_predictions,
    enhance_events,
    evaluate_recipes,
    explain_incident,
    load_logs,
    predict_logs,
    read_predictions,
    train_bundle,
)
from lo2core.base.errors import ArtefactError, InputError
from lo2core.base.schemas import Counts, Events, Messages, Sequences
from lo2core.base.table import Table

OOV = Recipe("OutOfVocabulary")
CALLS: dict[str, Callable[[Workspace, Path], object]] = {
    "append": lambda ws, folder: load_logs(ws, folder / "more", LoadOptions(), append=True, jobs=1),
    "enhance": lambda ws, folder: enhance_events(ws),
    "train": lambda ws, folder: train_bundle(ws, OOV, folder / "new.joblib"),
    "predict": lambda ws, folder: predict_logs(ws, folder / "models" / "lo2_nn.joblib", "new"),
    "predict events": lambda ws, folder: predict_logs(ws, folder / "models" / "events.joblib", "new"),
    "evaluate": lambda ws, folder: evaluate_recipes(ws, [OOV]),
    "explain": lambda ws, folder: explain_incident(ws, "scores"),
    "compare": lambda ws, folder: compare_predictions(ws, ["scores", "other"]).frames,
    "read": lambda ws, folder: read_predictions(ws, "scores"),
}
READS = [("append", Events), ("append", Counts), ("enhance", Events), ("enhance", Messages), ("train", Sequences)]
READS += [("train", Counts), ("predict", Counts), ("predict events", Events), ("evaluate", Messages)]
READS += [("explain", "scores"), ("explain", Counts), ("compare", "scores"), ("read", "scores")]


def damage(path: Path) -> None:
    """Move all pages of a Parquet file by some bytes, but not its footer."""
    data = path.read_bytes()
    end = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    path.write_bytes(data[:4] + data[7:end] + data[4:7] + data[end:])


@pytest.fixture(scope="module")
def scored(trained_runs: Path, sample_logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(trained_runs, tmp_path_factory.mktemp("damaged") / "scored"))
    workspace = Workspace(folder / "ws")
    train_bundle(workspace, Recipe("OutOfVocabulary", unit="event"), folder / "models" / "events.joblib")
    predict_logs(workspace, folder / "models" / "lo2_nn.joblib", "scores")
    shutil.copy(workspace.path("scores"), workspace.path("other"))
    last = max(run for run in sample_logs.iterdir() if run.is_dir())
    shutil.copytree(last / "correct_1", folder / "more" / last.name / "correct_1")
    return folder


@pytest.mark.parametrize(("call", "table"), READS)
def test_a_damaged_page_is_a_sentence(scored: Path, tmp_path: Path, call: str, table: type[Table] | str) -> None:
    workspace = Workspace(shutil.copytree(scored / "ws", tmp_path / "ws"))
    damage(workspace.path(table))
    with pytest.raises(ArtefactError, match=r"damaged|cannot be read"):
        CALLS[call](workspace, scored)


@pytest.mark.parametrize("columns", [["seq_id", "m_message"], ["run", "test_case", "service", "m_message"]])
@pytest.mark.parametrize("rows", [3, 100_000])
def test_a_damaged_table_of_events_is_a_sentence(tmp_path: Path, columns: list[str], rows: int) -> None:
    whole = pl.DataFrame({name: [f"client {n}" for n in range(rows)] for name in columns}).with_columns(
        pl.lit("client").alias(name) for name in columns if name == "service"
    )
    whole.write_parquet(tmp_path / "events.parquet")
    damage(tmp_path / "events.parquet")
    with pytest.raises(InputError, match=r"events.parquet cannot be read as a table"):
        LO2Loader(tmp_path / "events.parquet").execute()
