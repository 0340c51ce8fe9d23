"""Predicting: the same scores wherever and whenever, the fault on top, nothing learned on the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from helpers.loglines import line, write_log, write_runs

from lo2core.base.errors import ArtefactError, ExistsError, InputError
from lo2core.base.schemas import EventPredictions, Events, Predictions, Sequences
from lo2core.detect.incidents import by_incident
from lo2core.detect.instances import CountSource, EventSource
from lo2core.detect.predict import predict, predict_events
from lo2core.detect.recipe import Recipe
from lo2core.detect.train import train
from lo2core.load.loader import LO2Loader
from lo2core.load.plan import LoadOptions
from lo2core.messages.masks import DEFAULT_RULES, Masker, MaskRule
from lo2core.pipeline import run as pipeline_run
from lo2core.pipeline.bundles import open_bundle
from lo2core.pipeline.enhance import enhance_events
from lo2core.pipeline.inputs import extended_masker
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.predict import fitness, predict_logs
from lo2core.pipeline.train import train_bundle
from lo2core.store.workspace import Workspace

ROOT = Path(__file__).parents[2]
SCORES = ("score", "z_score", "p_value", "threshold", "pred_ano", "rank")


def run(*arguments: object) -> str:
    """A command in a new process; its standard output."""
    command = [sys.executable, "-m", "lo2core", *map(str, arguments)]
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with logs, a workspace `ws` and the bundle `b.joblib` trained on it, with its predictions `old`."""
    folder = tmp_path_factory.mktemp("trained")
    workspace = Workspace(folder / "ws")
    load_logs(workspace, [write_runs(folder / "logs", runs=3)])
    train_bundle(workspace, Recipe("IsolationForest"), folder / "b.joblib")
    predict_logs(workspace, folder / "b.joblib", "old")
    return folder


def test_a_planted_anomaly_ranks_above_every_normal(sample_logs: Path, tmp_path: Path) -> None:
    *old, new = sorted(path for path in sample_logs.iterdir() if path.is_dir())
    fault = next(path for path in sorted(new.iterdir()) if path.is_dir() and "_4" in path.name)
    for folder in [fault, *new.glob("correct*")]:
        shutil.copytree(folder, tmp_path / "new" / new.name / folder.name)
    load_logs(Workspace(tmp_path / "ws"), old)
    train_bundle(Workspace(tmp_path / "ws"), Recipe(), tmp_path / "b.joblib")
    load_logs(Workspace(tmp_path / "today"), tmp_path / "new", LoadOptions(labels="none"))
    found = by_incident(pl.read_parquet(predict_logs(Workspace(tmp_path / "today"), tmp_path / "b.joblib", "new")))
    assert found.height == 1 + len(list(new.glob("correct*")))
    assert found["folder"][0] == fault.name
    assert found["z_score"][0] > found["z_score"][1]
    assert found["pred_ano"][0]
    assert found["normal"].null_count() == found.height


def test_scores_are_the_same_to_the_last_bit_in_a_new_process(trained: Path) -> None:
    workspace = Workspace(trained / "ws")
    run("predict", "--output-dir", workspace.root, "--bundle", trained / "b.joblib", "--predictions", "new")
    assert workspace.read(Predictions, "new").equals(workspace.read(Predictions, "old"))


@pytest.mark.parametrize("detector", ["NearestNormal", "IsolationForest"])
def test_scores_do_not_depend_on_jobs_or_on_the_order_of_folders(trained: Path, tmp_path: Path, detector: str) -> None:
    roots = sorted((trained / "logs").iterdir())
    found = []
    for name, jobs, order in (("one", 1, roots), ("four", 4, roots[::-1])):
        bundle = tmp_path / f"{name}.joblib"
        pipeline_run.run(Workspace(tmp_path / name), order, LoadOptions(), Recipe(detector), bundle, jobs=jobs)
        found.append(Workspace(tmp_path / name).read(Predictions, f"{name}_predictions"))
    assert found[0].equals(found[1])


