"""Watching a growing folder: complete test cases are loaded and scored, without loss and without disturbing people."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextvars import Context
from pathlib import Path

import pytest
from helpers.jobs import wait_for
from helpers.loglines import line, write_log, write_runs

from lo2core.base.errors import BusyError, ExistsError, InputError
from lo2core.base.schemas import Counts, Events, Ledger, Messages, Sequences
from lo2core.detect.recipe import Recipe
from lo2core.pipeline import jobs, queue
from lo2core.pipeline.commands import Watch as WatchCommand
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.lock import Work, held_between_jobs, workspace_lock
from lo2core.pipeline.predict import predict_logs
from lo2core.pipeline.train import train_bundle
from lo2core.pipeline.watch import Watch, slot
from lo2core.store.predictions import read_predictions
from lo2core.store.workspace import Workspace

NAME = "model_predictions"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `model.joblib`, trained on two runs."""
    folder = tmp_path_factory.mktemp("trained")
    workspace = Workspace(folder / "ws")
    load_logs(workspace, [write_runs(folder / "logs")])
    train_bundle(workspace, Recipe(), folder / "model.joblib")
    return folder


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return write_runs(tmp_path / "live", runs=1)


@pytest.fixture
def live(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "ws")


def watch(live: Workspace, logs: Path, trained: Path, settle: float = 0.0) -> Watch:
    return Watch(live, [logs], trained / "model.joblib", settle=settle)


def add_case(logs: Path, name: str = "get_client_404_no_client_2") -> Path:
    return write_log(next(logs.iterdir()) / name, line("CLIENT_NOT_FOUND", "10:09:00.000", "ERROR") * 3)


def assert_as_loaded_at_once(live: Workspace, logs: Path, trained: Path) -> None:
    fresh = Workspace(live.root.with_name("fresh"))
    load_logs(fresh, [logs], replace=True)
    predict_logs(fresh, trained / "model.joblib", NAME, replace=True)
    for schema in (Events, Sequences, Ledger, Messages, Counts):
        key = schema.primary_key()
        assert live.read(schema).sort(key).equals(fresh.read(schema).sort(key)), schema.__name__
    assert read_predictions(live, NAME).sort("seq_id").equals(read_predictions(fresh, NAME).sort("seq_id"))


def test_new_test_cases_are_scored_and_the_predictions_grow(logs: Path, live: Workspace, trained: Path) -> None:
    watching = watch(live, logs, trained)
    assert not watching.look()
    before = read_predictions(live, NAME).height
    add_case(logs)
    watching.look()
    assert read_predictions(live, NAME).height == before + 1
    assert_as_loaded_at_once(live, logs, trained)


def test_a_test_case_that_grows_after_scoring_is_scored_again_and_that_is_said(
    logs: Path, live: Workspace, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = add_case(logs)
    watch(live, logs, trained).look()
    with log.open("a") as file:
        file.write(line("CLIENT_NOT_FOUND", "10:09:01.000", "ERROR"))
    watch(live, logs, trained).look()
    assert f"Scored again, since logs were added after scoring: {log.parent.parent.name}/{log.parent.name}." in (
        capsys.readouterr().err
    )
    assert_as_loaded_at_once(live, logs, trained)


def test_a_test_case_is_left_alone_until_it_has_settled(logs: Path, live: Workspace, trained: Path) -> None:
    for log in logs.rglob("*.log"):
        os.utime(log, (1.7e9, 1.7e9))
    fresh = add_case(logs)
    assert watch(live, logs, trained, settle=600).look(), "something is pending"
    assert fresh.parent.name not in live.read(Sequences)["folder"].to_list()
    assert live.read(Sequences)["folder"].n_unique() == 3
    os.utime(fresh, (1.7e9, 1.7e9))
    assert not watch(live, logs, trained, settle=600).look()
    assert_as_loaded_at_once(live, logs, trained)


def test_a_log_copied_with_its_old_time_is_not_complete_at_once(logs: Path, live: Workspace, trained: Path) -> None:
    for log in logs.rglob("*.log"):
        os.utime(log, (1.7e9, 1.7e9))
    watching = watch(live, logs, trained, settle=600)
    watching.look()
    os.utime(add_case(logs), (1.7e9, 1.7e9))
    assert watching.look()
    assert live.read(Sequences)["folder"].n_unique() == 3


def test_logs_that_were_loaded_but_not_scored_are_scored_by_the_next_watch(
    logs: Path, live: Workspace, trained: Path
) -> None:
    load_logs(live, [logs])
    watch(live, logs, trained).look()
    assert_as_loaded_at_once(live, logs, trained)


def test_commands_of_people_go_first(logs: Path, live: Workspace, trained: Path) -> None:
    watching = watch(live, logs, trained)
    with workspace_lock(live, Work(stage="train")):
        assert Context().run(watching.look), "as in another process"
    queue.enqueue(live, Work(stage="train"))
    assert watching.look()
    assert not live.has(Sequences)
    queue.remove(live)
    assert not watching.look()


def test_the_last_job_of_people_stays(live: Workspace) -> None:
    jobs.start(live, Work(arguments=("-c", "from lo2core.pipeline.worker import reporting\nwith reporting(): 1/0")))
    wait_for(lambda: not jobs.status(live).running)
    before = jobs.status(live)
    with held_between_jobs(live):
        assert jobs.status(live) == before
        with pytest.raises(BusyError, match="another command is running"):
            Context().run(held_between_jobs(live).__enter__)
    assert jobs.status(live) == before
    assert before.state == "failed"


def test_predictions_of_another_model_are_not_replaced(logs: Path, live: Workspace, trained: Path) -> None:
    load_logs(live, [logs])
    shutil.copy(live.path(Sequences), live.path(NAME))
    with pytest.raises(ExistsError, match="--predictions"):
        watch(live, logs, trained)


def test_an_empty_folder_is_waited_for_and_a_missing_one_is_refused(
    live: Workspace, tmp_path: Path, trained: Path
) -> None:
    (tmp_path / "live").mkdir()
    watching = watch(live, tmp_path / "live", trained)
    assert not watching.look()
    write_runs(tmp_path / "live", runs=1)
    assert not watching.look()
    assert live.has(NAME)
    with pytest.raises(InputError, match="does not exist"):
        watch(live, tmp_path / "nowhere", trained)


@pytest.fixture
def stopped(live: Workspace) -> Iterator[Path]:
    yield slot(live)
    jobs.cancel(slot(live), grace=0)


def test_a_watch_runs_besides_jobs_and_ends_when_it_is_told(
    logs: Path, live: Workspace, trained: Path, stopped: Path
) -> None:
    command = WatchCommand(root=(logs,), bundle=trained / "model.joblib", settle=0.1, output_dir=live.root)
    jobs.start(stopped, command.work())
    wait_for(lambda: live.has(NAME))
    assert not jobs.status(live).running
    before = read_predictions(live, NAME).height
    add_case(logs)
    wait_for(lambda: read_predictions(live, NAME).height > before)
    with pytest.raises(BusyError, match="watch"):
        jobs.start(stopped, command.work())
    ended = jobs.cancel(stopped, grace=2.0)
    assert ended.state == "cancelled"
    with workspace_lock(live):
        assert not list(live.root.glob(".*.tmp"))
