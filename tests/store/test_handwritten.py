"""Predictions written by hand: what a file does not say is derived."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lo2core.base.errors import ArtefactError
from lo2core.base.schemas import EventPredictions, Predictions, Sequences
from lo2core.store import handwritten
from lo2core.store.predictions import read_predictions, read_sequence_scores
from lo2core.store.workspace import Workspace

SCORES = {"seq_id": ["a", "b", "c", "d"], "score": [1.0, 1.0, 1.0, 9.0]}


def written(workspace: Workspace, **columns: Any) -> pl.DataFrame:
    """A file with these columns beside SCORES, as it is read."""
    workspace.root.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(SCORES | columns).write_parquet(workspace.path("mine"))
    return read_predictions(workspace, "mine")


def test_an_id_and_a_score_suffice(tmp_path: Path) -> None:
    found = written(Workspace(tmp_path))
    assert found.schema == Predictions.create_empty().schema
    Predictions.validate(found)
    worst = found.row(0, named=True)
    assert (worst["seq_id"], worst["folder"], worst["test_case"]) == ("d", "d", "d")
    assert (worst["run"], worst["service"], worst["rank"]) == ("unknown", "unknown", 1)
    assert worst["z_score"] == pytest.approx(1.5)
    assert (worst["threshold"], worst["pred_ano"], worst["p_value"], worst["normal"]) == (3.0, False, None, None)


def test_scores_are_set_against_those_of_their_service(tmp_path: Path) -> None:
    found = written(Workspace(tmp_path), service=["x", "x", "y", "y"])
    z = dict(found.select("seq_id", "z_score").iter_rows())
    assert (z["a"], z["b"]) == (0.0, 0.0)
    assert z["d"] == -z["c"] > 0


def test_a_threshold_beside_scores_is_one_of_scores(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    found = written(workspace, threshold=[5.0] * 4)
    assert found["z_score"].to_list() == [9.0, 1.0, 1.0, 1.0]
    assert found["pred_ano"].to_list() == [True, False, False, False]
    assert handwritten.remark(workspace, "mine") == "mine was written by hand without z_score: z is the score itself."


def test_flags_tell_the_threshold(tmp_path: Path) -> None:
    found = written(Workspace(tmp_path), z_score=[0.0, 1.0, 2.0, 4.0], pred_ano=[False, False, True, True])
    assert found["threshold"].unique().to_list() == [2.0]


def test_one_truth_tells_the_other(tmp_path: Path) -> None:
    found = written(Workspace(tmp_path), normal=[True, True, None, False])
    assert dict(found.select("seq_id", "anomaly").iter_rows()) == {"a": False, "b": False, "c": None, "d": True}


def test_a_score_that_is_no_number_has_no_z(tmp_path: Path) -> None:
    found = written(Workspace(tmp_path), score=[1.0, 2.0, None, float("nan")])
    assert found.filter(pl.col("seq_id").is_in(["c", "d"]))["z_score"].to_list() == [None, None]


@pytest.mark.parametrize("columns", [{}, {"threshold": [3.0] * 4}])
def test_a_z_that_is_no_number_is_no_score(tmp_path: Path, columns: dict[str, Any]) -> None:
    found = written(Workspace(tmp_path), z_score=[0.0, 1.0, float("nan"), 4.0], **columns)
    assert found.select("seq_id", "z_score", "pred_ano", "rank").rows() == [
        ("d", 4.0, True, 1),
        ("b", 1.0, False, 2),
        ("a", 0.0, False, 3),
        ("c", None, None, None),
    ]


@pytest.mark.parametrize("column", ["score", "z_score", "threshold"])
def test_infinite_numbers_are_refused_with_a_sentence(tmp_path: Path, column: str) -> None:
    with pytest.raises(ArtefactError, match=rf"infinite numbers \({column}\)"):
        written(Workspace(tmp_path), **{column: [1.0, 2.0, float("inf"), 3.0]})


def test_the_loaded_logs_say_what_the_file_does_not(tmp_path: Path, loaded_sample: Path) -> None:
    sequences = Workspace(loaded_sample).read(Sequences)
    workspace = Workspace(tmp_path)
    (tmp_path / "lo2_sequences.parquet").symlink_to(loaded_sample / "lo2_sequences.parquet")
    first = sequences.row(0, named=True)
    found = written(workspace, seq_id=["a", "b", "c", first["seq_id"]])
    identity = found.filter(seq_id=first["seq_id"]).select("run", "folder", "service", "normal").row(0, named=True)
    assert identity.items() <= first.items()


def test_damaged_logs_do_not_take_the_scores_with_them(tmp_path: Path) -> None:
    (tmp_path / "lo2_sequences.parquet").write_bytes(b"PAR1 nonsense")
    assert written(Workspace(tmp_path)).height == 4


def test_events_may_be_scored_by_hand(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    found = written(workspace, seq_id=["a", "a", "b", "b"], line_no=[1, 2, 1, 2])
    EventPredictions.validate(found)
    assert read_sequence_scores(workspace, "mine")["seq_id"].to_list() == ["b", "a"]


def test_columns_of_other_types_are_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"score: got String, expected Float64"):
        written(Workspace(tmp_path), score=["high"] * 4)
