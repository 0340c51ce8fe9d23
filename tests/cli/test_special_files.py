"""Pipes, devices and folders where a file is expected: refused with a sentence, and never waited for."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from helpers.commands import call, sentence
from helpers.loglines import write_runs

from lo2core.base.errors import InputError
from lo2core.base.schemas import Counts, Ledger
from lo2core.detect.recipe import Recipe
from lo2core.load.loader import LO2Loader
from lo2core.pipeline.train import train_bundle
from lo2core.store import bundles
from lo2core.store.predictions import bundle_of
from lo2core.store.workspace import Workspace


def pipe(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


def device(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to("/dev/zero")
    return path


@pytest.mark.parametrize(
    "name", ["pipe", "oauth2-client.log", "oauth2-client.log.gz", "x.zip", "x.tar.gz", "x.parquet"]
)
@pytest.mark.parametrize("make", [pipe, device])
def test_a_root_that_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, make: object) -> None:
    root = make(tmp_path / name)  # type: ignore[operator]
    assert call("load", "--root", root, "--output-dir", tmp_path / "ws") == 2
    assert f"{name} cannot be read: it is a {'pipe' if make is pipe else 'device'}, not a reg" in sentence(capsys)


def test_a_socket_and_a_name_that_no_file_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("oauth2-client.log")
    with pytest.raises(InputError, match="it is a socket"):
        LO2Loader("oauth2-client.log").execute()
    for name in ("oauth2-client\0.log", "x" * 5000 + ".log"):
        with pytest.raises(InputError, match=r"does not exist|cannot be read"):
            LO2Loader(name).execute()


def test_pipes_and_devices_among_logs_are_listed_in_the_ledger(tmp_path: Path) -> None:
    root = write_runs(tmp_path / "logs")
    folder = next(root.glob("*/correct"))
    pipe(folder / "oauth2-token.log")
    device(folder / "oauth2-user.log")
    (folder / "oauth2-key.log").symlink_to(pipe(tmp_path / "elsewhere"))
    assert call("load", "--root", root, "--output-dir", tmp_path / "ws") == 0
    ignored = Workspace(tmp_path / "ws").read(Ledger).filter(status="ignored")
    names = {Path(source).name for source in ignored["source"]}
    assert names == {"oauth2-token.log", "oauth2-user.log", "oauth2-key.log"}
    assert ignored["bytes"].sum() == ignored["lines"].sum() == 0


@pytest.fixture
def trained(tmp_path: Path, loaded_sample: Path) -> tuple[Workspace, Path]:
    workspace = Workspace(shutil.copytree(loaded_sample, tmp_path / "ws"))
    return workspace, train_bundle(workspace, Recipe(), tmp_path / "models" / "nn.joblib")


def test_what_predictions_name_is_checked_before_it_is_read(
    trained: tuple[Workspace, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, bundle = trained
    monkeypatch.setenv("LO2_MODELS", str(tmp_path / "elsewhere"))
    assert call("predict", "--output-dir", workspace.root, "--bundle", bundle, "--predictions", "scores") == 0
    assert bundle_of(workspace, "scores", tmp_path / "elsewhere") == bundle  # this user has signed it
    given = workspace.path("scores")
    frame, facts = pl.read_parquet(given), pl.read_parquet_metadata(given)
    unsigned = Path(shutil.copy(bundle, tmp_path / "unsigned.joblib"))
    large = tmp_path / "elsewhere" / "large.joblib"
    large.parent.mkdir()
    large.touch()
    os.truncate(large, bundles.MAX_BYTES + 1)
    pipe(tmp_path / "elsewhere" / "pipe.joblib")
    for named in ("/dev/zero", pipe(tmp_path / "pipe.joblib"), unsigned, large, "/", "a\\u0000b"):
        frame.write_parquet(given, metadata={"lo2core": facts["lo2core"].replace(str(bundle), str(named))})
        capsys.readouterr()
        assert call("explain", "--output-dir", workspace.root, "--predictions", "scores") == 2
        said = sentence(capsys)
        if "u0000" in str(named):  # no path at all
            assert "does not record which model made it" in said
            continue
        assert f"{tmp_path / 'elsewhere'}" in said
        assert "does not exist" in said or "cannot be read: it " in said


def test_a_bundle_manifest_or_table_that_is_no_file(
    trained: tuple[Workspace, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace, bundle = trained
    predict = ("predict", "--output-dir", workspace.root, "--bundle")
    assert call(*predict, pipe(tmp_path / "pipe.joblib")) == 2
    assert "pipe.joblib cannot be read: it is a pipe" in sentence(capsys)
    assert call(*predict, "/dev/zero") == 2
    assert "/dev/zero cannot be read: it is a device" in sentence(capsys)
    pipe(bundle.with_suffix(".json"))
    assert call(*predict, bundle) == 2
    assert "nn.json cannot be read: it is a pipe" in sentence(capsys)
    pipe(workspace.path(Counts))
    assert call("train", "--output-dir", workspace.root, "--bundle", tmp_path / "b.joblib") == 2
    assert "lo2_counts.parquet cannot be read: it is a pipe" in sentence(capsys)
    assert call("evaluate", "--output-dir", workspace.root, "--concerns", pipe(tmp_path / "concerns.csv")) == 2
    assert "concerns.csv cannot be read: it is a pipe" in sentence(capsys)


WAITS = {
    "nobody reads what it prints": "print('x' * 1_000_000)",
    "nobody reads its errors": "sys.stderr.write('x' * 1_000_000)",
    "its errors cannot be written": "import os, threading; os.close(2); threading.Event().wait()",
    "compiled code runs": "import time, ctypes; ctypes.CDLL(None).sleep(600)",
    "compiled code holds the interpreter": "sum(range(10**13))",
    "a thread goes on": "import threading; threading.Thread(target=(e := threading.Event()).wait).start(); e.wait()",
}


@pytest.mark.parametrize("what", WAITS)
def test_a_command_ends_soon_after_sigterm_whatever_it_waits_for(tmp_path: Path, what: str) -> None:
    begun = tmp_path / "begun"
    script = (
        "import sys; from lo2core.cli import commands\n"
        f"def work(command):\n    open({str(begun)!r}, 'w').close()\n    {WAITS[what]}\n"
        "commands._RUN['sample'] = work\n"
        "sys.argv = ['lo2core', 'sample', '--output-dir', 'x']; commands.run_as_program()"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not begun.exists() and process.poll() is None:
            time.sleep(0.01)
        process.terminate()
        status = process.wait(timeout=30)
        assert status in (130, -signal.SIGKILL)  # by force where it had no time to end by itself
        if "errors" not in what and status == 130:
            assert b"stopped; what was finished is kept" in process.stderr.read()  # type: ignore[union-attr]


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("loop", "loop.zip"):
        (tmp_path / name).symlink_to(tmp_path / name)
        assert call("load", "--root", tmp_path / name, "--output-dir", tmp_path / "ws") == 2
        assert name in sentence(capsys)