def test_a_fresh_model_and_a_loaded_one_score_alike(trained: Path) -> None:
    loader = LO2Loader(trained / "logs")
    loader.execute()
    model, vec = train(CountSource(loader.items, loader.df_seq), Recipe("IsolationForest"))
    fresh = predict(model, vec, loader.items, loader.df_seq)
    assert fresh.equals(Workspace(trained / "ws").read(Predictions, "old"))


def test_predictions_are_ordered_by_rank_and_flagged_by_the_threshold(trained: Path) -> None:
    found = Workspace(trained / "ws").read(Predictions, "old")
    assert found["rank"].to_list() == found["z_score"].rank("min", descending=True).to_list()
    assert found["rank"].is_sorted()
    assert found["z_score"].is_sorted(descending=True)
    assert found["pred_ano"].equals((found["z_score"] >= found["threshold"]).alias("pred_ano"))
    assert found["threshold"].n_unique() == 1


def test_an_unknown_service_gets_no_score_and_no_foreign_model(trained: Path, tmp_path: Path) -> None:
    write_log(tmp_path / "run_9" / "correct", line(), "key")
    write_log(tmp_path / "run_9" / "correct", line("beat 0 of size 1"), "client")
    loader = LO2Loader(tmp_path)
    loader.execute()
    loaded = open_bundle(trained / "b.joblib")
    found = predict(loaded.model, loaded.vec, loader.items, loader.df_seq)
    row = found.filter(pl.col("service") == "key").select("score", "z_score", "p_value", "pred_ano", "rank").row(0)
    assert row == (None, None, None, None, None)
    assert found["rank"].to_list() == [1, None]
    assert loaded.model.unknown_services(found["service"]) == ["key"]


def remarks_on(workspace: Workspace, bundle: Path) -> list[str]:
    """What is said about a bundle before it scores these logs."""
    loaded = open_bundle(bundle)
    return [*loaded.warnings, fitness(workspace, loaded).sentence]


def test_services_without_a_score_are_named(trained: Path, tmp_path: Path) -> None:
    write_log(tmp_path / "logs" / "run_9" / "correct", line(), "key")
    load_logs(Workspace(tmp_path), [tmp_path / "logs"])
    (sentence,) = remarks_on(Workspace(tmp_path), trained / "b.joblib")
    assert "does not know key, so its logs have no score. It was trained on client, token." in sentence


def test_a_model_of_whole_test_cases_warns_of_windows_and_the_reverse(trained: Path, tmp_path: Path) -> None:
    windowed = Workspace(tmp_path)
    load_logs(windowed, [trained / "logs"], LoadOptions(window=4))
    of_windows = train_bundle(windowed, Recipe(), tmp_path / "w.joblib")
    assert remarks_on(windowed, of_windows) == ["The model fits these logs."]
    (sentence,) = remarks_on(windowed, trained / "b.joblib")
    assert "trained on whole test cases, these logs were loaded as windows of 4 s" in sentence
    (sentence,) = remarks_on(Workspace(trained / "ws"), of_windows)
    assert "trained on windows of 4 s, these logs were loaded as whole test cases" in sentence


