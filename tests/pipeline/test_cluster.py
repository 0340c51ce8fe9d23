"""Work on a Dask cluster gives what one process gives: to the last bit, whatever happens to the workers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed.comm.core import CommClosedError
from helpers.commands import call, sentence
from helpers.loglines import write_log, write_runs

from lo2core.base.schemas import Counts, Events, Ledger, Messages, Sequences
from lo2core.pipeline.cluster import Cluster, connected
from lo2core.pipeline.load import load_logs
from lo2core.pipeline.predict import predict_logs
from lo2core.store.predictions import read_predictions
from lo2core.store.workspace import Workspace

TABLES = (Events, Sequences, Ledger, Messages, Counts)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Two workers of this machine, for all tests of this file."""
    with connected("local:2") as two:
        yield two


def assert_same(one: Workspace, other: Workspace) -> None:
    for schema in TABLES:
        assert one.read(schema).equals(other.read(schema)), schema.__name__
    fingerprints = [workspace.metadata(Sequences)["data_fingerprint"] for workspace in (one, other)]
    assert fingerprints[0] == fingerprints[1]


def test_two_workers_load_what_one_process_loads(
    cluster: Cluster, sample_logs: Path, loaded_sample: Path, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path)
    load_logs(workspace, sample_logs, cluster=cluster)
    assert_same(workspace, Workspace(loaded_sample))
    assert not (tmp_path / ".parts").exists()


def test_two_workers_give_the_scores_of_one_process(cluster: Cluster, trained_runs: Path, tmp_path: Path) -> None:
    workspace = Workspace(shutil.copytree(trained_runs / "ws", tmp_path / "ws"))
    bundle = trained_runs / "models" / "lo2_nn.joblib"
    for name, workers in (("one", None), ("two", cluster)):
        predict_logs(workspace, bundle, name, cluster=workers)
    assert read_predictions(workspace, "two").equals(read_predictions(workspace, "one"))


def test_a_worker_that_is_killed_is_replaced_and_its_work_repeated(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = write_runs(tmp_path / "logs", runs=12)
    load_logs(Workspace(tmp_path / "plain"), logs)
    workers = list(set(cluster.map(_pid, range(8))))
    label = cluster.label

    def kill_one(what: str) -> str:
        if workers:
            os.kill(workers.pop(), signal.SIGKILL)
            workers.clear()
        return label(what)

    monkeypatch.setattr(cluster, "label", kill_one)
    load_logs(Workspace(tmp_path / "ws"), logs, cluster=cluster)
    assert not workers
    assert_same(Workspace(tmp_path / "ws"), Workspace(tmp_path / "plain"))
    assert re.search(r"^Load on [12] workers? \d+% .*MB/s", capsys.readouterr().err, re.MULTILINE)


def _pid(_: int) -> int:
    return os.getpid()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("local:0", "'local:0' is not a cluster: give the address of a Dask scheduler"),
        ("somewhere", "'somewhere' is not a cluster"),
        ("127.0.0.1:99999", "No Dask scheduler answers at 127.0.0.1:99999"),
        ("tcp://127.0.0.1:{free}", "No Dask scheduler answers at tcp://127.0.0.1:{free} (Connection refused)."),
    ],
)
def test_an_address_without_a_scheduler_is_one_sentence(
    address: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    logs = write_log(tmp_path / "logs" / "correct", "")
    arguments = ["--root", logs.parents[1], "--output-dir", tmp_path / "ws", "--cluster", address.format(free=free)]
    assert call("load", *arguments) == 2
    assert expected.format(free=free) in sentence(capsys)
    assert not (tmp_path / "ws").exists()


def test_a_server_that_is_no_scheduler_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lo2core.pipeline.cluster._CONNECT_S", 0.2)
    logs = write_log(tmp_path / "logs" / "correct", "")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        assert call("load", "--root", logs.parents[1], "--output-dir", tmp_path / "ws", "--cluster", address) == 2
    assert f"No Dask scheduler answers at {address} (nothing came from there" in sentence(capsys)


def test_a_progress_survives_the_loss_of_the_scheduler(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost() -> None:
        raise CommClosedError

    monkeypatch.setattr(cluster._client, "nthreads", lost)
    monkeypatch.setattr(cluster, "_looked", float("-inf"))
    assert cluster.label("Load").startswith("Load on ")
