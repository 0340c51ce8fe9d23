"""Logs with too many distinct messages are counted by templates, from the load to the explanation."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import line, write_log

from lo2core.base.errors import ArtefactError, InputError
from lo2core.base.schemas import Events, Messages
from lo2core.detect.recipe import Recipe
from lo2core.pipeline import load as pipeline_load
from lo2core.pipeline.bundles import open_bundle
from lo2core.pipeline.inputs import extended_masker, logs_for, masker_of, read_items
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.predict import predict_logs
from lo2core.pipeline.train import train_bundle
from lo2core.store.workspace import Workspace

NAMES = [first + second for first in ("anna", "bert", "cleo", "dora") for second in ("lind", "mont", "stein")]

TEMPLATE = "DEBUG c.n.handler.Chain handle - Order of <*> took road <*>-B, answer status: 200"


def orders(start: int, *more: str) -> str:
    """Lines about orders, no two of which have the same message, and further lines."""
    texts = [
        f"Order of {NAMES[n % 12]}{'xyz'[n % 3] * n} took road {n}-B, answer status: 200"
        for n in range(start, start + 12)
    ]
    return "".join(line(text) for text in (*texts, *more))


@pytest.fixture(scope="module", autouse=True)
def _few_messages() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline_load, "MOST_MESSAGES", 20)
        yield


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The logs of three runs and a workspace with them."""
    folder = tmp_path_factory.mktemp("reduction") / "project"
    for run in range(3):
        for case in range(2):
            write_log(folder / f"logs/light-oauth2-data-171959280{run}/correct_{case}", orders(24 * run + 12 * case))
    load_logs(Workspace(folder / "workspace"), folder / "logs")
    return folder


@pytest.fixture
def workspace(loaded: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(loaded, tmp_path, dirs_exist_ok=True)
    return Workspace(tmp_path / "workspace")


def test_the_messages_are_templates_with_their_status(workspace: Workspace) -> None:
    items = read_items(workspace)
    texts = items.messages.filter(pl.col("kind") == "message")["text"].to_list()
    assert texts == [TEMPLATE]
    assert items.counts.filter(pl.col("kind") == "message")["n"].sum() == workspace.artefact(Events).rows == 72
    assert masker_of(workspace).templates is not None


def test_the_result_does_not_depend_on_the_number_of_jobs(workspace: Workspace, tmp_path: Path) -> None:
    again = Workspace(tmp_path / "again")
    load_logs(again, tmp_path / "logs", jobs=1)
    assert again.read(Messages).equals(workspace.read(Messages))
    assert masker_of(again).fingerprint == masker_of(workspace).fingerprint


def test_new_logs_are_scored_and_explained_by_the_templates_of_the_model(workspace: Workspace, tmp_path: Path) -> None:
    bundle = train_bundle(workspace, Recipe(budget=10.0), tmp_path / "model.joblib")
    sample = workspace.sample("today")
    write_log(tmp_path / "new/correct_7", orders(100))
    failed = "Order of zacharias took road 900-B, answer status: 503"
    write_log(tmp_path / "new/other_8", orders(200, failed))
    load_logs(sample, tmp_path / "new")
    assert masker_of(sample).fingerprint == masker_of(workspace).fingerprint
    predict_logs(sample, bundle)
    vec = open_bundle(bundle).vec
    logs = logs_for(sample, vec)
    encoded = vec.transform(logs.items, pl.Series(logs.sequences.sort("folder")["seq_id"]))
    assert encoded.X[:, -vec.unseen_columns :].sum(axis=1).ravel().tolist()[0][0] == 0
    new = logs.items.messages.filter(pl.col("message_id").is_in(encoded.unseen["feature"].implode()))["text"]
    assert new.to_list() == [f"{TEMPLATE[:-3]}503"]


def test_other_logs_get_the_templates_of_the_model_when_they_are_scored(workspace: Workspace, tmp_path: Path) -> None:
    train_bundle(workspace, Recipe(budget=10.0), tmp_path / "model.joblib")
    other = Workspace(tmp_path / "other")
    write_log(tmp_path / "few/correct_7", orders(100))
    load_logs(other, tmp_path / "few")
    assert masker_of(other).templates is None
    vec = open_bundle(tmp_path / "model.joblib").vec
    logs = logs_for(other, vec)
    assert vec.transform(logs.items, logs.sequences["seq_id"]).X[:, -1].sum() == 0


def test_logs_with_templates_of_their_own_are_counted_like_a_model_when_they_are_loaded_like_it(
    workspace: Workspace, tmp_path: Path
) -> None:
    bundle = train_bundle(workspace, Recipe(budget=10.0), tmp_path / "model.joblib")
    texts = (f"Payment of {name}{'xyz'[n % 3] * n} went to {n}-B" for n, name in enumerate(NAMES * 4))
    write_log(tmp_path / "many/correct_7", orders(100, *texts))
    other = Workspace(tmp_path / "other")
    load_logs(other, tmp_path / "many")
    assert masker_of(other).fingerprint != masker_of(workspace).fingerprint
    with pytest.raises(ArtefactError, match=r"templates of its own, and this model has others.*--replace --like"):
        predict_logs(other, bundle)
    load_logs(other, tmp_path / "many", like=bundle, replace=True)
    assert masker_of(other).fingerprint == masker_of(workspace).fingerprint
    predict_logs(other, bundle)


def test_masks_cannot_be_added_to_templates(workspace: Workspace) -> None:
    extended = extended_masker(workspace, [("road", "road", "<ROAD>")])
    with pytest.raises(InputError, match="counted by templates"):
        extended.beyond(masker_of(workspace))