def test_windows_of_new_logs_are_scored_each(trained: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    load_logs(workspace, [trained / "logs"], LoadOptions(window=4, n_runs=1))
    predict_logs(workspace, trained / "b.joblib", "windows")
    found = workspace.read(Predictions, "windows")
    assert found["window"].null_count() == 0
    assert found["score"].null_count() == 0


def test_events_are_scored_once_a_message(trained: Path, tmp_path: Path) -> None:
    workspace = Workspace(trained / "ws")
    train_bundle(workspace, Recipe("OutOfVocabulary", unit="event"), tmp_path / "e.joblib")
    predict_logs(workspace, tmp_path / "e.joblib", "events")
    found = workspace.read(EventPredictions, "events")
    events = workspace.read(Events)
    assert found.height == events.height
    assert found.select("seq_id", "line_no").equals(events.select("seq_id", "line_no"))
    top = events["m_message"].filter(found["pred_ano"])
    assert top.str.starts_with("CLIENT_NOT_FOUND").all()
    assert found.filter("pred_ano")["rank"].to_list() == [1, 1, 1]
    assert found.filter(~pl.col("pred_ano"))["rank"].min() == 4


def test_a_model_of_events_does_not_score_sequences(trained: Path) -> None:
    loader = LO2Loader(trained / "logs")
    loader.execute()
    model, vec = train(EventSource(loader.items, loader.df_seq), Recipe("OutOfVocabulary", unit="event"))
    with pytest.raises(InputError, match="scores single events"):
        predict(model, vec, loader.items, loader.df_seq)
    scored = predict_events(model, vec, loader.items, loader.df_seq, loader.df.lazy()).collect()
    assert set(SCORES) <= set(scored.columns)


def test_another_budget_moves_the_threshold_alone(trained: Path) -> None:
    workspace = Workspace(trained / "ws")
    predict_logs(workspace, trained / "b.joblib", "wide", budget=50)
    old, wide = workspace.read(Predictions, "old"), workspace.read(Predictions, "wide")
    assert wide["threshold"][0] < old["threshold"][0]
    assert wide["score"].equals(old["score"])


def test_logs_without_a_sequence_get_predictions_without_a_row(trained: Path, tmp_path: Path) -> None:
    workspace = Workspace(shutil.copytree(trained / "ws", tmp_path / "ws"))
    provenance = workspace.metadata(Sequences)
    workspace.write(Sequences, Sequences.create_empty(), provenance=provenance, replace=True)
    predict_logs(workspace, trained / "b.joblib", "none")
    assert workspace.read(Predictions, "none").is_empty()


def test_predictions_are_not_overwritten_unasked(trained: Path) -> None:
    workspace, bundle = Workspace(trained / "ws"), trained / "b.joblib"
    before = workspace.path("old").read_bytes()
    with pytest.raises(ExistsError):
        predict_logs(workspace, bundle, "old")
    assert workspace.path("old").read_bytes() == before
    names = [predict_logs(workspace, bundle).stem for _ in range(3)]
    assert names == ["b_predictions", "b_predictions_new", "b_predictions_new_2"]


def test_logs_masked_by_other_rules_are_refused(trained: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    load_logs(workspace, [trained / "logs"], masker=Masker(DEFAULT_RULES[:1]))
    found = predict_logs(workspace, trained / "b.joblib", "p")
    old = Workspace(trained / "ws").read(Predictions, "old")
    assert workspace.read(Predictions, found.stem).select("seq_id", *SCORES).equals(old.select("seq_id", *SCORES))
    other = Workspace(tmp_path / "other")
    load_logs(other, [trained / "logs"], masker=Masker((MaskRule("beat", "beat", "b"),)))
    with pytest.raises(ArtefactError, match="masked by other rules"):
        predict_logs(other, trained / "b.joblib", "p")


def test_an_incident_scores_as_its_worst_service() -> None:
    rows = [
        {"run": "r", "folder": "f", "test_case": "f", "window": None, "service": service, "seq_id": service}
        | {"z_score": z, "p_value": 0.5, "pred_ano": z >= 1, "threshold": 1.0, "normal": True, "anomaly": False}
        for service, z in (("client", 0.5), ("token", 1.5), ("key", -1.0))
    ]
    found = by_incident(pl.DataFrame(rows)).row(0, named=True)
    assert (found["service"], found["z_score"], found["pred_ano"]) == ("token", 1.5, True)


def test_events_are_scored_under_the_masks_of_a_bundle_that_has_more_of_them(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "ws")
    load_logs(workspace, [write_runs(tmp_path / "logs")])
    masked = Workspace(shutil.copytree(workspace.root, tmp_path / "masked"))
    enhance_events(masked, masker=extended_masker(masked, [("beat", r"beat \d", "beat <N>")]), replace=True)
    bundle = train_bundle(masked, Recipe("IsolationForest", unit="event"), tmp_path / "b.joblib")
    scores = [predict_logs(one, bundle, "events") for one in (workspace, masked)]
    plain, own = (pl.read_parquet(path).sort("seq_id", "line_no") for path in scores)
    assert plain["score"].null_count() == 0
    assert plain.equals(own)
